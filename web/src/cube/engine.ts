// Binds the stream, the model and the picture together and runs the frame loop; the panels only listen.

import { Grip } from "../atlas/grip";
import { language, parameter, type Theme } from "../atlas/house";
import { portLabel } from "../atlas/model";
import { Bench, Pacing, type BenchResult } from "../atlas/pacing";
import { get } from "../core/api";
import { stream, type Arc, type Frame, type StreamState } from "../live/stream";
import { Axes } from "./axes";
import { CubeCamera, type Face, type Insets } from "./camera";
import { FlatCube } from "./flat2d";
import { CubeLabels } from "./labels";
import { CubeModel, PLANES, type CubeSnapshot } from "./model";
import { depthAt, FADE_SECONDS, FLIGHT_SECONDS, POINT_FLOATS, PointRing, POINTS_MAX, seenAt } from "./points";
import { CubeScene } from "./scene";
import { say } from "./texts";
import { cubeColours, type CubeColours, type CubeView } from "./view";

export interface Pointed {
	x: number;
	y: number;
	arc: Arc;
	/** Held by a tap until closed. */
	held: boolean;
}

export interface EngineEvents {
	snapshot(snapshot: CubeSnapshot): void;
	rate(pps: number): void;
	state(state: StreamState): void;
	pointed(pointed: Pointed | null): void;
	chosen(pointed: Pointed): void;
	face(face: Face): void;
	bench(result: BenchResult): void;
}

declare global {
	interface Window {
		__cube?: { points: number; living: number; refused: number; renderer: string; sharpness: number };
		__cubeBench?: BenchResult;
	}
}

const POINTS_START = 4000;
const POINTS_NARROW = 1500;
const NARROW_PX = 700;
const REACH_PX = 10;
const REST_AFTER_DRAG_SECONDS = 5;
const SHADOW_SHARPNESS = 0.85;

/** A number for an address, exact in single precision. */
export function whoIs(address: string): number {
	let hash = 2166136261;
	for (let i = 0; i < address.length; i++) hash = Math.imul(hash ^ address.charCodeAt(i), 16777619);
	return (hash >>> 9) & 0x7fffff;
}

interface PlaneState {
	key: number;
	height: number;
	share: number;
	strength: number;
	wanted: number;
}

export class CubeEngine {
	readonly axes = new Axes();
	readonly model = new CubeModel(this.axes);
	readonly camera = new CubeCamera();
	readonly points = new PointRing();
	readonly view: CubeView;
	rows = 8;
	turning = true;
	paused = false;
	still = false;
	private readonly labels: CubeLabels;
	private readonly pacing = new Pacing(POINTS_MAX);
	private readonly benchPoints = Math.min(POINTS_MAX, Number(parameter("bench") ?? 0) || 0);
	private readonly bench: Bench | null;
	private readonly planes: PlaneState[] = Array.from({ length: PLANES }, () => ({ key: -1, height: 0, share: 0, strength: 0, wanted: 0 }));
	private colours: CubeColours = cubeColours("dark");
	private handle = 0;
	private last = 0;
	private sinceSnapshot = 0;
	private sinceRate = 0;
	private leave: () => void = () => {};
	private insets: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
	private scale = 1;
	private axesDrawn = -1;
	private hover = { x: 0, y: 0, wanted: false, over: false };
	private readonly grip: Grip;
	private rest = 0;
	private focusRow = -1;
	private readonly off = new AbortController();
	private readonly at = { x: 0, y: 0, z: 0 };

	constructor(
		private readonly canvas: HTMLCanvasElement,
		words: HTMLElement,
		private readonly events: EngineEvents,
		simple: boolean,
	) {
		const parts = { canvas, camera: this.camera, points: this.points };
		this.view = simple ? new FlatCube(parts) : new CubeScene(parts);
		this.labels = new CubeLabels(words, this.camera);
		this.bench = this.benchPoints > 0 ? new Bench() : null;
		this.pacing.arcs = this.benchPoints || POINTS_START;
		this.view.setPointsMax(this.pacing.arcs);
		this.grip = this.listen();
		this.redraw();
		void this.askDarknet();
		void document.fonts.ready.then(() => !this.off.signal.aborted && this.labels.measure());
	}

	start(): void {
		this.leave = stream.subscribe({
			hello: (hello) => {
				this.model.takeHello(hello);
				if (this.axes.learned && this.axes.setDarknet([hello.darknet.label])) this.axes.learned = true;
			},
			frame: (frame) => this.take(frame),
			finding: (finding) => this.model.takeFinding(finding),
			state: (state) => this.events.state({ ...state }),
		});
		this.last = performance.now();
		this.handle = requestAnimationFrame(this.tick);
	}

	stop(): void {
		cancelAnimationFrame(this.handle);
		this.leave();
		this.off.abort();
		this.labels.dispose();
		this.view.dispose();
		delete window.__cube;
	}

	// The destination axis is the darknet. Who may not ask for it sees the prefixes that packets reach.
	private async askDarknet(): Promise<void> {
		try {
			const status = await get<{ darknet?: { prefix: string }[] }>("/status", this.off.signal);
			if (this.axes.setDarknet(status.darknet?.map((one) => one.prefix) ?? [])) this.points.clear();
		} catch {
			// The greeting's label and the packets themselves will do.
		}
	}

	setTheme(theme: Theme): void {
		this.colours = cubeColours(theme);
		this.view.setColours(this.colours);
	}

	setStill(still: boolean): void {
		this.still = still;
		this.view.setStill(still);
	}

	/** Words anew: another language, another darknet. */
	redraw(): void {
		this.axesDrawn = this.axes.version;
		const axes = { source: this.axes.sourceAxis(), port: this.axes.portAxis(say("axis.noport")), target: this.axes.targetAxis() };
		this.view.setAxes(axes);
		this.labels.setAxes(axes, { source: say("axis.source"), port: say("axis.port"), target: say("axis.target") });
	}

	look(face: Face, at_once = false): void {
		this.camera.look(face, at_once || this.still);
		this.rest = 0;
		this.events.face(face);
	}

	drag(dx: number, dy: number): void {
		const was = this.camera.face;
		this.camera.drag(dx, dy);
		this.rest = REST_AFTER_DRAG_SECONDS;
		if (was !== "free") this.events.face("free");
	}

	/** Lets the points of one address stand out; empty for none. */
	setFocus(address: string): void {
		this.focusRow = -1;
		this.view.setFocus(address ? whoIs(address) : -1);
	}

	setFrame(insets: Insets, scale: number): void {
		this.insets = insets;
		this.scale = scale;
		this.fit();
		this.labels.measure(scale);
	}

	private fit(): void {
		const { clientWidth, clientHeight } = this.canvas;
		if (clientWidth === 0) return;
		this.camera.resize(clientWidth, clientHeight, this.insets);
		this.setPointsMax();
		this.view.resize(this.scale, this.pacing.sharpness);
		this.view.setShadows(this.pacing.sharpness >= SHADOW_SHARPNESS);
	}

	// A small picture has room for fewer.
	private setPointsMax(): void {
		const most = this.benchPoints || this.camera.width >= NARROW_PX ? POINTS_MAX : POINTS_NARROW;
		this.view.setPointsMax(Math.min(most, this.pacing.arcs));
	}

	private take(frame: Frame): void {
		this.model.takeFrame(frame);
		if (this.paused || this.bench) return;
		const spread = (this.model.hello?.tick_ms ?? 100) / 1000;
		const count = frame.arcs.length;
		// What the ring cannot hold for a packet's whole life is thinned out evenly: ordinary scans first, sweeps last.
		const room = (this.points.size / (FADE_SECONDS + FLIGHT_SECONDS)) * spread;
		const keep = count > room ? room / count : 1;
		for (let i = 0; i < count; i++) {
			const arc = frame.arcs[i]!;
			const place = this.model.place(arc);
			if (!place) continue;
			const link = this.model.follow(arc, place);
			if (keep < 1 && arc[5] === 0 && link.strength === 0 && Math.random() > keep) continue;
			const strength = Math.min(1, (arc[5] === 0 ? 0.25 : 0.6) + 0.08 * Math.log2(Math.max(1, arc[9])) + 0.45 * link.strength);
			this.points.add(arc, place, link, whoIs(arc[0]), this.view.time + (i / count) * spread, strength, this.view.time);
		}
		if (this.axes.version !== this.axesDrawn) this.redraw();
	}

	private readonly tick = (now: number): void => {
		this.handle = requestAnimationFrame(this.tick);
		const interval = now - this.last;
		this.last = now;
		const seconds = Math.min(0.1, interval / 1000);
		const begun = performance.now();
		if (this.axes.version !== this.axesDrawn) this.redraw();
		if (!this.paused) this.view.time += seconds;
		if (this.view.time > 1800) {
			this.view.time -= 1800;
			this.points.rebase(1800);
		}
		if (this.bench) this.feedBench();
		this.rest = Math.max(0, this.rest - seconds);
		const free = !this.grip.holding && this.rest === 0 && this.focusRow < 0;
		this.camera.update(seconds, this.turning && !this.paused && !this.still && free);
		this.movePlanes(seconds);
		this.view.frame();
		this.labels.update(seconds);
		if (this.hover.wanted || (this.hover.over && !this.paused)) this.point();
		this.sinceRate += interval;
		this.sinceSnapshot += interval;
		const script = performance.now() - begun;
		if (this.bench) {
			if (this.bench.take(now, interval, script)) this.reportBench();
		} else if (!this.paused && this.pacing.take(interval)) {
			this.fit();
		}
		if (this.sinceRate >= 250) {
			this.sinceRate = 0;
			this.events.rate(this.model.rate);
		}
		if (this.sinceSnapshot >= 1000) this.refresh();
	};

	private refresh(): void {
		this.sinceSnapshot = 0;
		const snapshot = this.model.view(this.rows);
		if (!this.paused) this.setPlanes(snapshot);
		this.events.snapshot(snapshot);
		window.__cube = {
			points: this.points.size,
			living: this.points.living(this.view.time),
			refused: this.points.refused,
			renderer: this.view.rendererName,
			sharpness: this.pacing.sharpness,
		};
	}

	// A plane keeps its slot while its port stays heavy; one that has gone fades before another takes its place.
	private setPlanes(snapshot: CubeSnapshot): void {
		for (const plane of this.planes) plane.wanted = 0;
		for (const wanted of snapshot.planes) {
			const plane = this.planes.find((one) => one.key === wanted.key) ?? this.planes.find((one) => one.strength < 0.02 && one.wanted === 0);
			if (!plane) continue;
			plane.key = wanted.key;
			plane.height = wanted.height;
			plane.share = wanted.share;
			plane.wanted = Math.min(1, 0.3 + 1.6 * wanted.share);
		}
		const numbers = new Intl.NumberFormat(language(), { style: "percent" });
		this.labels.setPlanes(this.planes.map((one) => ({ text: one.wanted > 0 ? `${portLabel(one.key)}  ${numbers.format(one.share)}` : "", height: one.height, strength: Math.min(1, one.wanted * 3) })));
	}

	private movePlanes(seconds: number): void {
		for (const plane of this.planes) plane.strength += (plane.wanted - plane.strength) * Math.min(1, seconds * 2);
		this.view.setPlanes(this.planes);
	}

	// ---- the benchmark: a fixed number of points, always moving ----

	private feedBench(): void {
		for (let tries = 0; tries < this.benchPoints; tries++) {
			const source = `${(Math.random() * 224) | 0}.${(Math.random() * 256) | 0}.2.1`;
			const row: Arc = [source, 0, 0, "ZZ", 0, (Math.random() * 6) | 0, 0, 6, (2 ** (Math.random() * 16)) | 0, 1, "198.18.0.1"];
			const place = { x: Math.random(), y: Math.random(), z: Math.random() };
			const link = { y: place.y, z: Math.random(), strength: Math.random() < 0.2 ? 0.6 : 0 };
			if (!this.points.add(row, place, link, whoIs(source), this.view.time + (this.view.time < 0.5 ? Math.random() * 7 : 0), Math.random(), this.view.time)) break;
		}
	}

	private reportBench(): void {
		const result = this.bench!.result({
			arcs: this.benchPoints,
			moving: this.points.living(this.view.time),
			renderer: this.view.rendererName,
			width: this.canvas.width,
			height: this.canvas.height,
		});
		window.__cubeBench = result;
		this.events.bench(result);
	}

	// ---- the pointer ----

	private listen(): Grip {
		return new Grip(
			this.canvas,
			{
				drag: (dx, dy) => this.drag(dx, dy),
				zoom: (factor) => this.camera.zoomBy(factor),
				hover: (x, y) => (this.hover = { x, y, wanted: true, over: true }),
				leave: () => {
					this.hover.wanted = this.hover.over = false;
					if (this.focusRow >= 0) this.setFocus("");
					this.events.pointed(null);
				},
				tap: (x, y, mouse) => {
					const pointed = this.pointAt(x, y, mouse ? REACH_PX : 22, !mouse);
					if (pointed && mouse) this.events.chosen(pointed);
					else this.events.pointed(pointed);
				},
			},
			this.off.signal,
		);
	}

	private point(): void {
		this.hover.wanted = false;
		if (this.grip.holding) return;
		const before = this.focusRow;
		const pointed = this.pointAt(this.hover.x, this.hover.y, REACH_PX, false);
		if (before !== this.focusRow || pointed) this.events.pointed(pointed);
	}

	/** The mark nearest to a point (CSS pixels). Its source stands out. */
	private pointAt(x: number, y: number, reach: number, held: boolean): Pointed | null {
		const d = this.points.data;
		const shown = this.shown;
		let best = (reach * Math.min(this.scale, 1.6)) ** 2;
		let found = -1;
		for (let i = 0; i < this.points.size; i++) {
			if (!this.points.alive(i, this.view.time)) continue;
			const at = i * POINT_FLOATS;
			if (!shown[d[at + 3]!]) continue;
			const age = this.view.time - d[at + 4]!;
			if (seenAt(age, d[at + 5]!, this.still) < 0.08) continue;
			this.camera.project(d[at]!, d[at + 1]!, depthAt(d[at + 2]!, age, d[at + 5]!, this.still), this.at);
			const away = (this.at.x - x) ** 2 + (this.at.y - y) ** 2;
			if (away < best) {
				best = away;
				found = i;
			}
		}
		const arc = found < 0 ? null : this.points.rows[found]!;
		this.canvas.style.cursor = arc ? "pointer" : "";
		if (arc) {
			this.view.setFocus(whoIs(arc[0]));
			this.focusRow = found;
		} else if (this.focusRow >= 0) this.setFocus("");
		return arc && { x, y, arc, held };
	}

	shown: readonly boolean[] = [true, true, true, true, true, true];
	setShown(shown: readonly boolean[]): void {
		this.shown = shown;
		this.view.setShown(shown);
	}

	/** The picture as it stands, with the words at its edges and a caption, twice as fine as the screen. */
	picture(caption: string): Promise<Blob | null> {
		const made = this.view.picture(2);
		const c = made.getContext("2d");
		const ratio = made.width / this.camera.width;
		if (c) {
			this.labels.draw(c, ratio);
			c.scale(ratio, ratio);
			c.font = `${12 * this.scale}px ${getComputedStyle(this.canvas).fontFamily}`;
			c.textAlign = "right";
			c.fillStyle = this.colours.soft;
			c.fillText(caption, this.camera.width - 14 * this.scale, this.camera.height - 12 * this.scale);
		}
		return new Promise((done) => made.toBlob(done, "image/png"));
	}
}
