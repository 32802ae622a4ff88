// The Atlas as a three.js scene: sea, land, lines, places that send, arcs, the darknet. A draw call each; nothing is allocated in
// a frame. The camera is one matrix of our own so that the flat map, the globe and the way between them share every shader.

import {
	type BlendingDstFactor,
	BufferAttribute,
	BufferGeometry,
	Camera,
	Color,
	CustomBlending,
	DataTexture,
	DynamicDrawUsage,
	GLSL3,
	InstancedBufferGeometry,
	InstancedInterleavedBuffer,
	InterleavedBufferAttribute,
	LineSegments,
	Matrix4,
	Mesh,
	NearestFilter,
	NoBlending,
	type Object3D,
	OneFactor,
	OneMinusSrcAlphaFactor,
	OneMinusSrcColorFactor,
	PlaneGeometry,
	Points,
	RawShaderMaterial,
	Scene,
	Vector2,
	Vector3,
	Vector4,
	WebGLRenderer,
} from "three";
import type { Arc } from "../live/stream";
import { ARC_FLOATS, ArcRing, HeatGrid, TAIL } from "./arcs";
import { buildGraticule, buildSea, type Geography } from "./geography";
import {
	MAP_HALF_WIDTH,
	naturalEarthInverse,
	naturalEarthX,
	naturalEarthY,
	RADIAN,
	subsolarPoint,
	wrap,
} from "./projection";
import * as shader from "./shaders";

export const BALL = 1.3;
const HALF_FOV = 14 * RADIAN;
const SEGMENTS = 22;
const COUNTRIES_MAX = 512;
// What of the flat map is worth the room: from the tip of South America to the north of Greenland.
const VIEW_SOUTH = naturalEarthY(-57 * RADIAN);
const VIEW_NORTH = naturalEarthY(83 * RADIAN);

export interface SceneColours {
	dark: boolean;
	page: string;
	sea: string;
	seaNight: string;
	land: string;
	landNight: string;
	landWarm: string;
	landHover: string;
	coast: [colour: string, alpha: number];
	border: [colour: string, alpha: number];
	grid: [colour: string, alpha: number];
	usual: string;
	unusual: string;
	glow: string;
	beacon: string;
	kinds: readonly string[];
	ports: readonly string[];
}

export interface Insets {
	left: number;
	right: number;
	top: number;
	bottom: number;
}

interface Uniform<T = unknown> {
	value: T;
}

function easing(t: number): number {
	return t < 0.5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2;
}

function arcShape(): { shape: Float32Array; index: Uint16Array } {
	const shape: number[] = [];
	const index: number[] = [];
	for (let i = 0; i <= SEGMENTS; i++) {
		shape.push(i / SEGMENTS, -1, 0, i / SEGMENTS, 1, 0);
		if (i < SEGMENTS) index.push(2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 2, 2 * i + 1, 2 * i + 3);
	}
	for (const part of [1, 2, 3]) {
		const at = shape.length / 3;
		for (const [x, y] of [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const) shape.push(x, y, part);
		index.push(at, at + 1, at + 2, at, at + 2, at + 3);
	}
	return { shape: new Float32Array(shape), index: new Uint16Array(index) };
}

export class AtlasScene {
	readonly arcs = new ArcRing();
	readonly heat = new HeatGrid();
	geography: Geography | null = null;
	/** Seconds; stands still while paused. */
	time = 0;
	paused = false;

	private readonly renderer: WebGLRenderer;
	private readonly scene = new Scene();
	private readonly still = new Camera();
	private readonly arcBuffer: InstancedInterleavedBuffer;
	private readonly arcGeometry = new InstancedBufferGeometry();
	private readonly heatAttribute: BufferAttribute;
	private readonly heatGeometry = new BufferGeometry();
	private readonly countryState = new Uint8Array(COUNTRIES_MAX * 4);
	private readonly countryTexture: DataTexture;
	private land: Mesh | null = null;
	private lines: LineSegments | null = null;

	private readonly camera = new Matrix4();
	private readonly view = new Matrix4();
	private readonly inverse = new Matrix4();
	private readonly eye = new Vector3();
	private readonly lookAt = new Vector3();
	private readonly up = new Vector3();
	private readonly probe = new Vector4();
	private readonly probe3 = new Vector3();
	private readonly ranges = (first: number, count: number): void => {
		this.arcBuffer.addUpdateRange(first * ARC_FLOATS, count * ARC_FLOATS);
	};

	private width = 1;
	private height = 1;
	private insets: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
	private sharpness = 1;
	private scale = 1;
	private globe = 0;
	private globeFrom = 0;
	private globeSince = -1;
	private centre = 0;
	private zoom = 1;
	private panX = 0;
	private panY = 0;
	private sinceSun = Infinity;
	private sinceHeat = 0;
	private turned = false;
	private target = { longitude: 139.7, latitude: 35.7 };
	private disposed = false;
	// Dark: "screen", which adds light but does not burn out as a plain sum does. Light: paint over paint.
	private blendDst: BlendingDstFactor = OneMinusSrcAlphaFactor;
	private readonly blended: RawShaderMaterial[] = [];

	private readonly u = {
		uCamera: { value: this.camera } as Uniform<Matrix4>,
		uEye: { value: this.eye } as Uniform<Vector3>,
		uCentre: { value: 150 * RADIAN } as Uniform<number>,
		uLook: { value: new Vector2(139 * RADIAN, 20 * RADIAN) } as Uniform<Vector2>,
		uMorph: { value: 0 } as Uniform<number>,
		uTime: { value: 0 } as Uniform<number>,
		uPixel: { value: 1 } as Uniform<number>,
		uViewport: { value: new Vector2(1, 1) } as Uniform<Vector2>,
		uSun: { value: new Vector3(1, 0, 0) } as Uniform<Vector3>,
		uNight: { value: 0.55 } as Uniform<number>,
		uAdditive: { value: 1 } as Uniform<number>,
		uStill: { value: 0 } as Uniform<number>,
		uWidth: { value: 1 } as Uniform<number>,
		uCalm: { value: 1 } as Uniform<number>,
		uTailStrength: { value: 0.6 } as Uniform<number>,
		uByPort: { value: 0 } as Uniform<number>,
		uShown: { value: [1, 1, 1, 1, 1, 1] } as Uniform<number[]>,
		uColours: { value: Array.from({ length: 16 }, () => new Color(0xffffff)) } as Uniform<Color[]>,
		uSea: { value: new Color() } as Uniform<Color>,
		uSeaNight: { value: new Color() } as Uniform<Color>,
		uLand: { value: new Color() } as Uniform<Color>,
		uLandNight: { value: new Color() } as Uniform<Color>,
		uLandWarm: { value: new Color() } as Uniform<Color>,
		uLandHover: { value: new Color() } as Uniform<Color>,
		uHover: { value: -9 } as Uniform<number>,
		uCountries: { value: null } as Uniform<DataTexture | null>,
		uCoast: { value: new Vector4() } as Uniform<Vector4>,
		uBorder: { value: new Vector4() } as Uniform<Vector4>,
		uUsual: { value: new Color() } as Uniform<Color>,
		uUnusual: { value: new Color() } as Uniform<Color>,
		uGlow: { value: new Color() } as Uniform<Color>,
		uBeacon: { value: new Color() } as Uniform<Color>,
		uTarget: { value: new Vector2(139.7 * RADIAN, 35.7 * RADIAN) } as Uniform<Vector2>,
	};
	private readonly gridColour: Uniform<Vector4> = { value: new Vector4() };

	/** Throws when the browser has no WebGL 2. */
	constructor(readonly canvas: HTMLCanvasElement) {
		this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: false, powerPreference: "high-performance" });
		this.renderer.outputColorSpace = "srgb-linear";
		this.renderer.sortObjects = false;
		this.renderer.info.autoReset = false;
		this.countryTexture = new DataTexture(this.countryState, COUNTRIES_MAX, 1);
		this.countryTexture.minFilter = this.countryTexture.magFilter = NearestFilter;
		this.u.uCountries.value = this.countryTexture;

		this.arcBuffer = new InstancedInterleavedBuffer(this.arcs.data, ARC_FLOATS, 1);
		this.arcBuffer.setUsage(DynamicDrawUsage);
		this.heatAttribute = new BufferAttribute(this.heat.data, 4);
		this.heatAttribute.setUsage(DynamicDrawUsage);

		this.addEarth();
		this.addMoving();
	}

	get rendererName(): string {
		const gl = this.renderer.getContext();
		const info = gl.getExtension("WEBGL_debug_renderer_info");
		return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
	}

	private material(vertexShader: string, fragmentShader: string, blend: boolean, own: Record<string, Uniform> = {}): RawShaderMaterial {
		const material = new RawShaderMaterial({
			glslVersion: GLSL3,
			vertexShader,
			fragmentShader,
			uniforms: { ...this.u, ...own },
			depthTest: false,
			depthWrite: false,
			side: 2,
			transparent: blend,
			blending: blend ? CustomBlending : NoBlending,
			blendSrc: OneFactor,
			blendDst: this.blendDst,
		});
		if (blend) this.blended.push(material);
		return material;
	}

	// Objects are drawn in the order of their numbers: glow 0, sea 1, graticule 2, land 3, lines 4, heat 5, arcs 6, darknet 7.
	private add<T extends Object3D>(object: T, order: number): T {
		object.frustumCulled = false;
		object.matrixAutoUpdate = false;
		object.userData.order = order;
		this.scene.add(object);
		this.scene.children.sort((a, b) => Number(a.userData.order) - Number(b.userData.order));
		return object;
	}

	private static geometry(name: string, data: Float32Array): BufferGeometry {
		const geometry = new BufferGeometry();
		geometry.setAttribute(name, new BufferAttribute(data, 4));
		// three.js takes the number of vertices from here when there is no index
		geometry.setDrawRange(0, data.length / 4);
		return geometry;
	}

	private addEarth(): void {
		this.add(new Mesh(new PlaneGeometry(2, 2), this.material(shader.GLOW_VERTEX, shader.GLOW_FRAGMENT, true)), 0);
		this.add(new Mesh(AtlasScene.geometry("aGeo", buildSea()), this.material(shader.LAND_VERTEX, shader.SEA_FRAGMENT, false)), 1);
		const grid = this.material(shader.LAND_VERTEX, shader.LINE_FRAGMENT, true, { uCoast: this.gridColour, uBorder: this.gridColour });
		this.add(new LineSegments(AtlasScene.geometry("aGeo", buildGraticule(15)), grid), 2);
	}

	private addMoving(): void {
		this.heatGeometry.setAttribute("aHeat", this.heatAttribute);
		this.heatGeometry.setDrawRange(0, 0);
		this.add(new Points(this.heatGeometry, this.material(shader.HEAT_VERTEX, shader.HEAT_FRAGMENT, true)), 5);

		const { shape, index } = arcShape();
		const geometry = this.arcGeometry;
		geometry.setAttribute("aShape", new BufferAttribute(shape, 3));
		geometry.setIndex(new BufferAttribute(index, 1));
		geometry.setAttribute("aEnds", new InterleavedBufferAttribute(this.arcBuffer, 4, 0));
		geometry.setAttribute("aLife", new InterleavedBufferAttribute(this.arcBuffer, 4, 4));
		geometry.setAttribute("aTone", new InterleavedBufferAttribute(this.arcBuffer, 2, 8));
		geometry.instanceCount = this.arcs.size;
		this.add(new Mesh(geometry, this.material(shader.ARC_VERTEX, shader.ARC_FRAGMENT, true)), 6);

		const one = new BufferGeometry();
		one.setAttribute("position", new BufferAttribute(new Float32Array(3), 3));
		this.add(new Points(one, this.material(shader.BEACON_VERTEX, shader.BEACON_FRAGMENT, true)), 7);
	}

	/** Lays land; may be called again with finer data. */
	setGeography(geography: Geography): void {
		for (const old of [this.land, this.lines])
			if (old) {
				this.scene.remove(old);
				old.geometry.dispose();
			}
		this.geography = geography;
		this.land = this.add(
			new Mesh(AtlasScene.geometry("aGeo", geography.land), this.material(shader.LAND_VERTEX, shader.LAND_FRAGMENT, false)),
			3,
		);
		this.lines = this.add(
			new LineSegments(AtlasScene.geometry("aGeo", geography.lines), this.material(shader.LAND_VERTEX, shader.LINE_FRAGMENT, true)),
			4,
		);
	}

	setColours(colours: SceneColours): void {
		const u = this.u;
		this.renderer.setClearColor(new Color().setStyle(colours.page, "srgb-linear"), 1);
		const put = (uniform: Uniform<Color>, style: string) => uniform.value.setStyle(style, "srgb-linear");
		const line = (uniform: Uniform<Vector4>, [style, alpha]: [string, number]) => {
			const c = new Color().setStyle(style, "srgb-linear");
			uniform.value.set(c.r, c.g, c.b, alpha);
		};
		put(u.uSea, colours.sea);
		put(u.uSeaNight, colours.seaNight);
		put(u.uLand, colours.land);
		put(u.uLandNight, colours.landNight);
		put(u.uLandWarm, colours.landWarm);
		put(u.uLandHover, colours.landHover);
		put(u.uUsual, colours.usual);
		put(u.uUnusual, colours.unusual);
		put(u.uGlow, colours.glow);
		put(u.uBeacon, colours.beacon);
		line(u.uCoast, colours.coast);
		line(u.uBorder, colours.border);
		line(this.gridColour, colours.grid);
		u.uAdditive.value = colours.dark ? 1 : 0;
		this.blendDst = colours.dark ? OneMinusSrcColorFactor : OneMinusSrcAlphaFactor;
		for (const material of this.blended) material.blendDst = this.blendDst;
		u.uTailStrength.value = colours.dark ? 0.62 : 0.72;
		colours.kinds.forEach((style, i) => u.uColours.value[i]?.setStyle(style, "srgb-linear"));
		colours.ports.forEach((style, i) => u.uColours.value[6 + i]?.setStyle(style, "srgb-linear"));
	}

	setTarget(longitude: number, latitude: number): void {
		this.target = { longitude, latitude };
		this.u.uTarget.value.set(longitude * RADIAN, latitude * RADIAN);
		if (!this.turned) this.u.uLook.value.set(longitude * RADIAN, 18 * RADIAN);
	}

	setCentre(longitude: number): void {
		this.u.uCentre.value = Math.round(longitude / 5) * 5 * RADIAN;
		this.panX = this.panY = 0;
		this.zoom = 1;
	}

	setGlobe(globe: boolean, at_once: boolean): void {
		this.globeFrom = at_once ? (globe ? 1 : 0) : this.globe;
		this.centre = globe ? 1 : 0;
		this.globeSince = at_once ? -1 : performance.now();
		this.globe = this.globeFrom;
		this.panX = this.panY = 0;
		this.zoom = 1;
	}

	setShown(shown: readonly boolean[]): void {
		shown.forEach((on, i) => (this.u.uShown.value[i] = on ? 1 : 0));
	}

	setByPort(by_port: boolean): void {
		this.u.uByPort.value = by_port ? 1 : 0;
	}

	setStill(still: boolean): void {
		this.u.uStill.value = still ? 1 : 0;
	}

	setNight(on: boolean): void {
		this.u.uNight.value = on ? 0.75 : 0;
	}

	setHover(country: number): void {
		this.u.uHover.value = country;
	}

	/** Tint of a country, 0..1. */
	setCountry(index: number, warmth: number): void {
		this.countryState[index * 4] = Math.max(0, Math.min(255, Math.round(warmth * 255)));
		this.countryTexture.needsUpdate = true;
	}

	/** Size in CSS pixels; `scale` makes marks larger for a wall. */
	resize(width: number, height: number, insets: Insets, scale: number, sharpness: number): void {
		this.width = Math.max(1, width);
		this.height = Math.max(1, height);
		this.insets = insets;
		this.scale = scale;
		this.sharpness = sharpness;
		const ratio = Math.min(window.devicePixelRatio || 1, 2) * sharpness;
		this.renderer.setPixelRatio(ratio);
		this.renderer.setSize(this.width, this.height, false);
		this.u.uPixel.value = ratio * scale;
		this.u.uWidth.value = 1.5;
		this.renderer.getDrawingBufferSize(this.u.uViewport.value);
	}

	setArcsMax(count: number): void {
		this.arcs.size = count;
		this.arcGeometry.instanceCount = this.arcs.size;
	}

	/** `delay` seconds from now. False when the picture is full. */
	launch(row: Arc, delay: number, portSlot: number): boolean {
		const unusual = this.heat.add(row[2], row[1], row[9]);
		const far = Math.abs(wrap((row[2] - this.target.longitude) * RADIAN)) / Math.PI;
		const strength = Math.min(1, (row[5] === 0 ? 0.34 : 0.62) + 0.07 * Math.log2(Math.max(1, row[9])) + 0.6 * unusual);
		return this.arcs.add(row, this.target, this.time + delay, 0.75 + 0.9 * far + 0.25 * Math.random(), strength, portSlot, this.time);
	}

	/** Advances by `seconds` and draws. */
	frame(seconds: number): void {
		if (this.disposed) return;
		if (!this.paused) {
			this.time += seconds;
			this.sinceHeat += seconds;
		}
		if (this.time > 1800) {
			this.time -= 1800;
			this.arcs.rebase(1800);
		}
		if (this.sinceHeat >= 0.5) {
			this.heat.step(this.sinceHeat);
			this.sinceHeat = 0;
			this.heatAttribute.clearUpdateRanges();
			this.heatAttribute.addUpdateRange(0, this.heat.used * 4);
			this.heatAttribute.needsUpdate = true;
			this.heatGeometry.setDrawRange(0, this.heat.used);
			this.u.uCalm.value = Math.min(1, Math.max(0.3, Math.sqrt(350 / Math.max(1, this.arcs.living(this.time)))));
		}
		this.sinceSun += seconds;
		if (this.sinceSun > 30) this.turnSun();
		this.turnGlobe(seconds);
		if (this.arcs.dirtyCount > 0) {
			this.arcs.taken(this.ranges);
			this.arcBuffer.needsUpdate = true;
		}
		this.u.uTime.value = this.time;
		this.aim();
		this.renderer.render(this.scene, this.still);
	}

	private turnSun(): void {
		this.sinceSun = 0;
		const { longitude, latitude } = subsolarPoint(Date.now());
		this.u.uSun.value.set(Math.cos(latitude) * Math.sin(longitude), Math.sin(latitude), Math.cos(latitude) * Math.cos(longitude));
	}

	private turnGlobe(seconds: number): void {
		if (this.globeSince >= 0) {
			const t = Math.min(1, (performance.now() - this.globeSince) / 1100);
			this.globe = this.globeFrom + (this.centre - this.globeFrom) * easing(t);
			if (t >= 1) this.globeSince = -1;
		}
		this.u.uMorph.value = this.globe;
		if (this.globe > 0.5 && !this.turned && !this.paused && this.u.uStill.value < 0.5) {
			const look = this.u.uLook.value;
			const goal = (this.target.longitude + 28 * Math.sin(this.time / 24)) * RADIAN;
			look.x += wrap(goal - look.x) * Math.min(1, seconds * 0.8);
		}
	}

	// Fits the flat map or the globe into what the panels leave free.
	private aim(): void {
		const { left, right, top, bottom } = this.insets;
		const freeWidth = Math.max(80, this.width - left - right);
		const freeHeight = Math.max(80, this.height - top - bottom);
		const tan = Math.tan(HALF_FOV);
		const perPixelFlat = Math.max((2 * MAP_HALF_WIDTH * 0.985) / freeWidth, (VIEW_NORTH - VIEW_SOUTH) / freeHeight);
		const perPixelBall = (2 * BALL * 1.16) / Math.min(freeWidth, freeHeight);
		const perPixel = perPixelFlat + (perPixelBall - perPixelFlat) * this.globe;
		const distance = (perPixel * this.height) / (2 * tan) / this.zoom + this.globe * BALL * 0.4;
		const middle = ((VIEW_NORTH + VIEW_SOUTH) / 2) * (1 - this.globe);
		this.eye.set(this.panX, middle + this.panY, distance);
		this.lookAt.set(this.panX, middle + this.panY, 0);
		this.up.set(0, 1, 0);
		this.view.lookAt(this.eye, this.lookAt, this.up).setPosition(this.eye).invert();
		const aspect = this.width / this.height;
		const near = 0.05;
		this.camera.makePerspective(-near * tan * aspect, near * tan * aspect, near * tan, -near * tan, near, 100);
		this.camera.elements[8] = -(left - right) / this.width;
		this.camera.elements[9] = -(bottom - top) / this.height;
		this.camera.multiply(this.view);
		this.inverse.copy(this.camera).invert();
	}

	// ---- the pointer ----

	/** Drag by CSS pixels: pans the flat map, turns the globe. */
	drag(dx: number, dy: number): void {
		const perPixel = (2 * Math.tan(HALF_FOV) * this.eye.z) / this.height;
		if (this.globe > 0.5) {
			const look = this.u.uLook.value;
			const turn = (perPixel / BALL) * 0.75;
			look.x = wrap(look.x - dx * turn);
			look.y = Math.max(-1.3, Math.min(1.3, look.y + dy * turn));
			this.turned = true;
			return;
		}
		this.panX -= dx * perPixel;
		this.panY += dy * perPixel;
		this.hold();
	}

	/** Zooms by a factor about a point in CSS pixels. */
	zoomBy(factor: number, x: number, y: number): void {
		const old = this.zoom;
		this.zoom = Math.max(1, Math.min(12, this.zoom * factor));
		if (this.globe < 0.5) {
			const perPixel = (2 * Math.tan(HALF_FOV) * this.eye.z) / this.height;
			const grow = 1 - old / this.zoom;
			const cx = this.insets.left + (this.width - this.insets.left - this.insets.right) / 2;
			const cy = this.insets.top + (this.height - this.insets.top - this.insets.bottom) / 2;
			this.panX += (x - cx) * perPixel * grow;
			this.panY -= (y - cy) * perPixel * grow;
		}
		this.hold();
	}

	resetView(): void {
		this.panX = this.panY = 0;
		this.zoom = 1;
		this.turned = false;
		this.u.uLook.value.set(this.target.longitude * RADIAN, 18 * RADIAN);
	}

	private hold(): void {
		const roomX = MAP_HALF_WIDTH * (1 - 1 / this.zoom);
		const roomY = ((VIEW_NORTH - VIEW_SOUTH) / 2) * (1 - 1 / this.zoom) + 0.25;
		this.panX = Math.max(-roomX, Math.min(roomX, this.panX));
		this.panY = Math.max(-roomY, Math.min(roomY, this.panY));
		if (this.zoom <= 1.001) this.panX = this.panY = 0;
	}

	/** Place on Earth (degrees) under a point in CSS pixels. */
	placeAt(x: number, y: number): { longitude: number; latitude: number } | null {
		const nx = (x / this.width) * 2 - 1;
		const ny = 1 - (y / this.height) * 2;
		this.probe.set(nx, ny, 0.5, 1).applyMatrix4(this.inverse).divideScalar(this.probe.w || 1);
		const d = this.probe3.set(this.probe.x - this.eye.x, this.probe.y - this.eye.y, this.probe.z - this.eye.z);
		if (this.globe < 0.5) {
			const t = -this.eye.z / d.z;
			const at = naturalEarthInverse(this.eye.x + d.x * t, this.eye.y + d.y * t, this.u.uCentre.value);
			return at && { longitude: at.longitude / RADIAN, latitude: at.latitude / RADIAN };
		}
		d.normalize();
		const b = this.eye.dot(d);
		const root = b * b - (this.eye.lengthSq() - BALL * BALL);
		if (root < 0) return null;
		const t = -b - Math.sqrt(root);
		const px = (this.eye.x + d.x * t) / BALL;
		const py = (this.eye.y + d.y * t) / BALL;
		const pz = (this.eye.z + d.z * t) / BALL;
		const look = this.u.uLook.value;
		const c = Math.cos(look.y);
		const s = Math.sin(look.y);
		const latitude = Math.asin(Math.max(-1, Math.min(1, c * py + s * pz)));
		const longitude = wrap(Math.atan2(px, c * pz - s * py) + look.x);
		return { longitude: longitude / RADIAN, latitude: latitude / RADIAN };
	}

	/** The moving arc nearest to a point (CSS pixels), if nearer than `reach`. Looks at heads and tails. */
	arcAt(x: number, y: number, reach: number): Arc | null {
		let best = reach * reach;
		let found: Arc | null = null;
		const d = this.arcs.data;
		const shown = this.u.uShown.value;
		for (let i = 0; i < this.arcs.size; i++) {
			if (!this.arcs.alive(i, this.time)) continue;
			const at = i * ARC_FLOATS;
			if (shown[d[at + 8]!] === 0) continue;
			const h = (this.time - d[at + 4]!) / d[at + 5]!;
			for (let k = 0; k < 4; k++) {
				const u = this.u.uStill.value > 0.5 ? 0 : h - (k * TAIL) / 5;
				if (u < 0 || u > 1) continue;
				this.onScreen(at, u);
				const dx = this.probe.x - x;
				const dy = this.probe.y - y;
				if (dx * dx + dy * dy < best) {
					best = dx * dx + dy * dy;
					found = this.arcs.rows[i] ?? null;
				}
			}
		}
		return found;
	}

	// The shader's `along`, into probe.x and probe.y as CSS pixels.
	private onScreen(at: number, u: number): void {
		const d = this.arcs.data;
		const jitter = d[at + 7]! - 0.5;
		const centre = this.u.uCentre.value;
		const x0 = naturalEarthX(wrap(d[at]! - centre), d[at + 1]!);
		const y0 = naturalEarthY(d[at + 1]!);
		const x1 = naturalEarthX(wrap(d[at + 2]! - centre), d[at + 3]!);
		const y1 = naturalEarthY(d[at + 3]!);
		const p = this.probe;
		if (this.globe < 0.5) {
			const span = Math.hypot(x1 - x0, y1 - y0) || 1e-9;
			const pole = y0 + y1 < -0.5 ? -1 : 1;
			let nx = -(y1 - y0) / span;
			let ny = (x1 - x0) / span;
			if (ny * pole < 0) {
				nx = -nx;
				ny = -ny;
			}
			const out = span * (0.26 + 0.16 * jitter);
			const bx = (x0 + x1) / 2 + nx * out;
			const by = (y0 + y1) / 2 + ny * out;
			const bz = span * (0.5 + 0.3 * jitter);
			const a = (1 - u) * (1 - u);
			const b = 2 * u * (1 - u);
			const c = u * u;
			p.set(a * x0 + b * bx + c * x1, a * y0 + b * by + c * y1, b * bz, 1);
		} else this.onBallAt(at, u, jitter);
		p.applyMatrix4(this.camera);
		p.x = ((p.x / p.w + 1) / 2) * this.width;
		p.y = ((1 - p.y / p.w) / 2) * this.height;
	}

	private onBallAt(at: number, u: number, jitter: number): void {
		const d = this.arcs.data;
		const look = this.u.uLook.value;
		const [l0, p0, l1, p1] = [d[at]! - look.x, d[at + 1]!, d[at + 2]! - look.x, d[at + 3]!];
		const cos = Math.sin(p0) * Math.sin(p1) + Math.cos(p0) * Math.cos(p1) * Math.cos(l0 - l1);
		const angle = Math.acos(Math.max(-1, Math.min(1, cos)));
		const s = Math.sin(angle) || 1;
		const a = angle < 0.01 ? 1 - u : Math.sin((1 - u) * angle) / s;
		const b = angle < 0.01 ? u : Math.sin(u * angle) / s;
		const vx = a * Math.cos(p0) * Math.sin(l0) + b * Math.cos(p1) * Math.sin(l1);
		const vy = a * Math.sin(p0) + b * Math.sin(p1);
		const vz = a * Math.cos(p0) * Math.cos(l0) + b * Math.cos(p1) * Math.cos(l1);
		const r = BALL * (1 + (0.03 + angle * (0.13 + 0.05 * jitter)) * 4 * u * (1 - u));
		const c = Math.cos(look.y);
		const n = Math.sin(look.y);
		this.probe.set(vx * r, (c * vy - n * vz) * r, (n * vy + c * vz) * r, 1);
	}

	/** The picture as it stands, without panels and text, twice as fine as the screen. */
	async picture(): Promise<Blob | null> {
		const { width, height, sharpness, scale } = this;
		const ratio = this.renderer.getPixelRatio();
		const finer = Math.min(2, 7680 / (width * ratio));
		this.renderer.setPixelRatio(ratio * finer);
		this.renderer.setSize(width, height, false);
		this.u.uPixel.value = ratio * finer * scale;
		this.renderer.getDrawingBufferSize(this.u.uViewport.value);
		this.renderer.render(this.scene, this.still);
		const blob = new Promise<Blob | null>((done) => this.canvas.toBlob(done, "image/png"));
		this.resize(width, height, this.insets, scale, sharpness);
		return blob;
	}

	dispose(): void {
		this.disposed = true;
		this.scene.traverse((object) => {
			if (object instanceof Mesh || object instanceof LineSegments || object instanceof Points) {
				object.geometry.dispose();
				(object.material as RawShaderMaterial).dispose();
			}
		});
		this.countryTexture.dispose();
		this.renderer.dispose();
	}
}
