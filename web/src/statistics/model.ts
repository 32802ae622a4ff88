// What the hub tells of a month or a year, and how its spans and durations are written.

import type { Language } from "../core/format";

export const FIGURES = ["found", "told", "acknowledged", "bounced", "fixed"] as const;
export type Figure = (typeof FIGURES)[number];
/** null: hidden, because few stand behind it. */
export type Counts = Record<Figure, number | null>;
export interface Group extends Counts { name: string; fix_median_s: number | null }
export interface Period extends Counts { time: string; packets: number; sources: number }
export interface Statistics {
	by: "day" | "month"; from: string; to: string; least: number; step: number; simulated: boolean; members: number;
	machines: { found: number | null; cleaned: number | null }; alerts: Counts;
	times: { tell_median_s: number | null; acknowledge_median_s: number | null; fix_median_s: number | null };
	verdicts: Group[]; sectors: Group[]; periods: Period[];
}

/** "2026-11" is a month by days, "2026" a year by months. */
export type Span = string;
export const thisMonth = (now = new Date()): Span => now.toISOString().slice(0, 7);
export const isMonth = (span: Span): boolean => span.length === 7;

/** The address's own span; this month where there is none that makes sense. */
export function spanOf(text: string | undefined): Span {
	return text && /^\d{4}(-(0[1-9]|1[0-2]))?$/.test(text) && text <= thisMonth() ? text : thisMonth();
}

export function step(span: Span, by: number): Span {
	if (!isMonth(span)) return String(Number(span) + by);
	const at = new Date(`${span}-01T00:00:00Z`);
	at.setUTCMonth(at.getUTCMonth() + by);
	return at.toISOString().slice(0, 7);
}

/** What may be chosen: the last two years by month, or the last five by year. */
export function spans(span: Span): Span[] {
	const month = isMonth(span), first = month ? thisMonth() : thisMonth().slice(0, 4);
	const all = Array.from({ length: month ? 24 : 5 }, (_, back) => step(first, -back));
	return all.includes(span) ? all : [...all, span];
}

export const query = (span: Span): string => `${isMonth(span) ? "month" : "year"}=${span}`;

export function spanName(span: Span, language: Language): string {
	const parts: Intl.DateTimeFormatOptions = isMonth(span) ? { year: "numeric", month: "long" } : { year: "numeric" };
	return new Intl.DateTimeFormat(language, { ...parts, timeZone: "UTC" }).format(new Date(`${isMonth(span) ? span : `${span}-01`}-15T00:00:00Z`));
}

/** "1 Nov" or "Nov"; `short` is for an axis, under a title that tells the month. */
export function periodName(period: Period, by: Statistics["by"], language: Language, short = false): string {
	const parts: Intl.DateTimeFormatOptions = by === "month" ? { month: "short" } : short ? { day: "numeric" } : { month: "short", day: "numeric" };
	return new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { ...parts, timeZone: "UTC" }).format(new Date(period.time));
}

/** 4.2 s, 12 min, 3 h, 5 days: 5分, 3時間: two digits that matter. */
export function duration(seconds: number, language: Language): string {
	const unit = seconds < 90 ? "second" : seconds < 5400 ? "minute" : seconds < 172800 ? "hour" : "day";
	const value = seconds / { second: 1, minute: 60, hour: 3600, day: 86400 }[unit];
	return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: language === "ja" ? "narrow" : unit === "day" ? "long" : "short", maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}
