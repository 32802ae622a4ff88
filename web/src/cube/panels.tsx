// The panels about the cube. They show what the model says once a second and hold no state of their own.

import { useEffect, useRef } from "preact/hooks";
import { GroundCard, Sheet, useTaken } from "../atlas/common";
import { links, word, type Theme } from "../atlas/house";
import { countryName } from "../atlas/iso";
import { Icon, Mark } from "../atlas/marks";
import { portLabel, portOf, protocolName } from "../atlas/model";
import { Bar, kindWord, percent } from "../atlas/panels";
import type { Hello } from "../live/stream";
import { KINDS } from "../theme/palette";
import type { Face } from "./camera";
import type { Pointed } from "./engine";
import type { CubeSnapshot, Sweep } from "./model";
import { POINTS_MAX } from "./points";
import { say } from "./texts";

const SAMPLE = 250;
const FACES: readonly Face[] = ["free", "x", "y", "z"];

function sweepText(sweep: Sweep, numbers: Intl.NumberFormat): string {
	const count = numbers.format(sweep.count);
	if (sweep.column) return say("sweep.column", { target: sweep.arc[10], count });
	return say("sweep.line", { port: portLabel(sweep.arc[7] * 65536 + sweep.arc[8]), count });
}

export function Sweeps(props: { snapshot: CubeSnapshot | null; theme: Theme; numbers: Intl.NumberFormat; onFocus: (address: string) => void }) {
	const { snapshot, theme, numbers, onFocus } = props;
	const rows = snapshot?.sweeps ?? [];
	return (
		<div class="atlas-top">
			<h2 class="atlas-heading">
				{say("sweeps")} <small>{say("sweeps.note")}</small>
			</h2>
			{snapshot && rows.length === 0 && <p class="atlas-none">{say("sweeps.none")}</p>}
			<ol onPointerLeave={() => onFocus("")}>
				{rows.map((sweep) => (
					<li key={`${sweep.arc[0]}${sweep.column}${sweep.arc[8]}`}>
						<a
							href={links.source(sweep.arc[0])}
							class="atlas-row cube-sweep"
							onPointerEnter={() => onFocus(sweep.arc[0])}
							onFocus={() => onFocus(sweep.arc[0])}
							onBlur={() => onFocus("")}
						>
							<Mark kind={sweep.arc[5]} theme={theme} />
							<span class="atlas-row-name">
								{sweep.arc[0]} <small>{sweep.arc[3] !== "ZZ" ? sweep.arc[3] : ""}</small>
							</span>
							<span class="cube-sweep-what">
								<i class={sweep.column ? "cube-column" : "cube-line"} /> {sweepText(sweep, numbers)}
							</span>
						</a>
					</li>
				))}
			</ol>
		</div>
	);
}

export function Ports({ snapshot }: { snapshot: CubeSnapshot | null }) {
	const most = snapshot?.ports[0]?.share ?? 1;
	return (
		<div class="atlas-top">
			<h2 class="atlas-heading">
				{say("ports")} <small>{word("atlas.minute")}</small>
			</h2>
			<ol>
				{snapshot?.ports.map((row) => (
					<li key={row.key}>
						<a href={links.port(protocolName(portOf(row.key).protocol), portOf(row.key).port)} class="atlas-row">
							<span class="atlas-row-name">{portLabel(row.key)}</span>
							<span class="atlas-number">{percent(row.share)}</span>
							<Bar share={row.share / most} />
						</a>
					</li>
				))}
			</ol>
		</div>
	);
}

export function Views({ face, onLook }: { face: Face; onLook: (face: Face) => void }) {
	return (
		<div class="cube-views" role="group" aria-label={say("views")}>
			{FACES.map((one) => (
				<button
					type="button"
					key={one}
					class="cube-view"
					aria-pressed={face === one}
					aria-label={say(`view.${one}`)}
					aria-keyshortcuts={one === "free" ? "0" : one}
					title={`${say(`view.${one}`)} (${one === "free" ? "0" : one})`}
					onClick={() => onLook(one)}
				>
					{say(`view.${one}.short`)}
				</button>
			))}
		</div>
	);
}

export function Details(props: { pointed: Pointed; hello: Hello | null; language: string; theme: Theme; onClose: () => void }) {
	const { pointed, hello, language } = props;
	const { arc } = pointed;
	const card = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const box = card.current;
		const room = box?.parentElement;
		if (!box || !room || pointed.held) {
			box?.style.removeProperty("transform");
			return;
		}
		const x = pointed.x + 18 + box.offsetWidth > room.clientWidth ? pointed.x - 18 - box.offsetWidth : pointed.x + 18;
		const y = Math.max(8, Math.min(room.clientHeight - box.offsetHeight - 8, pointed.y - 12));
		box.style.transform = `translate(${Math.max(8, x)}px, ${y}px)`;
	}, [pointed]);
	const tool = hello?.tools[arc[6]];
	return (
		<div ref={card} class={`atlas-card${pointed.held ? " atlas-card-held" : ""}`} role={pointed.held ? "dialog" : "tooltip"} aria-label={arc[0]}>
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
				{tool && tool !== "unknown" && (
					<>
						<dt>{word("atlas.tool")}</dt>
						<dd>{tool}</dd>
					</>
				)}
				<dt>{word("atlas.port")}</dt>
				<dd>{portLabel(arc[7] * 65536 + arc[8])}</dd>
				<dt>{word("atlas.target")}</dt>
				<dd>{arc[10]}</dd>
			</dl>
			{pointed.held && (
				<p class="atlas-card-go">
					<a class="atlas-button" href={links.source(arc[0])}>
						{word("atlas.open.source")}
					</a>
					<button type="button" class="atlas-tool" aria-label={word("atlas.close")} onClick={props.onClose}>
						<Icon name="close" />
					</button>
				</p>
			)}
		</div>
	);
}

const COLUMNS = ["at", "source", "country", "network", "kind", "tool", "port", "target", "packets"] as const;

function csvOf(snapshot: CubeSnapshot, hello: Hello | null): string {
	const lines = ["time,source,country,asn,kind,tool,protocol,port,target,packets"];
	for (const { arc, at } of snapshot.newest)
		lines.push([new Date(at).toISOString(), arc[0], arc[3], arc[4], KINDS[arc[5]] ?? "other", hello?.tools[arc[6]] ?? "", protocolName(arc[7]), arc[8], arc[10], arc[9]].join(","));
	return `${lines.join("\n")}\n`;
}

/** The newest packets as a table; it stands still so that it can be read, and takes news when asked. */
export function NewestTable(props: { snapshot: CubeSnapshot | null; hello: Hello | null; language: string; theme: Theme; numbers: Intl.NumberFormat; onClose: () => void }) {
	const { hello, language, numbers, theme } = props;
	const [taken, take] = useTaken(props.snapshot);
	const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1, hour12: false });
	const head = (
		<>
			<b class="atlas-number">{props.snapshot ? numbers.format(Math.round(props.snapshot.pps)) : "–"}</b> {word("atlas.pps")}
		</>
	);
	return (
		<Sheet title={say("table")} head={head} back={say("back")} refresh={{ label: say("refresh"), take }} csv={{ name: "yagura-cube.csv", text: () => (taken ? csvOf(taken, hello) : "") }} onClose={props.onClose}>
			<table class="atlas-wide">
				<caption>{say("table")}</caption>
				<thead>
					<tr>
						{COLUMNS.map((name) => (
							<th scope="col" key={name}>
								{name === "at" ? say("at") : word(`atlas.${name}`)}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{taken?.newest.map(({ arc, at }, i) => (
						<tr key={i}>
							<td>{clock.format(at)}</td>
							<th scope="row">
								<a href={links.source(arc[0])}>{arc[0]}</a>
							</th>
							<td>{countryName(arc[3], language) || "–"}</td>
							<td>{arc[4] > 0 ? `AS${arc[4]}` : "–"}</td>
							<td>
								<Mark kind={arc[5]} theme={theme} /> {kindWord(arc[5])}
							</td>
							<td>{hello?.tools[arc[6]] ?? "–"}</td>
							<td>{portLabel(arc[7] * 65536 + arc[8])}</td>
							<td>{arc[10]}</td>
							<td>{numbers.format(arc[9])}</td>
						</tr>
					))}
				</tbody>
			</table>
		</Sheet>
	);
}

export function Ground({ onClose }: { onClose: () => void }) {
	const texts = [say("ground.read"), say("ground.axes"), say("ground.six"), say("ground.sample", { sample: SAMPLE, most: POINTS_MAX })];
	return <GroundCard title={say("ground")} texts={texts} exact={{ label: say("ground.exact"), keys: ["protocol", "port"] }} keys={say("keys")} onClose={onClose} />;
}
