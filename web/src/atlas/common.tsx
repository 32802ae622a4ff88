// What the Atlas, the Cube and the Tiles have in common around their pictures.

import type { ComponentChildren, RefObject } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask, type Query } from "../core/api";
import { withParams } from "../core/route";
import { KINDS } from "../theme/palette";
import { parameter, word, type Language } from "./house";

/** What is seen stands in the address, so that it can be sent to a colleague; a value that is empty is taken away. */
export function note(values: Record<string, string>): void {
	if (Object.entries(values).every(([name, value]) => (parameter(name) ?? "") === value)) return;
	history.replaceState(history.state, "", withParams(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value || undefined]))));
}

/** True when the browser can draw the real thing. */
export function hasWebGL2(): boolean {
	if (parameter("nogl") !== null) return false;
	try {
		const gl = document.createElement("canvas").getContext("webgl2");
		gl?.getExtension("WEBGL_lose_context")?.loseContext();
		return gl !== null;
	} catch {
		return false;
	}
}

export function saveAs(blob: Blob, name: string): void {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** yagura-cube-20260131-235959.png */
export function savePicture(blob: Blob | null | undefined, name: string): void {
	if (blob) saveAs(blob, `yagura-${name}-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.png`);
}

export function useTitle(name: string): void {
	useEffect(() => {
		const before = document.title;
		document.title = `${name} · Yagura 櫓`;
		return () => {
			document.title = before;
		};
	}, [name]);
}

/** Date and time under a picture. */
export function timeText(language: Language): string {
	return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(new Date());
}

/** Whether the system asks for less motion. */
export function useStill(): boolean {
	const query = useMemo(() => matchMedia("(prefers-reduced-motion: reduce)"), []);
	const [still, setStill] = useState(query.matches);
	useEffect(() => {
		const change = () => setStill(query.matches);
		query.addEventListener("change", change);
		return () => query.removeEventListener("change", change);
	}, [query]);
	return still;
}

/** Which kinds are shown; the hidden ones stand in the address as "1,3". */
export function useKinds(): [shown: readonly boolean[], toggle: (kind: number) => void] {
	const [shown, setShown] = useState(() => {
		const hidden = parameter("hide")?.split(",") ?? [];
		return KINDS.map((_, kind) => !hidden.includes(String(kind + 1)));
	});
	useEffect(() => note({ hide: shown.flatMap((on, kind) => (on ? [] : [kind + 1])).join(",") }), [shown]);
	const toggle = useCallback((kind: number) => setShown((old) => old.map((on, i) => (i === kind ? !on : on))), []);
	return [shown, toggle];
}

export interface RateCounter {
	element: RefObject<HTMLOutputElement>;
	show(pps: number): void;
}

/** The large number; it is written past the page's drawing, four times a second. */
export function useRate(numbers: Intl.NumberFormat): RateCounter {
	const element = useRef<HTMLOutputElement>(null);
	const now = useRef(numbers);
	now.current = numbers;
	return useMemo(
		() => ({
			element,
			show: (pps) => {
				if (element.current) element.current.textContent = Number.isNaN(pps) ? "–" : now.current.format(Math.round(pps));
			},
		}),
		[],
	);
}

export function Rate({ counter, paused }: { counter: RateCounter; paused: boolean }) {
	return (
		<div class="atlas-rate">
			<output ref={counter.element} class="atlas-pps" aria-live="off">
				–
			</output>
			<span class="atlas-unit">
				{word("atlas.pps")}
				{paused && <b class="atlas-paused">{word("atlas.paused")}</b>}
			</span>
		</div>
	);
}

/** Keys of a view, outside of fields and without modifiers. `act` returns false for one that is not its own. */
export function useKeys(act: (key: string, on: HTMLElement) => boolean): void {
	const now = useRef(act);
	now.current = act;
	useEffect(() => {
		let before = "";
		const key = (event: KeyboardEvent) => {
			const on = event.target instanceof HTMLElement ? event.target : document.body;
			if (event.ctrlKey || event.metaKey || event.altKey || on.closest("input, textarea, select, [contenteditable]")) return;
			// "g" begins a way to another page; its second key is not ours.
			const leaving = before === "g";
			before = event.key;
			if (leaving || (event.key === " " && on.closest("button, summary"))) return;
			if (now.current(event.key, on)) event.preventDefault();
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, []);
}

/** Takes the focus while it is there, and gives it back. */
function useFocus(): RefObject<HTMLDivElement> {
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const before = document.activeElement;
		box.current?.focus();
		return () => {
			if (before instanceof HTMLElement && before.isConnected) before.focus();
		};
	}, []);
	return box;
}

/** The first value that is there, until the next is taken: it stands still so that it can be read. */
export function useTaken<T>(value: T | null): [taken: T | null, take: () => void] {
	const [taken, set] = useState(value);
	useEffect(() => {
		if (!taken) set(value);
	}, [value, taken]);
	return [taken, () => set(value)];
}

/** A sheet over the picture that says the same in tables. */
export function Sheet(props: { title: string; head: ComponentChildren; back: string; refresh?: { label: string; take: () => void }; csv: { name: string; text: () => string }; onClose: () => void; children: ComponentChildren }) {
	const { csv, refresh } = props;
	const box = useFocus();
	return (
		<div ref={box} class="atlas-sheet" role="dialog" aria-label={props.title} tabIndex={-1}>
			<p class="atlas-sheet-head">
				<span>{props.head}</span>
				{refresh && (
					<button type="button" class="atlas-button" onClick={refresh.take}>
						{refresh.label}
					</button>
				)}
				<button type="button" class="atlas-button" onClick={() => saveAs(new Blob([csv.text()], { type: "text/csv" }), csv.name)}>
					{word("atlas.csv")}
				</button>
				<button type="button" class="atlas-button" onClick={props.onClose}>
					{props.back}
				</button>
			</p>
			<div class="atlas-sheet-body">{props.children}</div>
		</div>
	);
}

/** How a picture is made, and the command whose answer is exact: the heaviest of `exact.keys` in the last five minutes. */
export function GroundCard(props: { title: string; texts: string[]; exact: { label: string; keys: Query["keys"] }; keys: string; onClose: () => void }) {
	const [command, setCommand] = useState("");
	const box = useFocus();
	useEffect(() => {
		const off = new AbortController();
		const question: Query = { kind: "tuple", from: "-5m", to: "now", keys: props.exact.keys, aggregates: [{ op: "sum", field: "packets" }], order: [{ by: "sum_packets", descending: true }], limit: 10 };
		ask(question, off.signal).then((answer) => setCommand(answer.command), () => {});
		return () => off.abort();
	}, []);
	return (
		<div ref={box} class="atlas-card atlas-card-held atlas-ground" role="dialog" aria-label={props.title} tabIndex={-1}>
			<p class="atlas-card-title">{props.title}</p>
			{props.texts.map((text) => (
				<p key={text}>{text}</p>
			))}
			{command && (
				<p>
					{props.exact.label}: <code>{command}</code>
				</p>
			)}
			<p class="atlas-keys">{props.keys}</p>
			<p class="atlas-card-go">
				<button type="button" class="atlas-button" onClick={props.onClose}>
					{word("atlas.close")}
				</button>
			</p>
		</div>
	);
}
