// Rings: members around the darknet, and what of theirs appears in it.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import "../atlas/atlas.css";
import { hasWebGL2, note, savePicture, timeText, useKeys, useStill, useTitle } from "../atlas/common";
import { parameter, useHouse, word } from "../atlas/house";
import { Tool } from "../atlas/marks";
import type { BenchResult } from "../atlas/pacing";
import { BenchPanel, Latency, Phase } from "../atlas/panels";
import type { ApiError } from "../core/api";
import { withParams } from "../core/route";
import { stream, type StreamState } from "../live/stream";
import { VERDICTS } from "../theme/palette";
import { RingsEngine, type Pointed, type RingsSnapshot } from "./engine";
import { type Filter, memberName, SECTORS, STATES, type Member } from "./model";
import { Alerts, AlertsTable, Choosing, Find, Ground, Open, Over, sectorsOf } from "./panels";
import "./rings.css";
import { say, type RingsWord } from "./texts";

/** What is hidden stands in the address, so that something new is shown. */
function useHidden(name: string, all: readonly string[]): [shown: ReadonlySet<string>, toggle: (one: string) => void, set: (shown: readonly string[]) => void] {
	const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set(parameter(name)?.split(",").filter((one) => all.includes(one))));
	useEffect(() => note({ [name]: [...hidden].join(",") }), [hidden]);
	const shown = useMemo(() => new Set(all.filter((one) => !hidden.has(one))), [hidden]);
	const toggle = useCallback((one: string) => setHidden((old) => new Set(old.has(one) ? [...old].filter((other) => other !== one) : [...old, one])), []);
	const set = useCallback((wanted: readonly string[]) => setHidden(new Set(all.filter((one) => !wanted.includes(one)))), []);
	return [shown, toggle, set];
}

export default function Rings() {
	const { theme, language } = useHouse();
	const root = useRef<HTMLDivElement>(null);
	const stage = useRef<HTMLDivElement>(null);
	const canvas = useRef<HTMLCanvasElement>(null);
	const words = useRef<HTMLDivElement>(null);
	const engine = useRef<RingsEngine | null>(null);
	const [simple, setSimple] = useState(() => !hasWebGL2());
	const still = useStill();
	const [snapshot, setSnapshot] = useState<RingsSnapshot | null>(null);
	const [state, setState] = useState<StreamState>(() => ({ ...stream.state }));
	const [pointed, setPointed] = useState<Pointed | null>(null);
	const [trouble, setTrouble] = useState<ApiError | null>(null);
	const [bench, setBench] = useState<BenchResult | null>(null);
	const [paused, setPaused] = useState(false);
	const [turning, setTurning] = useState(true);
	const [flat, setFlat] = useState(() => parameter("view") === "flat");
	const [verdicts, toggleVerdict] = useHidden("noverdict", VERDICTS);
	const [states, toggleState, setStates] = useHidden("nostate", STATES);
	const [sectors, toggleSector] = useHidden("nosector", SECTORS);
	const [member, setMember] = useState(() => parameter("member") ?? "");
	const [table, setTable] = useState(false);
	const [ground, setGround] = useState(false);
	const wall = parameter("wall") !== null;
	const filter = useMemo((): Filter => ({ verdicts, states, sectors, member }), [verdicts, states, sectors, member]);
	const numbers = useMemo(() => new Intl.NumberFormat(language), [language]);
	const choose = useCallback((wanted: Member | null) => setMember(wanted?.key ?? ""), []);

	useEffect(() => {
		let made: RingsEngine;
		const events = { snapshot: setSnapshot, state: setState, pointed: setPointed, trouble: setTrouble, bench: setBench, chosen: choose };
		try {
			made = new RingsEngine(canvas.current!, words.current!, events, simple);
		} catch (fault) {
			if (simple) throw fault;
			setSimple(true);
			return;
		}
		engine.current = made;
		if (parameter("view") === "flat") made.look(true);
		made.start();
		return () => {
			engine.current = null;
			made.stop();
		};
	}, [simple]);

	useEffect(() => engine.current?.setTheme(theme), [theme, simple]);
	useEffect(() => engine.current?.arrange(), [language, simple]);
	useEffect(() => engine.current?.setStill(still), [still, simple]);
	useEffect(() => engine.current?.setFilter(filter), [filter, simple]);
	useEffect(() => {
		if (!engine.current) return;
		engine.current.paused = paused;
		engine.current.turning = turning;
	}, [paused, turning, simple]);
	useEffect(() => note({ member, view: flat ? "flat" : "" }), [member, flat]);

	useTitle(say("name"));

	// The rings keep clear of the panels, and everything grows with a wall.
	useEffect(() => {
		const box = root.current!;
		const fit = () => {
			const { clientWidth: w, clientHeight: h } = box;
			if (w === 0) return;
			const narrow = w < 760;
			const scale = narrow ? 1 : Math.max(1, Math.min(w / 1600, h / 900)) * (wall ? 1.08 : 1);
			box.style.setProperty("--scale", scale.toFixed(3));
			box.classList.toggle("atlas-narrow", narrow);
			engine.current?.setFrame(narrow ? { left: 8, right: 8, top: 8, bottom: 8 } : { left: Math.min(210 * scale, w * 0.17), right: Math.min(420 * scale, w * 0.33), top: 24 * scale, bottom: 70 * scale }, scale);
		};
		const observer = new ResizeObserver(fit);
		observer.observe(box);
		observer.observe(stage.current!);
		fit();
		return () => observer.disconnect();
	}, [wall, simple]);

	const look = useCallback((wanted: boolean) => {
		setFlat(wanted);
		engine.current?.look(wanted);
	}, []);
	const save = useCallback(async () => {
		savePicture(await engine.current?.picture(say("picture.caption", { time: timeText(language), open: snapshot?.open ?? 0 })), "rings");
	}, [language, snapshot]);
	const toggleWall = useCallback(() => {
		location.hash = withParams({ wall: wall ? undefined : "" });
	}, [wall]);

	useKeys((key, on) => {
		const made = engine.current;
		if (key === " ") setPaused(!paused);
		else if (/^[1-4]$/.test(key)) toggleVerdict(VERDICTS[Number(key) - 1]!);
		else if (key === "n") setStates(states.size === 1 ? STATES : ["new"]);
		else if (key === "v") look(!flat);
		else if (key === "0") look(false);
		else if (key === "t") setTable(!table);
		else if (key === "r") setTurning(!turning);
		else if (key === "s") void save();
		else if (key === "+" || key === "=") made?.camera.zoomBy(1.2);
		else if (key === "-") made?.camera.zoomBy(1 / 1.2);
		else if (key.startsWith("Arrow") && on === canvas.current) made?.drag(key === "ArrowLeft" ? -30 : key === "ArrowRight" ? 30 : 0, key === "ArrowUp" ? -30 : key === "ArrowDown" ? 30 : 0);
		else if (key === "Escape") {
			setTable(false);
			setGround(false);
			choose(null);
		} else return false;
		return true;
	});

	const model = engine.current?.model;
	const chosen = model?.members.find((one) => one.key === member);
	const newest = snapshot?.alerts.find((alert) => !alert.ended);
	const empty = !trouble && (snapshot?.about === "none" || snapshot?.about === "hidden") ? snapshot.about : null;
	const toggles = { verdicts: toggleVerdict, states: toggleState, sectors: toggleSector };
	return (
		<div ref={root} class={`atlas rings${wall ? " atlas-wall" : ""}${paused ? " atlas-is-paused" : ""}`}>
			<h1 class="atlas-unseen">{say("title")}</h1>
			<div ref={stage} class="rings-stage">
				<canvas key={simple ? "simple" : "gl"} ref={canvas} class="atlas-map rings-map" tabIndex={0} role="img" aria-label={say("title")} aria-describedby="rings-described" />
				<div ref={words} class="rings-words" aria-hidden="true" />
			</div>
			<p id="rings-described" class="atlas-unseen">
				{say("described")} {say("keys")}
			</p>

			<section class="atlas-left">
				<Open snapshot={snapshot} numbers={numbers} paused={paused} />
				<Choosing snapshot={snapshot} filter={filter} sectors={sectorsOf(model)} theme={theme} numbers={numbers} onToggle={(group, name) => toggles[group](name)} />
			</section>

			<section class="atlas-right">
				<Find model={model} language={language} onChoose={choose} />
				<Alerts snapshot={snapshot} model={model} language={language} theme={theme} numbers={numbers} chosen={chosen} onChoose={choose} />
			</section>

			<footer class="atlas-foot">
				<p class="rings-drawn">{snapshot && snapshot.members < snapshot.total && say("shown.members", { shown: numbers.format(snapshot.members), total: numbers.format(snapshot.total) })}</p>
				<div class="atlas-tools" role="toolbar" aria-label={word("atlas.more")}>
					<Tool icon={paused ? "play" : "pause"} label={word(paused ? "atlas.resume" : "atlas.pause")} shortcut="Space" onClick={() => setPaused(!paused)} />
					{!still && <Tool icon="turn" label={say("turn")} pressed={turning} shortcut="r" onClick={() => setTurning(!turning)} />}
					<Tool icon="centre" label={say("flat")} pressed={flat} shortcut="v" onClick={() => look(!flat)} />
					<Tool icon="whole" label={say("whole")} shortcut="0" onClick={() => look(false)} />
					<Tool icon="save" label={say("save")} shortcut="s" onClick={() => void save()} />
					<Tool icon="table" label={say("table")} pressed={table} shortcut="t" onClick={() => setTable(!table)} />
					<Tool icon="info" label={say("ground")} pressed={ground} onClick={() => setGround(!ground)} />
					<Tool icon="wall" label={word(wall ? "atlas.wall.leave" : "atlas.wall")} pressed={wall} onClick={toggleWall} />
				</div>
				<Latency state={state} numbers={numbers} />
			</footer>

			{pointed && <Over pointed={pointed} snapshot={snapshot} language={language} theme={theme} numbers={numbers} />}
			{table && <AlertsTable snapshot={snapshot} model={model} language={language} theme={theme} numbers={numbers} onClose={() => setTable(false)} />}
			{ground && <Ground onClose={() => setGround(false)} />}
			{(empty || trouble) && (
				<div class="atlas-banner" role="status">
					{trouble ? (
						<p>{say("trouble", { message: (language === "ja" ? trouble.messageJa : undefined) ?? trouble.message })}</p>
					) : (
						<>
							<b>{say(`${empty!}.members`)}</b>
							<p>{say(`${empty!}.members.help`)}</p>
							{empty === "hidden" && (
								<a class="atlas-button" href="#/sign-in">
									{say("sign.in")}
								</a>
							)}
						</>
					)}
				</div>
			)}
			{!trouble && !empty && <Phase state={state} quiet={snapshot?.quiet ?? false} language={language} />}
			{(simple || still) && <p class="atlas-note rings-note">{say(simple ? "nogl" : "still")}</p>}
			{bench && <BenchPanel bench={bench} />}
			<span class="atlas-unseen" aria-live="polite">
				{newest && say("told", { verdict: say(`verdict.${VERDICTS[newest.verdict]!}` as RingsWord), address: newest.address, member: memberName(model?.byId.get(newest.member), language) })}
			</span>
		</div>
	);
}
