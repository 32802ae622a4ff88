// One's own account: its password.

import { useState } from "preact/hooks";
import { ApiError, request } from "../core/api";
import { useHouse } from "../core/house";
import { Page } from "../shell/parts";

export function PasswordForm({ name, done }: { name: string; done?: () => void }) {
	const { t, language, reloadSession } = useHouse();
	const [password, setPassword] = useState("");
	const [said, say] = useState<{ good: boolean; text: string } | null>(null);
	const send = (event: Event) => {
		event.preventDefault();
		request("PUT", `/users/${encodeURIComponent(name)}`, { password }).then(
			async () => { say({ good: true, text: t("account.passwordSet") }); setPassword(""); await reloadSession(); done?.(); },
			(fault: ApiError) => say({ good: false, text: (language === "ja" && fault.messageJa) || fault.message }),
		);
	};
	return (
		<form onSubmit={send} class="row">
			<input type="text" name="username" value={name} autocomplete="username" class="hidden" tabIndex={-1} readOnly aria-hidden="true" />
			<label class="field">{t("account.newPassword")}<input type="password" name="new-password" autocomplete="new-password" minLength={10} required value={password} onInput={(event) => setPassword(event.currentTarget.value)} /></label>
			<button class="main" type="submit">{t("account.setPassword")}</button>
			{said && <span class={said.good ? "hint" : "error"} role="status">{said.text}</span>}
		</form>
	);
}

export default function Accounts() {
	const { t, session } = useHouse();
	return (
		<Page title={t("nav.accounts")}>
			{!session?.user && <div class="state"><p class="state-title">{t("account.signInFirst")}</p><a class="button" href="#/sign-in">{t("account.signIn")}</a></div>}
			{session?.user && <section class="panel"><h2>{t("account.own", { name: session.user.name })}</h2><PasswordForm name={session.user.name} /></section>}
			{session?.user?.role === "admin" && <p><a href="#/people">{t("account.others")} →</a></p>}
		</Page>
	);
}
