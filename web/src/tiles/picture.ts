// The tiles as a picture to be taken along, twice as fine as the screen: on the page a tile's words are no part of the canvas.

import { FOOT_EM, Pictures, SIDE_EM, type Style } from "./draw";
import type { Tile } from "./tile";

export interface Wanted {
	tiles: readonly Tile[];
	cell: { w: number; h: number };
	width: number;
	now: number;
	style: Style;
	family: string;
}

const FINER = 2;

export function pictureOf({ tiles, cell, width, now, style, family }: Wanted, caption: string): Promise<Blob | null> {
	const { em, tones } = style;
	const margin = Math.round(1.2 * em);
	const lowest = Math.max(0, ...tiles.map((tile) => tile.y + cell.h));
	const made = document.createElement("canvas");
	made.width = (width + 2 * margin) * FINER;
	made.height = (lowest + 2 * margin + 2 * em) * FINER;
	const c = made.getContext("2d");
	if (!c) return Promise.resolve(null);
	const finer = { ...style, ratio: FINER, still: true };
	const pictures = new Pictures();
	pictures.prepare(finer);
	c.scale(FINER, FINER);
	c.fillStyle = tones.page;
	c.fillRect(0, 0, made.width, made.height);
	c.translate(margin, margin);
	const write = (text: string, x: number, y: number, font: string, colour: string, room: number, right = false) => {
		c.font = `${font} ${family}`;
		c.fillStyle = colour;
		c.textAlign = right ? "right" : "left";
		while (text.length > 1 && c.measureText(text).width > room) text = `${text.replace(/…$/, "").slice(0, -1)}…`;
		c.fillText(text, x, y);
	};
	for (const { x, y, text, source } of tiles) {
		c.beginPath();
		c.roundRect(x + 0.5, y + 0.5, cell.w - 1, cell.h - 1, 0.45 * em);
		c.fillStyle = tones.tile;
		c.strokeStyle = tones.edge;
		c.fill();
		c.stroke();
		pictures.draw(c, { x, y, w: cell.w, h: cell.h }, source?.points ?? [], now, 1, finer);
		const [left, right] = [x + SIDE_EM * em, x + cell.w - SIDE_EM * em];
		pictures.mark(c, text.kind, left + 0.5 * em, y + 0.98 * em, finer);
		write(text.address, left + 1.35 * em, y + 1.4 * em, `600 ${em}px`, tones.ink, right - left - 1.35 * em);
		write(text.count, right, y + 2.6 * em, `${0.86 * em}px`, tones.soft, 6 * em, true);
		write(text.place, left, y + 2.6 * em, `${0.86 * em}px`, tones.soft, right - left - 4 * em);
		write(text.guess, left, y + cell.h - (FOOT_EM - 1.3) * em, `${0.95 * em}px`, tones.ink, right - left);
	}
	write(caption, width, lowest + 2 * em, `${0.92 * em}px`, tones.soft, width, true);
	return new Promise((done) => made.toBlob(done, "image/png"));
}
