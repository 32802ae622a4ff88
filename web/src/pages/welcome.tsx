// The door: a one-time link is redeemed, or name and password are asked for.

import { useEffect, useState } from "preact/hooks";
import { ApiError, request, type Session } from "../core/api";
import { useHouse } from "../core/house";
import { useRoute } from "../core/route";
import { PasswordForm } from "./accounts";

/** Where one begins: an organisation's people at what is theirs. */
const homeOf = (role: string | undefined): string => (role === "member" ? "#/portal" : "#/observe/overview");

export default function Welcome() {
	const { t, language, session, reloadSession } = useHouse();
	const { params } = useRoute();
	const token = params.get("token");
	const [redeeming, setRedeeming] = useState(token !== null);
	const [error, setError] = useState("");
	useEffect(() => {
		document.title = "Yagura 櫓";
		if (!token) return;
		request<Session>("POST", "/session/redeem", { token }).then(
			async () => { history.replaceState(null, "", "#/welcome"); await reloadSession(); setRedeeming(false); },
			(fault: ApiError) => { setRedeeming(false); setError(fault.status === 0 ? fault.message : t("welcome.failed")); },
		);
	}, []);
	const signIn = (event: Event) => {
		event.preventDefault();
		const form = new FormData(event.currentTarget as HTMLFormElement);
		request<Session>("POST", "/session", { name: form.get("name"), password: form.get("password") }).then(
			async (one) => { await reloadSession(); location.hash = homeOf(one.user?.role); },
			(fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message),
		);
	};
	return (
		<div class="center">
			<div class="card">
				<img src="./mark.svg" width="56" height="56" alt="" />
				<h1>{t("welcome.title")}</h1>
				{redeeming ? <p class="hint" aria-busy="true">{t("welcome.redeeming")}</p> : session?.user ? (
					<>
						{session.user.must_set_password && <p>{t("account.mustSet", { name: session.user.name })}</p>}
						<PasswordForm name={session.user.name} done={() => { location.hash = homeOf(session.user?.role); }} />
					</>
				) : (
					<form onSubmit={signIn} class="builder">
						<label class="field">{t("account.name")}<input name="name" autocomplete="username" required autofocus /></label>
						<label class="field">{t("account.password")}<input name="password" type="password" autocomplete="current-password" required /></label>
						<button class="main" type="submit">{t("account.signIn")}</button>
					</form>
				)}
				{error && <p class="error" role="alert">{error}</p>}
				{(session?.guest_role || session?.user) && <a href="#/observe/atlas">{t("welcome.look")} →</a>}
				{session?.public_statistics && !session.guest_role && !session.user && <a href="#/statistics">{t("nav.statistics")} →</a>}
			</div>
		</div>
	);
}
