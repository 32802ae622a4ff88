// The moving points: a ring of slots of one interleaved instance buffer. A slot is written when its packet starts and never touched
// again; the shader moves it. The ring's size is the number of points shown at once: a full ring refuses new ones, and shrinking it
// is how the picture degrades on a slow machine.

import type { Arc } from "../live/stream";

export const POINT_FLOATS = 12;
export const POINTS_MAX = 6000;
export const FLIGHT_SECONDS = 1.1;
export const FADE_SECONDS = 6;
/** How far before the source face a packet begins. */
export const RUNUP = 0.16;

export interface Place {
	x: number;
	y: number;
	z: number;
}

export interface Link {
	/** The earlier packet of the same sweep; a line is drawn to it. */
	y: number;
	z: number;
	/** 0 none .. 1 */
	strength: number;
}

export class PointRing {
	/** x, y, z, kind | start, flight, strength, who | link y, link z, link strength, seed */
	readonly data = new Float32Array(POINTS_MAX * POINT_FLOATS);
	readonly rows: (Arc | null)[] = new Array<Arc | null>(POINTS_MAX).fill(null);
	private readonly ends = new Float32Array(POINTS_MAX);
	private next = 0;
	private size_ = 4000;
	private dirtyFirst = 0;
	private dirtyCount = 0;
	refused = 0;

	constructor() {
		this.clear();
	}

	get size(): number {
		return this.size_;
	}

	set size(size: number) {
		this.size_ = Math.max(64, Math.min(POINTS_MAX, Math.floor(size)));
		if (this.next >= this.size_) this.next = 0;
	}

	/** False when the ring is full of points that are still seen. */
	add(row: Arc, place: Place, link: Link, who: number, start: number, strength: number, now: number): boolean {
		const i = this.next;
		if (this.ends[i]! > now) {
			this.refused++;
			return false;
		}
		const at = i * POINT_FLOATS;
		const d = this.data;
		const seed = Math.random();
		const flight = FLIGHT_SECONDS * (0.85 + 0.3 * seed);
		d[at] = place.x - 0.5;
		d[at + 1] = place.y - 0.5;
		d[at + 2] = 0.5 - place.z;
		d[at + 3] = row[5];
		d[at + 4] = start;
		d[at + 5] = flight;
		d[at + 6] = strength;
		d[at + 7] = who;
		d[at + 8] = link.y - 0.5;
		d[at + 9] = 0.5 - link.z;
		d[at + 10] = link.strength;
		d[at + 11] = seed;
		this.rows[i] = row;
		this.ends[i] = start + flight + FADE_SECONDS;
		if (this.dirtyCount === 0) this.dirtyFirst = i;
		this.dirtyCount = Math.min(this.dirtyCount + 1, this.size_);
		this.next = (i + 1) % this.size_;
		return true;
	}

	/** Calls `range` for what has to go to the GPU, in slots, and forgets it. True when there was something. */
	taken(range: (first: number, count: number) => void): boolean {
		if (this.dirtyCount === 0) return false;
		const first = Math.min(this.dirtyFirst, this.size_ - 1);
		const straight = Math.min(this.dirtyCount, this.size_ - first);
		range(first, straight);
		if (this.dirtyCount > straight) range(0, this.dirtyCount - straight);
		this.dirtyCount = 0;
		return true;
	}

	alive(i: number, now: number): boolean {
		return this.ends[i]! > now && this.data[i * POINT_FLOATS + 4]! <= now;
	}

	living(now: number): number {
		let count = 0;
		for (let i = 0; i < this.size_; i++) if (this.ends[i]! > now) count++;
		return count;
	}

	/** Takes `seconds` off all times: single-precision time would stutter after some hours on a wall. */
	rebase(seconds: number): void {
		for (let i = 0; i < POINTS_MAX; i++) {
			this.data[i * POINT_FLOATS + 4]! -= seconds;
			this.ends[i]! -= seconds;
		}
		this.dirtyFirst = 0;
		this.dirtyCount = this.size_;
	}

	clear(): void {
		this.ends.fill(-1e6);
		for (let i = 0; i < POINTS_MAX; i++) this.data[i * POINT_FLOATS + 4] = -1e6;
		this.rows.fill(null);
		this.next = 0;
		this.dirtyFirst = 0;
		this.dirtyCount = this.size_;
	}
}

/** Depth of a point `age` seconds after its start, as the shader has it. */
export function depthAt(z: number, age: number, flight: number, still: boolean): number {
	if (still || age >= flight) return z;
	const left = 1 - Math.max(0, age) / flight;
	return z + (0.5 + RUNUP - z) * left * left * left;
}

/** Opacity of a point, 0..1, as the shader has it. */
export function seenAt(age: number, flight: number, still: boolean): number {
	const rise = still ? 1 : Math.min(1, Math.max(0, age / (flight * 0.25)));
	const old = Math.max(0, Math.min(1, (age - flight) / FADE_SECONDS));
	const fall = Math.max(0, Math.min(1, (old - 0.2) / 0.8));
	return rise * (1 - fall * fall * (3 - 2 * fall));
}
