// Answers of the hub as series over time.

import { records, type Answer, type Cell } from "../core/api";
import { KIND_COLOURS, KIND_SHAPES, KINDS, type Kind, type Theme } from "../theme/palette";
import type { Say } from "../i18n";
import type { Series } from "./options";

const UNITS: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };
const FILLED_MOST = 5000;

/** "15m" in milliseconds; 0 for months and years, which have no one length. */
export function bucketMs(name: string | null | undefined): number {
	const [, count, unit] = /^(\d+)([smhd])$/.exec(name ?? "") ?? [];
	return Number(count ?? 0) * (UNITS[unit ?? ""] ?? 0);
}

/** Every bucket from the first that has rows to the last: no packets is a value too. Few of them stand between empty ones, so that they are seen. */
function filled(times: number[], answer: Answer): number[] {
	const step = bucketMs(/ --bucket (\S+)/.exec(answer.command)?.[1]);
	const aside = times.length < 10 ? step : 0;
	const first = (times[0] ?? 0) - aside, last = (times[times.length - 1] ?? 0) + aside;
	if (!times.length || !step || (last - first) / step > FILLED_MOST) return times;
	const all: number[] = [];
	for (let at = first; at <= last; at += step) if (at + step > Date.parse(answer.from) && at < Date.parse(answer.to)) all.push(at);
	return all;
}

/** Without the last bucket when it is not over yet: a half-filled one would look like a fall. */
function whole(times: number[], answer: Answer): number[] {
	const [last, before] = [times[times.length - 1] ?? 0, times[times.length - 2] ?? 0];
	return times.length > 3 && last + (last - before) > Date.parse(answer.to) ? times.slice(0, -1) : times;
}

/** One series a value of `name`; a bucket without rows counts zero. The largest `most` series stay apart. */
export function seriesBy(answer: Answer, name: (row: Record<string, Cell>) => string, most = 10): Series[] {
	const all = new Map<string, Map<number, number>>();
	const times = new Set<number>();
	for (const row of records(answer)) {
		const at = Date.parse(String(row["time"]));
		times.add(at);
		const key = name(row);
		const points = all.get(key) ?? new Map<number, number>();
		points.set(at, (points.get(at) ?? 0) + Number(row["sum_packets"]));
		all.set(key, points);
	}
	const sum = (points: Map<number, number>) => [...points.values()].reduce((a, b) => a + b, 0);
	const sorted = whole(filled([...times].sort((a, b) => a - b), answer), answer);
	return [...all]
		.sort((a, b) => sum(b[1]) - sum(a[1]))
		.slice(0, most)
		.map(([key, points]) => ({ name: key, points: sorted.map((at): [number, number] => [at, points.get(at) ?? 0]) }));
}

export function kindSeries(answer: Answer, theme: Theme, name: (kind: string) => string): Series[] {
	const found = new Map(seriesBy(answer, (row) => String(row["kind"])).map((one) => [one.name, one]));
	return KINDS.filter((kind) => found.has(kind)).map((kind: Kind) => ({ name: name(kind), color: KIND_COLOURS[theme][kind], shape: KIND_SHAPES[kind], points: found.get(kind)?.points ?? [] }));
}

/** The buckets with most packets, highest first. */
export function peaks(answer: Answer, count: number): { at: number; packets: number }[] {
	const sums = new Map<number, number>();
	for (const row of records(answer)) {
		const at = Date.parse(String(row["time"]));
		sums.set(at, (sums.get(at) ?? 0) + Number(row["sum_packets"]));
	}
	return [...sums].map(([at, packets]) => ({ at, packets })).sort((a, b) => b.packets - a.packets).slice(0, count);
}

/** How the second half of the range compares with the first, in words. */
export function shiftNote(answer: Answer, t: Say): string {
	const from = Date.parse(answer.from), middle = (from + Date.parse(answer.to)) / 2;
	let before = 0, after = 0, earliest = Infinity;
	for (const row of records(answer)) {
		const at = Date.parse(String(row["time"]));
		earliest = Math.min(earliest, at);
		if (at < middle) before += Number(row["sum_packets"]);
		else after += Number(row["sum_packets"]);
	}
	if (!before || earliest > from + (middle - from) / 10) return "";
	const percent = Math.round((100 * (after - before)) / before);
	return t("overview.shift", { change: `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${Math.abs(percent)} %` });
}
