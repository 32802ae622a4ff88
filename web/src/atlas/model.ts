// What the Atlas knows: rolling figures made from live frames. Totals by kind are of all packets; countries, networks and ports
// come from the sample that a frame carries, so they are shown as shares and said to be estimates.

import { RollingTop, SecondRing, type TopRow } from "../live/rolling";
import type { Arc, Frame, Hello, LiveFinding } from "../live/stream";

export const KINDS = ["scan", "backscatter", "survey", "reflection", "misconfiguration", "other"] as const;
export const PORT_SLOTS = 8;
export const SPARK_POINTS = 60;
const HISTORY_SECONDS = 301;
const FINDINGS_MAX = 12;
const LATEST_MAX = 40;

export interface PortKey {
	protocol: number;
	port: number;
}

export function portKey(protocol: number, port: number): number {
	return protocol * 65536 + port;
}

export function portOf(key: number): PortKey {
	return { protocol: Math.floor(key / 65536), port: key % 65536 };
}

const PROTOCOLS: Record<number, string> = { 1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6", 47: "gre", 132: "sctp" };

export function protocolName(protocol: number): string {
	return PROTOCOLS[protocol] ?? String(protocol);
}

/** tcp/23, icmp, 47 */
export function portLabel(key: number): string {
	const { protocol, port } = portOf(key);
	const name = protocolName(protocol);
	return protocol === 6 || protocol === 17 || protocol === 132 ? `${name}/${port}` : name;
}

export interface Snapshot {
	pps: number;
	kinds: number[];
	sparks: Float64Array[];
	countries: TopRow<string>[];
	ports: (TopRow<number> & { slot: number })[];
	latest: Arc[];
	findings: LiveFinding[];
	sampled: number;
	/** Milliseconds since 1970 of the last frame, 0 before the first. */
	at: number;
	quiet: boolean;
}

export class AtlasModel {
	hello: Hello | null = null;
	readonly findings: LiveFinding[] = [];
	private readonly history = new SecondRing(KINDS.length, HISTORY_SECONDS);
	private readonly countries = new RollingTop<string>();
	private readonly ports = new RollingTop<number>();
	private readonly slots = new Map<number, number>();
	private readonly sparks = KINDS.map(() => new Float64Array(SPARK_POINTS));
	private readonly latest: Arc[] = [];
	private pps = NaN;
	private at = 0;
	private lastPacket = 0;
	private sampled = 0;

	takeHello(hello: Hello): void {
		this.hello = hello;
	}

	takeFinding(finding: LiveFinding): void {
		const at = this.findings.findIndex((old) => old.id === finding.id);
		if (at >= 0) this.findings.splice(at, 1);
		this.findings.unshift(finding);
		if (this.findings.length > FINDINGS_MAX) this.findings.pop();
	}

	takeFrame(frame: Frame): void {
		this.at = frame.t;
		this.pps = Number.isNaN(this.pps) ? frame.pps : this.pps + (frame.pps - this.pps) * 0.2;
		this.history.advance(frame.t);
		this.countries.advance(frame.t);
		this.ports.advance(frame.t);
		frame.kinds.forEach((count, kind) => this.history.add(kind, count));
		if (frame.pps > 0 || frame.arcs.length > 0) this.lastPacket = frame.t;
		for (const arc of frame.arcs) {
			if (arc[3]) this.countries.add(arc[3], arc[9]);
			this.ports.add(portKey(arc[7], arc[8]), arc[9]);
		}
		this.sampled += frame.arcs.length;
		const some = Math.min(2, frame.arcs.length);
		for (let i = 0; i < some; i++) this.latest.unshift(frame.arcs[i]!);
		if (this.latest.length > LATEST_MAX) this.latest.length = LATEST_MAX;
	}

	/** Packets a second, smoothed over half a second. */
	get rate(): number {
		return this.pps;
	}

	/** The colour slot of a port; PORT_SLOTS for all that are not among the top. */
	slotOf(protocol: number, port: number): number {
		return this.slots.get(portKey(protocol, port)) ?? PORT_SLOTS;
	}

	warmest(limit: number): TopRow<string>[] {
		return this.countries.top(limit);
	}

	snapshot(rows: number): Snapshot {
		const ports = this.ports.top(Math.max(rows, PORT_SLOTS + 4));
		this.assignSlots(ports);
		for (let kind = 0; kind < KINDS.length; kind++) this.history.history(kind, this.sparks[kind]!);
		return {
			pps: this.pps,
			kinds: KINDS.map((_, kind) => this.history.rate(kind, 5)),
			sparks: this.sparks,
			countries: this.countries.top(rows),
			ports: ports.slice(0, rows).map((row) => ({ ...row, slot: this.slots.get(row.key) ?? PORT_SLOTS })),
			latest: this.latest.slice(0, 20),
			findings: this.findings.slice(),
			sampled: this.sampled,
			at: this.at,
			quiet: this.at > 0 && this.at - this.lastPacket > 5000,
		};
	}

	// A port keeps its colour as long as it stays near the top, so that colours do not jump.
	private assignSlots(ports: readonly TopRow<number>[]): void {
		for (const key of this.slots.keys()) if (!ports.some((row) => row.key === key)) this.slots.delete(key);
		const taken = new Set(this.slots.values());
		for (const { key } of ports.slice(0, PORT_SLOTS)) {
			if (this.slots.has(key)) continue;
			let slot = 0;
			while (slot < PORT_SLOTS && taken.has(slot)) slot++;
			if (slot === PORT_SLOTS) return;
			taken.add(slot);
			this.slots.set(key, slot);
		}
	}
}
