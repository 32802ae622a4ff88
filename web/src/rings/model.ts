// What Rings knows: members, and the alerts about their addresses as they come, go on and end.

import { has, networkOf } from "../core/address";
import type { LiveFinding } from "../live/stream";
import { VERDICTS } from "../theme/palette";

export const SECTORS = ["ministry", "region", "sector", "municipality", "other", "provider"] as const;
export type Sector = (typeof SECTORS)[number];
export const STATES = ["new", "continuing", "ended"] as const;
export type State = (typeof STATES)[number];

/** An alert is new in its first minute; one that has ended stays for an hour. */
export const NEW_MS = 60_000;
export const ENDED_MS = 3_600_000;
const ALERTS_MAX = 3000;

export interface Member {
	id: number;
	key: string;
	name: string;
	name_en: string;
	kind: string;
	/** Prefixes, widest first. */
	blocks: string[];
	more_blocks: number;
	/** IPv4 addresses, and IPv6 networks of /48. */
	addresses: number;
	sites: number;
}

export interface Alert {
	id: string;
	member: number;
	address: string;
	/** Index into VERDICTS. */
	verdict: number;
	severity: string;
	prefix: string;
	tool: string;
	ports: string[];
	packets: number;
	first: string;
	/** Milliseconds since 1970, the hub's clock. */
	since: number;
	last: number;
	ended: boolean;
}

export interface RingsAnswer {
	now: string;
	/** A guest asked: nothing of members is shown. */
	hidden: boolean;
	version: number;
	total: number;
	members: Member[];
	alerts: LiveFinding[];
}

/** What a finding changed. */
export interface News {
	alert: Alert;
	fresh: boolean;
	packets: number;
}

export interface Filter {
	verdicts: ReadonlySet<string>;
	states: ReadonlySet<string>;
	sectors: ReadonlySet<string>;
	/** Key of the one member that is looked at, or "". */
	member: string;
}

export function sectorOf(member: Member | undefined): Sector {
	return SECTORS.find((one) => one === member?.kind) ?? "other";
}

export function memberName(member: Member | undefined, language: string): string {
	return (language === "ja" ? member?.name : member?.name_en || member?.name) || (member ? member.key : "–");
}

export function stateOf(alert: Alert, now: number): State {
	return alert.ended ? "ended" : now - alert.since < NEW_MS ? "new" : "continuing";
}

/** An alert out of a finding as the API and the stream show it; null where it is none. */
export function alertOf(finding: LiveFinding): Alert | null {
	const verdict = VERDICTS.findIndex((one) => one === finding["verdict"]);
	const member = Number(finding["member"]);
	if (finding.type !== "livenet" || verdict < 0 || !member) return null;
	const ground = (finding["ground"] ?? {}) as { prefix?: string; tool?: string; ports?: { name: string }[] };
	return {
		id: String(finding.id),
		member,
		address: finding.subject,
		verdict,
		severity: String(finding.severity),
		prefix: ground.prefix ?? "",
		tool: ground.tool && ground.tool !== "unknown" ? ground.tool : "",
		ports: ground.ports?.map((port) => port.name) ?? [],
		packets: Number(finding["packets"]) || 0,
		first: String(finding["first"]),
		since: Date.parse(String(finding["first"])),
		last: Date.parse(String(finding["last"])),
		ended: finding["ended"] === true || finding["state"] === "ended" || finding["state"] === "closed",
	};
}

export class RingsModel {
	members: Member[] = [];
	total = 0;
	version = -1;
	hidden = false;
	readonly byId = new Map<number, Member>();
	readonly alerts = new Map<string, Alert>();
	/** Open alerts by address: whose packets fly. */
	readonly open = new Map<string, Alert>();
	/** The hub's clock less ours. */
	private skew = 0;

	now(): number {
		return Date.now() + this.skew;
	}

	setClock(theirs: number): void {
		if (Number.isFinite(theirs)) this.skew = theirs - Date.now();
	}

	/** True when the members are others than before. */
	take(answer: RingsAnswer): boolean {
		this.setClock(Date.parse(answer.now));
		this.total = answer.total;
		this.hidden = answer.hidden;
		const changed = answer.version !== this.version || answer.members.length !== this.members.length || answer.members.some((one) => !this.byId.has(one.id));
		if (changed) {
			this.version = answer.version;
			this.members = answer.members;
			this.byId.clear();
			for (const member of answer.members) this.byId.set(member.id, member);
		}
		const kept = new Set<string>();
		for (const finding of answer.alerts) {
			const alert = alertOf(finding);
			if (!alert) continue;
			kept.add(alert.id);
			this.put(alert);
		}
		// What the hub does not name any more was closed by a person; what came since the question stays.
		for (const alert of [...this.alerts.values()]) if (!kept.has(alert.id) && this.now() - alert.last > 30_000) this.drop(alert);
		return changed;
	}

	takeFinding(finding: LiveFinding): News | null {
		const alert = alertOf(finding);
		if (!alert) return null;
		const before = this.alerts.get(alert.id);
		this.put(alert);
		return { alert, fresh: !before, packets: Math.max(0, alert.packets - (before?.packets ?? 0)) };
	}

	/** Once a second. True when something was forgotten. */
	sweep(): boolean {
		const now = this.now();
		let gone = false;
		for (const alert of this.alerts.values())
			if (alert.ended && now - alert.last > ENDED_MS) {
				this.drop(alert);
				gone = true;
			}
		return gone;
	}

	private put(alert: Alert): void {
		if (!this.alerts.has(alert.id) && this.alerts.size >= ALERTS_MAX) {
			let oldest = alert;
			for (const one of this.alerts.values()) if (Number(one.ended) > Number(oldest.ended) || (one.ended === oldest.ended && one.last < oldest.last)) oldest = one;
			if (oldest === alert) return;
			this.drop(oldest);
		}
		this.alerts.set(alert.id, alert);
		if (!alert.ended) this.open.set(alert.address, alert);
		else if (this.open.get(alert.address)?.id === alert.id) this.open.delete(alert.address);
	}

	private drop(alert: Alert): void {
		this.alerts.delete(alert.id);
		if (this.open.get(alert.address)?.id === alert.id) this.open.delete(alert.address);
	}

	passes(alert: Alert, filter: Filter, now = this.now()): boolean {
		const member = this.byId.get(alert.member);
		return filter.verdicts.has(VERDICTS[alert.verdict]!) && filter.states.has(stateOf(alert, now)) && filter.sectors.has(sectorOf(member)) && (!filter.member || member?.key === filter.member);
	}

	/** Those that pass: what is open before what has ended, what began last first. */
	shown(filter: Filter): Alert[] {
		const now = this.now();
		return [...this.alerts.values()].filter((alert) => this.passes(alert, filter, now)).sort((a, b) => Number(a.ended) - Number(b.ended) || (a.ended ? b.last - a.last : b.since - a.since));
	}

	/** How many alerts each choice of the filter would show, by the other choices as they are. */
	counts(filter: Filter): { verdicts: Record<string, number>; states: Record<string, number>; sectors: Record<string, number> } {
		const ret = { verdicts: {} as Record<string, number>, states: {} as Record<string, number>, sectors: {} as Record<string, number> };
		const now = this.now();
		for (const alert of this.alerts.values()) {
			const member = this.byId.get(alert.member);
			if (filter.member && member?.key !== filter.member) continue;
			const own = { verdicts: VERDICTS[alert.verdict]!, states: stateOf(alert, now), sectors: sectorOf(member) } as const;
			for (const name of ["verdicts", "states", "sectors"] as const)
				if ((["verdicts", "states", "sectors"] as const).every((other) => other === name || filter[other].has(own[other]))) ret[name][own[name]] = (ret[name][own[name]] ?? 0) + 1;
		}
		return ret;
	}

	/** Members that hold what was asked for: a part of a name or key, or an address. */
	find(text: string): Member[] {
		const wanted = text.trim().toLowerCase();
		if (!wanted) return [];
		const address = /^[\d.]+$|:/.test(wanted);
		return this.members.filter((one) => `${one.key} ${one.name} ${one.name_en}`.toLowerCase().includes(wanted) || (address && one.blocks.some((block) => holds(block, wanted))));
	}
}

function holds(block: string, address: string): boolean {
	const network = networkOf(block.includes("/") ? block : `${block}/${block.includes(":") ? 128 : 32}`);
	return network !== null && has(network, address);
}
