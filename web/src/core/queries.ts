// The questions the pages ask, in one place, so that pictures and commands agree.

import type { Cell, Filter, Finding, Query } from "./api";
import { bucketFor, instant } from "./format";

export type Dimension = "kind" | "port" | "country" | "network" | "tool" | "source";
export const DIMENSIONS: Dimension[] = ["kind", "port", "country", "network", "tool", "source"];

/** Filters that a view's address holds: ?kind=scan&port=tcp/23&country=JP ... */
export function filtersOf(params: URLSearchParams): Filter[] {
	const filters: Filter[] = [];
	for (const field of ["kind", "tool", "country", "network"] as const) {
		const value = params.get(field);
		if (value) filters.push({ field, op: "=", value });
	}
	const port = params.get("port");
	if (port) {
		const [protocol, number] = port.includes("/") ? port.split("/") : [params.get("protocol"), port];
		if (protocol) filters.push({ field: "protocol", op: "=", value: protocol });
		filters.push({ field: "port", op: "=", value: Number(number) });
	}
	const source = params.get("source");
	if (source) filters.push({ field: "source", op: source.includes("/") ? "prefix" : "=", value: source });
	return filters;
}

function keysOf(dimension: Dimension): string[] {
	return dimension === "port" ? ["protocol", "port"] : [dimension];
}

/** Sums alone come from roll-ups at once, however long the range; distinct sources must be counted and come after (sourcesQuery). */
export function topQuery(dimension: Dimension, from: string, to: string, filters: Filter[], limit: number, sources = false): Query {
	const scanning = dimension === "port" && !filters.some((filter) => filter.field === "kind");
	return {
		kind: "tuple", from, to, keys: keysOf(dimension), limit,
		filters: scanning ? [...filters, { field: "kind", op: "!=", value: "backscatter" }, { field: "protocol", op: "in", value: ["tcp", "udp"] }] : filters,
		aggregates: sources ? [{ op: "sum", field: "packets" }, { op: "distinct", field: "source" }] : [{ op: "sum", field: "packets" }],
		order: [{ by: "sum_packets", descending: true }],
	};
}

/** Distinct sources of the rows that a top query answered with; null where that says nothing. */
export function sourcesQuery(top: Query, rows: Record<string, Cell>[]): Query | null {
	const keys = top.keys ?? [];
	if (!rows.length || keys.includes("source")) return null;
	const asked = keys.map((field): Filter => ({ field, op: "in", value: [...new Set(rows.map((row) => row[field] as string | number))] }));
	return { ...top, filters: [...(top.filters ?? []).filter((filter) => filter.op !== "in" || !keys.includes(filter.field)), ...asked], aggregates: [{ op: "distinct", field: "source" }], order: [], limit: 10000 };
}

export function seriesQuery(dimension: Dimension | null, from: string, to: string, filters: Filter[]): Query {
	return {
		kind: "tuple", from, to, filters, keys: dimension ? keysOf(dimension) : [], bucket: bucketFor(instant(to) - instant(from)),
		aggregates: [{ op: "sum", field: "packets" }], order: [{ by: "time" }], limit: 100000,
	};
}

export function findingsQuery(from: string, to: string, limit = 200): string {
	return `/findings?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}&limit=${limit}`;
}

export const FINDING_TYPES = ["victim", "campaign", "new_port", "change_point", "intake", "scanner"] as const;

/** Findings without single scanners, of which there are always thousands; newest first. */
export async function noteworthy(from: string, to: string, load: (path: string) => Promise<{ findings: Finding[] }>): Promise<Finding[]> {
	const lists = await Promise.all(FINDING_TYPES.filter((type) => type !== "scanner").map((type) => load(`${findingsQuery(from, to)}&type=${type}`)));
	return lists.flatMap((list) => list.findings).sort((a, b) => Date.parse(b.last) - Date.parse(a.last));
}
