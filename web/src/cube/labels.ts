// Words at the cube's edges. They are elements over the canvas, moved once a frame: sharp at every size, in the reader's language, and
// never larger than the room there is: what would overlap is left out, the ends of an axis last.

import type { CubeCamera } from "./camera";
import type { CubeAxes, CubeColours } from "./view";

type Name = "source" | "port" | "target";
const NAMES: readonly Name[] = ["source", "port", "target"];
const EDGE_ENDS = [-0.5, 0.5] as const;
const NEAR_EDGE = 12;

interface Point {
	x: number;
	y: number;
	z: number;
}

interface Label {
	element: HTMLElement;
	at: number;
	weight: number;
	width: number;
	height: number;
	/** Position of its middle, CSS pixels. */
	x: number;
	y: number;
	seen: boolean;
}

interface Side {
	name: Name;
	labels: Label[];
	title: Label;
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
	private planes: Label[] = [];
	private planeTexts: readonly PlaneLabel[] = [];
	private scale = 1;
	private readonly boxes: number[] = [];
	private readonly a: Point = { x: 0, y: 0, z: 0 };
	private readonly b: Point = { x: 0, y: 0, z: 0 };
	private readonly c: Point = { x: 0, y: 0, z: 0 };
	private planeEdge = 0;

	constructor(
		private readonly root: HTMLElement,
		private readonly camera: CubeCamera,
	) {}

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
			label.width = label.element.offsetWidth;
			label.height = label.element.offsetHeight;
		});
	}

	/** After a change of size: how large the words are now. */
	measure(scale = this.scale): void {
		this.scale = scale;
		for (const label of this.all()) {
			label.width = label.element.offsetWidth;
			label.height = label.element.offsetHeight;
		}
	}

	private *all(): Generator<Label> {
		for (const side of this.sides) {
			yield side.title;
			yield* side.labels;
		}
		yield* this.planes;
	}

	private label(text: string, name: string, at: number, weight: number): Label {
		const element = document.createElement("span");
		element.className = name;
		element.textContent = text;
		this.root.append(element);
		return { element, at, weight, width: 0, height: 0, x: 0, y: 0, seen: false };
	}

	private end(name: Name, edge: number, at: number, ret: Point): void {
		const u = EDGE_ENDS[edge & 1]!;
		const v = EDGE_ENDS[edge >> 1]!;
		if (name === "source") this.camera.project(at - 0.5, u, v, ret);
		else if (name === "port") this.camera.project(u, at - 0.5, v, ret);
		else this.camera.project(u, v, 0.5 - at, ret);
	}

	update(seconds: number): void {
		this.boxes.length = 0;
		this.camera.project(0, 0, 0, this.c);
		for (const side of this.sides) this.choose(side, seconds);
		for (const side of this.sides) this.placeTitle(side);
		// Ends first, on all axes, then what is between.
		for (let weight = 0; weight <= 4; weight++) for (const side of this.sides) this.placeTicks(side, weight);
		this.placePlanes();
		for (const side of this.sides) for (const label of side.labels) this.show(label, side.shown);
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
				this.put(label, top.x + out.x * 10 * this.scale, top.y - 26 * this.scale);
			} else {
				const widest = side.labels.reduce((most, one) => Math.max(most, one.seen ? Math.abs(out.x) * one.width + Math.abs(out.y) * one.height : 0), 0);
				const away = NEAR_EDGE * this.scale * 1.6 + widest + (Math.abs(out.x) * label.width + Math.abs(out.y) * label.height) / 2;
				this.put(label, (this.a.x + this.b.x) / 2 + out.x * away, (this.a.y + this.b.y) / 2 + out.y * away);
			}
			this.keep(label);
		}
		this.show(label, side.shown);
	}

	private placeTicks(side: Side, weight: number): void {
		const out = this.outward(side);
		for (const label of side.labels) {
			if (label.weight !== weight) continue;
			this.end(side.name, side.edge, label.at, this.a);
			const away = NEAR_EDGE * this.scale;
			this.put(label, this.a.x + out.x * (away + label.width / 2), this.a.y + out.y * (away + label.height / 2));
			label.seen = out.length > 40 && this.free(label);
			if (label.seen) this.keep(label);
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
			this.put(label, Math.min(this.a.x + 9 * this.scale, room - label.width) + label.width / 2, this.a.y);
			label.seen = standing && label.weight > 0.2 && label.width > 0 && this.free(label);
			if (label.seen) this.keep(label);
			this.show(label, label.weight);
		}
	}

	private put(label: Label, x: number, y: number): void {
		label.x = Math.max(label.width / 2 + 3, Math.min(this.camera.width - label.width / 2 - 3, x));
		label.y = Math.max(label.height / 2 + 2, Math.min(this.camera.height - label.height / 2 - 2, y));
	}

	private free(label: Label): boolean {
		const boxes = this.boxes;
		for (let i = 0; i < boxes.length; i += 4)
			if (Math.abs(boxes[i]! - label.x) < (boxes[i + 2]! + label.width) / 2 + 5 && Math.abs(boxes[i + 1]! - label.y) < (boxes[i + 3]! + label.height) / 2) return false;
		return true;
	}

	private keep(label: Label): void {
		this.boxes.push(label.x, label.y, label.width, label.height);
	}

	private show(label: Label, opacity: number): void {
		const style = label.element.style;
		style.opacity = label.seen ? Math.min(1, opacity).toFixed(2) : "0";
		if (label.seen) style.transform = `translate(${(label.x - label.width / 2).toFixed(1)}px, ${(label.y - label.height / 2).toFixed(1)}px)`;
	}

	/** The same words, onto a saved picture; `ratio` is its pixels a CSS pixel. */
	draw(c: CanvasRenderingContext2D, ratio: number, colours: CubeColours): void {
		c.save();
		c.scale(ratio, ratio);
		c.textAlign = "center";
		c.textBaseline = "middle";
		for (const label of this.all()) {
			if (!label.seen) continue;
			const style = getComputedStyle(label.element);
			c.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
			c.fillStyle = label.element.className === "cube-tick" ? colours.soft : colours.ink;
			c.fillText(label.element.textContent ?? "", label.x, label.y);
		}
		c.restore();
	}

	dispose(): void {
		this.root.replaceChildren();
		this.sides = [];
		this.planes = [];
	}
}
