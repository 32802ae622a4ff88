// What the hub says of notices.

import type { AdviceText } from "../portal/advice";

export interface Event { time: string; what: string; who: string | null; detail: unknown }
export interface Message { id: number; channel: string; address: string; name: string; language: string; attempts: number; state: string; subject: string; made: string; done: string | null; used: string | null }
export interface Attempt { message: number; number: number; time: string; ended: string | null; result: string | null; code: number; answer: string | null }
export interface Telling { step: string; channel: string; address: string; name: string; due: string }
export interface Notice {
	id: number; member: number; member_key: string | null; member_name: string | null; member_name_en?: string | null; type: string; verdict: string; subject: string; severity: string; state: string;
	detector: string; finding: string; first: string; last: string; packets: number; findings: number; made: string; told: string | null; acknowledged: string | null;
	ended: string | null; closed: string | null; closed_by: string | null; reminders: number; escalated: number; answer: string | null; reference: string | null;
	look?: string | null; events?: Event[]; messages?: Message[]; attempts?: Attempt[]; tellings?: Telling[];
	ground?: { ports?: { name: string }[] } | null; advice?: AdviceText | null;
}
export interface Span { count: number; median_s: number | null; p90_s: number | null }
export interface Figures {
	notices: Record<string, number | null>; to_tell: Span; to_acknowledge: Span; to_fix: Span;
	sending?: { ready: boolean; relay: boolean; sending: number };
}
export interface Bounce { member: number; member_key: string | null; channel: string; address: string; since: string; times: number; answer: string }

/** Whose it is, in the reader's language. */
export const memberOf = (notice: Notice, language: string): string | number => (language === "en" && notice.member_name_en) || (notice.member_name ?? notice.member_key ?? notice.member);

export const ANSWERS = ["seen", "informed", "fixed", "not_found", "refused"] as const;

/** Something in the life of a notice: an event of the hub, or what a server said to a message. */
export interface Line { time: string; what: string; who: string; text: string; good: boolean | null }

function detailOf(event: Event): string {
	const detail = event.detail as { address?: string; name?: string; answer?: string; state?: string; reference?: string; note?: string } | string | null;
	if (!detail) return "";
	if (typeof detail === "string") return detail;
	return [detail.name, detail.address, detail.reference, detail.note, detail.answer].filter(Boolean).join(" · ");
}

/** Events and attempts that did not succeed, in the order of time; what an attempt that did succeed means is an event. */
export function lifeOf(notice: Notice): Line[] {
	const addresses = new Map((notice.messages ?? []).map((message) => [message.id, message.address]));
	/* A reminder that somebody asked for is told as what it was asked by. */
	const events = (notice.events ?? []).filter((event) => event.what !== "reminded" || !event.who).map((event): Line => {
		const state = (event.detail as { state?: string } | null)?.state;
		const quiet = event.what === "made" || event.what === "again" || event.what === "worse";
		return { time: event.time, what: event.what === "acknowledged" && state ? `acknowledged.${state}` : event.what, who: event.who ?? "", text: quiet ? "" : detailOf(event), good: /told|acknowledged|closed/.test(event.what) ? true : /refused|given_up|nobody/.test(event.what) ? false : null };
	});
	const attempts = (notice.attempts ?? []).filter((attempt) => attempt.result && attempt.result !== "sent").map((attempt): Line =>
		({ time: attempt.ended ?? attempt.time, what: `attempt.${attempt.result ?? ""}`, who: "", text: `${addresses.get(attempt.message) ?? ""} · ${attempt.answer ?? ""}`, good: false }));
	return [...events, ...attempts].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}
