// Binds the stream, the sources, the board and the pictures together and runs the frame loop; the panels only listen.

import type { Theme } from "../atlas/house";
import { AtlasModel, type Snapshot } from "../atlas/model";
import { get } from "../core/api";
import { Axes, portHeight } from "../cube/axes";
import { stream, type Frame, type StreamState } from "../live/stream";
import { BEHAVIOURS, type Behaviour, type Guess } from "./behaviour";
import { Board, QUIET_MS, type Order, type Slot } from "./board";
import { Pictures, tileTones, type Style } from "./draw";
import { Sources, SOURCES_MAX, type Source } from "./model";
import { pictureOf } from "./picture";
import { Tile } from "./tile";

export interface TilesSnapshot extends Snapshot {
	/** Active sources by behaviour. */
	behaviours: number[];
	sources: number;
	/** There may be more active sources than are remembered. */
	full: boolean;
	tiles: { source: Source; guess: Guess; last: number }[];
	now: number;
}

export interface TilesEvents {
	snapshot(snapshot: TilesSnapshot): void;
	rate(pps: number): void;
	state(state: StreamState): void;
}

declare global {
	interface Window {
		__tiles?: { tiles: number; sources: number; points: number; frame_ms: number; fps: number };
	}
}

const TILES_MAX = 96;
const ROWS_NARROW = 12;
const WIDTH_PX = 176;
const HEIGHT_PX = 136;
const GAP_PX = 8;
const FPS = 30;
const FPS_SLOW = 12;
const BUDGET_MS = 6;
const FADE_MS = 350;
const ACTIVE_MS = 30000;
/** A picture goes on this long after the last frame of the stream, then it stands. */
const COAST_MS = 1500;
const SKEW_MS = 2000;
const HOLD_MS = 10000;

export class TilesEngine {
	readonly model = new AtlasModel();
	private readonly axes = new Axes();
	private readonly sources = new Sources();
	private readonly board = new Board();
	private readonly tiles = new Map<Slot, Tile>();
	private readonly pictures = new Pictures();
	private readonly context: CanvasRenderingContext2D;
	private readonly off = new AbortController();
	private style: Style = { tones: tileTones("dark"), shown: [true, true, true, true, true, true], still: false, em: 13, ratio: 1 };
	private theme: Theme = "dark";
	private cell = { w: 1, h: 1, columns: 1, gap: GAP_PX };
	private paused_ = false;
	private narrow = false;
	private handle = 0;
	private drawn = 0;
	private stepped = 0;
	private told = 0;
	private cost = 0;
	private fps = FPS;
	private offset = NaN;
	private heard = 0;
	private held = NaN;
	private pointed: { tile: Tile | null; at: number } = { tile: null, at: 0 };
	private current: Slot | null = null;
	private leave: () => void = () => {};

	constructor(
		private readonly area: HTMLElement,
		private readonly canvas: HTMLCanvasElement,
		private readonly events: TilesEvents,
	) {
		this.context = canvas.getContext("2d")!;
		this.listen();
		void this.askDarknet();
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
		this.handle = requestAnimationFrame(this.tick);
	}

	stop(): void {
		cancelAnimationFrame(this.handle);
		this.leave();
		this.off.abort();
		for (const tile of this.tiles.values()) tile.element.remove();
		delete window.__tiles;
	}

	private async askDarknet(): Promise<void> {
		try {
			const status = await get<{ darknet?: { prefix: string }[] }>("/status", this.off.signal);
			this.axes.setDarknet(status.darknet?.map((one) => one.prefix) ?? []);
		} catch {
			// The greeting's label and the packets themselves will do.
		}
	}

	// ---- what is asked for ----

	setTheme(theme: Theme): void {
		this.theme = theme;
		this.style = { ...this.style, tones: tileTones(theme) };
		this.rewrite();
	}

	ask(order: Order, shown: readonly boolean[], only: Behaviour | null): void {
		this.style = { ...this.style, shown };
		this.board.ask(order, shown, only);
		if (this.paused_) this.rewrite();
		else this.stepped = 0;
	}

	setStill(still: boolean): void {
		this.style = { ...this.style, still };
	}

	/** A pause holds what is seen; the counting goes on. */
	set paused(paused: boolean) {
		if (paused === this.paused_) return;
		if (paused) {
			this.held = this.now();
			for (const tile of this.tiles.values()) if (tile.source) tile.source = tile.source.copy();
		} else {
			this.held = NaN;
			for (const [slot, tile] of this.tiles) if (slot.source?.address === tile.source?.address) tile.source = slot.source;
		}
		this.paused_ = paused;
		this.drawn = 0;
	}

	/** The room has changed. `scale` is that of the words. */
	fit(scale: number, narrow: boolean, em: number): void {
		this.narrow = narrow;
		const width = this.area.clientWidth;
		const gap = GAP_PX * Math.min(1.6, scale);
		const columns = narrow ? 2 : Math.max(2, Math.floor((width + gap) / (WIDTH_PX * scale + gap)));
		if (narrow) this.area.style.height = `${ROWS_NARROW * (HEIGHT_PX * scale + gap)}px`;
		else this.area.style.removeProperty("height");
		const height = this.area.clientHeight;
		if (width === 0 || height === 0) return;
		const rows = narrow ? ROWS_NARROW : Math.max(1, Math.floor((height + gap) / (HEIGHT_PX * scale + gap)));
		this.cell = { w: Math.floor((width - gap * (columns - 1)) / columns), h: Math.floor((height - gap * (rows - 1)) / rows), columns, gap };
		const ratio = Math.min(2, devicePixelRatio || 1);
		this.style = { ...this.style, em, ratio };
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(height * ratio);
		this.board.resize(Math.min(TILES_MAX, rows * columns));
		this.bind();
		for (const tile of this.tiles.values()) {
			tile.x = NaN;
			tile.element.style.width = `${this.cell.w}px`;
			tile.element.style.height = `${this.cell.h}px`;
		}
		this.stepped = this.paused_ ? this.stepped : 0;
		this.drawn = 0;
	}

	/** Each slot has a tile of its own that goes with it. */
	private bind(): void {
		const slots = new Set(this.board.slots);
		for (const [slot, tile] of this.tiles)
			if (!slots.has(slot)) {
				tile.element.remove();
				this.tiles.delete(slot);
			}
		for (const slot of slots) {
			if (this.tiles.has(slot)) continue;
			const tile = new Tile();
			this.tiles.set(slot, tile);
			this.area.insertBefore(tile.element, this.canvas);
		}
		if (!this.current || !slots.has(this.current)) this.current = this.board.slots[0] ?? null;
	}

	/** Words anew: another language, another theme. */
	rewrite(): void {
		for (const tile of this.tiles.values()) tile.write(this.now(), this.model.hello, this.theme);
		this.drawn = 0;
	}

	// ---- time ----

	private now(): number {
		if (!Number.isNaN(this.held)) return this.held;
		return Number.isNaN(this.offset) ? 0 : Math.min(performance.now() + this.offset, this.heard + COAST_MS);
	}

	private take(frame: Frame): void {
		this.model.takeFrame(frame);
		const offset = frame.t - performance.now();
		this.offset = Math.abs(offset - this.offset) < SKEW_MS ? this.offset + (offset - this.offset) * 0.05 : offset;
		this.heard = frame.t;
		const spread = this.model.hello?.tick_ms ?? 100;
		const count = frame.arcs.length;
		for (let i = 0; i < count; i++) {
			const arc = frame.arcs[i]!;
			const deep = this.axes.target(arc[10]);
			this.sources.take(arc, frame.t + (i / count) * spread, portHeight(arc[7], arc[8]), Number.isNaN(deep) ? 0.5 : deep);
		}
	}

	private readonly tick = (clock: number): void => {
		this.handle = requestAnimationFrame(this.tick);
		if (clock - this.stepped >= 1000) {
			this.stepped = clock;
			this.step();
		}
		if (clock - this.told >= 250) {
			this.told = clock;
			this.events.rate(this.model.rate);
		}
		// A picture that is held is drawn when something was changed; a still one once a second.
		const wait = this.paused_ ? Infinity : this.style.still ? 1000 : 1000 / this.fps;
		if (this.drawn > 0 && clock - this.drawn < wait - 2) return;
		const seconds = Math.min(0.2, this.drawn > 0 ? (clock - this.drawn) / 1000 : 1);
		this.drawn = clock;
		const begun = performance.now();
		this.paint(this.context, seconds);
		const took = performance.now() - begun;
		this.cost += (took - this.cost) * 0.05;
		this.fps = this.cost > BUDGET_MS ? FPS_SLOW : this.cost < BUDGET_MS / 3 ? FPS : this.fps;
	};

	/** Once a second: who stands where, what is written, what the panels say. */
	private step(): void {
		const now = this.now();
		if (now === 0) return;
		if (!this.paused_) {
			this.sources.sweep(now);
			const looking = performance.now() - this.pointed.at < HOLD_MS ? this.pointed.tile : null;
			for (const [slot, tile] of this.tiles) slot.held = tile === looking || tile.element === document.activeElement;
			this.board.step(now, this.sources.all.values());
			if (!this.current?.source) this.current = this.board.slots.find((slot) => slot.source) ?? null;
			for (const [slot, tile] of this.tiles) {
				// One tile is reached with Tab, the others from it with arrows.
				tile.element.tabIndex = slot === this.current ? 0 : -1;
				if (tile.source === slot.source) tile.write(now, this.model.hello, this.theme);
				const quiet = tile.source !== null && now - tile.source.last > QUIET_MS;
				tile.element.classList.toggle("tile-quiet", quiet);
				tile.dim = quiet ? 0.5 : 1;
			}
		}
		this.events.snapshot(this.snapshot(now));
	}

	private snapshot(now: number): TilesSnapshot {
		const behaviours = BEHAVIOURS.map(() => 0);
		let sources = 0;
		for (const source of this.sources.all.values()) {
			if (now - source.last > ACTIVE_MS) continue;
			sources++;
			behaviours[BEHAVIOURS.indexOf(source.guess(now).behaviour)]!++;
		}
		const tiles = this.board.slots.flatMap((slot) => {
			const source = this.tiles.get(slot)?.source;
			return source ? [{ source, guess: source.guess(now), last: source.last }] : [];
		});
		window.__tiles = { tiles: tiles.length, sources: this.sources.all.size, points: tiles.reduce((sum, one) => sum + one.source.points.length, 0), frame_ms: this.cost, fps: this.fps };
		return { ...this.model.snapshot(5), behaviours, sources, full: this.sources.all.size >= SOURCES_MAX, tiles, now };
	}

	// ---- the picture ----

	private paint(c: CanvasRenderingContext2D, seconds: number): void {
		const { style, cell } = this;
		const now = this.now();
		this.pictures.prepare(style);
		c.setTransform(style.ratio, 0, 0, style.ratio, 0, 0);
		c.clearRect(0, 0, this.area.clientWidth, this.area.clientHeight);
		const [top, bottom] = this.view();
		const move = style.still ? 1 : 1 - Math.exp(-seconds * 9);
		for (let i = 0; i < this.board.slots.length; i++) {
			const slot = this.board.slots[i]!;
			const tile = this.tiles.get(slot);
			if (!tile) continue;
			if (!this.paused_) this.fade(tile, slot, seconds, now);
			this.place(tile, i, move);
			if (!tile.source || tile.y > bottom || tile.y + cell.h < top) continue;
			this.pictures.draw(c, { x: tile.x, y: tile.y, w: cell.w, h: cell.h }, tile.source.points, now, tile.alpha * tile.dim, style);
		}
	}

	/** The part of the area that is seen. */
	private view(): [top: number, bottom: number] {
		const room = this.narrow ? this.area.closest(".atlas") : null;
		if (!room) return [0, Infinity];
		const top = room.scrollTop - this.area.offsetTop;
		return [top, top + room.clientHeight];
	}

	private fade(tile: Tile, slot: Slot, seconds: number, now: number): void {
		const step = this.style.still ? 1 : (seconds * 1000) / FADE_MS;
		if (tile.source !== slot.source) {
			tile.alpha = tile.source ? Math.max(0, tile.alpha - step) : 0;
			if (tile.alpha === 0) {
				tile.source = slot.source;
				tile.dim = 1;
				tile.element.classList.remove("tile-quiet");
				tile.write(now, this.model.hello, this.theme);
			}
		} else tile.alpha = tile.source ? Math.min(1, tile.alpha + step) : 0;
		const opacity = tile.alpha.toFixed(2);
		if (tile.element.style.opacity !== opacity) tile.element.style.opacity = opacity;
	}

	private place(tile: Tile, index: number, move: number): void {
		const x = (index % this.cell.columns) * (this.cell.w + this.cell.gap);
		const y = Math.floor(index / this.cell.columns) * (this.cell.h + this.cell.gap);
		if (x === tile.x && y === tile.y) return;
		const near = Number.isNaN(tile.x) || Math.abs(x - tile.x) + Math.abs(y - tile.y) < 0.5;
		tile.x = near ? x : tile.x + (x - tile.x) * move;
		tile.y = near ? y : tile.y + (y - tile.y) * move;
		tile.element.style.transform = `translate(${tile.x}px, ${tile.y}px)`;
	}

	/** The picture as it stands, with its words and a caption. */
	picture(caption: string): Promise<Blob | null> {
		const family = getComputedStyle(this.area).fontFamily;
		return pictureOf({ tiles: [...this.tiles.values()].filter((tile) => tile.source), cell: this.cell, width: this.area.clientWidth, now: this.now(), style: this.style, family }, caption);
	}

	// ---- keys and pointer ----

	private listen(): void {
		const { area } = this;
		const signal = this.off.signal;
		const tileOf = (target: EventTarget | null): [Slot, Tile] | undefined => {
			const element = target instanceof Element ? target.closest(".tile") : null;
			return element ? [...this.tiles].find(([, tile]) => tile.element === element) : undefined;
		};
		area.addEventListener("pointermove", (event) => (this.pointed = { tile: tileOf(event.target)?.[1] ?? null, at: performance.now() }), { signal });
		area.addEventListener("pointerleave", () => (this.pointed.tile = null), { signal });
		area.addEventListener("focusin", (event) => {
			const found = tileOf(event.target);
			if (found) this.current = found[0];
			for (const [slot, tile] of this.tiles) tile.element.tabIndex = slot === this.current ? 0 : -1;
		}, { signal });
		area.addEventListener("keydown", (event) => {
			const columns = this.cell.columns;
			const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -Infinity, End: Infinity }[event.key];
			if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
			event.preventDefault();
			event.stopPropagation();
			const { slots } = this.board;
			const here = this.current ? slots.indexOf(this.current) : 0;
			const last = slots.length - 1;
			let next = Math.abs(step) === Infinity ? (step > 0 ? last : 0) : here + step;
			if (next < 0 || next > last) return;
			// Past places that are empty.
			const way = step === Infinity || step === -1 ? -1 : step === -Infinity ? 1 : step;
			while (slots[next] && this.tiles.get(slots[next]!)?.element.hidden) next += way;
			const tile = slots[next] && this.tiles.get(slots[next]!);
			tile?.element.focus();
		}, { signal });
	}
}
