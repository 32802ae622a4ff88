// What stands beside the tiles: the list of behaviours, the key, the table, the ground.

import { useEffect, useRef, useState } from "preact/hooks";
import { links, word, type Theme, type Word } from "../atlas/house";
import { countryName } from "../atlas/iso";
import { Mark } from "../atlas/marks";
import { portLabel } from "../atlas/model";
import { ask } from "../core/api";
import type { Hello } from "../live/stream";
import { KINDS } from "../theme/palette";
import { BEHAVIOURS, type Behaviour } from "./behaviour";
import { GONE_MS, ORDERS, QUIET_MS, type Order } from "./board";
import type { TilesSnapshot } from "./engine";
import { Sign } from "./marks";
import { POINTS_MAX, SOURCES_MAX } from "./model";
import { say } from "./texts";
import { guessText, toolText } from "./tile";

const SAMPLE = 250;

export function Behaviours(props: { snapshot: TilesSnapshot | null; only: Behaviour | null; numbers: Intl.NumberFormat; onOnly: (behaviour: Behaviour | null) => void }) {
	const { snapshot, only, numbers } = props;
	return (
		<div class="tiles-behaviours">
			<h2 class="atlas-heading">
				{say("behaviours")} <small>{say("behaviours.note")}</small>
			</h2>
			<ul>
				{BEHAVIOURS.map((one, i) => (
					<li key={one}>
						<button
							type="button"
							class={`tiles-behaviour${only && only !== one ? " tiles-off" : ""}`}
							aria-pressed={only === one}
							title={`${say(`${one}.help`)}\n${only === one ? say("only.all") : say("only.show", { name: say(`${one}.name`) })}`}
							onClick={() => props.onOnly(only === one ? null : one)}
						>
							<Sign behaviour={one} />
							<span class="tiles-behaviour-name">{say(`${one}.name`)}</span>
							<span class="atlas-number">{snapshot ? numbers.format(snapshot.behaviours[i]!) : "–"}</span>
						</button>
					</li>
				))}
			</ul>
		</div>
	);
}

export function Key() {
	return (
		<div class="tiles-key">
			<h2 class="atlas-heading">{say("key")}</h2>
			<div class="tiles-key-picture" aria-hidden="true">
				<span>{say("key.ports")}</span>
				<span>{say("key.targets")}</span>
				<Sign behaviour="horizontal" />
				<p>
					<span>{say("key.past")}</span>
					<span>{say("key.now")}</span>
				</p>
			</div>
			<p class="tiles-key-text">{say("key.text")}</p>
		</div>
	);
}

export function Orders({ order, onOrder }: { order: Order; onOrder: (order: Order) => void }) {
	return (
		<div class="tiles-orders" role="group" aria-label={say("order")}>
			{ORDERS.map((one) => (
				<button type="button" key={one} class="tiles-order" aria-pressed={order === one} title={`${say("order")}: ${say(`order.${one}`)} (o)`} onClick={() => onOrder(one)}>
					{say(`order.${one}`)}
				</button>
			))}
		</div>
	);
}

function kindWord(kind: number): string {
	return word(`kind.${KINDS[kind] ?? "other"}` as Word);
}

function csvOf(snapshot: TilesSnapshot, hello: Hello | null): string {
	const lines = ["source,country,asn,kind,tool,behaviour,port,ports,addresses,packets,last"];
	for (const { source, guess, last } of snapshot.tiles)
		lines.push([source.address, source.country, source.network, KINDS[guess.kind] ?? "other", hello?.tools[source.tool] ?? "", guess.behaviour, portLabel(guess.port), guess.ports, guess.targets, guess.packets, new Date(last).toISOString()].join(","));
	return `${lines.join("\n")}\n`;
}

/** The tiles as a table; it stands still so that it can be read, and takes news when asked. */
export function TilesTable(props: { snapshot: TilesSnapshot | null; hello: Hello | null; language: string; theme: Theme; numbers: Intl.NumberFormat; onClose: () => void }) {
	const { hello, language, numbers, theme } = props;
	const box = useRef<HTMLDivElement>(null);
	const [taken, take] = useState<TilesSnapshot | null>(props.snapshot);
	useEffect(() => {
		const before = document.activeElement;
		box.current?.focus();
		return () => {
			if (before instanceof HTMLElement && before.isConnected) before.focus();
		};
	}, []);
	useEffect(() => {
		if (!taken) take(props.snapshot);
	}, [props.snapshot, taken]);
	const csv = () => {
		if (!taken) return;
		const link = document.createElement("a");
		link.href = URL.createObjectURL(new Blob([csvOf(taken, hello)], { type: "text/csv" }));
		link.download = "yagura-tiles.csv";
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 10000);
	};
	return (
		<div ref={box} class="atlas-sheet" role="dialog" aria-label={say("table")} tabIndex={-1}>
			<p class="atlas-sheet-head">
				<span>{taken && say("shown", { tiles: numbers.format(taken.tiles.length), sources: numbers.format(taken.sources) })}</span>
				<button type="button" class="atlas-button" onClick={() => take(props.snapshot)}>
					{say("refresh")}
				</button>
				<button type="button" class="atlas-button" onClick={csv}>
					{word("atlas.csv")}
				</button>
				<button type="button" class="atlas-button" onClick={props.onClose}>
					{say("back")}
				</button>
			</p>
			<div class="atlas-sheet-body">
				<table class="atlas-wide">
					<caption>{say("table")}</caption>
					<thead>
						<tr>
							{[word("atlas.source"), word("atlas.country"), word("atlas.network"), word("atlas.kind"), word("atlas.tool"), say("behaviour"), say("ports"), say("targets"), say("packets"), say("last")].map((name) => (
								<th scope="col" key={name}>
									{name}
								</th>
							))}
						</tr>
					</thead>
					<tbody>
						{taken?.tiles.map(({ source, guess, last }) => (
							<tr key={source.address}>
								<th scope="row">
									<a href={links.source(source.address)}>{source.address}</a>
								</th>
								<td>{countryName(source.country, language) || "–"}</td>
								<td>{source.network > 0 ? `AS${source.network}` : "–"}</td>
								<td>
									<Mark kind={guess.kind} theme={theme} /> {kindWord(guess.kind)}
								</td>
								<td>{toolText(source.tool, hello) || "–"}</td>
								<td>{guessText(guess)}</td>
								<td>{numbers.format(guess.ports)}</td>
								<td>{numbers.format(guess.targets)}</td>
								<td>{numbers.format(guess.packets)}</td>
								<td>{say("ago", { seconds: Math.max(0, Math.round((taken.now - last) / 1000)) })}</td>
							</tr>
						))}
					</tbody>
				</table>
			</div>
		</div>
	);
}

export function Ground({ onClose }: { onClose: () => void }) {
	const [command, setCommand] = useState("");
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		box.current?.focus();
		const off = new AbortController();
		ask(
			{ kind: "tuple", from: "-5m", to: "now", keys: ["source"], aggregates: [{ op: "sum", field: "packets" }], order: [{ by: "sum_packets", descending: true }], limit: 10 },
			off.signal,
		).then((answer) => setCommand(answer.command), () => {});
		return () => off.abort();
	}, []);
	return (
		<div ref={box} class="atlas-card atlas-card-held atlas-ground cube-ground" role="dialog" aria-label={say("ground")} tabIndex={-1}>
			<p class="atlas-card-title">{say("ground")}</p>
			<p>{say("ground.read")}</p>
			<p>{say("ground.rules")}</p>
			<p>{say("ground.places", { quiet: QUIET_MS / 1000, gone: GONE_MS / 1000 })}</p>
			<p>{say("ground.sample", { sample: SAMPLE, sources: SOURCES_MAX, points: POINTS_MAX })}</p>
			{command && (
				<p>
					{say("ground.exact")}: <code>{command}</code>
				</p>
			)}
			<p class="atlas-keys">{say("keys")}</p>
			<p class="atlas-card-go">
				<button type="button" class="atlas-button" onClick={onClose}>
					{word("atlas.close")}
				</button>
			</p>
		</div>
	);
}
