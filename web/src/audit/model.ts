// The audit log as the hub tells of it, and the question that the page's address puts.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get } from "../core/api";
import { useLoad, type Loaded } from "../core/house";
import { range } from "../core/route";

export const SORTS = ["all", "changes", "looks", "refused", "system"] as const;
export type Sort = (typeof SORTS)[number];

export interface Entry { id: number; time: string; actor: string; peer: string; action: string; subject: string; member: number | null; detail: Record<string, unknown>; undone: boolean; hash: string }
export interface Verdict { entries: number; head: string; sound: boolean; broken?: number; reason?: string; noted?: number | null }

export const PAGE = 100;
export const FILTERS = ["actor", "action", "subject", "sort", "before"] as const;

/** As the hub sorts them. */
export function sortOf(entry: Entry): Exclude<Sort, "all"> {
	if (entry.undone || "refused" in entry.detail) return "refused";
	return entry.action.startsWith("GET /") ? "looks" : / \//.test(entry.action) ? "changes" : "system";
}

/** What was typed stands somewhere in the object; a star is a star of the reader's own. */
const anywhere = (text: string): string => (text.includes("*") ? text : `*${text.replace(/[[?]/g, "[$&]")}*`);

export function question(params: URLSearchParams): URLSearchParams {
	const { from, to } = range(params);
	const asked = new URLSearchParams({ from, ...(to === "now" ? {} : { to }) });
	for (const name of FILTERS) {
		const value = params.get(name)?.trim();
		if (value) asked.set(name, name === "subject" ? anywhere(value) : value);
	}
	return asked;
}

export const entries = (asked: URLSearchParams, signal?: AbortSignal): Promise<Entry[]> => get<{ entries: Entry[] }>(`/audit?${asked.toString()}&limit=${PAGE}`, signal).then((answer) => answer.entries);
export const verify = (noted: string): Promise<Verdict> => get(`/audit/state${noted ? `?head=${noted}` : ""}`);
export const exportAddress = (asked: URLSearchParams, format: "csv" | "json"): string => `./api/v1/audit/export?format=${format}${format === "csv" ? "&bom=1" : ""}&${asked.toString()}`;

const quoted = (text: string): string => (/^[\w./:@+-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

/** What prints the same on the hub's own machine; it has no word for a number to begin before. */
export function commandOf(asked: URLSearchParams): string | null {
	if (asked.has("before")) return null;
	return ["yagura audit list", ...[...asked].map(([name, value]) => `--${name} ${quoted(value)}`), "--limit 1000"].join(" ");
}

export interface Log { first: Loaded<Entry[]>; all: Entry[]; ended: boolean; busy: boolean; error: ApiError | null; older: () => void }

/** The newest entries that a question finds, and the older ones as they are asked for. */
export function useLog(asked: URLSearchParams): Log {
	const key = asked.toString();
	const first = useLoad(`audit?${key}`, (signal) => entries(asked, signal));
	const [more, setMore] = useState<{ list: Entry[]; ended: boolean; busy: boolean; error: ApiError | null }>({ list: [], ended: false, busy: false, error: null });
	const current = useRef(key);
	current.current = key;
	useEffect(() => setMore({ list: [], ended: false, busy: false, error: null }), [key, first.data]);
	const all = [...(first.data ?? []), ...more.list];
	const older = () => {
		setMore((now) => ({ ...now, busy: true, error: null }));
		const next = new URLSearchParams(asked);
		next.set("before", String(all[all.length - 1]?.id ?? 0));
		entries(next).then(
			(list) => { if (current.current === key) setMore((now) => ({ list: [...now.list, ...list], ended: list.length < PAGE, busy: false, error: null })); },
			(error: ApiError) => { if (current.current === key) setMore((now) => ({ ...now, busy: false, error })); },
		);
	};
	return { first, all, ended: more.ended || (first.data?.length ?? 0) < PAGE, busy: more.busy, error: more.error, older };
}
