// Who may come in: one's own password, and for administrators users and tokens.

import { useState } from "preact/hooks";
import { ApiError, get, request } from "../core/api";
import { time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { Page, Shown } from "../shell/parts";

interface Account { name: string; role: string; created?: string; last_login?: string | null }
interface Token { id: string; name: string; role: string; created?: string; last_used?: string | null }
const ROLES = ["viewer", "analyst", "operator", "admin"];

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

function Make({ label, what, path, withPassword, made }: { label: string; what: string; path: string; withPassword: boolean; made: (answer: unknown) => void }) {
	const { t, tOf, language } = useHouse();
	const [error, setError] = useState("");
	const send = (event: Event) => {
		event.preventDefault();
		const form = event.currentTarget as HTMLFormElement;
		const body = Object.fromEntries(new FormData(form)) as Record<string, string>;
		request<unknown>("POST", path, body).then(
			(answer) => { setError(""); form.reset(); made(answer); },
			(fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message),
		);
	};
	return (
		<form onSubmit={send} class="row" aria-label={what}>
			<label class="field">{t("account.name")}<input name="name" required autocomplete="off" /></label>
			{withPassword && <label class="field">{t("account.password")}<input name="password" type="password" required minLength={10} autocomplete="new-password" /></label>}
			<label class="field">{t("account.role")}<select name="role">{(withPassword ? ROLES : [...ROLES, "sensor"]).map((role) => <option key={role} value={role}>{tOf("role", role)}</option>)}</select></label>
			<button type="submit">{label}</button>
			{error && <span class="error" role="alert">{error}</span>}
		</form>
	);
}

function Lists() {
	const { t, tOf, language, session } = useHouse();
	const users = useLoad("users", (signal) => get<{ users: Account[] } | Account[]>("/users", signal));
	const tokens = useLoad("tokens", (signal) => get<{ tokens: Token[] } | Token[]>("/tokens", signal));
	const [secret, setSecret] = useState("");
	const remove = (path: string, name: string, then: () => void) => {
		if (confirm(t("account.confirm", { name }))) request("DELETE", path).then(then, then);
	};
	return (
		<>
			<section class="panel">
				<h2>{t("account.users")}</h2>
				<Shown load={users}>{(answer) => (
					<div class="scroll"><table>
						<thead><tr><th scope="col">{t("account.name")}</th><th scope="col">{t("account.role")}</th><th scope="col">{t("account.created")}</th><th scope="col">{t("account.lastLogin")}</th><th scope="col" /></tr></thead>
						<tbody>{(Array.isArray(answer) ? answer : answer.users).map((user) => (
							<tr key={user.name}><td>{user.name}</td><td>{tOf("role", user.role)}</td><td class="t">{time(user.created, language, false)}</td><td class="t">{time(user.last_login, language, false)}</td><td class="n">{user.name !== session?.user?.name && <button type="button" onClick={() => remove(`/users/${encodeURIComponent(user.name)}`, user.name, users.reload)}>{t("account.delete")}</button>}</td></tr>
						))}</tbody>
					</table></div>
				)}</Shown>
				<Make label={t("account.addUser")} what={t("account.addUser")} path="/users" withPassword made={users.reload} />
			</section>
			<section class="panel">
				<h2>{t("account.tokens")}</h2>
				<Shown load={tokens}>{(answer) => {
					const list = Array.isArray(answer) ? answer : answer.tokens;
					return list.length > 0 && (
						<div class="scroll"><table>
							<thead><tr><th scope="col">{t("account.name")}</th><th scope="col">{t("account.role")}</th><th scope="col">{t("account.created")}</th><th scope="col">{t("account.lastUsed")}</th><th scope="col" /></tr></thead>
							<tbody>{list.map((token) => <tr key={token.id}><td>{token.name}</td><td>{tOf("role", token.role)}</td><td class="t">{time(token.created, language, false)}</td><td class="t">{time(token.last_used, language, false)}</td><td class="n"><button type="button" onClick={() => remove(`/tokens/${encodeURIComponent(token.id)}`, token.name, tokens.reload)}>{t("account.delete")}</button></td></tr>)}</tbody>
						</table></div>
					);
				}}</Shown>
				<Make label={t("account.addToken")} what={t("account.addToken")} path="/tokens" withPassword={false} made={(answer) => { setSecret((answer as { token: string }).token); tokens.reload(); }} />
				{secret && <div role="status"><p>{t("account.tokenOnce")}</p><pre class="command">{secret}</pre></div>}
			</section>
		</>
	);
}

export default function Accounts() {
	const { t, session } = useHouse();
	return (
		<Page title={t("nav.accounts")}>
			{!session?.user && <div class="state"><p class="state-title">{t("account.signInFirst")}</p><a class="button" href="#/sign-in">{t("account.signIn")}</a></div>}
			{session?.user && <section class="panel"><h2>{t("account.own", { name: session.user.name })}</h2><PasswordForm name={session.user.name} /></section>}
			{session?.user?.role === "admin" && <Lists />}
		</Page>
	);
}
