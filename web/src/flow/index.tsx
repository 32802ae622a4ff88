// Flow information: traffic that is asked for, and the exporters that tell of it.

import { get } from "../core/api";
import { useHouse, useLoad, useTexts } from "../core/house";
import { address, kept, useRoute } from "../core/route";
import { Page, Shown } from "../shell/parts";
import { Exporters } from "./exporters";
import type { Flow } from "./model";
import { en, ja } from "./texts";
import { Traffic } from "./traffic";
import "./flow.css";

const HERE = 'yagura hub --data DIR --flow-listen 0.0.0.0:2055';
const TRY = "softflowd -d -a -r CAPTURE.pcap -v 9 -n 127.0.0.1:2055 -p /tmp/softflowd.pid -c none";

function Nothing() {
	const w = useTexts({ en, ja });
	return (
		<div class="state">
			<p class="state-title">{w("none.title")}</p>
			<p>{w("none.text")}</p>
			<pre class="command">{HERE}</pre>
			<p>{w("none.try")}</p>
			<pre class="command">{TRY}</pre>
		</div>
	);
}

export default function FlowPage() {
	const { session } = useHouse();
	const w = useTexts({ en, ja });
	const { path, params } = useRoute();
	const exporters = path[1] === "exporters";
	const load = useLoad(session?.user?.name ?? "", (signal) => get<Flow>("/flow", signal), exporters ? 5000 : 30_000);
	return (
		<Page title={w(exporters ? "exporters.title" : "title")} hint={w(exporters ? "exporters.hint" : "hint")} tools={
			<nav class="segments" aria-label={w("title")}>
				<a class={exporters ? "" : "on"} aria-current={exporters ? undefined : "page"} href={address("flow", kept(params))}>{w("tab.traffic")}</a>
				<a class={exporters ? "on" : ""} aria-current={exporters ? "page" : undefined} href={address("flow/exporters", kept(params))}>{w("tab.exporters")}</a>
			</nav>}>
			<Shown load={load}>{(flow) => flow.collector || flow.archive ? exporters ? <Exporters flow={flow} /> : <Traffic flow={flow} /> : <Nothing />}</Shown>
		</Page>
	);
}
