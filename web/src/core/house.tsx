// What every view needs to know of the house: language, theme, who is here, whether the hub answers.

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Theme } from "../theme/palette";
import { say, sayOf, type Say } from "../i18n";
import { ApiError, type Session } from "./api";
import type { Language } from "./format";

export interface House {
	language: Language;
	theme: Theme;
	session: Session | null;
	setLanguage(language: Language): void;
	setTheme(theme: Theme): void;
	reloadSession(): Promise<void>;
}

export const HouseContext = createContext<House>(null as unknown as House);

export function useHouse(): House & { t: Say; tOf: (stem: string, value: string) => string } {
	const house = useContext(HouseContext);
	return { ...house, t: (key, filled) => say(house.language, key, filled), tOf: (stem, value) => sayOf(house.language, stem, value) };
}

/** The words of a page that keeps its own, in the reader's language. */
export function useTexts<K extends string>(texts: Record<Language, Record<K, string>>): (key: K, filled?: Record<string, string | number>) => string {
	const { language } = useHouse();
	return (key, filled = {}) => texts[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(filled[name] ?? ""));
}

export interface Loaded<T> { data: T | undefined; error: ApiError | undefined; loading: boolean; reload(): void }

/** Load when `key` changes and again every `everyMs`; what was there stays while the new is asked for. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>, everyMs = 0): Loaded<T> {
	const [state, set] = useState<{ key: string; data?: T; error?: ApiError; loading: boolean }>({ key, loading: true });
	const [round, setRound] = useState(0);
	const loader = useRef(load);
	loader.current = load;
	useEffect(() => {
		const controller = new AbortController();
		set((old) => ({ key, ...(old.key === key && old.data !== undefined ? { data: old.data } : {}), loading: true }));
		loader.current(controller.signal).then(
			(data) => set({ key, data, loading: false }),
			(fault: unknown) => {
				if (controller.signal.aborted) return;
				const error = fault instanceof ApiError ? fault : new ApiError(0, String(fault));
				set((old) => ({ key, ...(old.data !== undefined ? { data: old.data } : {}), error, loading: false }));
			},
		);
		return () => controller.abort();
	}, [key, round]);
	useEffect(() => {
		if (!everyMs) return;
		const timer = setInterval(() => { if (!document.hidden) setRound((n) => n + 1); }, everyMs);
		return () => clearInterval(timer);
	}, [everyMs]);
	const current = state.key === key;
	return { data: current ? state.data : undefined, error: current ? state.error : undefined, loading: !current || state.loading, reload: () => setRound((n) => n + 1) };
}
