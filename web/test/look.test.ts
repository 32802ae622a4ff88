// What can be checked of the look without looking: both languages say everything, and colours can be read.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { en } from "../src/i18n/en";
import { ja } from "../src/i18n/ja";
import { en as mapEn, ja as mapJa } from "../src/atlas/texts";
import { en as auditEn, ja as auditJa } from "../src/audit/texts";
import { en as peopleEn, ja as peopleJa } from "../src/people/texts";
import { en as statisticsEn, ja as statisticsJa } from "../src/statistics/texts";
import { KIND_COLOURS, KIND_SHAPES, KINDS, SURFACE } from "../src/theme/palette";

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();

for (const [name, first, second] of [["pages", en, ja], ["maps", mapEn, mapJa], ["people", peopleEn, peopleJa], ["audit", auditEn, auditJa], ["statistics", statisticsEn, statisticsJa]] as [string, Record<string, string>, Record<string, string>][])
	test(`${name}: every text stands in both languages, with the same holes`, () => {
		assert.deepEqual(Object.keys(second).sort(), Object.keys(first).sort());
		for (const [key, text] of Object.entries(first)) {
			assert.ok(text.trim() && second[key]?.trim(), key);
			assert.deepEqual(holes(second[key] ?? ""), holes(text), key);
		}
	});

/** WCAG 2.2, relative luminance and contrast ratio. */
function luminance(colour: string): number {
	const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
		const value = parseInt(colour.slice(at, at + 2), 16) / 255;
		return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
	const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
	return (high + 0.05) / (low + 0.05);
}
const whole = (colour: string): string => (colour.length === 4 ? `#${[...colour.slice(1)].map((digit) => digit + digit).join("")}` : colour);

test("texts of both themes reach AA on every ground they stand on", () => {
	const css = readFileSync(join(import.meta.dirname, "../src/style.css"), "utf8");
	const blocks = [/:root \{([^}]*)\}/, /\[data-theme="light"\] \{([^}]*)\}/].map((pattern) => pattern.exec(css)?.[1] ?? "");
	for (const block of blocks) {
		const colour = (name: string): string => whole(new RegExp(`--${name}: (#[0-9a-f]+);`).exec(block)?.[1] ?? assert.fail(name));
		for (const text of ["text", "muted", "link", "danger", "warn", "accent"])
			for (const ground of ["ground", "panel", "raised"]) assert.ok(contrast(colour(text), colour(ground)) >= 4.5, `${text} on ${ground}: ${contrast(colour(text), colour(ground)).toFixed(2)}`);
		assert.ok(contrast(colour("on-accent"), colour("accent")) >= 4.5);
	}
});

test("kinds have a colour that is seen and a shape of their own", () => {
	assert.equal(new Set(Object.values(KIND_SHAPES)).size, KINDS.length);
	for (const theme of ["dark", "light"] as const) for (const kind of KINDS) assert.ok(contrast(KIND_COLOURS[theme][kind], SURFACE[theme].panel) >= 3, `${kind} ${theme}`);
});
