// How an entry is said: who, what, to whom.

import { useHouse, useTexts } from "../core/house";
import type { Entry } from "./model";
import { en, ja } from "./texts";

export const useWords = () => useTexts({ en, ja });

/** What was done, in words where there are words for it; a password that was set is no other change of an account. */
export function actionWord(entry: Entry, w: ReturnType<typeof useWords>): string {
	if (entry.action === "PUT /users/{name}" && !("role" in entry.detail) && !("refused" in entry.detail)) return w("PUT /users/{name} password");
	return entry.action in en ? w(entry.action as keyof typeof en) : entry.action;
}

/** What else the entry says that a reader wants to see at once. */
export function useMore(): (entry: Entry) => string {
	const { tOf } = useHouse();
	const w = useWords();
	return ({ detail, undone }) => {
		const said = [];
		if (typeof detail["role"] === "string") said.push(w("to.role", { role: tOf("role", detail["role"]) }));
		if (typeof detail["member"] === "string") said.push(w("of.member", { member: detail["member"] }));
		if (typeof detail["refused"] === "number") said.push(w("refused.as", { status: detail["refused"] }));
		if (undone) said.push(w("undone"));
		return said.join(" · ");
	};
}

export interface Actor { kind: "person" | "token" | "local" | "guest"; name: string }
export function actorOf(text: string): Actor {
	if (text.startsWith("token ")) return { kind: "token", name: text.slice(6) };
	return text === "local" || text === "guest" ? { kind: text, name: text } : { kind: "person", name: text };
}
