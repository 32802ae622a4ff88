// Rings on a plain canvas, for browsers without WebGL 2: the same places and times, fewer packets, no ripples.

import { KIND_SHAPES, VERDICT_SHAPES, VERDICTS } from "../theme/palette";
import type { CubeCamera } from "../cube/camera";
import { COMET_FLOATS, CometRing, SPHERE } from "./comets";
import { BLOCK_HALF } from "./layout";
import { BLOCK, GUIDE, MARK_FLOATS, type RingsColours, type RingsView, SEGMENT_FLOATS, type Shown, type ViewParts, WALL_FLOATS } from "./view";

const COMETS = 160;
const BENDS = 5;
const TAIL_STEPS = 8;

export class FlatRings implements RingsView {
	readonly canvas: HTMLCanvasElement;
	readonly rendererName = "canvas";
	time = 0;
	private readonly camera: CubeCamera;
	private readonly comets: CometRing;
	private readonly context: CanvasRenderingContext2D;
	private readonly shapes = VERDICTS.map((verdict) => new Path2D(VERDICT_SHAPES[verdict]));
	private readonly ring = new Path2D(KIND_SHAPES.other);
	private colours: RingsColours | null = null;
	private segments: Float32Array = new Float32Array();
	private shown: Shown = { marks: new Float32Array(), markCount: 0, walls: new Float32Array(), wallCount: 0 };
	private still = false;
	private focus = -1;
	private scale = 1;
	private ratio = 1;
	private readonly a = { x: 0, y: 0, z: 0 };
	private readonly b = { x: 0, y: 0, z: 0 };

	constructor({ canvas, camera, comets }: ViewParts) {
		this.canvas = canvas;
		this.camera = camera;
		this.comets = comets;
		const context = canvas.getContext("2d");
		if (!context) throw new Error("no canvas");
		this.context = context;
		comets.size = COMETS;
	}

	setColours(colours: RingsColours): void {
		this.colours = colours;
	}
	setSegments(segments: Float32Array): void {
		this.segments = segments;
	}
	setShown(shown: Shown): void {
		this.shown = shown;
	}
	setStill(still: boolean): void {
		this.still = still;
	}
	setFocus(member: number): void {
		this.focus = member;
	}
	setCometsMax(count: number): void {
		this.comets.size = Math.min(COMETS, count);
	}

	resize(scale: number, sharpness: number): void {
		this.scale = scale;
		this.ratio = Math.min(window.devicePixelRatio || 1, 2) * sharpness;
		this.canvas.width = Math.round(this.camera.width * this.ratio);
		this.canvas.height = Math.round(this.camera.height * this.ratio);
	}

	frame(): void {
		if (!this.colours) return;
		this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
		this.draw(this.context, this.colours);
	}

	private draw(c: CanvasRenderingContext2D, colours: RingsColours): void {
		c.globalAlpha = 1;
		c.fillStyle = colours.page;
		c.fillRect(0, 0, this.camera.width, this.camera.height);
		this.drawSegments(c, colours, false);
		this.drawSphere(c, colours);
		this.drawSegments(c, colours, true);
		this.drawWalls(c, colours);
		if (!this.still) for (let i = 0; i < this.comets.size; i++) if (this.comets.alive(i, this.time)) this.drawComet(c, colours, i);
		this.drawMarks(c, colours);
		c.globalAlpha = 1;
	}

	private dim(member: number): number {
		return this.focus < 0 || this.focus === member ? 1 : 0.28;
	}

	private at(angle: number, radius: number, height: number): { x: number; y: number; z: number } {
		this.camera.project(Math.cos(angle) * radius, height, Math.sin(angle) * radius, this.a);
		return this.a;
	}

	private band(c: CanvasRenderingContext2D, from: number, to: number, inner: number, outer: number): void {
		c.beginPath();
		for (let i = 0; i <= BENDS; i++) c.lineTo(this.at(from + ((to - from) * i) / BENDS, outer, 0).x, this.a.y);
		for (let i = BENDS; i >= 0; i--) c.lineTo(this.at(from + ((to - from) * i) / BENDS, inner, 0).x, this.a.y);
		c.closePath();
	}

	private drawSegments(c: CanvasRenderingContext2D, colours: RingsColours, front: boolean): void {
		const s = this.segments;
		for (let i = 0; i < s.length; i += SEGMENT_FLOATS) {
			if (this.at((s[i]! + s[i + 1]!) / 2, s[i + 2]!, 0).z < this.camera.distance !== front) continue;
			const tone = s[i + 4]!;
			const [style, alpha] = tone === GUIDE ? colours.guide : tone === BLOCK ? colours.block : colours.member;
			this.band(c, s[i]!, s[i + 1]!, s[i + 2]!, s[i + 3]!);
			c.fillStyle = style;
			c.globalAlpha = alpha * (tone === GUIDE ? 1 : this.dim(s[i + 5]!));
			c.fill();
		}
	}

	private drawSphere(c: CanvasRenderingContext2D, colours: RingsColours): void {
		const { camera } = this;
		camera.project(0, 0, 0, this.a);
		camera.project(Math.cos(camera.yaw) * SPHERE, 0, -Math.sin(camera.yaw) * SPHERE, this.b);
		const radius = Math.hypot(this.b.x - this.a.x, this.b.y - this.a.y);
		c.beginPath();
		c.arc(this.a.x, this.a.y, radius, 0, 2 * Math.PI);
		c.globalAlpha = colours.core[1];
		c.fillStyle = colours.core[0];
		c.fill();
		const glow = c.createRadialGradient(this.a.x, this.a.y, radius * 0.6, this.a.x, this.a.y, radius);
		glow.addColorStop(0, "transparent");
		glow.addColorStop(1, colours.glow[0]);
		c.fillStyle = glow;
		c.globalAlpha = colours.glow[1];
		c.fill();
	}

	private drawWalls(c: CanvasRenderingContext2D, colours: RingsColours): void {
		const { walls, wallCount } = this.shown;
		for (let i = 0; i < wallCount * WALL_FLOATS; i += WALL_FLOATS) {
			const radius = walls[i + 2]!;
			this.band(c, walls[i]!, walls[i + 1]!, radius - BLOCK_HALF, radius + BLOCK_HALF);
			c.fillStyle = colours.verdicts[walls[i + 4]!] ?? colours.ink;
			c.globalAlpha = (walls[i + 5]! < 1 ? 0.95 : walls[i + 5]! < 2 ? 0.7 : 0.3) * this.dim(walls[i + 7]!);
			c.fill();
		}
	}

	private drawComet(c: CanvasRenderingContext2D, colours: RingsColours, i: number): void {
		const d = this.comets.data;
		const at = i * COMET_FLOATS;
		const flight = d[at + 3]!;
		const age = this.time - d[at + 2]!;
		c.strokeStyle = colours.verdicts[d[at + 6]!] ?? colours.ink;
		c.lineWidth = 1.8 * this.scale;
		for (let step = 0; step < TAIL_STEPS; step++) {
			const ends = [step / TAIL_STEPS, (step + 1) / TAIL_STEPS].map((along) => {
				this.comets.place(i, CometRing.along(age - 0.3 * flight * (1 - along), flight), this.b);
				this.camera.project(this.b.x, this.b.y, this.b.z, this.a);
				return [this.a.x, this.a.y] as const;
			});
			c.globalAlpha = ((step + 1) / TAIL_STEPS) ** 2;
			c.beginPath();
			c.moveTo(...ends[0]!);
			c.lineTo(...ends[1]!);
			c.stroke();
		}
	}

	private drawMarks(c: CanvasRenderingContext2D, colours: RingsColours): void {
		const { marks, markCount } = this.shown;
		for (let i = 0; i < markCount * MARK_FLOATS; i += MARK_FLOATS) {
			const [angle, radius, height, verdict, state] = [marks[i]!, marks[i + 1]!, marks[i + 2]!, marks[i + 3]!, marks[i + 4]!];
			const tone = colours.verdicts[verdict] ?? colours.ink;
			const foot = this.at(angle, radius, 0);
			const [x, y] = [foot.x, foot.y];
			this.at(angle, radius, height);
			c.globalAlpha = this.dim(marks[i + 7]!);
			c.strokeStyle = c.fillStyle = tone;
			c.lineWidth = this.scale;
			c.beginPath();
			c.moveTo(x, y);
			c.lineTo(this.a.x, this.a.y);
			c.stroke();
			const size = (state < 1 ? 0.95 : state < 2 ? 0.75 : 0.58) * this.scale;
			this.stamp(c, this.shapes[verdict]!, size, state > 1);
			if (state < 1) this.stamp(c, this.ring, size * 2, true);
		}
	}

	private stamp(c: CanvasRenderingContext2D, shape: Path2D, size: number, hollow: boolean): void {
		c.save();
		c.translate(this.a.x, this.a.y);
		c.scale(size, size);
		c.translate(-8, -8);
		if (hollow) {
			c.lineWidth = 1.2 / size;
			c.stroke(shape);
		} else c.fill(shape, "evenodd");
		c.restore();
	}

	picture(finer: number): HTMLCanvasElement {
		const copy = document.createElement("canvas");
		const ratio = this.ratio;
		this.ratio = ratio * finer;
		copy.width = Math.round(this.camera.width * this.ratio);
		copy.height = Math.round(this.camera.height * this.ratio);
		const context = copy.getContext("2d");
		if (context && this.colours) {
			context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
			this.draw(context, this.colours);
		}
		this.ratio = ratio;
		return copy;
	}

	dispose(): void {}
}
