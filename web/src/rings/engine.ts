// Binds the stream, the members, the alerts and the picture together and runs the frame loop; the panels only listen.

import { Grip } from "../atlas/grip";
import { language, parameter, type Theme } from "../atlas/house";
import { AtlasModel, type Snapshot } from "../atlas/model";
import { Bench, Pacing, type BenchResult } from "../atlas/pacing";
import { ApiError, get } from "../core/api";
import { CubeCamera, type Insets } from "../cube/camera";
import { stream, type Frame, type LiveFinding, type StreamState } from "../live/stream";
import { CometRing, COMETS_MAX } from "./comets";
import { FlatRings } from "./flat2d";
import { RingsLabels } from "./labels";
import { layout, memberAt, type Layout, type MemberPlace, spotOf } from "./layout";
import { memberName, RingsModel, stateOf, STATES, type Alert, type Filter, type Member, type RingsAnswer } from "./model";
import { RingsScene } from "./scene";
import { HEIGHTS, MARK_FLOATS, MARKS_MAX, ringsColours, segmentsOf, type RingsColours, type RingsView, WALL_FLOATS, WALLS_MAX } from "./view";

export interface RingsSnapshot extends Snapshot {
	now: number;
	/** Those that pass the filter, in order. */
	alerts: Alert[];
	/** Of all, by verdict, by state, by sector; each filtered by the other two. */
	counts: { verdicts: Record<string, number>; states: Record<string, number>; sectors: Record<string, number> };
	open: number;
	/** "" while nothing was answered. */
	about: "" | "members" | "none" | "hidden";
	members: number;
	total: number;
}

export interface Pointed {
	x: number;
	y: number;
	member: Member;
}

export interface EngineEvents {
	snapshot(snapshot: RingsSnapshot): void;
	state(state: StreamState): void;
	pointed(pointed: Pointed | null): void;
	chosen(member: Member | null): void;
	trouble(fault: ApiError | null): void;
	bench(result: BenchResult): void;
}

declare global {
	interface Window {
		__rings?: { members: number; marks: number; comets: number; flown: number; renderer: string; sharpness: number };
		__ringsBench?: BenchResult;
	}
}

const STANCE = { yaw: 0.5, pitch: 0.72, deep: [1.8, 1.5], flat: [1.78, 1.78] } as const;
const ASK_MS = 20_000;
const ASK_AGAIN_MS = 5_000;
const TOLD_MAX = 14;
const REST_AFTER_DRAG_SECONDS = 5;
/** Packets of one address that fly within a second. */
const PER_SECOND = 4;
const BURST = 6;

export class RingsEngine {
	readonly model = new RingsModel();
	readonly traffic = new AtlasModel();
	readonly camera = new CubeCamera(STANCE);
	readonly comets = new CometRing();
	readonly view: RingsView;
	turning = true;
	paused = false;
	still = false;
	filter: Filter = { verdicts: new Set(), states: new Set(), sectors: new Set(), member: "" };
	private readonly labels: RingsLabels;
	private readonly pacing = new Pacing(COMETS_MAX);
	private readonly benchComets = Math.min(COMETS_MAX, Number(parameter("bench") ?? 0) || 0);
	private readonly bench = this.benchComets > 0 ? new Bench() : null;
	private readonly grip: Grip;
	private readonly off = new AbortController();
	private readonly shown = { marks: new Float32Array(MARKS_MAX * MARK_FLOATS), markCount: 0, walls: new Float32Array(WALLS_MAX * WALL_FLOATS), wallCount: 0 };
	/** When an alert came into the picture and when a packet of it was seen last, the picture's time. */
	private readonly begun = new Map<string, number>();
	private readonly beats = new Map<string, number>();
	private readonly flights = new Map<string, number>();
	private layout: Layout = { rings: [], byMember: new Map() };
	private colours: RingsColours = ringsColours("dark");
	private handle = 0;
	private askHandle = 0;
	private last = 0;
	private sinceSnapshot = 0;
	private changed = true;
	private flown = 0;
	private leave: () => void = () => {};
	private insets: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
	private scale = 1;
	private rest = 0;
	private hovered: MemberPlace | null = null;
	private readonly p = { x: 0, y: 0, z: 0 };

	constructor(
		private readonly canvas: HTMLCanvasElement,
		words: HTMLElement,
		private readonly events: EngineEvents,
		simple: boolean,
	) {
		const parts = { canvas, camera: this.camera, comets: this.comets };
		this.view = simple ? new FlatRings(parts) : new RingsScene(parts);
		this.labels = new RingsLabels(words, this.camera);
		if (this.benchComets) this.pacing.arcs = this.benchComets;
		this.view.setCometsMax(this.pacing.arcs);
		this.grip = this.listen();
		void document.fonts.ready.then(() => !this.off.signal.aborted && this.labels.measure());
	}

	start(): void {
		this.leave = stream.subscribe({
			hello: (hello) => {
				this.traffic.takeHello(hello);
				this.model.setClock(typeof hello.now === "number" ? hello.now : Date.parse(hello.now));
				void this.ask();
			},
			frame: (frame) => this.takeFrame(frame),
			finding: (finding) => this.takeFinding(finding),
			state: (state) => this.events.state({ ...state }),
		});
		void this.ask();
		this.last = performance.now();
		this.handle = requestAnimationFrame(this.tick);
	}

	stop(): void {
		cancelAnimationFrame(this.handle);
		clearTimeout(this.askHandle);
		this.leave();
		this.off.abort();
		this.labels.dispose();
		this.view.dispose();
		delete window.__rings;
	}

	/** Members and open alerts, again from time to time: people change the one, and close the other. */
	private async ask(): Promise<void> {
		clearTimeout(this.askHandle);
		this.askHandle = window.setTimeout(() => void this.ask(), ASK_AGAIN_MS);
		try {
			const answer = await get<RingsAnswer>(`/rings?members=${this.camera.width < 700 ? 120 : 400}`, this.off.signal);
			if (this.model.take(answer)) this.arrange();
			this.changed = true;
			this.events.trouble(null);
			clearTimeout(this.askHandle);
			this.askHandle = window.setTimeout(() => void this.ask(), ASK_MS);
		} catch (fault) {
			if (fault instanceof ApiError) this.events.trouble(fault);
		}
		if (this.off.signal.aborted) clearTimeout(this.askHandle);
	}

	/** Rings and words anew: other members, another language. */
	arrange(): void {
		this.layout = layout(this.model.members);
		this.view.setSegments(segmentsOf(this.layout));
		this.labels.setMembers(this.layout, (id) => memberName(this.model.byId.get(id), language()));
		this.changed = true;
	}

	setTheme(theme: Theme): void {
		this.colours = ringsColours(theme);
		this.view.setColours(this.colours);
	}

	setStill(still: boolean): void {
		this.still = still;
		this.view.setStill(still);
	}

	setFilter(filter: Filter): void {
		this.filter = filter;
		this.setFocus(null);
		this.changed = true;
		this.sinceSnapshot = Infinity;
	}

	setFrame(insets: Insets, scale: number): void {
		this.insets = insets;
		this.scale = scale;
		this.fit();
		this.labels.measure(scale);
	}

	look(flat: boolean): void {
		this.camera.look(flat ? "y" : "free", this.still);
		this.rest = 0;
	}

	drag(dx: number, dy: number): void {
		this.camera.drag(dx, dy);
		this.rest = REST_AFTER_DRAG_SECONDS;
	}

	private fit(): void {
		const { clientWidth, clientHeight } = this.canvas;
		if (clientWidth === 0) return;
		this.camera.resize(clientWidth, clientHeight, this.insets);
		this.view.setCometsMax(this.benchComets || this.pacing.arcs);
		this.view.resize(this.scale, this.pacing.sharpness);
	}

	// ---- what happens ----

	private takeFrame(frame: Frame): void {
		this.traffic.takeFrame(frame);
		if (this.paused || this.bench || this.model.open.size === 0) return;
		frame.arcs.forEach((arc, i) => {
			const alert = this.model.open.get(arc[0]);
			if (alert) this.fly(alert, 1, (i / frame.arcs.length) * 0.1);
		});
	}

	private takeFinding(finding: LiveFinding): void {
		this.traffic.takeFinding(finding);
		const news = this.model.takeFinding(finding);
		if (!news) return;
		if (!this.model.byId.has(news.alert.member)) void this.ask();
		this.changed = true;
		if (this.paused || this.bench) return;
		if (news.fresh) {
			this.begun.set(news.alert.id, this.view.time);
			this.flights.delete(news.alert.id);
		}
		if (!news.alert.ended) this.fly(news.alert, Math.min(BURST, news.packets), 0);
	}

	private fly(alert: Alert, count: number, delay: number): void {
		if (!this.model.passes(alert, this.filter)) return;
		const spot = spotOf(this.layout, alert);
		if (!spot) return;
		const now = this.view.time;
		this.beats.set(alert.id, now);
		this.changed = true;
		if (this.still) return;
		let next = Math.max(now + delay, this.flights.get(alert.id) ?? 0);
		for (let i = 0; i < count && next < now + 1.5; i++) {
			if (this.comets.add(spot.angle, spot.radius, alert.verdict, next, now)) this.flown++;
			next += 1 / PER_SECOND;
		}
		this.flights.set(alert.id, next);
	}

	/** Marks and lit blocks as they are to be seen now. */
	private show(alerts: readonly Alert[]): void {
		const { marks, walls } = this.shown;
		const now = this.model.now();
		const blocks = new Map<object, number>();
		const told = [];
		let [m, w] = [0, 0];
		for (const alert of alerts) {
			const spot = spotOf(this.layout, alert);
			if (!spot) continue;
			const state = STATES.indexOf(stateOf(alert, now));
			const beat = this.beats.get(alert.id) ?? -1e3;
			const ring = this.layout.rings[spot.place.ring]!;
			if (m < MARKS_MAX) {
				marks.set([spot.angle, spot.radius, HEIGHTS[state]!, alert.verdict, state, this.begun.get(alert.id) ?? -10, beat, alert.member], m++ * MARK_FLOATS);
				if (told.length < TOLD_MAX && state < 2) told.push({ spot, rise: HEIGHTS[state]!, text: `${memberName(this.model.byId.get(alert.member), language())}  ${alert.address}` });
			}
			const old = blocks.get(spot.block);
			if (old === undefined && w < WALLS_MAX) {
				blocks.set(spot.block, w);
				walls.set([spot.block.from, spot.block.to, (ring.inner + ring.outer) / 2, 0.1, alert.verdict, state, beat, alert.member], w++ * WALL_FLOATS);
			} else if (old !== undefined) {
				// Several in one block: the newest beat, the gravest verdict of what is open.
				const at = old * WALL_FLOATS;
				if (state < walls[at + 5]! || (state < 2 && alert.verdict < walls[at + 4]!)) walls.set([alert.verdict, Math.min(state, walls[at + 5]!)], at + 4);
				walls[at + 6] = Math.max(walls[at + 6]!, beat);
			}
		}
		this.shown.markCount = m;
		this.shown.wallCount = w;
		this.view.setShown(this.shown);
		this.labels.setAlerts(told);
	}

	private readonly tick = (now: number): void => {
		this.handle = requestAnimationFrame(this.tick);
		const interval = now - this.last;
		this.last = now;
		const seconds = Math.min(0.1, interval / 1000);
		const begun = performance.now();
		if (!this.paused) this.view.time += seconds;
		if (this.view.time > 1800) this.rebase(1800);
		if (this.bench) this.feedBench();
		this.rest = Math.max(0, this.rest - seconds);
		this.camera.update(seconds, this.turning && !this.paused && !this.still && !this.grip.holding && this.rest === 0 && !this.hovered);
		this.sinceSnapshot += interval;
		if (this.sinceSnapshot >= 1000) this.refresh();
		else if (this.changed) this.show(this.model.shown(this.filter));
		this.changed = false;
		this.view.frame();
		this.labels.update();
		const script = performance.now() - begun;
		if (this.bench) {
			if (this.bench.take(now, interval, script)) this.reportBench();
		} else if (!this.paused && this.pacing.take(interval)) this.fit();
	};

	private rebase(seconds: number): void {
		this.view.time -= seconds;
		this.comets.rebase(seconds);
		for (const times of [this.begun, this.beats, this.flights]) for (const [id, at] of times) this.model.alerts.has(id) ? times.set(id, at - seconds) : times.delete(id);
		this.changed = true;
	}

	private refresh(): void {
		this.sinceSnapshot = 0;
		this.model.sweep();
		const alerts = this.model.shown(this.filter);
		if (!this.paused) this.show(alerts);
		let open = 0;
		for (const alert of this.model.alerts.values()) if (!alert.ended) open++;
		this.events.snapshot({ ...this.traffic.snapshot(4), now: this.model.now(), alerts, counts: this.model.counts(this.filter), open, about: this.model.version < 0 ? "" : this.model.hidden ? "hidden" : this.model.total > 0 ? "members" : "none", members: this.layout.byMember.size, total: this.model.total });
		window.__rings = { members: this.layout.byMember.size, marks: this.shown.markCount, comets: this.comets.living(this.view.time), flown: this.flown, renderer: this.view.rendererName, sharpness: this.pacing.sharpness };
	}

	// ---- the benchmark: a fixed number of packets, always on their way ----

	private feedBench(): void {
		const { time } = this.view;
		for (let tries = 0; tries < this.benchComets; tries++)
			if (!this.comets.add(Math.random() * 6.28, 0.5 + 0.3 * Math.random(), (Math.random() * 4) | 0, time + (time < 0.5 ? Math.random() * 1.5 : 0), time)) break;
	}

	private reportBench(): void {
		const result = this.bench!.result({ arcs: this.benchComets, moving: this.comets.living(this.view.time), renderer: this.view.rendererName, width: this.canvas.width, height: this.canvas.height });
		window.__ringsBench = result;
		this.events.bench(result);
	}

	// ---- the pointer ----

	private listen(): Grip {
		return new Grip(
			this.canvas,
			{
				drag: (dx, dy) => this.drag(dx, dy),
				zoom: (factor) => this.camera.zoomBy(factor),
				hover: (x, y) => {
					const place = this.placeAt(x, y, 0.012);
					this.canvas.style.cursor = place ? "pointer" : "";
					this.setFocus(place);
					this.events.pointed(place && { x, y, member: place.member });
				},
				leave: () => {
					this.setFocus(null);
					this.events.pointed(null);
				},
				tap: (x, y, mouse) => this.events.chosen(this.placeAt(x, y, mouse ? 0.012 : 0.03)?.member ?? null),
			},
			this.off.signal,
		);
	}

	private setFocus(place: MemberPlace | null): void {
		this.hovered = place;
		const chosen = this.model.members.find((one) => one.key === this.filter.member);
		const id = place?.member.id ?? chosen?.id ?? -1;
		this.view.setFocus(id);
		this.labels.setFocus(id);
	}

	/** Where the ring plane is under a point (CSS pixels): the ray from the eye through it, cut with y = 0. */
	private placeAt(x: number, y: number, reach: number): MemberPlace | null {
		const at = this.camera.onFloor(x, y, this.p);
		return at ? memberAt(this.layout, Math.atan2(at.z, at.x), Math.hypot(at.x, at.z), reach) : null;
	}

	/** The picture as it stands, with its words and a caption, twice as fine as the screen. */
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
