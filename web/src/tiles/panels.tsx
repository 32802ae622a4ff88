// What stands beside the tiles: the list of behaviours, the key, the table, the ground.

import { GroundCard, Sheet, useTaken } from "../atlas/common";
import { links, word, type Theme } from "../atlas/house";
import { countryName } from "../atlas/iso";
import { Mark } from "../atlas/marks";
import { portLabel } from "../atlas/model";
import { kindWord } from "../atlas/panels";
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

/** "25 of 512+ active sources": no more than SOURCES_MAX are remembered. */
export function shownText(snapshot: TilesSnapshot, numbers: Intl.NumberFormat): string {
	const sources = numbers.format(snapshot.sources) + (snapshot.full ? "+" : "");
	return say("shown", { tiles: numbers.format(snapshot.tiles.length), sources });
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
	const [taken, take] = useTaken(props.snapshot);
	const head = taken && shownText(taken, numbers);
	return (
		<Sheet title={say("table")} head={head} back={say("back")} refresh={{ label: say("refresh"), take }} csv={{ name: "yagura-tiles.csv", text: () => (taken ? csvOf(taken, hello) : "") }} onClose={props.onClose}>
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
		</Sheet>
	);
}

export function Ground({ onClose }: { onClose: () => void }) {
	const texts = [
		say("ground.read"),
		say("ground.rules"),
		say("ground.places", { quiet: QUIET_MS / 1000, gone: GONE_MS / 1000 }),
		say("ground.sample", { sample: SAMPLE, sources: SOURCES_MAX, points: POINTS_MAX }),
	];
	return <GroundCard title={say("ground")} texts={texts} exact={{ label: say("ground.exact"), keys: ["source"] }} keys={say("keys")} onClose={onClose} />;
}
