// Sharing: groups, releases, receipts. Each under an address of its own: #/sharing/groups, /releases, /receipts.

import { get } from "../core/api";
import { useHouse, useLoad } from "../core/house";
import { useRoute } from "../core/route";
import { Page, Trouble } from "../shell/parts";
import { Groups } from "./groups";
import type { Group, Release } from "./model";
import { Receipts } from "./receipts";
import { Releases } from "./releases";
import { useWords } from "./texts";
import "./sharing.css";

const TABS = ["groups", "releases", "receipts"] as const;

export default function Sharing() {
	const { t, session } = useHouse();
	const w = useWords();
	const route = useRoute();
	const role = session?.user?.role ?? "";
	const tabs = TABS.filter((one) => one !== "receipts" || role === "operator" || role === "admin" || role === "member");
	const tab = tabs.find((one) => one === route.path[1]) ?? "groups";
	const groups = useLoad("groups of all", (signal) => get<{ groups: Group[] }>("/groups", signal));
	const queue = useLoad("waiting", (signal) => get<{ releases: Release[] }>("/releases?state=proposed&limit=500", signal), 15_000);
	const waiting = queue.data?.releases.length ?? 0;
	return (
		<Page title={t("nav.sharing")} hint={w("hint")}>
			{groups.error && !groups.data ? <Trouble error={groups.error} reload={groups.reload} /> : (
				<div class="sharing">
					<nav class="segments sharing-tabs" aria-label={t("nav.sharing")}>
						{tabs.map((one) => <a key={one} class={one === tab ? "on" : ""} aria-current={one === tab ? "page" : undefined} href={`#/sharing/${one}`}>{w(`tab.${one}`)}{one === "releases" && waiting > 0 && <b class="badge" title={w("waiting", { count: waiting })}>{waiting}</b>}</a>)}
					</nav>
					{tab === "groups" && <Groups />}
					{tab === "releases" && <Releases groups={groups.data?.groups ?? []} reload={queue.reload} />}
					{tab === "receipts" && <Receipts />}
				</div>
			)}
		</Page>
	);
}
