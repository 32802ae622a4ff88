import { en } from "./en";
import { ja } from "./ja";
import type { Language } from "../core/format";

export type Word = keyof typeof en;
export type Say = (key: Word, filled?: Record<string, string | number>) => string;

export function say(language: Language, key: Word, filled: Record<string, string | number> = {}): string {
	return (language === "ja" ? ja : en)[key].replace(/\{(\w+)\}/g, (_, name: string) => String(filled[name] ?? ""));
}

/** Keys made of a stem and a value ("kind." + "scan"); the value itself where there is no word for it. */
export function sayOf(language: Language, stem: string, value: string): string {
	const key = `${stem}.${value}`;
	return key in en ? say(language, key as Word) : value;
}
