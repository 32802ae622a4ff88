// The Cube: every packet that reaches the darknet as a point whose place is its source, its destination and its port.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import "../atlas/atlas.css";
import { hasWebGL2, note, Rate, savePicture, timeText, useKeys, useKinds, useRate, useStill, useTitle } from "../atlas/common";
import { parameter, links, useHouse, word } from "../atlas/house";
import { Tool } from "../atlas/marks";
import { protocolName } from "../atlas/model";
import type { BenchResult } from "../atlas/pacing";
import { BenchPanel, Findings, Kinds, Latency, Phase } from "../atlas/panels";
import { withParams } from "../core/route";
import { stream, type StreamState } from "../live/stream";
import type { Face } from "./camera";
import "./cube.css";
import { CubeEngine, type Pointed } from "./engine";
import type { CubeSnapshot } from "./model";
import { Details, Ground, NewestTable, Ports, Sweeps, Views } from "./panels";
import { say } from "./texts";

function faceOf(name: string | null): Face {
	return name === "x" || name === "y" || name === "z" ? name : "free";
}

export default function Cube() {
	const { theme, language } = useHouse();
	const canvas = useRef<HTMLCanvasElement>(null);
	const words = useRef<HTMLDivElement>(null);
	const stage = useRef<HTMLDivElement>(null);
	const root = useRef<HTMLDivElement>(null);
	const engine = useRef<CubeEngine | null>(null);
	const [simple, setSimple] = useState(() => !hasWebGL2());
	const still = useStill();
	const [snapshot, setSnapshot] = useState<CubeSnapshot | null>(null);
	const [state, setState] = useState<StreamState>(() => ({ ...stream.state }));
	const [pointed, setPointed] = useState<Pointed | null>(null);
	const [bench, setBench] = useState<BenchResult | null>(null);
	const [paused, setPaused] = useState(false);
	const [turning, setTurning] = useState(true);
	const [face, setFace] = useState<Face>(() => faceOf(parameter("view")));
	const [shown, toggleKind] = useKinds();
	const [table, setTable] = useState(false);
	const [ground, setGround] = useState(false);
	const wall = parameter("wall") !== null;
	const held = useRef(false);
	held.current = pointed?.held ?? false;

	const numbers = useMemo(() => new Intl.NumberFormat(language), [language]);
	const counter = useRate(numbers);

	useEffect(() => {
		let made: CubeEngine;
		try {
			made = new CubeEngine(
				canvas.current!,
				words.current!,
				{
					snapshot: setSnapshot,
					rate: counter.show,
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
	useEffect(() => engine.current?.setShown(shown), [shown, simple]);
	useEffect(() => engine.current?.setStill(still), [still, simple]);
	useEffect(() => {
		if (engine.current) engine.current.paused = paused;
	}, [paused, simple]);
	useEffect(() => {
		if (engine.current) engine.current.turning = turning;
	}, [turning, simple]);
	useEffect(() => note({ view: face === "free" ? "" : face }), [face]);

	useTitle(say("name"));

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

	const look = useCallback((to: Face) => engine.current?.look(to), []);
	const save = useCallback(async () => {
		savePicture(await engine.current?.picture(say("picture.caption", { time: timeText(language), pps: counter.element.current?.textContent ?? "" })), "cube");
	}, [language]);
	const toggleWall = useCallback(() => {
		location.hash = withParams({ wall: wall ? undefined : "" });
	}, [wall]);
	const close = useCallback(() => {
		setPointed(null);
		engine.current?.setFocus("");
	}, []);

	useKeys((key, on) => {
		const made = engine.current;
		if (key === " ") setPaused(!paused);
		else if (/^[1-6]$/.test(key)) toggleKind(Number(key) - 1);
		else if (key === "x" || key === "y" || key === "z") look(key);
		else if (key === "0") look("free");
		else if (key === "t") setTable(!table);
		else if (key === "r") setTurning(!turning);
		else if (key === "s") void save();
		else if (key === "+" || key === "=") made?.camera.zoomBy(1.2);
		else if (key === "-") made?.camera.zoomBy(1 / 1.2);
		else if (key.startsWith("Arrow") && on === canvas.current) made?.drag(key === "ArrowLeft" ? -30 : key === "ArrowRight" ? 30 : 0, key === "ArrowUp" ? -30 : key === "ArrowDown" ? 30 : 0);
		else if (key === "Escape") {
			close();
			setTable(false);
			setGround(false);
		} else return false;
		return true;
	});

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
				<Rate counter={counter} paused={paused} />
				<Kinds note={say("kinds.note")} snapshot={snapshot} shown={shown} theme={theme} onToggle={toggleKind} numbers={numbers} />
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
