// The Cube as a three.js scene: lines, planes, shadows, trails, marks. A draw call each; nothing is allocated in a frame.

import { Color, DynamicDrawUsage, InstancedBufferGeometry, InstancedInterleavedBuffer, InterleavedBufferAttribute, type Matrix4, type Mesh, Vector2, type Vector3, Vector4 } from "three";
import { CORNERS, Layers, putTone, QUAD, shapeOf, type Uniform } from "../atlas/layers";
import type { CubeCamera } from "./camera";
import { buildLines, LINE_FLOATS } from "./lines";
import { POINT_FLOATS, type PointRing } from "./points";
import * as shader from "./shaders";
import type { CubeAxes, CubeColours, CubeView, ViewParts } from "./view";

// Along 0..1, side -1..1, and for trails the part.
const STRIP = new Float32Array([0, -1, 1, -1, 1, 1, 0, 1]);
const TRAILS = new Float32Array([0, -1, 0, 1, -1, 0, 1, 1, 0, 0, 1, 0, 0, -1, 1, 1, -1, 1, 1, 1, 1, 0, 1, 1]);
const TRAIL_INDEX = new Uint16Array([0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7]);
const PLANES = 4;

export class CubeScene implements CubeView {
	readonly canvas: HTMLCanvasElement;
	time = 0;
	private readonly camera: CubeCamera;
	private readonly points: PointRing;
	private readonly layers: Layers;
	private readonly buffer: InstancedInterleavedBuffer;
	private readonly ofPoints: InstancedBufferGeometry[] = [];
	private readonly shadows: Mesh;
	private readonly lines: InstancedBufferGeometry;
	private scale = 1;
	private sharpness = 1;
	private calmAge = 1;
	private readonly ranges = (first: number, count: number): void => {
		this.buffer.addUpdateRange(first * POINT_FLOATS, count * POINT_FLOATS);
	};
	private readonly u;

	/** Throws when the browser has no WebGL 2. */
	constructor({ canvas, camera, points }: ViewParts) {
		this.canvas = canvas;
		this.camera = camera;
		this.points = points;
		this.u = {
			uCamera: { value: camera.matrix } as Uniform<Matrix4>,
			uEye: { value: camera.eye } as Uniform<Vector3>,
			uDistance: { value: 4 } as Uniform<number>,
			uFlat: { value: 0 } as Uniform<number>,
			uViewport: { value: new Vector2(1, 1) } as Uniform<Vector2>,
			uPixel: { value: 1 } as Uniform<number>,
			uMark: { value: 1 } as Uniform<number>,
			uTime: { value: 0 } as Uniform<number>,
			uStill: { value: 0 } as Uniform<number>,
			uCalm: { value: 1 } as Uniform<number>,
			uFocus: { value: -1 } as Uniform<number>,
			uAdditive: { value: 1 } as Uniform<number>,
			uShown: { value: [1, 1, 1, 1, 1, 1] } as Uniform<number[]>,
			uColours: { value: Array.from({ length: 6 }, () => new Color(0xffffff)) } as Uniform<Color[]>,
			uEdge: { value: new Vector4() } as Uniform<Vector4>,
			uGrid: { value: new Vector4() } as Uniform<Vector4>,
			uGate: { value: new Vector4() } as Uniform<Vector4>,
			uPlane: { value: new Vector4() } as Uniform<Vector4>,
			uShadow: { value: new Vector4() } as Uniform<Vector4>,
			uPlanes: { value: Array.from({ length: PLANES }, () => new Vector2()) } as Uniform<Vector2[]>,
		};
		this.layers = new Layers(canvas, this.u);
		this.buffer = new InstancedInterleavedBuffer(points.data, POINT_FLOATS, 1);
		this.buffer.setUsage(DynamicDrawUsage);

		const plane = shapeOf(CORNERS, 2, QUAD);
		plane.instanceCount = PLANES + 1;
		this.layers.add(plane, shader.PLANE_VERTEX, shader.PLANE_FRAGMENT);

		this.lines = shapeOf(STRIP, 2, QUAD);
		this.lines.instanceCount = 0;
		this.layers.add(this.lines, shader.LINE_VERTEX, shader.LINE_FRAGMENT);

		this.shadows = this.layers.add(this.pointGeometry(CORNERS, 2, QUAD), shader.SHADOW_VERTEX, shader.SHADOW_FRAGMENT);
		this.layers.add(this.pointGeometry(TRAILS, 3, TRAIL_INDEX), shader.TRAIL_VERTEX, shader.TRAIL_FRAGMENT, true);
		this.layers.add(this.pointGeometry(CORNERS, 2, QUAD), shader.MARK_VERTEX, shader.MARK_FRAGMENT, true);
	}

	get rendererName(): string {
		return this.layers.rendererName;
	}

	private pointGeometry(shape: Float32Array, size: number, index: Uint16Array): InstancedBufferGeometry {
		const geometry = shapeOf(shape, size, index);
		geometry.setAttribute("aPlace", new InterleavedBufferAttribute(this.buffer, 4, 0));
		geometry.setAttribute("aLife", new InterleavedBufferAttribute(this.buffer, 4, 4));
		geometry.setAttribute("aLink", new InterleavedBufferAttribute(this.buffer, 4, 8));
		geometry.instanceCount = this.points.size;
		this.ofPoints.push(geometry);
		return geometry;
	}

	setColours(colours: CubeColours): void {
		const u = this.u;
		this.layers.setGround(colours.page, colours.dark);
		putTone(u.uEdge, colours.edge);
		putTone(u.uGrid, colours.grid);
		putTone(u.uGate, colours.gate);
		putTone(u.uPlane, colours.plane);
		putTone(u.uShadow, colours.shadow);
		u.uAdditive.value = colours.dark ? 1 : 0;
		colours.kinds.forEach((style, i) => u.uColours.value[i]?.setStyle(style, "srgb-linear"));
	}

	setAxes(axes: CubeAxes): void {
		const data = buildLines(axes);
		const buffer = new InstancedInterleavedBuffer(data, LINE_FLOATS, 1);
		// The old buffer goes with the geometry's GPU side; three.js builds it anew at the next frame.
		this.lines.dispose();
		this.lines.setAttribute("aA", new InterleavedBufferAttribute(buffer, 4, 0));
		this.lines.setAttribute("aB", new InterleavedBufferAttribute(buffer, 4, 4));
		this.lines.instanceCount = data.length / LINE_FLOATS;
	}

	setShown(shown: readonly boolean[]): void {
		shown.forEach((on, i) => (this.u.uShown.value[i] = on ? 1 : 0));
	}

	setStill(still: boolean): void {
		this.u.uStill.value = still ? 1 : 0;
	}

	setFocus(who: number): void {
		this.u.uFocus.value = who;
	}

	setPlanes(planes: readonly { height: number; strength: number }[]): void {
		this.u.uPlanes.value.forEach((plane, i) => plane.set(planes[i]?.height ?? 0, planes[i]?.strength ?? 0));
	}

	setPointsMax(count: number): void {
		this.points.size = count;
		for (const geometry of this.ofPoints) geometry.instanceCount = this.points.size;
	}

	setShadows(on: boolean): void {
		this.shadows.visible = on;
	}

	resize(scale: number, sharpness: number): void {
		this.scale = scale;
		this.sharpness = sharpness;
		this.size(Math.min(window.devicePixelRatio || 1, 2) * sharpness);
	}

	private size(ratio: number): void {
		this.layers.size(this.camera.width, this.camera.height, ratio, this.u.uViewport.value);
		this.u.uPixel.value = ratio * this.scale;
		// In a small cube marks are smaller too, though less than it.
		this.u.uMark.value = Math.max(0.7, Math.min(1.1, Math.sqrt(this.camera.free / (660 * this.scale))));
	}

	frame(): void {
		const u = this.u;
		if (this.points.taken(this.ranges)) this.buffer.needsUpdate = true;
		// Many points: each gets fainter, so that the sum stays readable.
		if (++this.calmAge > 20) {
			this.calmAge = 0;
			const calm = Math.min(1, Math.max(0.4, Math.sqrt(900 / Math.max(1, this.points.living(this.time)))));
			u.uCalm.value += (calm - u.uCalm.value) * 0.5;
		}
		u.uTime.value = this.time;
		u.uDistance.value = this.camera.distance;
		u.uFlat.value = this.camera.flat;
		this.layers.render();
	}

	picture(finer: number): HTMLCanvasElement {
		const { ratio } = this.layers;
		this.size(ratio * Math.min(finer, 7680 / (this.camera.width * ratio)));
		this.layers.render();
		const copy = this.layers.copy();
		this.resize(this.scale, this.sharpness);
		this.frame();
		return copy;
	}

	dispose(): void {
		this.layers.dispose();
	}
}
