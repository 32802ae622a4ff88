// The small pictures, all on one canvas: marks are stamped from sprites made once for each size, so that a frame of some thousand marks
// costs little.

import { KIND_COLOURS, type Theme } from "../atlas/house";
import { KIND_SHAPES, KINDS } from "../theme/palette";
import { portHeight } from "../cube/axes";
import { WINDOW_MS, type Point } from "./model";

/** In units of the tile's font size, as tiles.css has them. */
export const HEAD_EM = 3.05;
export const FOOT_EM = 1.95;
export const SIDE_EM = 0.7;

const MARK_EM = 0.42;
const ARRIVAL_MS = 700;
const OLD = 0.34;
const UPPER = 0.47;
const PORT_LINES = [80, 1024, 8080];
const SECONDS_LINES = [15, 30, 45];

export interface TileTones {
	dark: boolean;
	page: string;
	tile: string;
	edge: string;
	lane: string;
	line: string;
	ink: string;
	soft: string;
	kinds: readonly string[];
}

export function tileTones(theme: Theme): TileTones {
	const kinds = KIND_COLOURS[theme];
	return theme === "light"
		? { dark: false, page: "#eef2f6", tile: "#ffffff", edge: "#d5dee8", lane: "#eaf0f6", line: "#d9e2ec", ink: "#12202f", soft: "#42566b", kinds }
		: { dark: true, page: "#070b12", tile: "#121d2b", edge: "#223245", lane: "#080e17", line: "#16222f", ink: "#e8f0fa", soft: "#9fb1c6", kinds };
}

export interface Box {
	x: number;
	y: number;
	w: number;
	h: number;
}

export interface Style {
	tones: TileTones;
	shown: readonly boolean[];
	still: boolean;
	/** Font size of a tile, CSS pixels. */
	em: number;
	/** Pixels of the canvas for one of CSS. */
	ratio: number;
}

export class Pictures {
	private sprites: HTMLCanvasElement[] = [];
	private made = "";
	private radius = 1;

	/** Sprites for this style; nothing when they are there. */
	prepare(style: Style): void {
		const radius = Math.max(2.2, MARK_EM * style.em * 0.5);
		const key = `${style.tones.dark}${style.ratio}${radius}`;
		if (key === this.made) return;
		this.made = key;
		this.radius = radius;
		const size = Math.ceil(radius * 2 * style.ratio) + 4;
		this.sprites = KINDS.map((kind, i) => {
			const sprite = document.createElement("canvas");
			sprite.width = sprite.height = size;
			const c = sprite.getContext("2d")!;
			const scale = (radius * 2 * style.ratio) / 12;
			c.translate(size / 2, size / 2);
			c.scale(scale, scale);
			c.translate(-8, -8);
			c.fillStyle = style.tones.kinds[i]!;
			c.fill(new Path2D(KIND_SHAPES[kind]), "evenodd");
			return sprite;
		});
	}

	/** The empty picture within a tile, and where its lanes are. */
	ground(c: CanvasRenderingContext2D, tile: Box, style: Style): { left: number; width: number; port(high: number): number; target(deep: number): number } {
		const { em, tones } = style;
		const left = tile.x + SIDE_EM * em;
		const width = tile.w - 2 * SIDE_EM * em;
		const top = tile.y + HEAD_EM * em;
		const height = tile.h - (HEAD_EM + FOOT_EM) * em;
		const gap = Math.max(2, 0.16 * em);
		const split = Math.round(height * UPPER);
		const pad = this.radius + 1.5;
		c.fillStyle = tones.lane;
		c.fillRect(left, top, width, split);
		c.fillRect(left, top + split + gap, width, height - split - gap);
		const port = (high: number) => top + pad + (split - 2 * pad) * (1 - high);
		const target = (deep: number) => top + split + gap + pad + (height - split - gap - 2 * pad) * deep;
		c.fillStyle = tones.line;
		for (const one of PORT_LINES) c.fillRect(left, Math.round(port(portHeight(6, one))), width, 1 / Math.min(2, style.ratio));
		for (const second of SECONDS_LINES) c.fillRect(Math.round(left + width * (1 - (second * 1000) / WINDOW_MS)), top, 1 / Math.min(2, style.ratio), height);
		return { left, width, port, target };
	}

	/** The mark of a kind in the words of a picture. */
	mark(c: CanvasRenderingContext2D, kind: number, x: number, y: number, style: Style): void {
		const sprite = this.sprites[kind];
		const size = style.em * 1.05;
		if (sprite) c.drawImage(sprite, x - size / 2, y - size / 2, size, size);
	}

	draw(c: CanvasRenderingContext2D, tile: Box, points: readonly Point[], now: number, alpha: number, style: Style): void {
		c.globalAlpha = alpha;
		const at = this.ground(c, tile, style);
		const begin = now - WINDOW_MS;
		const inset = this.radius;
		const span = at.width - 2 * inset;
		const thin = Math.max(0.75, 0.06 * style.em);
		// What joins the two marks of a packet.
		for (const point of points) {
			if (point.at <= begin || point.at > now || !style.shown[point.kind]) continue;
			const part = (point.at - begin) / WINDOW_MS;
			const y = at.port(point.high);
			c.globalAlpha = alpha * (0.05 + 0.17 * part * part);
			c.fillStyle = style.tones.kinds[point.kind]!;
			c.fillRect(at.left + inset + span * part - thin / 2, y, thin, at.target(point.deep) - y);
		}
		for (const point of points) {
			if (point.at <= begin || point.at > now || !style.shown[point.kind]) continue;
			const part = (point.at - begin) / WINDOW_MS;
			const age = now - point.at;
			const fresh = style.still || age > ARRIVAL_MS ? 0 : 1 - age / ARRIVAL_MS;
			const sprite = this.sprites[point.kind] ?? this.sprites[5]!;
			const size = (sprite.width / style.ratio) * (1 + 0.9 * fresh * fresh);
			const x = at.left + inset + span * part - size / 2;
			c.globalAlpha = alpha * (OLD + (1 - OLD) * part);
			c.drawImage(sprite, x, at.port(point.high) - size / 2, size, size);
			c.drawImage(sprite, x, at.target(point.deep) - size / 2, size, size);
		}
		c.globalAlpha = 1;
	}
}
