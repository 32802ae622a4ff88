// Which findings are asked for, and how they are put in order.

import type { Finding } from "../core/api";

export type Found = Finding & { state: string; member: number; verdict?: string };

export const TYPES = ["livenet", "victim", "campaign", "new_port", "change_point", "intake", "scanner"] as const;
export const STATES = { open: "new,continuing", ended: "ended", closed: "closed", any: "" } as const;
export type State = keyof typeof STATES;
export const SEVERITIES = ["high", "medium", "low", "info"] as const;
export const SHOWN = 5000;
export const CLOSED_AT_ONCE = 500;

export interface Wanted { state: State; type: string; severity: string; member: string; text: string }

export function wantedOf(params: URLSearchParams): Wanted {
	const state = params.get("state") ?? "open", severity = params.get("severity") ?? "", type = params.get("type") ?? "";
	return {
		state: state in STATES ? (state as State) : "open",
		type: (TYPES as readonly string[]).includes(type) ? type : "",
		severity: (SEVERITIES as readonly string[]).includes(severity) ? severity : "",
		member: /^\d+$/.test(params.get("member") ?? "") ? (params.get("member") ?? "") : "",
		text: params.get("text") ?? "",
	};
}

/** Single scanners are always thousands: they are shown where they are asked for. */
export function pathOf(wanted: Wanted, from: string, to: string): string {
	const query = new URLSearchParams({ from, to, limit: String(SHOWN), type: wanted.type || TYPES.filter((type) => type !== "scanner").join(",") });
	for (const [name, value] of [["state", STATES[wanted.state]], ["severity", wanted.severity], ["member", wanted.member], ["text", wanted.text]] as const) if (value) query.set(name, value);
	return `/findings?${query}`;
}

export const COLUMNS = ["severity", "type", "subject", "member", "packets", "first", "last"] as const;
export type ColumnName = (typeof COLUMNS)[number];

const RANK: Record<string, number> = { high: 3, medium: 2, low: 1, info: 0 };

/** By a column, the newest first among equals. Times, amounts and severities begin with the greatest. */
export function sorted(findings: Found[], by: ColumnName, reverse: boolean): Found[] {
	const value = (finding: Found): number | string =>
		by === "severity" ? -(RANK[finding.severity] ?? 0) : by === "packets" ? -finding.packets : by === "first" || by === "last" ? -Date.parse(finding[by]) : by === "member" ? finding.member || Infinity : finding[by];
	const order = (a: Found, b: Found): number => {
		const one = value(a), other = value(b);
		const compared = typeof one === "string" || typeof other === "string" ? String(one).localeCompare(String(other), undefined, { numeric: true }) : one === other ? 0 : one - other;
		return (reverse ? -compared : compared) || Date.parse(b.last) - Date.parse(a.last);
	};
	return [...findings].sort(order);
}

export const closedOf = (finding: Found): { by: string; reason: string; time: string } | undefined => finding.ground["closed"] as { by: string; reason: string; time: string } | undefined;
