// Keeps the picture answering: measures the time between frames and gives up arcs, then sharpness, before it gives up frames.

const WINDOW = 48;
const WARM = 20;

export interface FrameFigures {
	median: number;
	p95: number;
}

export function figures(samples: Float64Array, count: number): FrameFigures {
	const sorted = samples.slice(0, count).sort();
	return { median: sorted[count >> 1] ?? 0, p95: sorted[Math.min(count - 1, Math.floor(count * 0.95))] ?? 0 };
}

export class Pacing {
	readonly arcs_max: number;
	arcs: number;
	/** Factor on the device's pixels, 0.6..1. */
	sharpness = 1;
	private readonly intervals = new Float64Array(WINDOW);
	private count = 0;
	private skip = WARM;
	private floor_ms = 17;

	constructor(arcs_max: number) {
		this.arcs_max = arcs_max;
		this.arcs = arcs_max;
	}

	/** One frame's distance from the one before; true when `arcs` or `sharpness` changed. */
	take(interval_ms: number): boolean {
		// A tab that was hidden, a laptop that slept: not the picture's fault.
		if (interval_ms > 1000) {
			this.skip = WARM;
			return false;
		}
		if (this.skip > 0) {
			this.skip--;
			return false;
		}
		this.intervals[this.count++] = interval_ms;
		if (this.count < WINDOW) return false;
		this.count = 0;
		const { median, p95 } = figures(this.intervals, WINDOW);
		this.floor_ms = Math.min(this.floor_ms, Math.max(4, median));
		const limit = Math.max(20, this.floor_ms * 1.35);
		if (median > limit) {
			if (this.arcs > 200) this.arcs = Math.max(200, Math.floor(this.arcs * (median > 2 * limit ? 0.5 : 0.75)));
			else if (this.sharpness > 0.6) this.sharpness = Math.max(0.6, this.sharpness - 0.2);
			else return false;
			this.skip = WARM;
			return true;
		}
		if (median < limit * 0.9 && p95 < limit * 1.5) {
			if (this.sharpness < 1) this.sharpness = Math.min(1, this.sharpness + 0.2);
			else if (this.arcs < this.arcs_max) this.arcs = Math.min(this.arcs_max, Math.ceil(this.arcs * 1.1));
			else return false;
			return true;
		}
		return false;
	}
}

export interface BenchResult {
	arcs: number;
	moving: number;
	frames: number;
	seconds: number;
	/** Milliseconds between frames: what the eye sees; without a graphics card it is the software renderer's time. */
	interval: FrameFigures;
	/** Milliseconds of JavaScript in a frame, with the calls that hand the work to the GPU. */
	script: FrameFigures;
	renderer: string;
	width: number;
	height: number;
}

/** Collects frames for `seconds` after `warm` seconds. */
export class Bench {
	private readonly intervals = new Float64Array(4096);
	private readonly scripts = new Float64Array(4096);
	private count = 0;
	private begun = 0;

	constructor(
		private readonly warm = 4,
		private readonly seconds = 10,
	) {}

	/** True once, when the collection is complete. */
	take(now_ms: number, interval_ms: number, script_ms: number): boolean {
		if (this.begun === 0) this.begun = now_ms;
		const at = (now_ms - this.begun) / 1000;
		if (at < this.warm || this.count < 0) return false;
		if (at < this.warm + this.seconds && this.count < this.intervals.length) {
			this.intervals[this.count] = interval_ms;
			this.scripts[this.count++] = script_ms;
			return false;
		}
		return this.count > 0;
	}

	result(rest: Omit<BenchResult, "frames" | "seconds" | "interval" | "script">): BenchResult {
		const frames = this.count;
		this.count = -1;
		return {
			...rest,
			frames,
			seconds: this.seconds,
			interval: figures(this.intervals, frames),
			script: figures(this.scripts, frames),
		};
	}
}
