// Members: the list, one of them, editing, and bringing in a file. No key is the word "import".

import { useHouse } from "../core/house";
import { useRoute } from "../core/route";
import { Page } from "../shell/parts";
import "../people/people.css";
import { Edit } from "./form";
import { Import } from "./import";
import { List, useWords } from "./list";
import "./members.css";
import { One } from "./one";
import { OPERATORS } from "./model";

/** Those who may not come in are told why, and where what is theirs stands. */
function Closed({ why, theirs }: { why: string; theirs: boolean }) {
	const { t, session } = useHouse();
	const w = useWords();
	return (
		<Page title={w("title")}>
			<div class="state">
				<p class="state-title">{why}</p>
				{!session?.user ? <a class="button" href="#/sign-in">{t("account.signIn")}</a> : <a class="button" href={theirs ? "#/portal" : "#/members"}>{theirs ? t("nav.portal") : w("back")}</a>}
			</div>
		</Page>
	);
}

export default function Members() {
	const { t, session } = useHouse();
	const w = useWords();
	const { path: [, key = "", doing = ""] } = useRoute();
	if (!session) return <Page title={w("title")}><div class="state quiet" aria-busy="true">{t("state.loading")}</div></Page>;
	const role = session.user?.role ?? "";
	if (!role) return <Closed why={w("signIn.needed")} theirs={false} />;
	if (role === "member") return <Closed why={w("theirs")} theirs />;
	if (!key) return <List />;
	if ((key === "import" || doing) && !OPERATORS.includes(role)) return <Closed why={w("operators")} theirs={false} />;
	if (key === "import") return doing === "one" ? <Edit of="" /> : <Import />;
	return doing === "edit" ? <Edit of={key} /> : <One of={key} />;
}
