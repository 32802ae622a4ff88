// Rings as a three.js scene: rings, lit blocks, the sphere, packets, marks. A draw call each; nothing is allocated in a frame.

import { Color, DynamicDrawUsage, type InstancedBufferGeometry, InstancedInterleavedBuffer, InterleavedBufferAttribute, Matrix3, type Matrix4, Vector2, Vector4 } from "three";
import { CORNERS, Layers, putTone, QUAD, shapeOf, type Uniform } from "../atlas/layers";
import type { CubeCamera } from "../cube/camera";
import { COMET_FLOATS, type CometRing, IMPACTS, SPHERE } from "./comets";
import * as shader from "./shaders";
import { BLOCK_HALF } from "./layout";
import { MARK_FLOATS, MARKS_MAX, type RingsColours, type RingsView, SEGMENT_FLOATS, type Shown, type ViewParts, WALL_FLOATS, WALLS_MAX } from "./view";

const BENDS = 8;
const TAIL_BENDS = 18;
const STEM = new Float32Array([0, -1, 0, 1, 1, -1, 1, 1]);
const STEM_INDEX = new Uint16Array([0, 1, 2, 2, 1, 3]);

/** A strip of `bends` pieces; across from `low` to 1. */
function strip(bends: number, low: number): [Float32Array, Uint16Array] {
	const shape: number[] = [];
	const index: number[] = [];
	for (let i = 0; i <= bends; i++) {
		shape.push(i / bends, low, i / bends, 1);
		if (i < bends) index.push(2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 2, 2 * i + 1, 2 * i + 3);
	}
	return [new Float32Array(shape), new Uint16Array(index)];
}

function instances(floats: number, most: number): InstancedInterleavedBuffer {
	const buffer = new InstancedInterleavedBuffer(new Float32Array(floats * most), floats, 1);
	buffer.setUsage(DynamicDrawUsage);
	return buffer;
}

function bind(geometry: InstancedBufferGeometry, buffer: InstancedInterleavedBuffer, names: readonly [string, string]): void {
	names.forEach((name, i) => geometry.setAttribute(name, new InterleavedBufferAttribute(buffer, 4, 4 * i)));
}

export class RingsScene implements RingsView {
	readonly canvas: HTMLCanvasElement;
	time = 0;
	private readonly camera: CubeCamera;
	private readonly comets: CometRing;
	private readonly layers: Layers;
	private readonly segments: InstancedBufferGeometry[] = [];
	private readonly walls: InstancedBufferGeometry[] = [];
	private readonly marks: InstancedBufferGeometry[] = [];
	private readonly flights: InstancedBufferGeometry[] = [];
	private readonly ofWalls = instances(WALL_FLOATS, WALLS_MAX);
	private readonly ofMarks = instances(MARK_FLOATS, MARKS_MAX);
	private readonly ofComets: InstancedInterleavedBuffer;
	private scale = 1;
	private sharpness = 1;
	private readonly middle = { x: 0, y: 0, z: 0 };
	private readonly side = { x: 0, y: 0, z: 0 };
	private readonly u;

	/** Throws when the browser has no WebGL 2. */
	constructor({ canvas, camera, comets }: ViewParts) {
		this.canvas = canvas;
		this.camera = camera;
		this.comets = comets;
		const tone = (): Uniform<Vector4> => ({ value: new Vector4() });
		const number = (value: number): Uniform<number> => ({ value });
		this.u = {
			uCamera: { value: camera.matrix } as Uniform<Matrix4>,
			uDistance: number(4),
			uFlat: number(0),
			uViewport: { value: new Vector2(1, 1) },
			uPixel: number(1),
			uTime: number(0),
			uStill: number(0),
			uFocus: number(-1),
			uAdditive: number(1),
			uHalf: number(BLOCK_HALF),
			uRadius: number(100),
			uTurn: { value: new Matrix3() },
			uVerdicts: { value: Array.from({ length: 4 }, () => new Color(0xffffff)) },
			uGuide: tone(),
			uMember: tone(),
			uBlock: tone(),
			uCore: tone(),
			uNet: tone(),
			uGlow: tone(),
			uPage: tone(),
			uImpacts: { value: Array.from({ length: IMPACTS }, () => new Vector4()) },
			uImpactTones: { value: new Array<number>(IMPACTS).fill(0) },
		};
		this.layers = new Layers(canvas, this.u);
		this.ofComets = new InstancedInterleavedBuffer(comets.data, COMET_FLOATS, 1);
		this.ofComets.setUsage(DynamicDrawUsage);
		this.build();
	}

	private build(): void {
		const bent = strip(BENDS, 0);
		const tail = strip(TAIL_BENDS, -1);
		const make = (list: InstancedBufferGeometry[], [shape, index]: [Float32Array, Uint16Array], buffer: InstancedInterleavedBuffer | null, names: readonly [string, string]) => {
			const geometry = shapeOf(shape, 2, index);
			geometry.instanceCount = 0;
			if (buffer) bind(geometry, buffer, names);
			list.push(geometry);
			return geometry;
		};
		const segment = () => make(this.segments, bent, null, ["aArc", "aTone"]);
		const wall = () => make(this.walls, bent, this.ofWalls, ["aArc", "aLife"]);
		const flight = (shape: [Float32Array, Uint16Array]) => make(this.flights, shape, this.ofComets, ["aFrom", "aInto"]);
		const mark = (shape: [Float32Array, Uint16Array]) => make(this.marks, shape, this.ofMarks, ["aSpot", "aLife"]);
		this.layers.add(segment(), shader.SEGMENT_VERTEX, shader.SEGMENT_FRAGMENT(false));
		const sphere = shapeOf(CORNERS, 2, QUAD);
		sphere.instanceCount = 1;
		this.layers.add(sphere, shader.SPHERE_VERTEX, shader.SPHERE_FRAGMENT, true);
		this.layers.add(segment(), shader.SEGMENT_VERTEX, shader.SEGMENT_FRAGMENT(true));
		this.layers.add(wall(), shader.LIT_VERTEX, shader.LIT_FRAGMENT, true);
		this.layers.add(wall(), shader.WALL_VERTEX, shader.WALL_FRAGMENT);
		this.layers.add(mark([STEM, STEM_INDEX]), shader.STEM_VERTEX, shader.STEM_FRAGMENT, true);
		this.layers.add(flight(tail), shader.TAIL_VERTEX, shader.TAIL_FRAGMENT, true);
		this.layers.add(flight([CORNERS, QUAD]), shader.HEAD_VERTEX, shader.HEAD_FRAGMENT, true);
		this.layers.add(mark([CORNERS, QUAD]), shader.MARK_VERTEX, shader.MARK_FRAGMENT, true);
		this.setCometsMax(this.comets.size);
	}

	get rendererName(): string {
		return this.layers.rendererName;
	}

	setColours(colours: RingsColours): void {
		const u = this.u;
		this.layers.setGround(colours.page, colours.dark);
		putTone(u.uGuide, colours.guide);
		putTone(u.uMember, colours.member);
		putTone(u.uBlock, colours.block);
		putTone(u.uCore, colours.core);
		putTone(u.uNet, colours.grid);
		putTone(u.uGlow, colours.glow);
		putTone(u.uPage, [colours.page, 1]);
		u.uAdditive.value = colours.dark ? 1 : 0;
		colours.verdicts.forEach((style, i) => u.uVerdicts.value[i]?.setStyle(style, "srgb-linear"));
	}

	setSegments(segments: Float32Array): void {
		const buffer = new InstancedInterleavedBuffer(segments, SEGMENT_FLOATS, 1);
		for (const geometry of this.segments) {
			// The old buffer goes with the geometry's GPU side; three.js builds it anew at the next frame.
			geometry.dispose();
			bind(geometry, buffer, ["aArc", "aTone"]);
			geometry.instanceCount = segments.length / SEGMENT_FLOATS;
		}
	}

	setShown({ marks, markCount, walls, wallCount }: Shown): void {
		(this.ofMarks.array as Float32Array).set(marks.subarray(0, markCount * MARK_FLOATS));
		(this.ofWalls.array as Float32Array).set(walls.subarray(0, wallCount * WALL_FLOATS));
		this.ofMarks.needsUpdate = this.ofWalls.needsUpdate = true;
		for (const geometry of this.marks) geometry.instanceCount = markCount;
		for (const geometry of this.walls) geometry.instanceCount = wallCount;
	}

	setStill(still: boolean): void {
		this.u.uStill.value = still ? 1 : 0;
	}

	setFocus(member: number): void {
		this.u.uFocus.value = member;
	}

	setCometsMax(count: number): void {
		this.comets.size = count;
		for (const geometry of this.flights) geometry.instanceCount = this.comets.size;
	}

	resize(scale: number, sharpness: number): void {
		this.scale = scale;
		this.sharpness = sharpness;
		this.size(Math.min(window.devicePixelRatio || 1, 2) * sharpness);
	}

	private size(ratio: number): void {
		this.layers.size(this.camera.width, this.camera.height, ratio, this.u.uViewport.value);
		this.u.uPixel.value = ratio * this.scale * Math.max(0.75, Math.min(1.15, Math.sqrt(this.camera.free / (700 * this.scale))));
	}

	private aim(): void {
		const { camera, u } = this;
		const cosYaw = Math.cos(camera.yaw), sinYaw = Math.sin(camera.yaw), cosPitch = Math.cos(camera.pitch), sinPitch = Math.sin(camera.pitch);
		// Columns: the eye's right, up and backward axes in the world.
		u.uTurn.value.set(cosYaw, -sinYaw * sinPitch, sinYaw * cosPitch, 0, cosPitch, sinPitch, -sinYaw, -cosYaw * sinPitch, cosYaw * cosPitch);
		camera.project(0, 0, 0, this.middle);
		camera.project(cosYaw * SPHERE, 0, -sinYaw * SPHERE, this.side);
		u.uRadius.value = Math.hypot(this.side.x - this.middle.x, this.side.y - this.middle.y) * this.layers.ratio;
	}

	frame(): void {
		const u = this.u;
		if (this.comets.dirty) {
			this.comets.dirty = false;
			this.ofComets.needsUpdate = true;
		}
		this.comets.impacts.forEach((impact, i) => {
			u.uImpacts.value[i]!.set(impact.x, impact.y, impact.z, impact.at);
			u.uImpactTones.value[i] = impact.verdict;
		});
		u.uTime.value = this.time;
		u.uDistance.value = this.camera.distance;
		u.uFlat.value = this.camera.flat;
		this.aim();
		this.layers.render();
	}

	picture(finer: number): HTMLCanvasElement {
		const { ratio } = this.layers;
		this.size(ratio * Math.min(finer, 7680 / (this.camera.width * ratio)));
		this.aim();
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
