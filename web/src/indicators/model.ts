// What the hub says of indicators.

import { get, request } from "../core/api";

export const KINDS = ["ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "sha512", "asn", "other"] as const;
export const STATES = ["active", "expired", "false-positive", "revoked", "replaced"] as const;
export const SOURCES = ["finding", "file", "taxii", "manual", "release"] as const;
export const SCORES = [0, 25, 50, 75] as const;
export const TLPS = ["clear", "green", "amber", "amber+strict", "red"] as const;
export type IndicatorState = (typeof STATES)[number];

export interface Indicator {
	id: string; seq: number; kind: string; value: string; tlp: string; state: IndicatorState; confidence: number; score: number;
	from: string | null; until: string | null; seen: string | null; sightings: number; speed: number; source_kind: string; source: string; warning: string | null;
}
export interface Page { indicators: Indicator[]; next: number | null }
export interface Sighting { seen: string | null; added: string | null; count: number; source_kind: string; source: string; by: string }
export interface Released { id: number | string; state: string; groups: string[]; proposed: string | null; proposer: string | null; decided: string | null; releaser: string | null }
export interface Whole extends Indicator {
	values: Indicator[]; origin: { kind: string; name: string; by: string; first: string | null; time: string | null; versions: number }; decay: [string, number][];
	collections: { name: string; title: string; added: string | null }[]; also: Indicator[]; seen_by: Sighting[]; changes: { time: string; by: string; state: string }[]; releases: Released[]; lists: number; object: Record<string, unknown> | null;
}
export interface Judged { kind: string; value: string; tlp: string; known: boolean; warning: string | null }
export interface Imported {
	dry: boolean; taken: number; known: number; refused: number; correlated: number; warned: number; unread: number;
	values: Judged[]; faults: { where: string; why: string }[];
}
export interface How { format: string; tlp: string; confidence: number; days: number; name: string }

export const FILTERS = ["find", "kind", "state", "source", "tlp", "confidence", "score", "unwarned"] as const;

export function listOf(params: URLSearchParams, before: number | null, signal?: AbortSignal): Promise<Page> {
	const asked = new URLSearchParams({ limit: "100" });
	for (const name of FILTERS) if (params.get(name)) asked.set(name, (params.get(name) ?? "").trim());
	if (before !== null) asked.set("before", String(before));
	return get<Page>(`/indicators?${asked}`, signal);
}

export function bring(text: string, how: How, dry: boolean): Promise<Imported> {
	const asked = new URLSearchParams({ format: how.format, tlp: how.tlp, confidence: String(how.confidence), days: String(how.days), ...(how.name ? { name: how.name } : {}), ...(dry ? { dry: "1" } : {}) });
	return request<Imported>("POST", `/indicators/import?${asked}`, new Blob([text], { type: "text/plain" }));
}

export const setState = (id: string, state: IndicatorState): Promise<Whole> => request<Whole>("POST", `/indicators/${encodeURIComponent(id)}/state`, { state });

/** Days until it ends; negative: it has ended. null: nobody said. */
export function daysLeft(until: string | null, now = Date.now()): number | null {
	return until === null ? null : Math.floor((Date.parse(until) - now) / 86_400_000);
}

/** Where it stands between being seen last (0) and its end (1). */
export function ageOf(one: { seen: string | null; until: string | null }, now = Date.now()): number {
	const seen = Date.parse(one.seen ?? ""), until = Date.parse(one.until ?? "");
	return until > seen ? Math.min(1, Math.max(0, (now - seen) / (until - seen))) : 1;
}

/** What is left of a confidence at an age, as the hub reckons it. */
export const leftAt = (confidence: number, speed: number, age: number): number => confidence * (1 - age ** (1 / speed));

export interface Event { at: string; what: "first" | "version" | "seen" | "denied" | "shelf" | "state" | "proposed" | "released" | "refused" | "withdrawn" | "ends"; who: string; detail: string; href?: string }

/** All that happened to it, and when it ends, the latest first. */
export function lifeOf(one: Whole): Event[] {
	const { origin } = one, events: Event[] = [];
	const add = (at: string | null, what: Event["what"], who: string | null, detail: string, href?: string) => { if (at) events.push({ at, what, who: who ?? "", detail, href }); };
	add(origin.first, "first", origin.versions > 1 ? "" : origin.by, origin.versions > 1 ? "" : origin.name);
	if (origin.versions > 1) add(origin.time, "version", origin.by, origin.name);
	for (const each of one.seen_by) add(each.seen ?? each.added, each.count ? "seen" : "denied", each.by, `${each.count > 1 ? `${each.count} × ` : ""}${each.source}`);
	for (const each of one.collections) add(each.added, "shelf", "", each.title, `#/feeds?collection=${encodeURIComponent(each.name)}`);
	for (const each of one.changes) add(each.time, "state", each.by, each.state);
	for (const each of one.releases) {
		const href = `#/sharing/releases?release=${each.id}`, groups = each.groups.join(", ");
		add(each.proposed, "proposed", each.proposer, groups, href);
		if (each.state !== "proposed") add(each.decided, each.state as "released", each.releaser, groups, href);
	}
	add(one.until, "ends", "", "");
	return events.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
