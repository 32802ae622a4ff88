// The Cube: every packet that reaches the darknet as a point whose place is its source, its destination and its port.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import "../atlas/atlas.css";
import { parameter, links, useHouse, word } from "../atlas/house";
import { Tool } from "../atlas/marks";
import { protocolName } from "../atlas/model";
import type { BenchResult } from "../atlas/pacing";
import { BenchPanel, Findings, Latency, Phase } from "../atlas/panels";
import { withParams } from "../core/route";
import { stream, type StreamState } from "../live/stream";
import type { Face } from "./camera";
import "./cube.css";
import { CubeEngine, hasWebGL2, type Pointed } from "./engine";
import type { CubeSnapshot } from "./model";
import { Details, Ground, Legend, NewestTable, Ports, Sweeps, Views } from "./panels";
import { say } from "./texts";

const ALL = [true, true, true, true, true, true];

function reducedMotion(): boolean {
	return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function faceOf(name: string | null): Face {
	return name === "x" || name === "y" || name === "z" ? name : "free";
}

/** "1,3": the kinds that are hidden. */
function shownOf(hidden: string | null): boolean[] {
	return hidden ? ALL.map((_, kind) => !hidden.split(",").includes(String(kind + 1))) : ALL;
}

function saveAs(blob: Blob, name: string): void {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** What is seen stands in the address, so that it can be sent to a colleague. */
function note(changes: Record<string, string | undefined>): void {
	history.replaceState(history.state, "", withParams(changes));
}

export default function Cube() {
	const { theme, language } = useHouse();
	const canvas = useRef<HTMLCanvasElement>(null);
	const words = useRef<HTMLDivElement>(null);
	const stage = useRef<HTMLDivElement>(null);
	const root = useRef<HTMLDivElement>(null);
	const counter = useRef<HTMLOutputElement>(null);
	const engine = useRef<CubeEngine | null>(null);
	const [simple, setSimple] = useState(() => !hasWebGL2());
	const [still, setStill] = useState(reducedMotion);
	const [snapshot, setSnapshot] = useState<CubeSnapshot | null>(null);
	const [state, setState] = useState<StreamState>(() => ({ ...stream.state }));
	const [pointed, setPointed] = useState<Pointed | null>(null);
	const [bench, setBench] = useState<BenchResult | null>(null);
	const [paused, setPaused] = useState(false);
	const [turning, setTurning] = useState(true);
	const [face, setFace] = useState<Face>(() => faceOf(parameter("view")));
	const [shown, setShown] = useState<readonly boolean[]>(() => shownOf(parameter("hide")));
	const [table, setTable] = useState(false);
	const [ground, setGround] = useState(false);
	const wall = parameter("wall") !== null;
	const held = useRef(false);
	held.current = pointed?.held ?? false;

	const numbers = useMemo(() => new Intl.NumberFormat(language), [language]);
	const numbersNow = useRef(numbers);
	numbersNow.current = numbers;

	useEffect(() => {
		let made: CubeEngine;
		try {
			made = new CubeEngine(
				canvas.current!,
				words.current!,
				{
					snapshot: setSnapshot,
					rate: (pps) => {
						if (counter.current) counter.current.textContent = Number.isNaN(pps) ? "–" : numbersNow.current.format(Math.round(pps));
					},
					state: setState,
					pointed: (at) => {
						if (!held.current || at?.held || at === null) setPointed(at);
					},
					chosen: (at) => {
						location.hash = links.source(at.arc[0]);
					},
					face: setFace,
					bench: setBench,
				},
				simple,
			);
		} catch (fault) {
			if (simple) throw fault;
			setSimple(true);
			return;
		}
		engine.current = made;
		made.look(faceOf(parameter("view")), true);
		made.start();
		return () => {
			engine.current = null;
			made.stop();
		};
	}, [simple]);

	useEffect(() => engine.current?.setTheme(theme), [theme, simple]);
	useEffect(() => engine.current?.redraw(), [language, simple]);
	useEffect(() => {
		engine.current?.setShown(shown);
		const hidden = shown.flatMap((on, kind) => (on ? [] : [kind + 1])).join(",");
		if ((parameter("hide") ?? "") !== hidden) note({ hide: hidden || undefined });
	}, [shown, simple]);
	useEffect(() => engine.current?.setStill(still), [still, simple]);
	useEffect(() => {
		if (engine.current) engine.current.paused = paused;
	}, [paused, simple]);
	useEffect(() => {
		if (engine.current) engine.current.turning = turning;
	}, [turning, simple]);
	useEffect(() => {
		if (faceOf(parameter("view")) !== face) note({ view: face === "free" ? undefined : face });
	}, [face]);

	useEffect(() => {
		const query = matchMedia("(prefers-reduced-motion: reduce)");
		const change = () => setStill(query.matches);
		query.addEventListener("change", change);
		return () => query.removeEventListener("change", change);
	}, []);

	useEffect(() => {
		const before = document.title;
		document.title = `${say("view.free.short")} · Yagura 櫓`;
		if (language === "ja") document.title = "キューブ · Yagura 櫓";
		return () => {
			document.title = before;
		};
	}, [language]);

	// The cube keeps clear of the panels, and everything grows with a wall.
	useEffect(() => {
		const box = root.current!;
		const fit = () => {
			const { clientWidth: w, clientHeight: h } = box;
			if (w === 0) return;
			const narrow = w < 760;
			const scale = narrow ? 1 : Math.max(1, Math.min(w / 1600, h / 900)) * (wall ? 1.08 : 1);
			box.style.setProperty("--scale", scale.toFixed(3));
			box.classList.toggle("atlas-narrow", narrow);
			const made = engine.current;
			if (!made) return;
			made.rows = narrow ? 5 : h / scale < 760 ? 5 : 8;
			const side = Math.min(300 * scale, w * 0.23);
			made.setFrame(
				narrow ? { left: 34, right: 10, top: 12, bottom: 38 } : { left: side, right: side, top: 44 * scale, bottom: 104 * scale },
				scale,
			);
		};
		const observer = new ResizeObserver(fit);
		observer.observe(box);
		observer.observe(stage.current!);
		fit();
		return () => observer.disconnect();
	}, [wall, simple]);

	const toggleKind = useCallback((kind: number) => setShown((old) => old.map((on, i) => (i === kind ? !on : on))), []);
	const look = useCallback((to: Face) => engine.current?.look(to), []);
	const save = useCallback(async () => {
		const now = new Date();
		const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(now);
		const blob = await engine.current?.picture(say("picture.caption", { time, pps: counter.current?.textContent ?? "" }));
		if (blob) saveAs(blob, `yagura-cube-${now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.png`);
	}, [language]);
	const toggleWall = useCallback(() => {
		location.hash = withParams({ wall: wall ? undefined : "" });
	}, [wall]);
	const close = useCallback(() => {
		setPointed(null);
		engine.current?.setFocus("");
	}, []);

	useEffect(() => {
		let before = "";
		const key = (event: KeyboardEvent) => {
			const on = event.target instanceof HTMLElement ? event.target : document.body;
			if (event.ctrlKey || event.metaKey || event.altKey || on.closest("input, textarea, select, [contenteditable]")) return;
			// "g" begins a way to another page; its second key is not ours.
			const leaving = before === "g";
			before = event.key;
			if (leaving) return;
			const made = engine.current;
			if (event.key === " " && !on.closest("button, a, summary")) setPaused((old) => !old);
			else if (event.key >= "1" && event.key <= "6" && event.key.length === 1) toggleKind(Number(event.key) - 1);
			else if (event.key === "x" || event.key === "y" || event.key === "z") look(event.key);
			else if (event.key === "0") look("free");
			else if (event.key === "t") setTable((old) => !old);
			else if (event.key === "r") setTurning((old) => !old);
			else if (event.key === "s") void save();
			else if (event.key === "+" || event.key === "=") made?.camera.zoomBy(1.2);
			else if (event.key === "-") made?.camera.zoomBy(1 / 1.2);
			else if (event.key.startsWith("Arrow") && on === canvas.current)
				made?.drag(event.key === "ArrowLeft" ? -30 : event.key === "ArrowRight" ? 30 : 0, event.key === "ArrowUp" ? -30 : event.key === "ArrowDown" ? 30 : 0);
			else if (event.key === "Escape") {
				close();
				setTable(false);
				setGround(false);
			} else return;
			event.preventDefault();
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, [toggleKind, look, save, close]);

	const arc = pointed?.arc;
	return (
		<div ref={root} class={`atlas cube${wall ? " atlas-wall" : ""}${paused ? " atlas-is-paused" : ""}`}>
			<h1 class="atlas-unseen">{say("title")}</h1>
			<div ref={stage} class="cube-stage">
				<canvas key={simple ? "simple" : "gl"} ref={canvas} class="atlas-map cube-map" tabIndex={0} role="img" aria-label={say("title")} aria-describedby="cube-described cube-keys" />
				<div ref={words} class="cube-words" aria-hidden="true" />
			</div>
			<p id="cube-described" class="atlas-unseen">
				{say("described")}
			</p>
			<p id="cube-keys" class="atlas-unseen">
				{say("keys")}
			</p>
			<Views face={face} onLook={look} />

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
				<Legend snapshot={snapshot} shown={shown} theme={theme} onToggle={toggleKind} numbers={numbers} />
			</section>

			<section class="atlas-right">
				<Sweeps snapshot={snapshot} theme={theme} numbers={numbers} onFocus={(address) => engine.current?.setFocus(address)} />
				<Ports snapshot={snapshot} />
			</section>

			<footer class="atlas-foot">
				<Findings snapshot={snapshot} language={language} />
				<div class="atlas-tools" role="toolbar" aria-label={word("atlas.more")}>
					<Tool icon={paused ? "play" : "pause"} label={word(paused ? "atlas.resume" : "atlas.pause")} shortcut="Space" onClick={() => setPaused(!paused)} />
					{!still && <Tool icon="turn" label={say("turn")} pressed={turning} shortcut="r" onClick={() => setTurning(!turning)} />}
					<Tool icon="whole" label={say("view.free")} shortcut="0" onClick={() => look("free")} />
					<Tool icon="save" label={say("save")} shortcut="s" onClick={() => void save()} />
					<Tool icon="table" label={say("table")} pressed={table} shortcut="t" onClick={() => setTable(!table)} />
					<Tool icon="info" label={say("ground")} pressed={ground} onClick={() => setGround(!ground)} />
					<Tool icon="wall" label={word(wall ? "atlas.wall.leave" : "atlas.wall")} pressed={wall} onClick={toggleWall} />
				</div>
				<Latency state={state} numbers={numbers} />
			</footer>

			{pointed && <Details pointed={pointed} hello={engine.current?.model.hello ?? null} language={language} theme={theme} onClose={close} />}
			{table && <NewestTable snapshot={snapshot} language={language} theme={theme} numbers={numbers} hello={engine.current?.model.hello ?? null} onClose={() => setTable(false)} />}
			{ground && <Ground onClose={() => setGround(false)} />}
			<Phase state={state} quiet={snapshot?.quiet ?? false} language={language} />
			{(simple || still) && <p class="atlas-note cube-note">{say(simple ? "nogl" : "still")}</p>}
			{bench && <BenchPanel bench={bench} />}
			<span class="atlas-unseen" aria-live="polite">
				{arc && pointed?.held ? `${arc[0]} ${protocolName(arc[7])}/${arc[8]}` : ""}
			</span>
		</div>
	);
}
