// Members as the API shows them, and what the pages reckon from them.

import { has, networkOf } from "../core/address";
import { get, request } from "../core/api";
import type { Notice } from "../notices/model";

export interface Contact { role: string; language: string; name?: string; mail?: string; phone?: string; webhook?: string }
export interface Member {
	id: number; key: string; name: string; name_en?: string; kind: string; prefixes: string[];
	asns?: number[]; domains?: string[]; endpoints?: string[]; contacts?: Contact[]; clearance?: string;
	parent?: string | null; reports_to?: string | null; valid_from?: string | null; valid_until?: string | null;
	notes?: string; change?: number; changed: string;
}
export interface Difference { field: string; before?: unknown; after?: unknown; added?: unknown[]; removed?: unknown[] }
export interface Change { number: number; time: string; who?: string; action: string; key: string; fields: Difference[] }
export interface Remark { line: number; key: string; field: string; message: string; message_ja: string }
export interface Report {
	applied: boolean; added: number; changed: number; removed: number; same: number; bad: number;
	fault_count: number; warning_count: number; tie_count: number;
	changes: { line: number; action: string; key: string; name: string; fields: Difference[] }[];
	faults: Remark[]; warnings: Remark[]; ties: { prefix: string; members: string }[];
}
export interface Look { id: number; time: string; who: string; action: string; subject: string }
export interface ImportHow { skip: boolean; absent: boolean; apply: boolean }

export const KINDS = ["municipality", "provider", "ministry", "region", "sector", "other"] as const;
export const CLEARANCES = ["clear", "green", "amber", "amber+strict", "red"] as const;
export const CONTACT_ROLES = ["security", "abuse", "technical", "administrative", "legal", "other"] as const;
export const OPERATORS = ["operator", "admin"], ANALYSTS = ["analyst", ...OPERATORS];

const PAGE = 1000, PAGES_MOST = 20, LOOKS = 50;
const one = (key: string): string => `/members/${encodeURIComponent(key)}`;

export interface Listed { members: Member[]; total: number }

/** All members that match, a page after the other. */
export async function membersOf(question: Record<string, string>, signal: AbortSignal): Promise<Listed> {
	const members: Member[] = [];
	for (let page = 0; ; page++) {
		const asked = new URLSearchParams({ ...question, limit: String(PAGE), offset: String(page * PAGE) });
		const answer = await get<Listed>(`/members?${asked}`, signal);
		members.push(...answer.members);
		if (members.length >= answer.total || !answer.members.length || page + 1 === PAGES_MOST) return { members, total: answer.total };
	}
}

export const memberOf = (key: string, signal?: AbortSignal): Promise<Member> => get(one(key), signal);
export const changesOf = (key: string, signal: AbortSignal): Promise<Change[]> => get<{ changes: Change[] }>(`${one(key)}/history?limit=200`, signal).then((answer) => answer.changes);
export const save = (key: string, member: object): Promise<Member> => request("PUT", one(key), member);
export const remove = (key: string): Promise<void> => request("DELETE", one(key));

export function looksOf(key: string, before: number, signal?: AbortSignal): Promise<{ looks: Look[]; more: boolean }> {
	return get<{ looks: Look[] }>(`${one(key)}/looks?limit=${LOOKS}${before ? `&before=${before}` : ""}`, signal).then(({ looks }) => ({ looks, more: looks.length === LOOKS }));
}

export const noticesOf = (question: Record<string, string>, signal: AbortSignal): Promise<Notice[]> =>
	get<{ notices: Notice[] }>(`/notices?${new URLSearchParams({ limit: "1000", ...question })}`, signal).then((answer) => answer.notices);
export const noticeOf = (id: number, language: string, signal: AbortSignal): Promise<Notice> => get(`/notices/${id}?language=${language}`, signal);
export const answerNotice = (id: number, answer: object): Promise<Notice> => request("POST", `/notices/${id}/acknowledge`, answer);

/** What a file would change, or, with `apply`, has changed. */
export function importFile(file: Blob, how: ImportHow): Promise<Report> {
	const flags = [!how.apply && "dry_run=1", how.skip && "skip_bad=1", how.absent && "remove_absent=1"].filter(Boolean).join("&");
	return request("POST", `/members/import?${flags}`, new Blob([file], { type: file.type === "application/json" ? file.type : "text/csv" }));
}

/** Faults that the hub found, where an answer brought some. */
export function faultsOf(answer: unknown): Remark[] {
	return (answer as { report?: Report } | undefined)?.report?.faults ?? [];
}

export function nameOf(member: Pick<Member, "key" | "name" | "name_en">, language: string): string {
	return (language === "en" && member.name_en) || member.name || member.key;
}

export type Validity = "valid" | "future" | "past";
export function validity(member: Pick<Member, "valid_from" | "valid_until">, now = Date.now()): Validity {
	if (member.valid_from && Date.parse(member.valid_from) > now) return "future";
	return member.valid_until && Date.parse(member.valid_until) <= now ? "past" : "valid";
}

function covers(wide: string, narrow: string): boolean {
	const [address = "", bits] = narrow.split("/");
	const network = networkOf(wide);
	return network !== null && Number(wide.split("/")[1]) < Number(bits) && has(network, address);
}

/** IPv4 addresses and IPv6 networks of /48, without blocks that lie in another. */
export function extent(prefixes: string[]): { addresses: number; sites: number } {
	const own = [...new Set(prefixes)].filter((one, _, all) => !all.some((other) => other !== one && covers(other, one)));
	let addresses = 0, sites = 0;
	for (const prefix of own) {
		const bits = Number(prefix.split("/")[1]);
		if (prefix.includes(":")) sites += bits < 48 ? 2 ** (48 - bits) : 1;
		else addresses += 2 ** (32 - bits);
	}
	return { addresses, sites };
}

export const SORTS = ["name", "kind", "size", "open", "changed"] as const;
export type Sort = (typeof SORTS)[number];
export interface Row extends Member { open: number; addresses: number; sites: number }

export function rowsOf(members: Member[], notices: Pick<Notice, "member">[]): Row[] {
	const open = new Map<number, number>();
	for (const notice of notices) open.set(notice.member, (open.get(notice.member) ?? 0) + 1);
	return members.map((member) => ({ ...member, ...extent(member.prefixes), open: open.get(member.id) ?? 0 }));
}

/** Names by the reader's language, everything else by its worth; ties by name. */
export function sorted(rows: Row[], by: Sort, down: boolean, language: string): Row[] {
	const names = new Intl.Collator(language, { numeric: true });
	const byName = (a: Row, b: Row) => names.compare(nameOf(a, language), nameOf(b, language));
	const orders: Record<Sort, (a: Row, b: Row) => number> = {
		name: byName,
		kind: (a, b) => KINDS.indexOf(a.kind as "other") - KINDS.indexOf(b.kind as "other"),
		size: (a, b) => a.addresses - b.addresses || a.sites - b.sites,
		open: (a, b) => a.open - b.open,
		changed: (a, b) => Date.parse(a.changed) - Date.parse(b.changed),
	};
	return [...rows].sort((a, b) => (down ? -1 : 1) * orders[by](a, b) || byName(a, b));
}
