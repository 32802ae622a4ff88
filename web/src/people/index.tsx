// Who may come in: accounts, and tokens for programs. For administrators.

import { useState } from "preact/hooks";
import { useHouse } from "../core/house";
import { useRoute, withParams } from "../core/route";
import { OnlyFor, Page } from "../shell/parts";
import { Accounts } from "./accounts";
import { useWords } from "./forms";
import { Tokens } from "./tokens";
import "./people.css";

function Inside() {
	const w = useWords();
	const { params } = useRoute();
	const view = params.get("view") === "tokens" ? "tokens" : "accounts";
	const [asking, setAsking] = useState("");
	const leave = () => setAsking("");
	return (
		<Page title={w("title")} hint={w("hint")} tools={<button type="button" class="main" aria-expanded={asking === view} onClick={() => setAsking(asking === view ? "" : view)}>{w(view === "tokens" ? "token.new" : "invite")}</button>}>
			<nav class="segments views" aria-label={w("title")}>
				{(["accounts", "tokens"] as const).map((one) => <a key={one} class={one === view ? "on" : ""} aria-current={one === view ? "page" : undefined} href={withParams({ view: one === "accounts" ? undefined : one, role: undefined, find: undefined })}>{w(`view.${one}`)}</a>)}
			</nav>
			{view === "tokens" ? <Tokens making={asking === view} leaveMake={leave} /> : <Accounts inviting={asking === view} leaveInvite={leave} />}
		</Page>
	);
}

export default function People() {
	const { t } = useHouse();
	const w = useWords();
	return <OnlyFor role="admin" title={w("title")} why={w("forbidden")} otherwise={<a class="button" href="#/accounts">{t("nav.accounts")}</a>}><Inside /></OnlyFor>;
}
