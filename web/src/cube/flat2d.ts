// The cube on a plain canvas, for browsers without WebGL 2: the same eye, the same places, fewer points, no shadows and planes.

import { KIND_SHAPES, KINDS } from "../theme/palette";
import type { CubeCamera } from "./camera";
import { buildLines, EDGE, LINE_FLOATS, MARK } from "./lines";
import { depthAt, POINT_FLOATS, seenAt, type PointRing } from "./points";
import type { CubeAxes, CubeColours, CubeView, ViewParts } from "./view";

const POINTS = 900;
const NORMALS = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]] as const;

export class FlatCube implements CubeView {
	readonly canvas: HTMLCanvasElement;
	readonly rendererName = "canvas";
	time = 0;
	private readonly camera: CubeCamera;
	private readonly points: PointRing;
	private readonly context: CanvasRenderingContext2D;
	private readonly shapes = KINDS.map((kind) => new Path2D(KIND_SHAPES[kind]));
	private colours: CubeColours | null = null;
	private lines: Float32Array = new Float32Array();
	private shown: readonly boolean[] = [true, true, true, true, true, true];
	private still = false;
	private focus = -1;
	private scale = 1;
	private ratio = 1;
	private planes: readonly { height: number; strength: number }[] = [];
	private readonly a = { x: 0, y: 0, z: 0 };
	private readonly b = { x: 0, y: 0, z: 0 };

	constructor({ canvas, camera, points }: ViewParts) {
		this.canvas = canvas;
		this.camera = camera;
		this.points = points;
		const context = canvas.getContext("2d");
		if (!context) throw new Error("no canvas");
		this.context = context;
		points.size = POINTS;
	}

	setColours(colours: CubeColours): void {
		this.colours = colours;
	}
	setAxes(axes: CubeAxes): void {
		this.lines = buildLines(axes);
	}
	setShown(shown: readonly boolean[]): void {
		this.shown = shown;
	}
	setStill(still: boolean): void {
		this.still = still;
	}
	setFocus(who: number): void {
		this.focus = who;
	}
	setPlanes(planes: readonly { height: number; strength: number }[]): void {
		this.planes = planes;
	}
	setPointsMax(count: number): void {
		this.points.size = Math.min(POINTS, count);
	}
	setShadows(): void {}

	resize(scale: number, sharpness: number): void {
		this.scale = scale;
		this.ratio = Math.min(window.devicePixelRatio || 1, 2) * sharpness;
		this.canvas.width = Math.round(this.camera.width * this.ratio);
		this.canvas.height = Math.round(this.camera.height * this.ratio);
	}

	frame(): void {
		if (!this.colours) return;
		this.points.taken(() => {});
		this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
		this.draw(this.context, this.colours);
	}

	private draw(c: CanvasRenderingContext2D, colours: CubeColours): void {
		c.globalAlpha = 1;
		c.fillStyle = colours.page;
		c.fillRect(0, 0, this.camera.width, this.camera.height);
		this.drawLines(c, colours);
		this.drawPlanes(c, colours);
		for (let i = 0; i < this.points.size; i++) if (this.points.alive(i, this.time)) this.drawPoint(c, colours, i * POINT_FLOATS);
		c.globalAlpha = 1;
	}

	private drawLines(c: CanvasRenderingContext2D, colours: CubeColours): void {
		const { a, b, camera, lines } = this;
		const e = camera.eye;
		for (let i = 0; i < lines.length; i += LINE_FLOATS) {
			const what = lines[i + 3]!;
			const normal = NORMALS[lines[i + 7]!];
			if (normal && (normal[0] * (normal[0] * 0.5 - e.x) + normal[1] * (normal[1] * 0.5 - e.y) + normal[2] * (normal[2] * 0.5 - e.z)) < 0.05) continue;
			camera.project(lines[i]!, lines[i + 1]!, lines[i + 2]!, a);
			camera.project(lines[i + 4]!, lines[i + 5]!, lines[i + 6]!, b);
			const [style, alpha] = what === EDGE || what === MARK ? colours.edge : colours.grid;
			c.strokeStyle = style;
			c.globalAlpha = alpha;
			c.lineWidth = (what === EDGE ? 1.2 : 1) * this.scale;
			c.beginPath();
			c.moveTo(a.x, a.y);
			c.lineTo(b.x, b.y);
			c.stroke();
		}
	}

	private drawPlanes(c: CanvasRenderingContext2D, colours: CubeColours): void {
		for (const plane of this.planes) {
			if (plane.strength < 0.01) continue;
			c.beginPath();
			for (const [x, z] of [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]] as const) {
				this.camera.project(x, plane.height - 0.5, z, this.a);
				c.lineTo(this.a.x, this.a.y);
			}
			c.closePath();
			c.fillStyle = c.strokeStyle = colours.plane[0];
			c.globalAlpha = 0.12 * plane.strength;
			c.fill();
			c.globalAlpha = colours.plane[1] * plane.strength;
			c.stroke();
		}
	}

	private drawPoint(c: CanvasRenderingContext2D, colours: CubeColours, at: number): void {
		const d = this.points.data;
		const kind = d[at + 3]!;
		if (!this.shown[kind]) return;
		const age = this.time - d[at + 4]!;
		const flight = d[at + 5]!;
		const { a, b } = this;
		const dim = this.focus < 0 || this.focus === d[at + 7] ? 1 : 0.16;
		const seen = seenAt(age, flight, this.still) * dim;
		this.camera.project(d[at]!, d[at + 1]!, depthAt(d[at + 2]!, age, flight, this.still), a);
		c.fillStyle = c.strokeStyle = colours.kinds[kind] ?? "#888";
		if (d[at + 10]! > 0 && age > flight) {
			this.camera.project(d[at]!, d[at + 8]!, d[at + 9]!, b);
			c.globalAlpha = seen * d[at + 10]! * 0.7;
			c.lineWidth = 1.3 * this.scale;
			c.beginPath();
			c.moveTo(a.x, a.y);
			c.lineTo(b.x, b.y);
			c.stroke();
		}
		const size = (0.5 + 0.27 * d[at + 6]!) * this.scale;
		c.globalAlpha = seen * (0.65 + 0.35 * d[at + 6]!);
		c.translate(a.x, a.y);
		c.scale(size, size);
		c.translate(-8, -8);
		c.fill(this.shapes[kind]!, "evenodd");
		c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
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
