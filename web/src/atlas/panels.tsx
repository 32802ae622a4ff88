// The panels over the map. They show what the model says once a second and hold no state of their own.

import { sayOf } from "../i18n";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Hello, StreamState } from "../live/stream";
import { usePast } from "../live/past";
import { stream } from "../live/stream";
import type { TopRow } from "../live/rolling";
import { GroundCard, Sheet } from "./common";
import { type Pointed } from "./engine";
import { KIND_COLOURS, links, word, type Theme, type Word } from "./house";
import { countryName } from "./iso";
import { Icon, Mark, Spark } from "./marks";
import { KINDS, portLabel, portOf, PORT_SLOTS, protocolName, type Snapshot } from "./model";
import type { BenchResult } from "./pacing";
import { PORT_COLOURS } from "./tones";

export function kindWord(kind: number): string {
	return word(`kind.${KINDS[kind] ?? "other"}` as Word);
}

export function percent(share: number): string {
	return share >= 0.0995 ? `${Math.round(share * 100)}%` : `${(share * 100).toFixed(1)}%`;
}

/** Small rates keep a decimal; large ones are whole. */
function rateText(rate: number, numbers: Intl.NumberFormat): string {
	return rate > 0 && rate < 10 ? rate.toFixed(1) : numbers.format(Math.round(rate));
}

function clock(time_ms: number, language: string): string {
	return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(time_ms);
}

export function Kinds(props: { note?: string; snapshot: Snapshot | null; shown: readonly boolean[]; theme: Theme; numbers: Intl.NumberFormat; onToggle: (kind: number) => void }) {
	const { snapshot, shown, theme } = props;
	return (
		<div class="atlas-kinds">
			<h2 class="atlas-heading">
				{word("atlas.kinds")} <small>{props.note ?? word("atlas.kinds.note")}</small>
			</h2>
			<ul>
				{KINDS.map((name, kind) => (
					<li key={name}>
						<button
							type="button"
							class="atlas-kind"
							aria-pressed={shown[kind]}
							aria-keyshortcuts={String(kind + 1)}
							title={`${word(shown[kind] ? "atlas.hidekind" : "atlas.showkind", { kind: kindWord(kind) })} (${kind + 1})`}
							onClick={() => props.onToggle(kind)}
						>
							<Mark kind={kind} theme={theme} />
							<span class="atlas-kind-name">{kindWord(kind)}</span>
							<span class="atlas-number">{snapshot ? rateText(snapshot.kinds[kind]!, props.numbers) : "–"}</span>
							{snapshot && <Spark values={snapshot.sparks[kind]!} colour={KIND_COLOURS[theme][kind]!} />}
						</button>
					</li>
				))}
			</ul>
		</div>
	);
}

// Sets lengths through CSSOM, before the bar is painted for the first time; the page's policy allows no style attributes.
export function Bar({ share, colour }: { share: number; colour?: string }) {
	const bar = useRef<HTMLSpanElement>(null);
	useLayoutEffect(() => {
		if (!bar.current) return;
		bar.current.style.transform = `scaleX(${Math.min(1, share)})`;
		bar.current.style.backgroundColor = colour ?? "";
	}, [share, colour]);
	return <span ref={bar} class="atlas-bar" />;
}

function Rise({ row }: { row: TopRow<unknown> }) {
	if (!(row.change >= 1.8) || row.share < 0.01) return null;
	const factor = row.change >= 10 ? Math.round(row.change) : row.change.toFixed(1);
	return (
		<b class="atlas-rise" title={word("atlas.rising", { factor })}>
			▲×{factor}
		</b>
	);
}

export function Tops(props: { snapshot: Snapshot | null; theme: Theme; byPort: boolean; language: string }) {
	const { snapshot, theme, byPort, language } = props;
	const most = snapshot?.countries[0]?.share ?? 1;
	const mostPort = snapshot?.ports[0]?.share ?? 1;
	return (
		<>
			<div class="atlas-top">
				<h2 class="atlas-heading">
					{word("atlas.countries")} <small>{word("atlas.minute")}</small>
				</h2>
				<ol>
					{snapshot?.countries.map((row) => (
						<li key={row.key}>
							<a href={links.country(row.key)} class="atlas-row">
								<span class="atlas-row-name">{countryName(row.key, language) || row.key}</span>
								<Rise row={row} />
								<span class="atlas-number">{percent(row.share)}</span>
								<Bar share={row.share / most} />
							</a>
						</li>
					))}
				</ol>
			</div>
			<div class="atlas-top atlas-ports">
				<h2 class="atlas-heading">
					{word("atlas.ports")} <small>{word("atlas.minute")}</small>
				</h2>
				<ol>
					{snapshot?.ports.map((row) => (
						<li key={row.key}>
							<a href={links.port(protocolName(portOf(row.key).protocol), portOf(row.key).port)} class="atlas-row">
								<span class="atlas-row-name">{portLabel(row.key)}</span>
								<Rise row={row} />
								<span class="atlas-number">{percent(row.share)}</span>
								<Bar share={row.share / mostPort} colour={byPort ? PORT_COLOURS[theme][row.slot] : undefined} />
							</a>
						</li>
					))}
				</ol>
				{byPort && (
					<p class="atlas-otherport">
						<svg class="atlas-mark" viewBox="0 0 16 16" aria-hidden="true" fill={PORT_COLOURS[theme][PORT_SLOTS]}>
							<path d="M1 6h14v4H1z" />
						</svg>
						{word("atlas.other")}
					</p>
				)}
			</div>
		</>
	);
}

export function Findings({ snapshot, language }: { snapshot: Snapshot | null; language: string }) {
	const findings = snapshot?.findings ?? [];
	return (
		<div class="atlas-findings" aria-label={word("atlas.findings")}>
			<h2 class="atlas-heading">{word("atlas.findings")}</h2>
			{findings.length === 0 ? (
				<p class="atlas-none">{word("atlas.findings.none")}</p>
			) : (
				<ol>
					{findings.slice(0, 4).map((finding) => (
						<li key={finding.id}>
							<a href={links.finding(finding.id)}>
								<time>{clock(Date.parse(finding.time), language)}</time> <b>{sayOf(language === "ja" ? "ja" : "en", "findings.type", finding.type)}</b> {finding.subject}
							</a>
						</li>
					))}
				</ol>
			)}
		</div>
	);
}

export function Latency({ state, numbers }: { state: StreamState; numbers: Intl.NumberFormat }) {
	const [latency, set] = useState(NaN);
	useEffect(() => {
		const handle = setInterval(() => set(stream.state.latency), 1000);
		return () => clearInterval(handle);
	}, []);
	return (
		<p class={`atlas-latency atlas-phase-${state.phase}`}>
			<span class="atlas-lamp" />
			{state.phase === "live" && !Number.isNaN(latency) ? (
				<>
					<b class="atlas-number">{numbers.format(Math.round(latency))} ms</b> <small>{word("atlas.latency")}</small>
				</>
			) : (
				word(state.phase === "live" || state.phase === "connecting" ? `atlas.phase.${state.phase}` : "atlas.phase.connecting")
			)}
		</p>
	);
}

export function Phase({ state, quiet, language }: { state: StreamState; quiet: boolean; language: string }) {
	const past = usePast(state.phase === "live" && quiet);
	if (state.phase === "live" && !quiet) return null;
	if (state.phase === "connecting" && Date.now() - state.since < 2000) return null;
	if (past)
		return (
			<div class="atlas-banner" role="status">
				<p>{word("atlas.past", { time: clock(Date.parse(past), language) })}</p>
			</div>
		);
	if (state.phase === "live")
		return (
			<div class="atlas-banner" role="status">
				<b>{word("atlas.quiet")}</b>
				<p>{word("atlas.quiet.help")}</p>
				<a class="atlas-button" href={links.system}>
					{word("atlas.system")}
				</a>
			</div>
		);
	return (
		<div class="atlas-banner" role="status">
			<p>{word(`atlas.phase.${state.phase}`, { time: clock(state.since, language) })}</p>
			{state.phase !== "connecting" && (
				<button type="button" class="atlas-button" onClick={() => stream.retry()}>
					{word("atlas.retry")}
				</button>
			)}
		</div>
	);
}

export function Details(props: { pointed: Pointed; hello: Hello | null; snapshot: Snapshot | null; language: string; theme: Theme; onClose: () => void }) {
	const { pointed, hello, snapshot, language } = props;
	const card = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const box = card.current;
		const room = box?.parentElement;
		if (!box || !room || pointed.held) {
			box?.style.removeProperty("transform");
			return;
		}
		const x = pointed.x + 16 + box.offsetWidth > room.clientWidth ? pointed.x - 16 - box.offsetWidth : pointed.x + 16;
		const y = Math.max(8, Math.min(room.clientHeight - box.offsetHeight - 8, pointed.y - 12));
		box.style.transform = `translate(${Math.max(8, x)}px, ${y}px)`;
	}, [pointed]);
	const arc = pointed.arc;
	const country = snapshot?.countries.find((row) => row.key === pointed.country);
	return (
		<div ref={card} class={`atlas-card${pointed.held ? " atlas-card-held" : ""}`} role={pointed.held ? "dialog" : "tooltip"}>
			{arc ? (
				<>
					<p class="atlas-card-title">
						<Mark kind={arc[5]} theme={props.theme} /> {arc[0]}
					</p>
					<dl>
						<dt>{word("atlas.country")}</dt>
						<dd>{countryName(arc[3], language) || "–"}</dd>
						{arc[4] > 0 && (
							<>
								<dt>{word("atlas.network")}</dt>
								<dd>AS{arc[4]}</dd>
							</>
						)}
						<dt>{word("atlas.kind")}</dt>
						<dd>{kindWord(arc[5])}</dd>
						<dt>{word("atlas.tool")}</dt>
						<dd>{hello?.tools[arc[6]] ?? "–"}</dd>
						<dt>{word("atlas.port")}</dt>
						<dd>{portLabel(arc[7] * 65536 + arc[8])}</dd>
						<dt>{word("atlas.target")}</dt>
						<dd>{arc[10]}</dd>
					</dl>
				</>
			) : (
				<>
					<p class="atlas-card-title">{countryName(pointed.country, language)}</p>
					<p>{country ? word("atlas.share.of", { share: percent(country.share) }) : ""}</p>
				</>
			)}
			{pointed.held && (
				<p class="atlas-card-go">
					{arc && (
						<a class="atlas-button" href={links.source(arc[0])}>
							{word("atlas.open.source")}
						</a>
					)}
					{pointed.country && (
						<a class="atlas-button" href={links.country(pointed.country)}>
							{word("atlas.open.country")}
						</a>
					)}
					<button type="button" class="atlas-tool" aria-label={word("atlas.close")} onClick={props.onClose}>
						<Icon name="close" />
					</button>
				</p>
			)}
		</div>
	);
}

function csvOf(snapshot: Snapshot, language: string): string {
	const lines = ["group,key,name,share"];
	for (const row of snapshot.countries) lines.push(`country,${row.key},"${countryName(row.key, language)}",${row.share.toFixed(5)}`);
	for (const row of snapshot.ports) lines.push(`port,${portLabel(row.key)},,${row.share.toFixed(5)}`);
	snapshot.kinds.forEach((rate, kind) => lines.push(`kind,${KINDS[kind]},,${rate.toFixed(2)}`));
	return `${lines.join("\n")}\n`;
}

export function Tables(props: { snapshot: Snapshot | null; hello: Hello | null; language: string; numbers: Intl.NumberFormat; onClose: () => void }) {
	const { snapshot, language, numbers } = props;
	if (!snapshot) return null;
	const head = (
		<>
			<b class="atlas-number">{numbers.format(Math.round(snapshot.pps))}</b> {word("atlas.pps")}
		</>
	);
	return (
		<Sheet title={word("atlas.table")} head={head} back={word("atlas.table.close")} csv={{ name: "yagura-atlas.csv", text: () => csvOf(snapshot, language) }} onClose={props.onClose}>
			<table>
				<caption>{word("atlas.kinds")}</caption>
				<thead>
					<tr>
						<th scope="col">{word("atlas.kind")}</th>
						<th scope="col">{word("atlas.rate")}</th>
					</tr>
				</thead>
				<tbody>
					{KINDS.map((name, kind) => (
						<tr key={name}>
							<th scope="row">{kindWord(kind)}</th>
							<td>{rateText(snapshot.kinds[kind]!, numbers)}</td>
						</tr>
					))}
				</tbody>
			</table>
			<table>
				<caption>
					{word("atlas.countries")} ({word("atlas.minute")})
				</caption>
				<tbody>
					{snapshot.countries.map((row) => (
						<tr key={row.key}>
							<th scope="row">
								<a href={links.country(row.key)}>{countryName(row.key, language) || row.key}</a>
							</th>
							<td>{percent(row.share)}</td>
						</tr>
					))}
				</tbody>
			</table>
			<table>
				<caption>
					{word("atlas.ports")} ({word("atlas.minute")})
				</caption>
				<tbody>
					{snapshot.ports.map((row) => (
						<tr key={row.key}>
							<th scope="row">
								<a href={links.port(protocolName(portOf(row.key).protocol), portOf(row.key).port)}>{portLabel(row.key)}</a>
							</th>
							<td>{percent(row.share)}</td>
						</tr>
					))}
				</tbody>
			</table>
			<table class="atlas-wide">
				<caption>{word("atlas.latest")}</caption>
				<thead>
					<tr>
						{(["source", "country", "network", "kind", "tool", "port", "target"] as const).map((name) => (
							<th scope="col" key={name}>
								{word(`atlas.${name}`)}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{snapshot.latest.map((arc, i) => (
						<tr key={i}>
							<td>
								<a href={links.source(arc[0])}>{arc[0]}</a>
							</td>
							<td>{countryName(arc[3], language) || "–"}</td>
							<td>{arc[4] > 0 ? `AS${arc[4]}` : "–"}</td>
							<td>{kindWord(arc[5])}</td>
							<td>{props.hello?.tools[arc[6]] ?? "–"}</td>
							<td>{portLabel(arc[7] * 65536 + arc[8])}</td>
							<td>{arc[10]}</td>
						</tr>
					))}
				</tbody>
			</table>
		</Sheet>
	);
}

export function Ground({ onClose }: { onClose: () => void }) {
	return <GroundCard title={word("atlas.ground")} texts={[word("atlas.ground.text", { sample: 250 })]} exact={{ label: word("atlas.ground.exact"), keys: ["country"] }} keys={word("atlas.keys")} onClose={onClose} />;
}

export function BenchPanel({ bench }: { bench: BenchResult }) {
	const ms = (value: number) => `${value.toFixed(2)} ms`;
	return (
		<pre class="atlas-bench" data-bench="done">
			{[
				`arcs ${bench.arcs} (moving ${bench.moving})  ${bench.width}x${bench.height}`,
				`frame  median ${ms(bench.interval.median)}  p95 ${ms(bench.interval.p95)}`,
				`script median ${ms(bench.script.median)}  p95 ${ms(bench.script.p95)}`,
				`${bench.frames} frames in ${bench.seconds} s  ${bench.renderer}`,
			].join("\n")}
		</pre>
	);
}
