// What the pictures with three.js share: layers of instances, a draw call each, that are blended over one another.

import {
	type BlendingDstFactor,
	BufferAttribute,
	Camera,
	Color,
	CustomBlending,
	GLSL3,
	InstancedBufferGeometry,
	Mesh,
	OneFactor,
	OneMinusSrcAlphaFactor,
	OneMinusSrcColorFactor,
	RawShaderMaterial,
	Scene,
	type Vector2,
	type Vector4,
	WebGLRenderer,
} from "three";

export interface Uniform<T = unknown> {
	value: T;
}

/** A square from -1 to 1. */
export const CORNERS = new Float32Array([-1, -1, 1, -1, 1, 1, -1, 1]);
export const QUAD = new Uint16Array([0, 1, 2, 0, 2, 3]);

/** What each instance is drawn as. */
export function shapeOf(shape: Float32Array, size: number, index: Uint16Array): InstancedBufferGeometry {
	const geometry = new InstancedBufferGeometry();
	geometry.setAttribute("aShape", new BufferAttribute(shape, size));
	geometry.setIndex(new BufferAttribute(index, 1));
	return geometry;
}

/** A colour as the browser writes it, with an opacity, into a uniform. */
export function putTone(uniform: Uniform<Vector4>, [style, alpha]: readonly [string, number]): void {
	const c = new Color().setStyle(style, "srgb-linear");
	uniform.value.set(c.r, c.g, c.b, alpha);
}

export class Layers {
	private readonly renderer: WebGLRenderer;
	private readonly scene = new Scene();
	private readonly eye = new Camera();
	private readonly meshes: Mesh[] = [];

	/** Throws when the browser has no WebGL 2. */
	constructor(
		private readonly canvas: HTMLCanvasElement,
		private readonly uniforms: Record<string, Uniform>,
	) {
		this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: false, powerPreference: "high-performance" });
		this.renderer.outputColorSpace = "srgb-linear";
		this.renderer.sortObjects = false;
	}

	get rendererName(): string {
		const gl = this.renderer.getContext();
		const info = gl.getExtension("WEBGL_debug_renderer_info");
		return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
	}

	/** `covers`: lies over what is below it, in the dark too. */
	add(geometry: InstancedBufferGeometry, vertexShader: string, fragmentShader: string, covers = false): Mesh {
		const material = new RawShaderMaterial({
			glslVersion: GLSL3,
			vertexShader,
			fragmentShader,
			uniforms: this.uniforms,
			depthTest: false,
			depthWrite: false,
			side: 2,
			transparent: true,
			blending: CustomBlending,
			blendSrc: OneFactor,
			blendDst: OneMinusSrcAlphaFactor,
		});
		const mesh = new Mesh(geometry, material);
		mesh.frustumCulled = false;
		mesh.matrixAutoUpdate = false;
		mesh.userData.covers = covers;
		this.meshes.push(mesh);
		this.scene.add(mesh);
		return mesh;
	}

	setGround(page: string, dark: boolean): void {
		this.renderer.setClearColor(new Color().setStyle(page, "srgb-linear"), 1);
		// Dark: "screen", which adds light but does not burn out as a plain sum does. Light: paint over paint.
		const blendDst: BlendingDstFactor = dark ? OneMinusSrcColorFactor : OneMinusSrcAlphaFactor;
		for (const mesh of this.meshes) (mesh.material as RawShaderMaterial).blendDst = mesh.userData.covers ? OneMinusSrcAlphaFactor : blendDst;
	}

	size(width: number, height: number, ratio: number, ret: Vector2): void {
		this.renderer.setPixelRatio(ratio);
		this.renderer.setSize(width, height, false);
		this.renderer.getDrawingBufferSize(ret);
	}

	get ratio(): number {
		return this.renderer.getPixelRatio();
	}

	render(): void {
		this.renderer.render(this.scene, this.eye);
	}

	/** The picture that was drawn last, on a canvas of its own. */
	copy(): HTMLCanvasElement {
		const copy = document.createElement("canvas");
		copy.width = this.canvas.width;
		copy.height = this.canvas.height;
		copy.getContext("2d")?.drawImage(this.canvas, 0, 0);
		return copy;
	}

	dispose(): void {
		for (const mesh of this.meshes) {
			mesh.geometry.dispose();
			(mesh.material as RawShaderMaterial).dispose();
		}
		this.scene.clear();
		this.renderer.dispose();
		// The browser keeps only some contexts; give this one back now rather than when the canvas is collected.
		this.renderer.forceContextLoss();
	}
}
