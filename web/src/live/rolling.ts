// Rolling sums over the last seconds, kept in rings of one-second buckets so that forgetting costs as little as counting.

/** Counts per second of a few fixed series (the kinds), over the last `seconds`. */
export class SecondRing {
	private readonly cells: Float64Array;
	private head = 0;
	private second = 0;
	filled = 0;

	constructor(
		readonly series: number,
		readonly seconds: number,
	) {
		this.cells = new Float64Array(series * seconds);
	}

	/** Moves on to the second of `now_ms`; skipped seconds hold zero. */
	advance(now_ms: number): void {
		const second = Math.floor(now_ms / 1000);
		if (this.second === 0 || second - this.second > this.seconds) {
			this.cells.fill(0);
			this.second = second;
			this.filled = 0;
			return;
		}
		while (this.second < second) {
			this.second++;
			this.head = (this.head + 1) % this.seconds;
			this.filled = Math.min(this.filled + 1, this.seconds - 1);
			this.cells.fill(0, this.head * this.series, (this.head + 1) * this.series);
		}
	}

	add(series: number, count: number): void {
		if (series >= 0 && series < this.series) this.cells[this.head * this.series + series]! += count;
	}

	/**
	 * Per-second means of `buckets` equal spans of the complete seconds, oldest first, into `ret`. The open second is
	 * left out; spans from before the first count are NaN.
	 */
	history(series: number, ret: Float64Array): void {
		const buckets = ret.length;
		const span = Math.floor((this.seconds - 1) / buckets);
		for (let b = 0; b < buckets; b++) {
			let sum = 0;
			for (let i = 0; i < span; i++) {
				const age = (buckets - b - 1) * span + i + 1;
				const cell = (this.head - age + 2 * this.seconds) % this.seconds;
				sum += this.cells[cell * this.series + series]!;
			}
			ret[b] = (buckets - b) * span > this.filled ? NaN : sum / span;
		}
	}

	/** Mean per second over the last `seconds` complete seconds. */
	rate(series: number, seconds: number): number {
		const span = Math.max(1, Math.min(seconds, this.filled));
		let sum = 0;
		for (let age = 1; age <= span; age++) {
			const cell = (this.head - age + this.seconds) % this.seconds;
			sum += this.cells[cell * this.series + series]!;
		}
		return sum / span;
	}
}

export interface TopRow<K> {
	key: K;
	count: number;
	/** Share of everything counted in the window, 0..1. */
	share: number;
	/** Share in the window over the share in the slow background; 1 is as always, NaN when there is no background yet. */
	change: number;
}

/** The most frequent keys of the last `seconds`, with what is usual for each (a slow mean) beside it. */
export class RollingTop<K> {
	private readonly buckets: Map<K, number>[];
	private readonly sums = new Map<K, number>();
	private readonly usual = new Map<K, number>();
	private head = 0;
	private second = 0;
	private total = 0;
	private aged = 0;

	constructor(
		private readonly seconds = 60,
		private readonly keys_max = 4096,
		private readonly slow_seconds = 600,
	) {
		this.buckets = Array.from({ length: seconds }, () => new Map<K, number>());
	}

	advance(now_ms: number): void {
		const second = Math.floor(now_ms / 1000);
		if (this.second === 0) this.second = second;
		const steps = Math.min(second - this.second, this.seconds);
		for (let i = 0; i < steps; i++) this.step();
		this.second = Math.max(this.second, second);
	}

	add(key: K, count: number): void {
		const bucket = this.buckets[this.head]!;
		const had = this.sums.get(key);
		if (had === undefined && this.sums.size >= this.keys_max) return;
		bucket.set(key, (bucket.get(key) ?? 0) + count);
		this.sums.set(key, (had ?? 0) + count);
		this.total += count;
	}

	top(limit: number): TopRow<K>[] {
		const rows: TopRow<K>[] = [];
		for (const [key, count] of this.sums) {
			if (rows.length === limit && count <= rows[limit - 1]!.count) continue;
			const share = this.total > 0 ? count / this.total : 0;
			const usual = this.usual.get(key) ?? 0;
			const change = this.aged < this.seconds ? NaN : share / Math.max(usual, 0.001);
			let at = rows.length;
			while (at > 0 && rows[at - 1]!.count < count) at--;
			rows.splice(at, 0, { key, count, share, change });
			if (rows.length > limit) rows.pop();
		}
		return rows;
	}

	get size(): number {
		return this.sums.size;
	}

	private step(): void {
		if (this.total > 0) this.age();
		this.head = (this.head + 1) % this.seconds;
		const old = this.buckets[this.head]!;
		for (const [key, count] of old) {
			const rest = this.sums.get(key)! - count;
			if (rest > 0) this.sums.set(key, rest);
			else this.sums.delete(key);
			this.total -= count;
		}
		old.clear();
	}

	private age(): void {
		this.aged++;
		const weight = 1 / Math.min(this.aged, this.slow_seconds);
		for (const [key, count] of this.sums) {
			const usual = this.usual.get(key) ?? 0;
			this.usual.set(key, usual + (count / this.total - usual) * weight);
		}
		if (this.aged % 30) return;
		for (const [key, usual] of this.usual) {
			if (this.sums.has(key)) continue;
			if (usual < 0.0005) this.usual.delete(key);
			else this.usual.set(key, usual * (1 - 30 * weight));
		}
	}
}
