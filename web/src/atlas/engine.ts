// Binds the stream, the model and the picture together and runs the frame loop; the panels only listen.

import { get } from "../core/api";
import { noteworthy } from "../core/queries";
import { stream, type Arc, type Frame, type StreamState } from "../live/stream";
import { parameter, type Theme } from "./house";
import { buildGeography, countryAt, type Geography, type WorldTopology } from "./geography";
import { FlatView } from "./flat2d";
import { AtlasModel, KINDS, type Snapshot } from "./model";
import { Bench, Pacing, type BenchResult } from "./pacing";
import { AtlasScene, type Insets } from "./scene";
import { sceneColours } from "./tones";
import type { AtlasView } from "./view";

export interface Pointed {
	x: number;
	y: number;
	arc: Arc | null;
	/** Two letters, or "" where the pointer is over the sea. */
	country: string;
	/** Held by a tap or a key until closed. */
	held: boolean;
}

export interface EngineEvents {
	snapshot(snapshot: Snapshot): void;
	rate(pps: number): void;
	state(state: StreamState): void;
	pointed(pointed: Pointed | null): void;
	chosen(pointed: Pointed): void;
	bench(result: BenchResult): void;
}

declare global {
	interface Window {
		__atlasBench?: BenchResult;
		__atlas?: { arcs: number; moving: number; refused: number; renderer: string };
	}
}

const ARCS_START = 2048;
const ARCS_MOST = 3072;
const REACH_PX = 9;

export class AtlasEngine {
	readonly model = new AtlasModel();
	readonly view: AtlasView;
	readonly simple: boolean;
	rows = 8;
	private readonly pacing = new Pacing(ARCS_MOST);
	private readonly benchArcs = Math.min(4000, Number(parameter("bench") ?? 0) || 0);
	private readonly bench: Bench | null;
	private handle = 0;
	private last = 0;
	private sinceSnapshot = 0;
	private sinceRate = 0;
	private leave: () => void = () => {};
	private readonly observer: ResizeObserver;
	private insets: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
	private scale = 1;
	private hover = { x: 0, y: 0, wanted: false };
	private drags = new Map<number, { x: number; y: number }>();
	private travelled = 0;
	private pinch = 0;
	private readonly countryIndex = new Map<string, number>();
	private readonly off = new AbortController();

	constructor(
		canvas: HTMLCanvasElement,
		private readonly events: EngineEvents,
		simple: boolean,
	) {
		this.simple = simple;
		this.view = simple ? new FlatView(canvas) : new AtlasScene(canvas);
		this.bench = this.benchArcs > 0 ? new Bench() : null;
		this.pacing.arcs = this.benchArcs || ARCS_START;
		this.view.setArcsMax(this.pacing.arcs);
		this.observer = new ResizeObserver(() => this.fit());
		this.observer.observe(canvas);
		this.listen(canvas);
		void this.loadLand();
	}

	start(): void {
		this.leave = stream.subscribe({
			hello: (hello) => {
				this.model.takeHello(hello);
				this.view.setTarget(hello.darknet.longitude, hello.darknet.latitude);
			},
			frame: (frame) => this.take(frame),
			finding: (finding) => this.model.takeFinding(finding),
			state: (state) => this.events.state({ ...state }),
		});
		// What was found in the last hour, so that a map just opened is not without its findings.
		noteworthy("-1h", "now", (path) => get(path)).then(
			(list) => list.slice(0, 12).reverse().forEach((finding) => this.model.takeFinding({ ...finding })),
			() => undefined,
		);
		this.last = performance.now();
		this.handle = requestAnimationFrame(this.tick);
	}

	stop(): void {
		cancelAnimationFrame(this.handle);
		this.leave();
		this.off.abort();
		this.observer.disconnect();
		this.view.dispose();
	}

	setTheme(theme: Theme): void {
		this.view.setColours(sceneColours(theme));
	}

	setFrame(insets: Insets, scale: number): void {
		this.insets = insets;
		this.scale = scale;
		this.fit();
	}

	pause(paused: boolean): void {
		this.view.paused = paused;
	}

	// First the coarse map, at once; then the fine one where there are pixels for it.
	private async loadLand(): Promise<void> {
		const { default: coarse } = await import("world-atlas/countries-110m.json");
		if (this.off.signal.aborted) return;
		this.lay(buildGeography(coarse as unknown as WorldTopology));
		if (this.view.canvas.clientWidth * (window.devicePixelRatio || 1) < 1000 || this.simple) return;
		const worker = new Worker(new URL("./land.worker.ts", import.meta.url), { type: "module" });
		this.off.signal.addEventListener("abort", () => worker.terminate());
		worker.onmessage = (event: MessageEvent<Geography>) => {
			worker.terminate();
			if (!this.off.signal.aborted) this.lay(event.data);
		};
	}

	private lay(geography: Geography): void {
		this.countryIndex.clear();
		geography.countries.forEach((country, index) => country.code && this.countryIndex.set(country.code, index));
		this.view.setGeography(geography);
	}

	private fit(): void {
		const { clientWidth, clientHeight } = this.view.canvas;
		if (clientWidth > 0) this.view.resize(clientWidth, clientHeight, this.insets, this.scale, this.pacing.sharpness);
	}

	private take(frame: Frame): void {
		this.model.takeFrame(frame);
		if (this.view.paused || this.bench) return;
		const spread = (this.model.hello?.tick_ms ?? 100) / 1000;
		const count = frame.arcs.length;
		// Spread the sample over the picture's room: what the ring cannot hold is thinned out evenly, scans first.
		const room = this.view.arcs.size / 1.9 * spread;
		const keep = count > room ? room / count : 1;
		for (let i = 0; i < count; i++) {
			const arc = frame.arcs[i]!;
			if (keep < 1 && arc[5] === 0 && Math.random() > keep) continue;
			this.view.launch(arc, (i / count) * spread, this.model.slotOf(arc[7], arc[8]));
		}
	}

	private readonly tick = (now: number): void => {
		this.handle = requestAnimationFrame(this.tick);
		const interval = now - this.last;
		this.last = now;
		const seconds = Math.min(0.1, interval / 1000);
		const begun = performance.now();
		if (this.bench) this.feedBench();
		this.view.frame(seconds);
		if (this.hover.wanted) this.point();
		this.sinceRate += interval;
		this.sinceSnapshot += interval;
		const script = performance.now() - begun;
		if (this.bench) {
			if (this.bench.take(now, interval, script)) this.reportBench();
		} else if (!this.view.paused && this.pacing.take(interval)) {
			this.view.setArcsMax(this.pacing.arcs);
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
		const snapshot = this.model.snapshot(this.rows);
		this.warm();
		this.events.snapshot(snapshot);
		window.__atlas = {
			arcs: this.view.arcs.size,
			moving: this.view.arcs.living(this.view.time),
			refused: this.view.arcs.refused,
			renderer: this.view.rendererName,
		};
	}

	private readonly warmed = new Set<number>();
	private warm(): void {
		for (const index of this.warmed) this.view.setCountry(index, 0);
		this.warmed.clear();
		for (const row of this.model.warmest(60)) {
			const index = this.countryIndex.get(row.key);
			if (index === undefined) continue;
			const rise = Number.isNaN(row.change) ? 0 : Math.max(0, Math.min(1, (row.change - 1.5) / 3));
			this.view.setCountry(index, Math.min(1, 0.75 * Math.sqrt(row.share) + 0.5 * rise * Math.min(1, row.share * 30)));
			this.warmed.add(index);
		}
	}

	// ---- the benchmark: a fixed number of arcs, always moving ----

	private feedBench(): void {
		for (let tries = 0; tries < this.benchArcs; tries++) {
			const latitude = Math.asin(Math.random() * 1.7 - 0.75) * 57.3;
			const row: Arc = ["192.0.2.1", latitude, Math.random() * 360 - 180, "ZZ", 0, (Math.random() * 6) | 0, 0, 6, 23, 1, "198.18.0.1"];
			// At the beginning starts are spread, so that the arcs do not move in step.
			if (!this.view.launch(row, this.view.time < 0.5 ? Math.random() * 1.5 : 0, (Math.random() * 9) | 0)) break;
		}
	}

	private reportBench(): void {
		const result = this.bench!.result({
			arcs: this.benchArcs,
			moving: this.view.arcs.living(this.view.time),
			renderer: this.view.rendererName,
			width: this.view.canvas.width,
			height: this.view.canvas.height,
		});
		window.__atlasBench = result;
		this.events.bench(result);
	}

	// ---- the pointer ----

	private listen(canvas: HTMLCanvasElement): void {
		const signal = this.off.signal;
		const at = (event: PointerEvent | WheelEvent) => {
			const box = canvas.getBoundingClientRect();
			return { x: event.clientX - box.left, y: event.clientY - box.top };
		};
		canvas.addEventListener("pointerdown", (event) => {
			canvas.setPointerCapture(event.pointerId);
			this.drags.set(event.pointerId, at(event));
			this.travelled = 0;
			this.pinch = 0;
		}, { signal });
		canvas.addEventListener("pointermove", (event) => {
			const now = at(event);
			const old = this.drags.get(event.pointerId);
			if (!old) {
				this.hover = { ...now, wanted: event.pointerType === "mouse" };
				return;
			}
			this.travelled += Math.hypot(now.x - old.x, now.y - old.y);
			this.drags.set(event.pointerId, now);
			if (this.drags.size === 2) this.pinchTo();
			else this.view.drag(now.x - old.x, now.y - old.y);
		}, { signal });
		const up = (event: PointerEvent) => {
			const old = this.drags.get(event.pointerId);
			this.drags.delete(event.pointerId);
			if (!old || event.type === "pointercancel" || this.travelled > 6 || this.pinch > 0) return;
			const reach = event.pointerType === "mouse" ? REACH_PX : 22;
			const pointed = this.pointAt(old.x, old.y, reach, event.pointerType !== "mouse");
			if (pointed?.held) this.events.pointed(pointed);
			else if (pointed && (pointed.arc || pointed.country)) this.events.chosen(pointed);
			else this.events.pointed(null);
		};
		canvas.addEventListener("pointerup", up, { signal });
		canvas.addEventListener("pointercancel", up, { signal });
		canvas.addEventListener("pointerleave", () => {
			this.hover.wanted = false;
			this.view.setHover(-9);
			this.events.pointed(null);
		}, { signal });
		canvas.addEventListener("wheel", (event) => {
			event.preventDefault();
			const { x, y } = at(event);
			this.view.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), x, y);
		}, { signal, passive: false });
		canvas.addEventListener("dblclick", (event) => {
			const box = canvas.getBoundingClientRect();
			this.view.zoomBy(2, event.clientX - box.left, event.clientY - box.top);
		}, { signal });
	}

	private pinchTo(): void {
		const [a, b] = [...this.drags.values()] as [{ x: number; y: number }, { x: number; y: number }];
		const apart = Math.hypot(a.x - b.x, a.y - b.y);
		if (this.pinch > 0) this.view.zoomBy(apart / this.pinch, (a.x + b.x) / 2, (a.y + b.y) / 2);
		this.pinch = apart;
	}

	private point(): void {
		this.hover.wanted = false;
		if (this.drags.size > 0) return;
		this.events.pointed(this.pointAt(this.hover.x, this.hover.y, REACH_PX, false));
	}

	private pointAt(x: number, y: number, reach: number, held: boolean): Pointed | null {
		const arc = this.view.arcAt(x, y, reach);
		const place = this.view.placeAt(x, y);
		const countries = this.view.geography?.countries;
		const index = place && countries ? countryAt(countries, place.longitude, place.latitude) : -1;
		this.view.setHover(arc ? -9 : index < 0 ? -9 : index);
		const country = arc ? arc[3] : index >= 0 ? countries![index]!.code : "";
		this.view.canvas.style.cursor = arc || country ? "pointer" : "grab";
		return arc || country ? { x, y, arc, country, held } : null;
	}
}

export const ALL_KINDS: readonly boolean[] = KINDS.map(() => true);
