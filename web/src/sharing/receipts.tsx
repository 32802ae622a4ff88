// Receipts: to whom what was given, how and when, newest first.

import { get } from "../core/api";
import { digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { Shown } from "../shell/parts";
import { Tlp } from "./marks";
import type { Receipt } from "./model";
import { useWords } from "./texts";

export function Receipts() {
	const { language } = useHouse();
	const w = useWords();
	const load = useLoad("receipts", (signal) => get<{ receipts: Receipt[] }>("/receipts?limit=500", signal), 15_000);
	return (
		<Shown load={load}>{({ receipts }) => receipts.length === 0
			? <div class="state"><p class="state-title">{w("receipts.none")}</p><p>{w("receipts.none.hint")}</p></div>
			: (
				<section class="panel">
					<p class="hint">{w("receipts.hint")}</p>
					<div class="scroll"><table class="receipts">
						<thead><tr><th scope="col">{w("time")}</th><th scope="col">{w("who")}</th><th scope="col">{w("collection")}</th><th scope="col">{w("way")}</th><th scope="col" class="n">{w("objects")}</th><th scope="col">{w("most")}</th><th scope="col">{w("span")}</th></tr></thead>
						<tbody>{receipts.map((one) => (
							<tr key={`${one.time} ${one.actor} ${one.detail.way}`}>
								<td class="t">{time(one.time, language)}</td>
								<td>{one.name ?? w("member.staff")} <span class="hint">{one.actor}</span></td>
								<td><code>{one.subject}</code></td>
								<td>{one.detail.way}{one.detail.filter && <span class="hint"> {one.detail.filter}</span>}</td>
								<td class="n">{digits(one.detail.objects, language)}</td>
								<td><Tlp of={one.detail.most} /></td>
								<td class="t hint">{one.detail.after ? `${time(one.detail.after, language)} – ` : "– "}{time(one.detail.until, language)}</td>
							</tr>
						))}</tbody>
					</table></div>
					<pre class="command">yagura share receipts --limit 500</pre>
				</section>
			)}</Shown>
	);
}
