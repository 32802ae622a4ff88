// What the Atlas and the Cube take from the shell: words, language, theme, colours of kinds, addresses of other views.

import { useEffect, useState } from "preact/hooks";
import { KIND_COLOURS as palette, KINDS, type Theme } from "../theme/palette";
import { en, ja } from "./texts";

export type Word = keyof typeof en;
export type Language = "en" | "ja";
export type { Theme };

export function language(): Language {
	return document.documentElement.lang.startsWith("ja") ? "ja" : "en";
}

export function theme(): Theme {
	return document.documentElement.dataset.theme === "light" ? "light" : "dark";
}

export function word(key: Word, filled: Record<string, string | number> = {}): string {
	return (language() === "ja" ? ja : en)[key].replace(/\{(\w+)\}/g, (_, name: string) => String(filled[name] ?? ""));
}

/** Language and theme, following the shell's switches. */
export function useHouse(): { language: Language; theme: Theme } {
	const [state, set] = useState({ language: language(), theme: theme() });
	useEffect(() => {
		const watch = new MutationObserver(() => set({ language: language(), theme: theme() }));
		watch.observe(document.documentElement, { attributes: true, attributeFilter: ["lang", "data-theme"] });
		return () => watch.disconnect();
	}, []);
	return state;
}

const inOrder = (theme: Theme): readonly string[] => KINDS.map((kind) => palette[theme][kind]);

/** By the index of the kind, as the stream gives it. */
export const KIND_COLOURS: Record<Theme, readonly string[]> = { dark: inOrder("dark"), light: inOrder("light") };

/** A parameter of the view, from the page's query or the route's. */
export function parameter(name: string): string | null {
	const route = location.hash.split("?")[1] ?? "";
	const own = new URLSearchParams(route);
	if (own.has(name)) return own.get(name);
	const page = new URLSearchParams(location.search);
	return page.has(name) ? page.get(name) : null;
}

export const links = {
	source: (address: string) => `#/source/${encodeURIComponent(address)}`,
	country: (code: string) => `#/observe/top?by=source&country=${encodeURIComponent(code)}`,
	port: (protocol: string, port: number) => `#/observe/top?by=source&port=${encodeURIComponent(`${protocol}/${port}`)}`,
	finding: (id: string | number) => `#/finding/${encodeURIComponent(String(id))}`,
	system: "#/system",
};
