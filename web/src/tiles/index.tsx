// The Tiles: single sources side by side, and what each of them does.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import "../atlas/atlas.css";
import { parameter, useHouse, word } from "../atlas/house";
import { Tool } from "../atlas/marks";
import { Findings, Kinds, Latency, Phase } from "../atlas/panels";
import { withParams } from "../core/route";
import { stream, type StreamState } from "../live/stream";
import { BEHAVIOURS, type Behaviour } from "./behaviour";
import { ORDERS, type Order } from "./board";
import { TilesEngine, type TilesSnapshot } from "./engine";
import { Behaviours, Ground, Key, Orders, TilesTable } from "./panels";
import { say } from "./texts";
import "./tiles.css";

const ALL = [true, true, true, true, true, true];
const FONT_PX = 13;
const NARROW_PX = 760;

function reducedMotion(): boolean {
	return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** "1,3": the kinds that are hidden. */
function shownOf(hidden: string | null): boolean[] {
	return hidden ? ALL.map((_, kind) => !hidden.split(",").includes(String(kind + 1))) : ALL;
}

function oneOf<T extends string>(all: readonly T[], name: string | null): T | null {
	return all.find((one) => one === name) ?? null;
}

/** What is seen stands in the address, so that it can be sent to a colleague. */
function note(changes: Record<string, string | undefined>): void {
	history.replaceState(history.state, "", withParams(changes));
}

function saveAs(blob: Blob, name: string): void {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export default function TilesPage() {
	const { theme, language } = useHouse();
	const root = useRef<HTMLDivElement>(null);
	const area = useRef<HTMLDivElement>(null);
	const canvas = useRef<HTMLCanvasElement>(null);
	const counter = useRef<HTMLOutputElement>(null);
	const engine = useRef<TilesEngine | null>(null);
	const [still, setStill] = useState(reducedMotion);
	const [snapshot, setSnapshot] = useState<TilesSnapshot | null>(null);
	const [state, setState] = useState<StreamState>(() => ({ ...stream.state }));
	const [paused, setPaused] = useState(false);
	const [shown, setShown] = useState<readonly boolean[]>(() => shownOf(parameter("hide")));
	const [order, setOrder] = useState<Order>(() => oneOf(ORDERS, parameter("order")) ?? "busiest");
	const [only, setOnly] = useState<Behaviour | null>(() => oneOf(BEHAVIOURS, parameter("only")));
	const [table, setTable] = useState(false);
	const [ground, setGround] = useState(false);
	const [full, setFull] = useState(false);
	const wall = parameter("wall") !== null;

	const numbers = useMemo(() => new Intl.NumberFormat(language), [language]);
	const numbersNow = useRef(numbers);
	numbersNow.current = numbers;

	useEffect(() => {
		const made = new TilesEngine(area.current!, canvas.current!, {
			snapshot: setSnapshot,
			rate: (pps) => {
				if (counter.current) counter.current.textContent = Number.isNaN(pps) ? "–" : numbersNow.current.format(Math.round(pps));
			},
			state: setState,
		});
		engine.current = made;
		made.start();
		return () => {
			engine.current = null;
			made.stop();
		};
	}, []);

	useEffect(() => engine.current?.setTheme(theme), [theme]);
	useEffect(() => engine.current?.rewrite(), [language]);
	useEffect(() => engine.current?.setStill(still), [still]);
	useEffect(() => {
		engine.current?.ask(order, shown, only);
		const hidden = shown.flatMap((on, kind) => (on ? [] : [kind + 1])).join(",");
		const wanted = { hide: hidden || undefined, order: order === "busiest" ? undefined : order, only: only ?? undefined };
		if (Object.entries(wanted).some(([name, value]) => (parameter(name) ?? "") !== (value ?? ""))) note(wanted);
	}, [order, shown, only]);
	useEffect(() => {
		if (engine.current) engine.current.paused = paused;
	}, [paused]);

	useEffect(() => {
		const query = matchMedia("(prefers-reduced-motion: reduce)");
		const change = () => setStill(query.matches);
		const fullness = () => setFull(document.fullscreenElement === root.current);
		query.addEventListener("change", change);
		document.addEventListener("fullscreenchange", fullness);
		return () => {
			query.removeEventListener("change", change);
			document.removeEventListener("fullscreenchange", fullness);
		};
	}, []);

	useEffect(() => {
		const before = document.title;
		document.title = `${say("name")} · Yagura 櫓`;
		return () => {
			document.title = before;
		};
	}, [language]);

	// On a wall words grow with it; on a desk a larger window shows more tiles.
	useEffect(() => {
		const box = root.current!;
		const fit = () => {
			const { clientWidth: w, clientHeight: h } = box;
			if (w === 0) return;
			const narrow = w < NARROW_PX;
			const room = Math.min(w / 1700, h / 950);
			const scale = narrow ? 1 : Math.max(1, wall ? room : Math.sqrt(room));
			box.style.setProperty("--scale", scale.toFixed(3));
			box.classList.toggle("atlas-narrow", narrow);
			engine.current?.fit(scale, narrow, FONT_PX * scale);
		};
		const observer = new ResizeObserver(fit);
		observer.observe(box);
		fit();
		return () => observer.disconnect();
	}, [wall]);

	const toggleKind = useCallback((kind: number) => setShown((old) => old.map((on, i) => (i === kind ? !on : on))), []);
	const nextOrder = useCallback(() => setOrder((old) => ORDERS[(ORDERS.indexOf(old) + 1) % ORDERS.length]!), []);
	const save = useCallback(async () => {
		const now = new Date();
		const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(now);
		const blob = await engine.current?.picture(say("picture.caption", { time, pps: counter.current?.textContent ?? "" }));
		if (blob) saveAs(blob, `yagura-tiles-${now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.png`);
	}, [language]);
	const toggleFull = useCallback(() => {
		if (document.fullscreenElement) void document.exitFullscreen();
		else void root.current?.requestFullscreen().catch(() => {});
	}, []);
	const toggleWall = useCallback(() => {
		location.hash = withParams({ wall: wall ? undefined : "" });
	}, [wall]);

	useEffect(() => {
		let before = "";
		const key = (event: KeyboardEvent) => {
			const on = event.target instanceof HTMLElement ? event.target : document.body;
			if (event.ctrlKey || event.metaKey || event.altKey || on.closest("input, textarea, select, [contenteditable]")) return;
			// "g" begins a way to another page; its second key is not ours.
			const leaving = before === "g";
			before = event.key;
			if (leaving) return;
			if (event.key === " " && !on.closest("button, summary")) setPaused((old) => !old);
			else if (event.key >= "1" && event.key <= "6" && event.key.length === 1) toggleKind(Number(event.key) - 1);
			else if (event.key === "o") nextOrder();
			else if (event.key === "t") setTable((old) => !old);
			else if (event.key === "f") toggleFull();
			else if (event.key === "s") void save();
			else if (event.key === "Escape") {
				setTable(false);
				setGround(false);
				setOnly(null);
			} else return;
			event.preventDefault();
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, [toggleKind, nextOrder, toggleFull, save]);

	const tiles = snapshot?.tiles.length ?? 0;
	return (
		<div ref={root} class={`atlas tiles${wall ? " atlas-wall" : ""}${paused ? " atlas-is-paused" : ""}`}>
			<h1 class="atlas-unseen">{say("title")}</h1>
			<p id="tiles-described" class="atlas-unseen">
				{say("described")}
			</p>

			<section class="atlas-left">
				<div class="atlas-rate">
					<output ref={counter} class="atlas-pps" aria-live="off">
						–
					</output>
					<span class="atlas-unit">
						{word("atlas.pps")}
						{paused && <b class="atlas-paused">{word("atlas.paused")}</b>}
					</span>
				</div>
				<Kinds snapshot={snapshot} shown={shown} theme={theme} onToggle={toggleKind} numbers={numbers} />
				<Behaviours snapshot={snapshot} only={only} onOnly={setOnly} numbers={numbers} />
				<Key />
			</section>

			<div class="tiles-head">
				<Orders order={order} onOrder={setOrder} />
				<p class="tiles-shown">{snapshot && say("shown", { tiles: numbers.format(tiles), sources: numbers.format(snapshot.sources) })}</p>
			</div>
			<div ref={area} class="tiles-area" role="group" aria-label={say("title")} aria-describedby="tiles-described">
				<canvas ref={canvas} class="tiles-canvas" aria-hidden="true" />
				{state.phase === "live" && snapshot && tiles === 0 && <p class="tiles-none">{say(snapshot.sources > 20 && (only || shown.includes(false)) ? "nothing" : "waiting")}</p>}
			</div>

			<footer class="atlas-foot">
				<Findings snapshot={snapshot} language={language} />
				<div class="atlas-tools" role="toolbar" aria-label={word("atlas.more")}>
					<Tool icon={paused ? "play" : "pause"} label={word(paused ? "atlas.resume" : "atlas.pause")} shortcut="Space" onClick={() => setPaused(!paused)} />
					<Tool icon="save" label={say("save")} shortcut="s" onClick={() => void save()} />
					<Tool icon="table" label={say("table")} pressed={table} shortcut="t" onClick={() => setTable(!table)} />
					<Tool icon="info" label={say("ground")} pressed={ground} onClick={() => setGround(!ground)} />
					<Tool icon="full" label={say("full")} pressed={full} shortcut="f" onClick={toggleFull} />
					<Tool icon="wall" label={word(wall ? "atlas.wall.leave" : "atlas.wall")} pressed={wall} onClick={toggleWall} />
				</div>
				<Latency state={state} numbers={numbers} />
			</footer>

			{table && <TilesTable snapshot={snapshot} language={language} theme={theme} numbers={numbers} hello={engine.current?.model.hello ?? null} onClose={() => setTable(false)} />}
			{ground && <Ground onClose={() => setGround(false)} />}
			<Phase state={state} quiet={snapshot?.quiet ?? false} language={language} />
			{still && <p class="atlas-note tiles-note">{say("still")}</p>}
		</div>
	);
}
