// What stands beside the rings: how many, the filter, the table of alerts, what the pointer is over.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { GroundCard, Sheet, useTaken } from "../atlas/common";
import { links, word, type Language, type Theme } from "../atlas/house";
import { packetsAddress } from "../core/api";
import { time } from "../core/format";
import { VERDICTS } from "../theme/palette";
import type { Pointed, RingsSnapshot } from "./engine";
import { VerdictMark } from "./marks";
import { type Alert, memberName, SECTORS, stateOf, STATES, type Filter, type Member, type RingsModel } from "./model";
import { say, type RingsWord } from "./texts";

const ROWS = 60;

function Choices(props: { title: string; names: readonly string[]; label: (name: string) => string; help?: (name: string) => string; mark?: (name: string) => ComponentChildren; counts: Record<string, number> | undefined; shown: ReadonlySet<string>; numbers: Intl.NumberFormat; onToggle: (name: string) => void }) {
	return (
		<div class="rings-choices">
			<h2 class="atlas-heading">{props.title}</h2>
			<ul>
				{props.names.map((name) => (
					<li key={name}>
						<button type="button" class="atlas-kind rings-choice" aria-pressed={props.shown.has(name)} title={props.help?.(name)} onClick={() => props.onToggle(name)}>
							{props.mark?.(name) ?? <span />}
							<span class="atlas-kind-name">{props.label(name)}</span>
							<span class="atlas-number">{props.counts ? props.numbers.format(props.counts[name] ?? 0) : "–"}</span>
						</button>
					</li>
				))}
			</ul>
		</div>
	);
}

export function Choosing(props: { snapshot: RingsSnapshot | null; filter: Filter; sectors: readonly string[]; theme: Theme; numbers: Intl.NumberFormat; onToggle: (group: "verdicts" | "states" | "sectors", name: string) => void }) {
	const { snapshot, filter, numbers, theme } = props;
	const counts = snapshot?.counts;
	return (
		<>
			<Choices title={say("verdicts")} names={VERDICTS} label={(name) => say(`verdict.${name}` as RingsWord)} help={(name) => say(`verdict.${name}.help` as RingsWord)} mark={(name) => <VerdictMark verdict={VERDICTS.findIndex((one) => one === name)} theme={theme} />} counts={counts?.verdicts} shown={filter.verdicts} numbers={numbers} onToggle={(name) => props.onToggle("verdicts", name)} />
			<Choices title={say("states")} names={STATES} label={(name) => say(`state.${name}` as RingsWord)} help={(name) => say(`state.${name}.help` as RingsWord)} mark={(name) => <span class={`rings-state rings-state-${name}`} />} counts={counts?.states} shown={filter.states} numbers={numbers} onToggle={(name) => props.onToggle("states", name)} />
			{props.sectors.length > 1 && <Choices title={say("sectors")} names={props.sectors} label={(name) => say(`sector.${name}` as RingsWord)} counts={counts?.sectors} shown={filter.sectors} numbers={numbers} onToggle={(name) => props.onToggle("sectors", name)} />}
		</>
	);
}

export function Open({ snapshot, numbers, paused }: { snapshot: RingsSnapshot | null; numbers: Intl.NumberFormat; paused: boolean }) {
	const concerned = snapshot ? new Set(snapshot.alerts.filter((alert) => !alert.ended).map((alert) => alert.member)).size : 0;
	return (
		<div class="atlas-rate">
			<output class="atlas-pps rings-open" aria-live="off">
				{snapshot ? numbers.format(snapshot.open) : "–"}
			</output>
			<span class="atlas-unit">
				{say("open")}
				{paused && <b class="atlas-paused">{word("atlas.paused")}</b>}
			</span>
			{snapshot && snapshot.total > 0 && <small class="rings-concerned">{say("open.members", { alerts: numbers.format(concerned), members: numbers.format(snapshot.total) })}</small>}
		</div>
	);
}

export function Find({ model, language, onChoose }: { model: RingsModel | undefined; language: Language; onChoose: (member: Member) => void }) {
	const [text, setText] = useState("");
	const found = text.trim().length > 0 && model ? model.find(text) : [];
	return (
		<form
			class="rings-find"
			role="search"
			onSubmit={(event) => {
				event.preventDefault();
				if (!found[0]) return;
				onChoose(found[0]);
				setText("");
			}}
		>
			<input type="search" value={text} placeholder={say("find")} aria-label={say("find")} list="rings-members" onInput={(event) => setText(event.currentTarget.value)} />
			<datalist id="rings-members">
				{found.slice(0, 12).map((one) => (
					<option key={one.key} value={memberName(one, language)} />
				))}
			</datalist>
			{text.trim() && <small role="status">{say("found", { count: found.length })}</small>}
		</form>
	);
}

/** Clock time of today, else the day too. */
function sinceText(alert: Alert, language: Language): string {
	const at = new Date(alert.since);
	const today = at.toDateString() === new Date().toDateString();
	return new Intl.DateTimeFormat(language, today ? { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } : { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).format(at);
}

function pcapOf(alert: Alert): string {
	// The range's end is open: the last packet belongs to it.
	return packetsAddress(alert.address, alert.first, new Date(alert.last + 1000).toISOString());
}

/** The alerts as they stand, beside the picture. */
export function Alerts(props: { snapshot: RingsSnapshot | null; model: RingsModel | undefined; language: Language; theme: Theme; numbers: Intl.NumberFormat; chosen: Member | undefined; onChoose: (member: Member | null) => void }) {
	const { snapshot, model, language, theme, numbers, chosen } = props;
	const alerts = snapshot?.alerts ?? [];
	return (
		<div class="rings-alerts">
			<h2 class="atlas-heading">
				{say("alerts")}
				{chosen && (
					<span class="rings-chosen">
						{say("chosen", { name: memberName(chosen, language) })}
						<button type="button" class="atlas-button" onClick={() => props.onChoose(null)}>
							{say("chosen.all")}
						</button>
					</span>
				)}
			</h2>
			{snapshot && alerts.length === 0 && <p class="atlas-none">{say(snapshot.open > 0 ? "alerts.filtered" : "alerts.none")}</p>}
			{alerts.length > 0 && (
				<div class="rings-scroll" tabIndex={0} role="group" aria-label={say("alerts")}>
					<table>
						<caption class="atlas-unseen">{say("title")}</caption>
						<thead>
							<tr>
								<th scope="col">
									{say("member")} · {say("address")}
								</th>
								<th scope="col">
									{say("verdict")} · {say("state")}
								</th>
								<th scope="col">
									{say("since")} · {say("packets")}
								</th>
								<th scope="col">{say("links")}</th>
							</tr>
						</thead>
						<tbody>
							{alerts.slice(0, ROWS).map((alert) => {
								const member = model?.byId.get(alert.member);
								const state = stateOf(alert, snapshot!.now);
								return (
									<tr key={alert.id} class={`rings-row-${state}`} data-verdict={VERDICTS[alert.verdict]} data-state={state}>
										<th scope="row">
											{member ? (
												<button type="button" class="rings-member-button" title={memberName(member, language)} onClick={() => props.onChoose(member)}>
													{memberName(member, language)}
												</button>
											) : (
												<span>–</span>
											)}
											<a href={links.source(alert.address)}>{alert.address}</a>
										</th>
										<td title={say(`verdict.${VERDICTS[alert.verdict]!}.help` as RingsWord)}>
											<span>
												<VerdictMark verdict={alert.verdict} state={state} theme={theme} /> {say(`verdict.${VERDICTS[alert.verdict]!}` as RingsWord)}
											</span>
											<small>
												{say(`state.${state}`)}
												{alert.tool && ` · ${alert.tool}`}
											</small>
										</td>
										<td class="atlas-number">
											<time dateTime={alert.first}>{sinceText(alert, language)}</time>
											<small>{numbers.format(alert.packets)}</small>
										</td>
										<td>
											<a href={links.finding(alert.id)} aria-label={say("finding.of", { address: alert.address })}>
												{say("finding")}
											</a>
											<a href={pcapOf(alert)} download aria-label={say("pcap.of", { address: alert.address })}>
												pcap
											</a>
										</td>
									</tr>
								);
							})}
						</tbody>
					</table>
					{alerts.length > ROWS && <p class="atlas-none">{say("alerts.more", { count: numbers.format(alerts.length - ROWS) })}</p>}
				</div>
			)}
		</div>
	);
}

export function Over({ pointed, snapshot, language, theme, numbers }: { pointed: Pointed; snapshot: RingsSnapshot | null; language: Language; theme: Theme; numbers: Intl.NumberFormat }) {
	const { member } = pointed;
	const card = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const box = card.current;
		const room = box?.parentElement;
		if (!box || !room) return;
		const x = pointed.x + 18 + box.offsetWidth > room.clientWidth ? pointed.x - 18 - box.offsetWidth : pointed.x + 18;
		const y = Math.max(8, Math.min(room.clientHeight - box.offsetHeight - 8, pointed.y - 12));
		box.style.transform = `translate(${Math.max(8, x)}px, ${y}px)`;
	}, [pointed]);
	const own = snapshot?.alerts.filter((alert) => alert.member === member.id) ?? [];
	return (
		<div ref={card} class="atlas-card" role="tooltip">
			<p class="atlas-card-title">{memberName(member, language)}</p>
			<p>
				{[member.addresses > 0 && say("size.v4", { count: numbers.format(member.addresses) }), member.sites > 0 && say("size.v6", { count: numbers.format(member.sites) }), say("blocks", { count: numbers.format(member.blocks.length + member.more_blocks) })].filter(Boolean).join(" · ")}
			</p>
			{own.slice(0, 6).map((alert) => (
				<p key={alert.id}>
					<VerdictMark verdict={alert.verdict} state={stateOf(alert, snapshot!.now)} theme={theme} /> {alert.address} {say(`verdict.${VERDICTS[alert.verdict]!}` as RingsWord)}
				</p>
			))}
		</div>
	);
}

function csvOf(alerts: readonly Alert[], model: RingsModel | undefined, now: number): string {
	const cell = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
	const lines = ["member,name,address,verdict,state,severity,first,last,packets,tool,ports,finding"];
	for (const alert of alerts) {
		const member = model?.byId.get(alert.member);
		lines.push([member?.key ?? String(alert.member), member?.name ?? "", alert.address, VERDICTS[alert.verdict]!, stateOf(alert, now), alert.severity, alert.first, new Date(alert.last).toISOString(), String(alert.packets), alert.tool, alert.ports.join(" "), alert.id].map(cell).join(","));
	}
	return `${lines.join("\n")}\n`;
}

/** All alerts with every column; it stands still so that it can be read, and takes news when asked. */
export function AlertsTable(props: { snapshot: RingsSnapshot | null; model: RingsModel | undefined; language: Language; theme: Theme; numbers: Intl.NumberFormat; onClose: () => void }) {
	const { model, language, theme, numbers } = props;
	const [taken, take] = useTaken(props.snapshot);
	const alerts = taken?.alerts ?? [];
	const head = (
		<>
			<b class="atlas-number">{props.snapshot ? numbers.format(props.snapshot.open) : "–"}</b> {say("open")}
		</>
	);
	return (
		<Sheet title={say("table")} head={head} back={say("back")} refresh={{ label: say("refresh"), take }} csv={{ name: "yagura-rings.csv", text: () => csvOf(alerts, model, taken?.now ?? 0) }} onClose={props.onClose}>
			<table class="atlas-wide">
				<caption>{say("alerts")}</caption>
				<thead>
					<tr>
						{(["member", "address", "verdict", "state", "since", "last", "packets", "tool", "ports", "links"] as const).map((name) => (
							<th scope="col" key={name}>
								{say(name)}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{alerts.map((alert) => (
						<tr key={alert.id}>
							<td>{memberName(model?.byId.get(alert.member), language)}</td>
							<th scope="row">
								<a href={links.source(alert.address)}>{alert.address}</a>
							</th>
							<td>
								<VerdictMark verdict={alert.verdict} theme={theme} /> {say(`verdict.${VERDICTS[alert.verdict]!}` as RingsWord)}
							</td>
							<td>{say(`state.${stateOf(alert, taken!.now)}`)}</td>
							<td>{time(alert.since, language)}</td>
							<td>{time(alert.last, language)}</td>
							<td>{numbers.format(alert.packets)}</td>
							<td>{alert.tool || "–"}</td>
							<td>{alert.ports.join(" ") || "–"}</td>
							<td>
								<a href={links.finding(alert.id)}>{say("finding")}</a>{" "}
								<a href={pcapOf(alert)} download>
									pcap
								</a>
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</Sheet>
	);
}

export function sectorsOf(model: RingsModel | undefined): readonly string[] {
	return SECTORS.filter((sector) => model?.members.some((one) => (one.kind === sector || (sector === "other" && !SECTORS.some((known) => known === one.kind)))));
}

export function Ground({ onClose }: { onClose: () => void }) {
	return <GroundCard title={say("ground")} texts={[say("ground.read"), say("ground.size"), say("ground.alert")]} exact={{ label: say("ground.exact"), keys: ["source"] }} keys={say("keys")} onClose={onClose} />;
}
