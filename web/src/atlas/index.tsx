// The Atlas: the whole world, the packets that reach the darknet, and what stands out in the last minute.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { StreamState } from "../live/stream";
import { stream } from "../live/stream";
import { hasWebGL2, Rate, savePicture, useKeys, useKinds, useRate, useStill } from "./common";
import { AtlasEngine, type Pointed } from "./engine";
import { links, parameter, useHouse, word } from "./house";
import { protocolName, type Snapshot } from "./model";
import type { BenchResult } from "./pacing";
import { BenchPanel, Details, Findings, Ground, Kinds, Latency, Phase, Tables, Tops } from "./panels";
import { Tool } from "./marks";
import "./atlas.css";

const PACIFIC = 150;
const GREENWICH = 10;

function go(pointed: Pointed): void {
	if (pointed.arc) location.hash = links.source(pointed.arc[0]);
	else if (pointed.country) location.hash = links.country(pointed.country);
}

export default function Atlas() {
	const { theme, language } = useHouse();
	const canvas = useRef<HTMLCanvasElement>(null);
	const root = useRef<HTMLDivElement>(null);
	const engine = useRef<AtlasEngine | null>(null);
	const [simple] = useState(() => !hasWebGL2());
	const still = useStill();
	const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
	const [state, setState] = useState<StreamState>(() => ({ ...stream.state }));
	const [pointed, setPointed] = useState<Pointed | null>(null);
	const [bench, setBench] = useState<BenchResult | null>(null);
	const [paused, setPaused] = useState(false);
	const [byPort, setByPort] = useState(parameter("by") === "port");
	const [globe, setGlobe] = useState(!simple && parameter("globe") !== null);
	const [pacific, setPacific] = useState(parameter("centre") !== "greenwich");
	const [night, setNight] = useState(true);
	const [shown, toggleKind] = useKinds();
	const [table, setTable] = useState(false);
	const [ground, setGround] = useState(false);
	const wall = parameter("wall") !== null;
	const held = useRef(false);
	held.current = pointed?.held ?? false;

	const numbers = useMemo(() => new Intl.NumberFormat(language), [language]);
	const counter = useRate(numbers);

	useEffect(() => {
		const made = new AtlasEngine(
			canvas.current!,
			{
				snapshot: setSnapshot,
				rate: counter.show,
				state: setState,
				pointed: (at) => {
					if (!held.current || at?.held || at === null) setPointed(at);
				},
				chosen: go,
				bench: setBench,
			},
			simple,
		);
		engine.current = made;
		made.start();
		return () => {
			engine.current = null;
			made.stop();
		};
	}, [simple]);

	useEffect(() => engine.current?.setTheme(theme), [theme]);
	useEffect(() => engine.current?.view.setByPort(byPort), [byPort]);
	useEffect(() => engine.current?.view.setShown(shown), [shown]);
	useEffect(() => engine.current?.view.setNight(night), [night]);
	useEffect(() => engine.current?.view.setCentre(pacific ? PACIFIC : GREENWICH), [pacific]);
	useEffect(() => engine.current?.view.setStill(still), [still]);
	useEffect(() => engine.current?.pause(paused), [paused]);
	const first = useRef(true);
	useEffect(() => {
		engine.current?.view.setGlobe(globe, first.current || still);
		first.current = false;
	}, [globe, still]);

	// The map keeps clear of the panels, and everything grows with a wall.
	useEffect(() => {
		const box = root.current!;
		const fit = () => {
			const { clientWidth: w, clientHeight: h } = box;
			const narrow = w < 760;
			const scale = narrow ? 1 : Math.max(1, Math.min(w / 1600, h / 900)) * (wall ? 1.08 : 1);
			box.style.setProperty("--scale", scale.toFixed(3));
			box.classList.toggle("atlas-narrow", narrow);
			const side = narrow ? 0 : 120 * scale;
			if (engine.current) {
				engine.current.rows = narrow ? 5 : h / scale < 700 ? 6 : 8;
				engine.current.setFrame(
					narrow ? { left: 4, right: 4, top: 8, bottom: 8 } : { left: side, right: side, top: 20 * scale, bottom: 56 * scale },
					scale,
				);
			}
		};
		const observer = new ResizeObserver(fit);
		observer.observe(box);
		fit();
		return () => observer.disconnect();
	}, [wall]);

	const save = useCallback(async () => {
		savePicture(await engine.current?.view.picture(), "atlas");
	}, []);
	const toggleWall = useCallback(() => {
		location.hash = wall ? "#/observe/atlas" : "#/observe/atlas?wall";
	}, [wall]);

	useKeys((key, on) => {
		const view = engine.current?.view;
		const middle = root.current ? { x: root.current.clientWidth / 2, y: root.current.clientHeight / 2 } : { x: 0, y: 0 };
		if (key === " ") setPaused(!paused);
		else if (/^[1-6]$/.test(key)) toggleKind(Number(key) - 1);
		else if (key === "c") setByPort(!byPort);
		else if (key === "g" && !simple) setGlobe(!globe);
		else if (key === "t") setTable(!table);
		else if (key === "n") setNight(!night);
		else if (key === "s") void save();
		else if (key === "+" || key === "=") view?.zoomBy(1.4, middle.x, middle.y);
		else if (key === "-") view?.zoomBy(1 / 1.4, middle.x, middle.y);
		else if (key === "0") view?.resetView();
		else if (key.startsWith("Arrow") && on === canvas.current) view?.drag(key === "ArrowLeft" ? 40 : key === "ArrowRight" ? -40 : 0, key === "ArrowUp" ? 40 : key === "ArrowDown" ? -40 : 0);
		else if (key === "Escape") {
			setPointed(null);
			setTable(false);
			setGround(false);
		} else return false;
		return true;
	});

	const arc = pointed?.arc;
	return (
		<div ref={root} class={`atlas${wall ? " atlas-wall" : ""}${paused ? " atlas-is-paused" : ""}`}>
			<canvas ref={canvas} class="atlas-map" tabIndex={0} role="img" aria-label={word("atlas.title")} aria-describedby="atlas-keys" />
			<p id="atlas-keys" class="atlas-unseen">
				{word("atlas.keys")}
			</p>

			<section class="atlas-left">
				<Rate counter={counter} paused={paused} />
				<Kinds snapshot={snapshot} shown={shown} theme={theme} onToggle={toggleKind} numbers={numbers} />
			</section>

			<section class="atlas-right">
				<Tops snapshot={snapshot} theme={theme} byPort={byPort} language={language} />
			</section>

			<footer class="atlas-foot">
				<Findings snapshot={snapshot} language={language} />
				<div class="atlas-tools" role="toolbar" aria-label={word("atlas.more")}>
					<Tool icon={paused ? "play" : "pause"} label={word(paused ? "atlas.resume" : "atlas.pause")} shortcut="Space" onClick={() => setPaused(!paused)} />
					<Tool icon="colour" label={word(byPort ? "atlas.by.kind" : "atlas.by.port")} pressed={byPort} shortcut="c" onClick={() => setByPort(!byPort)} />
					{!simple && <Tool icon="globe" label={word(globe ? "atlas.flat" : "atlas.globe")} pressed={globe} shortcut="g" onClick={() => setGlobe(!globe)} />}
					<Tool
						icon="centre"
						label={`${word("atlas.centre")}: ${word(pacific ? "atlas.centre.greenwich" : "atlas.centre.pacific")}`}
						onClick={() => setPacific(!pacific)}
					/>
					{!simple && <Tool icon="night" label={word("atlas.night")} pressed={night} shortcut="n" onClick={() => setNight(!night)} />}
					<Tool icon="whole" label={word("atlas.reset")} shortcut="0" onClick={() => engine.current?.view.resetView()} />
					<Tool icon="save" label={word("atlas.save")} shortcut="s" onClick={() => void save()} />
					<Tool icon="table" label={word("atlas.table")} pressed={table} shortcut="t" onClick={() => setTable(!table)} />
					<Tool icon="info" label={word("atlas.ground")} pressed={ground} onClick={() => setGround(!ground)} />
					<Tool icon="wall" label={word(wall ? "atlas.wall.leave" : "atlas.wall")} pressed={wall} onClick={toggleWall} />
				</div>
				<Latency state={state} numbers={numbers} />
			</footer>

			{pointed && <Details pointed={pointed} hello={engine.current?.model.hello ?? null} snapshot={snapshot} language={language} theme={theme} onClose={() => setPointed(null)} />}
			{table && <Tables snapshot={snapshot} language={language} numbers={numbers} hello={engine.current?.model.hello ?? null} onClose={() => setTable(false)} />}
			{ground && <Ground onClose={() => setGround(false)} />}
			<Phase state={state} quiet={snapshot?.quiet ?? false} language={language} />
			{(simple || still) && <p class="atlas-note">{word(simple ? "atlas.nogl" : "atlas.still")}</p>}
			{bench && <BenchPanel bench={bench} />}
			<span class="atlas-unseen" aria-live="polite">
				{arc && pointed?.held ? `${arc[0]} ${protocolName(arc[7])}/${arc[8]}` : ""}
			</span>
		</div>
	);
}
