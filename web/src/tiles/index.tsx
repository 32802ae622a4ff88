// The Tiles: single sources side by side, and what each of them does.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import "../atlas/atlas.css";
import { note, Rate, savePicture, timeText, useKeys, useKinds, useRate, useStill, useTitle } from "../atlas/common";
import { parameter, useHouse, word } from "../atlas/house";
import { Tool } from "../atlas/marks";
import { Findings, Kinds, Latency, Phase } from "../atlas/panels";
import { withParams } from "../core/route";
import { stream, type StreamState } from "../live/stream";
import { BEHAVIOURS, type Behaviour } from "./behaviour";
import { ORDERS, type Order } from "./board";
import { TilesEngine, type TilesSnapshot } from "./engine";
import { Behaviours, Ground, Key, Orders, shownText, TilesTable } from "./panels";
import { say } from "./texts";
import "./tiles.css";

const FONT_PX = 13;
const NARROW_PX = 760;

function oneOf<T extends string>(all: readonly T[], name: string | null): T | null {
	return all.find((one) => one === name) ?? null;
}

export default function TilesPage() {
	const { theme, language } = useHouse();
	const root = useRef<HTMLDivElement>(null);
	const area = useRef<HTMLDivElement>(null);
	const canvas = useRef<HTMLCanvasElement>(null);
	const engine = useRef<TilesEngine | null>(null);
	const still = useStill();
	const [snapshot, setSnapshot] = useState<TilesSnapshot | null>(null);
	const [state, setState] = useState<StreamState>(() => ({ ...stream.state }));
	const [paused, setPaused] = useState(false);
	const [shown, toggleKind] = useKinds();
	const [order, setOrder] = useState<Order>(() => oneOf(ORDERS, parameter("order")) ?? "busiest");
	const [only, setOnly] = useState<Behaviour | null>(() => oneOf(BEHAVIOURS, parameter("only")));
	const [table, setTable] = useState(false);
	const [ground, setGround] = useState(false);
	const [full, setFull] = useState(false);
	const wall = parameter("wall") !== null;

	const numbers = useMemo(() => new Intl.NumberFormat(language), [language]);
	const counter = useRate(numbers);

	useEffect(() => {
		const made = new TilesEngine(area.current!, canvas.current!, {
			snapshot: setSnapshot,
			rate: counter.show,
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
		note({ order: order === "busiest" ? "" : order, only: only ?? "" });
	}, [order, shown, only]);
	useEffect(() => {
		if (engine.current) engine.current.paused = paused;
	}, [paused]);

	useEffect(() => {
		const fullness = () => setFull(document.fullscreenElement === root.current);
		document.addEventListener("fullscreenchange", fullness);
		return () => document.removeEventListener("fullscreenchange", fullness);
	}, []);

	useTitle(say("name"));

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

	const nextOrder = useCallback(() => setOrder((old) => ORDERS[(ORDERS.indexOf(old) + 1) % ORDERS.length]!), []);
	const save = useCallback(async () => {
		savePicture(await engine.current?.picture(say("picture.caption", { time: timeText(language), pps: counter.element.current?.textContent ?? "" })), "tiles");
	}, [language]);
	const toggleFull = useCallback(() => {
		if (document.fullscreenElement) void document.exitFullscreen();
		else void root.current?.requestFullscreen().catch(() => {});
	}, []);
	const toggleWall = useCallback(() => {
		location.hash = withParams({ wall: wall ? undefined : "" });
	}, [wall]);

	useKeys((key) => {
		if (key === " ") setPaused(!paused);
		else if (/^[1-6]$/.test(key)) toggleKind(Number(key) - 1);
		else if (key === "o") nextOrder();
		else if (key === "t") setTable(!table);
		else if (key === "f") toggleFull();
		else if (key === "s") void save();
		else if (key === "Escape") {
			setTable(false);
			setGround(false);
			setOnly(null);
		} else return false;
		return true;
	});

	const tiles = snapshot?.tiles.length ?? 0;
	return (
		<div ref={root} class={`atlas tiles${wall ? " atlas-wall" : ""}${paused ? " atlas-is-paused" : ""}`}>
			<h1 class="atlas-unseen">{say("title")}</h1>
			<p id="tiles-described" class="atlas-unseen">
				{say("described")}
			</p>

			<section class="atlas-left">
				<Rate counter={counter} paused={paused} />
				<Kinds snapshot={snapshot} shown={shown} theme={theme} onToggle={toggleKind} numbers={numbers} />
				<Behaviours snapshot={snapshot} only={only} onOnly={setOnly} numbers={numbers} />
				<Key />
			</section>

			<div class="tiles-head">
				<Orders order={order} onOrder={setOrder} />
				<p class="tiles-shown">{snapshot && shownText(snapshot, numbers)}</p>
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
