// The moving arcs: a ring of slots of one interleaved instance buffer. A slot is written when its arc starts and never touched
// again; the shader moves it. The ring's size is the number of arcs shown at once, so a full ring refuses new arcs instead of
// cutting old ones short, and shrinking the ring is how the picture degrades on a slow machine.

import type { Arc } from "../live/stream";
import { RADIAN } from "./projection";

export const ARC_FLOATS = 10;
export const ARCS_MAX = 4096;
export const TAIL = 0.34;
export const RIPPLE_SECONDS = 0.9;
const LANDING_DEGREES = 2;

export interface ArcPlace {
	longitude: number;
	latitude: number;
}

export class ArcRing {
	readonly data = new Float32Array(ARCS_MAX * ARC_FLOATS);
	readonly rows: (Arc | null)[] = new Array<Arc | null>(ARCS_MAX).fill(null);
	private readonly ends = new Float32Array(ARCS_MAX);
	private next = 0;
	private size_ = 2048;
	/** Slots written since the last `taken`, as a range that may wrap; count 0 when none. */
	dirtyFirst = 0;
	dirtyCount = 0;
	refused = 0;

	constructor() {
		this.data.fill(-1e6);
		this.ends.fill(-1e6);
	}

	get size(): number {
		return this.size_;
	}

	set size(size: number) {
		this.size_ = Math.max(64, Math.min(ARCS_MAX, Math.floor(size)));
		if (this.next >= this.size_) this.next = 0;
	}

	/** False when the ring is full of arcs that still move. */
	add(row: Arc, target: ArcPlace, start: number, duration: number, strength: number, slot: number, now: number): boolean {
		const i = this.next;
		if (this.ends[i]! > now) {
			this.refused++;
			return false;
		}
		const seed = Math.random();
		// Landings fill a small disc about the darknet instead of one burning point.
		const turn = Math.random() * 2 * Math.PI;
		const out = Math.sqrt(Math.random()) * LANDING_DEGREES;
		const at = i * ARC_FLOATS;
		const d = this.data;
		d[at] = row[2] * RADIAN;
		d[at + 1] = row[1] * RADIAN;
		d[at + 2] = (target.longitude + out * 1.2 * Math.cos(turn)) * RADIAN;
		d[at + 3] = (target.latitude + out * Math.sin(turn)) * RADIAN;
		d[at + 4] = start;
		d[at + 5] = duration;
		d[at + 6] = strength;
		d[at + 7] = seed;
		d[at + 8] = row[5];
		d[at + 9] = slot;
		this.rows[i] = row;
		this.ends[i] = start + Math.max(duration * (1 + TAIL), duration + RIPPLE_SECONDS);
		if (this.dirtyCount === 0) this.dirtyFirst = i;
		this.dirtyCount = Math.min(this.dirtyCount + 1, this.size_);
		this.next = (i + 1) % this.size_;
		return true;
	}

	/** Calls `range` for what has to go to the GPU, in slots, and forgets it. */
	taken(range: (first: number, count: number) => void): void {
		if (this.dirtyCount === 0) return;
		const first = this.dirtyFirst;
		const straight = Math.min(this.dirtyCount, Math.max(0, this.size_ - first));
		if (straight > 0) range(first, straight);
		if (this.dirtyCount > straight) range(0, this.dirtyCount - straight);
		this.dirtyCount = 0;
	}

	alive(i: number, now: number): boolean {
		return this.ends[i]! > now && this.data[i * ARC_FLOATS + 4]! <= now;
	}

	living(now: number): number {
		let count = 0;
		for (let i = 0; i < this.size_; i++) if (this.ends[i]! > now) count++;
		return count;
	}

	/** Takes `seconds` off all times: single-precision time would stutter after some hours on a wall. */
	rebase(seconds: number): void {
		for (let i = 0; i < ARCS_MAX; i++) {
			this.data[i * ARC_FLOATS + 4]! -= seconds;
			this.ends[i]! -= seconds;
		}
		this.dirtyFirst = 0;
		this.dirtyCount = this.size_;
	}

	clear(): void {
		this.ends.fill(-1e6);
		for (let i = 0; i < ARCS_MAX; i++) this.data[i * ARC_FLOATS + 4] = -1e6;
		this.rows.fill(null);
		this.next = 0;
		this.dirtyFirst = 0;
		this.dirtyCount = this.size_;
	}
}

const HEAT_STEP = 0.5;
export const HEAT_SLOTS = 4096;

/** Places that send, on a grid of half a degree: packets a second now (about ten seconds) and usually (about ten minutes). */
export class HeatGrid {
	/** Longitude, latitude (radians), now, usually; per slot. */
	readonly data = new Float32Array(HEAT_SLOTS * 4);
	used = 0;
	private readonly slots = new Map<number, number>();
	private readonly counts = new Float32Array(HEAT_SLOTS);
	private readonly free: number[] = [];
	private age = 0;

	/** Returns how unusual the place is now: 0 as always, 1 far above. */
	add(longitude: number, latitude: number, packets: number): number {
		const key = Math.round((latitude + 90) / HEAT_STEP) * 1024 + Math.round((longitude + 180) / HEAT_STEP);
		let slot = this.slots.get(key);
		if (slot === undefined) {
			slot = this.free.pop() ?? (this.used < HEAT_SLOTS ? this.used++ : -1);
			if (slot < 0) return 0;
			this.slots.set(key, slot);
			this.data[slot * 4] = longitude * RADIAN;
			this.data[slot * 4 + 1] = latitude * RADIAN;
			this.data[slot * 4 + 2] = 0;
			this.data[slot * 4 + 3] = 0;
		}
		this.counts[slot]! += packets;
		const now = this.data[slot * 4 + 2]!;
		const usually = this.data[slot * 4 + 3]!;
		if (this.age < 60 || now < 0.5) return 0;
		return Math.max(0, Math.min(1, (now / (usually + 0.4) - 1.6) / 3.4));
	}

	/** Called every `seconds` (about half a second). */
	step(seconds: number): void {
		this.age += seconds;
		const fast = 1 - Math.exp(-seconds / 8);
		// In the first minutes everything is new to us; learn quickly then so that the map does not cry wolf.
		const slow = 1 - Math.exp(-seconds / Math.min(600, Math.max(8, this.age)));
		for (const [key, slot] of this.slots) {
			const rate = this.counts[slot]! / seconds;
			this.counts[slot] = 0;
			const at = slot * 4;
			this.data[at + 2]! += (rate - this.data[at + 2]!) * fast;
			this.data[at + 3]! += (rate - this.data[at + 3]!) * slow;
			if (this.data[at + 2]! < 0.003 && this.data[at + 3]! < 0.003) {
				this.data[at + 2] = 0;
				this.slots.delete(key);
				this.free.push(slot);
			}
		}
	}
}
