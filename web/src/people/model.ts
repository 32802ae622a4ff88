// Accounts and tokens as the hub tells of them.

import { get, request } from "../core/api";
import type { Member } from "../members/model";

export const ROLES = ["member", "viewer", "analyst", "operator", "admin"] as const;
export const TOKEN_ROLES = ["sensor", ...ROLES] as const;

export interface Account { name: string; role: string; member: string | null; has_password: boolean; link_until: string | null; created: string; last_login: string | null }
export interface Token { id: number; name: string; role: string; member: string | null; created: string; last_used: string | null }
export interface Link { token: string; until: string }
export type Organisation = Pick<Member, "id" | "key" | "name" | "name_en">;
/** What a form asks for: the key of the organisation only with the role member. */
export interface Wanted { name: string; role: string; member?: string }

const part = encodeURIComponent;

export const accounts = (signal: AbortSignal): Promise<Account[]> => get<{ users: Account[] }>("/users", signal).then((answer) => answer.users);
export const tokens = (signal: AbortSignal): Promise<Token[]> => get<{ tokens: Token[] }>("/tokens", signal).then((answer) => answer.tokens);

/** All of them, page by page: a country has more than one answer holds. */
export async function organisations(signal: AbortSignal): Promise<Organisation[]> {
	const all: Organisation[] = [];
	for (;;) {
		const answer = await get<{ members: Organisation[]; total: number }>(`/members?limit=1000&offset=${all.length}`, signal);
		all.push(...answer.members);
		if (answer.members.length === 0 || all.length >= answer.total) return all;
	}
}

export const invite = (wanted: Wanted): Promise<Link> => request<{ link: Link }>("POST", "/users", wanted).then((answer) => answer.link);
export const newLink = (name: string): Promise<Link> => request("POST", `/users/${part(name)}/link`);
export const change = (name: string, role: string, member?: string): Promise<void> => request("PUT", `/users/${part(name)}`, { role, ...(member ? { member } : {}) });
export const close = (name: string): Promise<void> => request("DELETE", `/users/${part(name)}`);
export const makeToken = (wanted: Wanted): Promise<{ token: string }> => request("POST", "/tokens", wanted);
export const revoke = (id: number): Promise<void> => request("DELETE", `/tokens/${id}`);

export const linkAddress = (token: string): string => `${location.origin}${location.pathname}#/welcome?token=${token}`;

export type AccountState = "in" | "invited" | "link" | "over";
export function stateOf(account: Account): AccountState {
	return account.has_password ? (account.link_until ? "link" : "in") : account.link_until ? "invited" : "over";
}

/** Those whose name or organisation holds the words, of a role when one is given. */
export function sifted(list: Account[], text: string, role: string, organisationOf: (key: string) => string): Account[] {
	const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
	return list.filter((account) => {
		const told = `${account.name} ${account.member ?? ""} ${account.member ? organisationOf(account.member) : ""}`.toLowerCase();
		return (!role || account.role === role) && words.every((word) => told.includes(word));
	});
}
