// The eye: turns about the cube's middle. Flat views are the same eye moved far away, so that depth vanishes without a jump.

import { Matrix4, Vector3, Vector4 } from "three";

export interface Insets {
	left: number;
	right: number;
	top: number;
	bottom: number;
}

export type Face = "free" | "x" | "y" | "z";

const HALF_FOV = 0.23;
const HALF_FOV_FLAT = 0.0015;

/** How a picture is seen first, and the room in its own units that it needs: free and flat. */
export interface Stance {
	yaw: number;
	pitch: number;
	deep: readonly [width: number, height: number];
	flat: readonly [width: number, height: number];
}
const CUBE: Stance = { yaw: 0.62, pitch: 0.36, deep: [1.72, 1.66], flat: [1.06, 1.06] };
// Looking along an axis: x shows destinations and ports, y (from above) sources and destinations, z sources and ports.
const FACES: Record<Exclude<Face, "free">, { yaw: number; pitch: number }> = {
	x: { yaw: Math.PI / 2, pitch: 0 },
	y: { yaw: 0, pitch: Math.PI / 2 },
	z: { yaw: 0, pitch: 0 },
};
const TURN_RADIANS_PER_SECOND = 0.042;
const MOVE_SECONDS = 0.9;
const PITCH_MAX = 1.45;

function easing(t: number): number {
	return t < 0.5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2;
}

function wrap(angle: number): number {
	return angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI));
}

export class CubeCamera {
	yaw: number;
	pitch: number;
	zoom = 1;
	/** 0 in perspective, 1 seen flat. */
	flat = 0;
	face: Face = "free";
	width = 1;
	height = 1;
	distance = 4;
	readonly matrix = new Matrix4();
	/** Where the eye is, in the cube's own coordinates (-0.5..0.5). */
	readonly eye = new Vector3();
	insets: Insets = { left: 0, right: 0, top: 0, bottom: 0 };
	private readonly turnX = new Matrix4();
	private readonly turnY = new Matrix4();
	private readonly back = new Matrix4();
	private readonly probe = new Vector4();
	private move: { at: number; from: number[]; to: number[] } | null = null;

	constructor(private readonly stance: Stance = CUBE) {
		this.yaw = stance.yaw;
		this.pitch = stance.pitch;
	}

	resize(width: number, height: number, insets: Insets): void {
		this.width = Math.max(1, width);
		this.height = Math.max(1, height);
		this.insets = insets;
	}

	look(face: Face, at_once: boolean): void {
		this.face = face;
		const { yaw, pitch } = face === "free" ? this.stance : FACES[face];
		const to = [this.yaw + wrap(yaw - this.yaw), pitch, face === "free" ? 0 : 1, 1];
		this.move = { at: at_once ? 1 : 0, from: [this.yaw, this.pitch, this.flat, this.zoom], to };
	}

	/** Turns by hand; a flat view becomes a free one. */
	drag(dx: number, dy: number): void {
		this.face = "free";
		if (this.flat > 0) this.move = { at: 0, from: [this.yaw, this.pitch, this.flat, this.zoom], to: [this.yaw, this.pitch, 0, this.zoom] };
		const perPixel = 2.6 / Math.min(this.width, this.height);
		const yaw = -dx * perPixel;
		const pitch = dy * perPixel;
		this.yaw += yaw;
		this.pitch = Math.max(-PITCH_MAX, Math.min(PITCH_MAX, this.pitch + pitch));
		if (this.move)
			for (const ends of [this.move.from, this.move.to]) {
				ends[0]! += yaw;
				ends[1] = Math.max(-PITCH_MAX, Math.min(PITCH_MAX, ends[1]! + pitch));
			}
	}

	zoomBy(factor: number): void {
		this.zoom = Math.max(0.5, Math.min(6, this.zoom * factor));
		if (this.move) this.move.to[3] = this.zoom;
	}

	/** Moves on by `seconds`; `turning` when nothing speaks against the slow turn. */
	update(seconds: number, turning: boolean): void {
		if (this.move) {
			const move = this.move;
			move.at = Math.min(1, move.at + seconds / MOVE_SECONDS);
			const part = easing(move.at);
			const at = (i: number) => move.from[i]! + (move.to[i]! - move.from[i]!) * part;
			this.yaw = at(0);
			this.pitch = at(1);
			this.flat = at(2);
			this.zoom = at(3);
			if (move.at >= 1) this.move = null;
		} else if (turning && this.face === "free") this.yaw = wrap(this.yaw + seconds * TURN_RADIANS_PER_SECOND);
		this.aim();
	}

	private aim(): void {
		const { stance } = this;
		const { left, right, top, bottom } = this.insets;
		const freeWidth = Math.max(120, this.width - left - right);
		const freeHeight = Math.max(120, this.height - top - bottom);
		// World units a pixel: what the cube and its labels need in the free room.
		const deep = Math.max(stance.deep[0] / freeWidth, stance.deep[1] / freeHeight);
		const flat = Math.max(stance.flat[0] / (freeWidth - Math.min(150, freeWidth * 0.3)), stance.flat[1] / (freeHeight - Math.min(100, freeHeight * 0.2)));
		const perPixel = (deep + (flat - deep) * this.flat) / this.zoom;
		const half = HALF_FOV + (HALF_FOV_FLAT - HALF_FOV) * Math.sqrt(this.flat);
		const tan = Math.tan(half);
		this.distance = (perPixel * this.height) / (2 * tan);
		const near = Math.max(0.02, this.distance - 1.6);
		const edge = near * tan;
		const aspect = this.width / this.height;
		this.matrix.makePerspective(-edge * aspect, edge * aspect, edge, -edge, near, this.distance + 2);
		this.matrix.elements[8] = -(left - right) / this.width;
		this.matrix.elements[9] = -(bottom - top) / this.height;
		this.turnX.makeRotationX(this.pitch).setPosition(0, 0, -this.distance);
		this.turnY.makeRotationY(-this.yaw);
		this.matrix.multiply(this.turnX).multiply(this.turnY);
		const cos = Math.cos(this.pitch);
		this.eye.set(Math.sin(this.yaw) * cos, Math.sin(this.pitch), Math.cos(this.yaw) * cos).multiplyScalar(this.distance);
	}

	/** The smaller side of the room for the cube, CSS pixels. */
	get free(): number {
		const { left, right, top, bottom } = this.insets;
		return Math.min(this.width - left - right, this.height - top - bottom);
	}

	/** To CSS pixels; z is the distance from the eye. */
	project(x: number, y: number, z: number, ret: { x: number; y: number; z: number }): void {
		const p = this.probe.set(x, y, z, 1).applyMatrix4(this.matrix);
		ret.x = ((p.x / p.w + 1) / 2) * this.width;
		ret.y = ((1 - p.y / p.w) / 2) * this.height;
		ret.z = p.w;
	}

	/** The place of the plane y = 0 under a point (CSS pixels); null when the eye looks along it. */
	onFloor(x: number, y: number, ret: { x: number; y: number; z: number }): { x: number; y: number; z: number } | null {
		const [near, far] = [-1, 1].map((depth) => {
			const p = this.probe.set((2 * x) / this.width - 1, 1 - (2 * y) / this.height, depth, 1).applyMatrix4(this.back.copy(this.matrix).invert());
			return { x: p.x / p.w, y: p.y / p.w, z: p.z / p.w };
		}) as [typeof ret, typeof ret];
		const part = near.y / (near.y - far.y);
		if (!(part > 0 && part < 1)) return null;
		ret.x = near.x + (far.x - near.x) * part;
		ret.y = 0;
		ret.z = near.z + (far.z - near.z) * part;
		return ret;
	}
}
