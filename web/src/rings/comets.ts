// Packets on their way from a member's block into the darkness: a ring of slots of one interleaved instance buffer. A slot is written
// when its packet starts; the shader moves it. A full ring refuses new ones, and shrinking it is how the picture degrades.

export const COMET_FLOATS = 8;
export const COMETS_MAX = 1200;
export const FLIGHT_SECONDS = 1.5;
export const IMPACTS = 12;
export const SPHERE = 0.235;
const TAIL = 0.3;

export interface Impact {
	x: number;
	y: number;
	z: number;
	at: number;
	verdict: number;
}

interface Place {
	x: number;
	y: number;
	z: number;
}

export class CometRing {
	/** angle, radius, start, flight | azimuth, elevation, verdict, lift */
	readonly data = new Float32Array(COMETS_MAX * COMET_FLOATS);
	readonly impacts: Impact[] = Array.from({ length: IMPACTS }, () => ({ x: 0, y: 1, z: 0, at: -1e6, verdict: 0 }));
	dirty = true;
	refused = 0;
	private next = 0;
	private nextImpact = 0;
	private size_ = 800;

	constructor() {
		this.clear();
	}

	get size(): number {
		return this.size_;
	}

	set size(size: number) {
		this.size_ = Math.max(24, Math.min(COMETS_MAX, Math.floor(size)));
		if (this.next >= this.size_) this.next = 0;
	}

	add(angle: number, radius: number, verdict: number, start: number, now: number): boolean {
		const at = this.next * COMET_FLOATS;
		const d = this.data;
		if (d[at + 2]! + d[at + 3]! * (1 + TAIL) > now) {
			this.refused++;
			return false;
		}
		const flight = FLIGHT_SECONDS * (0.85 + 0.3 * Math.random());
		const azimuth = angle + (Math.random() - 0.5) * 1.3;
		const elevation = 0.15 + Math.random() * 0.75;
		d.set([angle, radius, start, flight, azimuth, elevation, verdict, 0.2 + 0.16 * Math.random()], at);
		this.dirty = true;
		this.next = (this.next + 1) % this.size_;
		const impact = this.impacts[this.nextImpact]!;
		this.nextImpact = (this.nextImpact + 1) % IMPACTS;
		impact.x = Math.cos(azimuth) * Math.cos(elevation);
		impact.y = Math.sin(elevation);
		impact.z = Math.sin(azimuth) * Math.cos(elevation);
		impact.at = start + flight;
		impact.verdict = verdict;
		return true;
	}

	/** From 0 at the block to 1 in the darkness; where the tail ends is `lag` behind. */
	static along(age: number, flight: number): number {
		const at = Math.max(0, Math.min(1, age / flight));
		return at * (0.55 + 0.45 * at);
	}

	alive(i: number, now: number): boolean {
		const at = i * COMET_FLOATS;
		return this.data[at + 2]! <= now && this.data[at + 2]! + this.data[at + 3]! * (1 + TAIL) > now;
	}

	living(now: number): number {
		let count = 0;
		for (let i = 0; i < this.size_; i++) if (this.alive(i, now)) count++;
		return count;
	}

	/** Where a packet stands at `part` of its way, as the shader has it. */
	place(i: number, part: number, ret: Place): void {
		const d = this.data;
		const at = i * COMET_FLOATS;
		const [ax, az] = [Math.cos(d[at]!) * d[at + 1]!, Math.sin(d[at]!) * d[at + 1]!];
		const flat = Math.cos(d[at + 5]!) * SPHERE;
		const [bx, by, bz] = [Math.cos(d[at + 4]!) * flat, Math.sin(d[at + 5]!) * SPHERE, Math.sin(d[at + 4]!) * flat];
		const lift = d[at + 7]! + by;
		const [u, v, w] = [(1 - part) * (1 - part), 2 * part * (1 - part), part * part];
		ret.x = u * ax + v * (ax + bx) * 0.5 + w * bx;
		ret.y = v * lift + w * by;
		ret.z = u * az + v * (az + bz) * 0.5 + w * bz;
	}

	/** Takes `seconds` off all times: single-precision time would stutter after some hours on a wall. */
	rebase(seconds: number): void {
		for (let i = 0; i < COMETS_MAX; i++) this.data[i * COMET_FLOATS + 2]! -= seconds;
		for (const impact of this.impacts) impact.at -= seconds;
		this.dirty = true;
	}

	clear(): void {
		for (let i = 0; i < COMETS_MAX; i++) this.data[i * COMET_FLOATS + 2] = -1e6;
		for (const impact of this.impacts) impact.at = -1e6;
		this.next = 0;
		this.dirty = true;
	}
}
