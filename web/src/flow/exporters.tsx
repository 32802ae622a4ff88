// The exporters' health: one line each, the worst first, with what to do about it.

import { ago, bytes, digits, percent, short, time } from "../core/format";
import { useHouse, useTexts } from "../core/house";
import { health, share, type Exporter, type Flow, type Health } from "./model";
import { en, ja } from "./texts";

const ORDER: Health[] = ["silent", "templates", "losing", "faulty", "clock", "fine"];
const MARKS: Record<Health, string> = { silent: "idle", templates: "bad", losing: "bad", faulty: "bad", clock: "bad", fine: "" };
const FORMATS: Record<string, string> = { netflow5: "NetFlow v5", netflow9: "NetFlow v9", ipfix: "IPFIX", sflow5: "sFlow v5" };
const useWords = () => useTexts({ en, ja });

/** Flows of each minute of the last hour, and over them what was missing. */
function Minutes({ minutes }: { minutes: [number, number][] }) {
	const { language } = useHouse();
	const w = useWords();
	const shown = minutes.slice(-60), most = Math.max(1, ...shown.map(([came, lost]) => came + lost));
	const sum = (i: 0 | 1) => shown.reduce((total, minute) => total + minute[i], 0);
	return (
		<svg class="minutes" viewBox="0 0 120 24" role="img" aria-label={w("minutes.label", { records: digits(sum(0), language), lost: digits(sum(1), language) })}>
			{shown.map(([came, lost], i) => {
				const x = 120 - 2 * (shown.length - i), high = (24 * came) / most, gone = (24 * lost) / most;
				return <g key={i}><rect x={x} width="1.6" y={24 - high} height={high} /><rect class="gone" x={x} width="1.6" y={24 - high - gone} height={gone} /></g>;
			})}
		</svg>
	);
}

function Clock({ seconds }: { seconds: number }) {
	const w = useWords();
	const off = Math.abs(seconds);
	const said = off < 90 ? `${off.toFixed(1)} s` : off < 5400 ? `${Math.round(off / 60)} min` : off < 172800 ? `${Math.round(off / 3600)} h` : `${Math.round(off / 86400)} d`;
	return <span class={off > 10 ? "error" : ""}>{off < 1 ? w("clock.right") : w(seconds > 0 ? "clock.ahead" : "clock.behind", { time: said })}</span>;
}

function Line({ exporter, state }: { exporter: Exporter; state: Health }) {
	const { language } = useHouse();
	const w = useWords();
	const faults = Object.entries(exporter.faults).map(([name, count]) => `${name} ${count}`).join(", ");
	return (
		<>
			<tr class={state === "fine" ? "" : "troubled"}>
				<th scope="row"><span class="mono">{exporter.exporter}</span>{exporter.domain > 0 && <span class="hint"> #{exporter.domain}</span>}</th>
				<td><span class={`status-mark ${MARKS[state]}`}>{w(`health.${state}`)}</span></td>
				<td>{FORMATS[exporter.format] ?? exporter.format}</td>
				<td class="n">{short(exporter.records_per_second, language)}</td>
				<td><Minutes minutes={exporter.minutes} /></td>
				<td class={exporter.lost > 0 ? "n error" : "n"} title={digits(exporter.lost, language)}>{exporter.lost > 0 ? percent(share(exporter), language) : "0"}</td>
				<td class="n">{digits(exporter.late, language)}</td>
				<td class="n">{exporter.format === "netflow5" || exporter.format === "sflow5" ? "–" : digits(exporter.templates, language)}</td>
				<td class="n">{digits(exporter.waiting, language)}</td>
				<td>{exporter.sampling > 1 ? w("sampling.of", { n: digits(exporter.sampling, language) }) : w("sampling.none")}</td>
				<td><Clock seconds={exporter.skew_seconds} /></td>
				<td class="t" title={time(exporter.last, language)}>{ago(exporter.last, language)}</td>
			</tr>
			{state !== "fine" && <tr class="why"><td colSpan={12} class="hint">{w(`health.${state}.why`, { what: faults })}</td></tr>}
		</>
	);
}

export function Exporters({ flow }: { flow: Flow }) {
	const { language } = useHouse();
	const w = useWords();
	const { collector, archive } = flow;
	const now = Date.parse(collector?.time ?? "") || Date.now();
	const lines = (collector?.exporters ?? []).map((exporter) => ({ exporter, state: health(exporter, now) }))
		.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.exporter.records - a.exporter.records);
	const troubled = lines.filter((line) => line.state !== "fine").length;
	return (
		<>
			{!collector?.running && <p class="note" role="note">{w("stopped")}</p>}
			{collector?.running && collector.blocked && <p class="alarm" role="alert">{w("blocked")}</p>}
			<dl class="figures exporter-figures">
				<div><dt>{w("rate")}</dt><dd>{short(collector?.running ? collector.records_per_second : 0, language)}</dd></div>
				<div><dt>{w("count")}</dt><dd>{digits(lines.length, language)}<span class={troubled ? "sub error" : "sub"}>{troubled ? w("not.fine", { count: troubled }) : w("fine")}</span></dd></div>
				<div><dt>{w("dropped")}</dt><dd class={collector?.dropped ? "error" : ""}>{digits(collector?.dropped ?? 0, language)}<span class="sub">{w("dropped.sub")}</span></dd></div>
				<div><dt>{w("unstored")}</dt><dd class={collector?.not_stored ? "error" : ""}>{digits(collector?.not_stored ?? 0, language)}</dd></div>
				<div><dt>{w("kept")}</dt><dd>{archive ? bytes(archive.bytes) : "0"}{archive && <span class="sub">{w("kept.since", { first: time(archive.first, language, false) })}</span>}</dd></div>
			</dl>
			{lines.length > 0 && (
				<section class="panel">
					<div class="scroll" tabIndex={0} role="region" aria-label={w("exporters.title")}>
						<table class="exporters">
							<thead><tr>{(["exporter", "state", "format", "rate", "hour", "lost", "late", "templates", "waiting", "sampling", "skew", "heard"] as const).map((name) => <th key={name} scope="col" class={["rate", "lost", "late", "templates", "waiting"].includes(name) ? "n" : ""}>{w(name)}</th>)}</tr></thead>
							<tbody>{lines.map((line) => <Line key={`${line.exporter.exporter} ${line.exporter.format} ${line.exporter.domain}`} {...line} />)}</tbody>
						</table>
					</div>
				</section>
			)}
			{collector && <p class="hint">{w("listening", { where: collector.listen.join(", "), since: time(collector.began, language) })}{collector.strange > 0 && ` · ${w("strange", { count: digits(collector.strange, language) })}`}{collector.too_many_exporters > 0 && ` · ${w("toomany", { count: digits(collector.too_many_exporters, language) })}`}</p>}
		</>
	);
}
