// Words at the cube's edges. They are elements over the canvas, moved once a frame: sharp at every size, in the reader's language, and
// never larger than the room there is: what would overlap is left out, the ends of an axis last.

import { Words, type Label } from "../atlas/words";
import type { CubeCamera } from "./camera";
import type { CubeAxes } from "./view";

type Name = "source" | "port" | "target";
const NAMES: readonly Name[] = ["source", "port", "target"];
const EDGE_ENDS = [-0.5, 0.5] as const;
const NEAR_EDGE = 12;

interface Point {
	x: number;
	y: number;
	z: number;
}

interface AxisLabel extends Label {
	at: number;
	weight: number;
}

interface Side {
	name: Name;
	labels: AxisLabel[];
	title: AxisLabel;
	/** Which of the four edges carries the words now. */
	edge: number;
	/** Grows to 1 after a change of edge. */
	shown: number;
}

export interface PlaneLabel {
	text: string;
	height: number;
	strength: number;
}

export interface LabelWords {
	source: string;
	port: string;
	target: string;
}

export class CubeLabels {
	private sides: Side[] = [];
	private planes: AxisLabel[] = [];
	private planeTexts: readonly PlaneLabel[] = [];
	private scale = 1;
	private readonly words: Words;
	private readonly a: Point = { x: 0, y: 0, z: 0 };
	private readonly b: Point = { x: 0, y: 0, z: 0 };
	private readonly c: Point = { x: 0, y: 0, z: 0 };
	private planeEdge = 0;

	constructor(
		private readonly root: HTMLElement,
		private readonly camera: CubeCamera,
	) {
		this.words = new Words(root, camera);
	}

	setAxes(axes: CubeAxes, words: LabelWords): void {
		this.root.replaceChildren();
		this.sides = NAMES.map((name) => ({
			name,
			labels: axes[name].ticks.map((tick) => this.label(tick.text, "cube-tick", tick.at, tick.weight)).sort((a, b) => a.weight - b.weight),
			title: this.label(words[name], "cube-axis", 0.5, -1),
			edge: -1,
			shown: 1,
		}));
		this.planes = Array.from({ length: 4 }, () => this.label("", "cube-plane", 0, 9));
		this.setPlanes(this.planeTexts);
		this.measure();
	}

	setPlanes(planes: readonly PlaneLabel[]): void {
		this.planeTexts = planes;
		this.planes.forEach((label, i) => {
			const plane = planes[i];
			label.at = plane?.height ?? 0;
			label.weight = plane?.strength ?? 0;
			if (label.element.textContent === (plane?.text ?? "")) return;
			label.element.textContent = plane?.text ?? "";
			this.words.measure(label);
		});
	}

	/** After a change of size: how large the words are now. */
	measure(scale = this.scale): void {
		this.scale = scale;
		for (const label of this.all()) this.words.measure(label);
	}

	private *all(): Generator<AxisLabel> {
		for (const side of this.sides) {
			yield side.title;
			yield* side.labels;
		}
		yield* this.planes;
	}

	private label(text: string, name: string, at: number, weight: number): AxisLabel {
		return { ...this.words.make(text, name), at, weight };
	}

	private end(name: Name, edge: number, at: number, ret: Point): void {
		const u = EDGE_ENDS[edge & 1]!;
		const v = EDGE_ENDS[edge >> 1]!;
		if (name === "source") this.camera.project(at - 0.5, u, v, ret);
		else if (name === "port") this.camera.project(u, at - 0.5, v, ret);
		else this.camera.project(u, v, 0.5 - at, ret);
	}

	update(seconds: number): void {
		this.words.begin();
		this.camera.project(0, 0, 0, this.c);
		for (const side of this.sides) this.choose(side, seconds);
		for (const side of this.sides) this.placeTitle(side);
		// Ends first, on all axes, then what is between.
		for (let weight = 0; weight <= 4; weight++) for (const side of this.sides) this.placeTicks(side, weight);
		this.placePlanes();
		for (const side of this.sides) for (const label of side.labels) this.words.show(label, side.shown);
	}

	// Words stand at the lowest edge of an axis that lies, at the leftmost of one that stands.
	private choose(side: Side, seconds: number): void {
		let best = -1;
		let bestScore = -Infinity;
		for (let edge = 0; edge < 4; edge++) {
			this.end(side.name, edge, 0, this.a);
			this.end(side.name, edge, 1, this.b);
			const steep = Math.abs(this.b.y - this.a.y) > 2.2 * Math.abs(this.b.x - this.a.x);
			const score = (steep ? -(this.a.x + this.b.x) : this.a.y + this.b.y) + (edge === side.edge ? 0.04 * this.camera.height : 0);
			if (score > bestScore) {
				best = edge;
				bestScore = score;
			}
		}
		if (best !== side.edge) {
			side.shown = side.edge < 0 ? 1 : 0;
			side.edge = best;
		}
		side.shown = Math.min(1, side.shown + seconds * 2.5);
	}

	// Outward on the screen, across the edge.
	private outward(side: Side): { x: number; y: number; length: number } {
		this.end(side.name, side.edge, 0, this.a);
		this.end(side.name, side.edge, 1, this.b);
		const dx = this.b.x - this.a.x;
		const dy = this.b.y - this.a.y;
		const length = Math.hypot(dx, dy);
		let x = length > 1 ? -dy / length : 0;
		let y = length > 1 ? dx / length : 1;
		const mx = (this.a.x + this.b.x) / 2 - this.c.x;
		const my = (this.a.y + this.b.y) / 2 - this.c.y;
		if (x * mx + y * my < 0) {
			x = -x;
			y = -y;
		}
		return { x, y, length };
	}

	private placeTitle(side: Side): void {
		const out = this.outward(side);
		const label = side.title;
		label.seen = out.length > label.width * 0.35 && out.length > 40;
		if (label.seen) {
			const steep = Math.abs(out.x) > 0.9;
			if (steep) {
				// Over the upper end of a standing axis, where words have room.
				const top = this.a.y < this.b.y ? this.a : this.b;
				this.words.put(label, top.x + out.x * 10 * this.scale, top.y - 26 * this.scale);
			} else {
				const widest = side.labels.reduce((most, one) => Math.max(most, one.seen ? Math.abs(out.x) * one.width + Math.abs(out.y) * one.height : 0), 0);
				const away = NEAR_EDGE * this.scale * 1.6 + widest + (Math.abs(out.x) * label.width + Math.abs(out.y) * label.height) / 2;
				this.words.put(label, (this.a.x + this.b.x) / 2 + out.x * away, (this.a.y + this.b.y) / 2 + out.y * away);
			}
			this.words.keep(label);
		}
		this.words.show(label, side.shown);
	}

	private placeTicks(side: Side, weight: number): void {
		const out = this.outward(side);
		for (const label of side.labels) {
			if (label.weight !== weight) continue;
			this.end(side.name, side.edge, label.at, this.a);
			const away = NEAR_EDGE * this.scale;
			this.words.put(label, this.a.x + out.x * (away + label.width / 2), this.a.y + out.y * (away + label.height / 2));
			label.seen = out.length > 40 && this.words.free(label);
			if (label.seen) this.words.keep(label);
		}
	}

	// Names of the heaviest ports stand at the rightmost edge.
	private placePlanes(): void {
		let best = 0;
		let most = -Infinity;
		for (let edge = 0; edge < 4; edge++) {
			this.end("port", edge, 0.5, this.a);
			const score = this.a.x + (edge === this.planeEdge ? 0.03 * this.camera.width : 0);
			if (score > most) {
				most = score;
				best = edge;
			}
		}
		this.planeEdge = best;
		this.end("port", best, 0, this.a);
		this.end("port", best, 1, this.b);
		const standing = Math.abs(this.b.y - this.a.y) > 80;
		for (const label of this.planes) {
			this.end("port", best, label.at, this.a);
			// Never into the panel beside the cube; then the name lies on its plane.
			const room = this.camera.width - this.camera.insets.right;
			this.words.put(label, Math.min(this.a.x + 9 * this.scale, room - label.width) + label.width / 2, this.a.y);
			label.seen = standing && label.weight > 0.2 && label.width > 0 && this.words.free(label);
			if (label.seen) this.words.keep(label);
			this.words.show(label, label.weight);
		}
	}

	/** The same words, onto a saved picture. */
	draw(c: CanvasRenderingContext2D, ratio: number): void {
		this.words.draw(c, ratio, this.all());
	}

	dispose(): void {
		this.root.replaceChildren();
		this.sides = [];
		this.planes = [];
	}
}
