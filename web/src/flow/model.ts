// What the hub tells of flow information, and what a question to its archive is made of.

export interface Exporter {
	exporter: string; domain: number; format: string; messages: number; bytes: number; records: number; templates: number;
	lost: number; late: number; restarts: number; waiting: number; sampling: number; skew_seconds: number; faults: Record<string, number>;
	first: string; last: string; records_per_second: number; minutes: [number, number][];
}
export interface Collector {
	running: boolean; blocked: boolean; began: string; time: string; listen: string[]; records_per_second: number;
	datagrams: number; records: number; stored: number; not_stored: number; dropped: number; strange: number; too_many_exporters: number; exporters: Exporter[];
}
export interface Flow { collector: Collector | null; archive: { bytes: number; segments: number; first: string; last: string } | null }

export interface Sums { flows: number; packets: number; bytes: number }
export type Group = Sums & Record<string, string | number>;
export interface Row {
	first: string; last: string; source: string; target: string; source_port: number; target_port: number; protocol: number; flags: number; packets: number; bytes: number; exporter: string;
}
export interface Answer extends Sums { groups?: Group[]; of?: number; rows?: Row[]; bins?: Record<keyof Sums, number[]>; from: string; to: string; seconds: number; troubles: string[] }

export type Measure = keyof Sums;
export const MEASURES: readonly Measure[] = ["bytes", "packets", "flows"];

/** Ways to add flows up: the names that nfdump has for them. */
export const VIEWS = { talkers: ["ip"], sources: ["srcip"], targets: ["dstip"], ports: ["dstport"], protocols: ["proto"], pairs: ["srcip", "dstip"], networks: ["as"], list: [] } as const;
export type View = "talkers" | "sources" | "targets" | "ports" | "protocols" | "pairs" | "networks" | "list";
export const SHOWN: readonly View[] = ["talkers", "sources", "targets", "ports", "protocols", "pairs", "networks", "list"];

const PROTOCOLS: Record<number, string> = { 1: "ICMP", 2: "IGMP", 4: "IPIP", 6: "TCP", 17: "UDP", 41: "IPv6", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 89: "OSPF", 132: "SCTP" };
export const protocolName = (number: number): string => PROTOCOLS[number] ?? String(number);

/** What of the filter a group stands for: clicked, it is added. */
export function narrowing(names: readonly string[], group: Group): string {
	const words: Record<string, string> = { ip: "host", srcip: "src host", dstip: "dst host", dstport: "dst port", proto: "proto", as: "as" };
	return names.map((name) => `${words[name]} ${group[name]}`).join(" and ");
}

export function narrowed(filter: string, more: string): string {
	if (!filter.trim()) return more;
	return /\bor\b/.test(filter) ? `(${filter.trim()}) and ${more}` : `${filter.trim()} and ${more}`;
}

/** A word that the shell takes as it is. */
const quoted = (text: string): string => (/^[\w./:,-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

export function command(filter: string, view: View, measure: Measure, limit: number, from: string, to: string): string {
	const names = VIEWS[view];
	const words = ["yagura", "flow", "query", "-r", "DATA/flow"];
	if (filter.trim()) words.push(quoted(filter.trim()));
	if (names.length === 1) words.push("-s", `${names[0]}/${measure}`);
	else if (names.length) words.push("-A", names.join(","));
	return [...words, "-n", String(limit), "--from", from, "--to", to].join(" ");
}

export type Health = "silent" | "losing" | "templates" | "clock" | "faulty" | "fine";

/** The first thing that is wrong with an exporter, the worst first. */
export function health(exporter: Exporter, now: number): Health {
	const recent = exporter.minutes.slice(-10).reduce(([came, lost], [c, l]) => [came + c, lost + l] as [number, number], [0, 0] as [number, number]);
	if (now - Date.parse(exporter.last) > 5 * 60_000) return "silent";
	if (exporter.records === 0 && exporter.waiting > 0) return "templates";
	if (recent[1] > 0 && recent[1] > 0.001 * (recent[0] + recent[1])) return "losing";
	if (Object.values(exporter.faults).some((count) => count > 0)) return "faulty";
	if (Math.abs(exporter.skew_seconds) > 10) return "clock";
	return "fine";
}

export const share = (exporter: Exporter): number => (exporter.lost + exporter.records > 0 ? exporter.lost / (exporter.lost + (exporter.format === "netflow9" || exporter.format === "sflow5" ? exporter.messages : exporter.records)) : 0);
