// The live stream of the hub (GET /api/v1/live, server-sent events; WHATWG HTML, section 9.2).
// One connection serves every view that is open. Frames pass through a short queue that is emptied once per animation frame:
// a slow page loses frames, never its response, and a hidden tab does no work at all.

export type Arc = [
	source: string,
	latitude: number,
	longitude: number,
	country: string,
	asn: number,
	kind: number,
	tool: number,
	protocol: number,
	port: number,
	packets: number,
	target: string,
];

export interface Hello {
	darknet: { latitude: number; longitude: number; label: string };
	kinds: string[];
	tools: string[];
	tick_ms: number;
	now: number | string;
}

export interface Frame {
	t: number;
	pps: number;
	kinds: number[];
	latency_ms: number;
	arcs: Arc[];
}

export interface LiveFinding {
	id: string | number;
	time: string;
	type: string;
	severity: string | number;
	subject: string;
	[field: string]: unknown;
}

export type StreamPhase = "connecting" | "live" | "stale" | "unreachable" | "denied";

export interface StreamState {
	phase: StreamPhase;
	/** Milliseconds since 1970 from which this phase holds; for stale and unreachable, of the last thing heard. */
	since: number;
	/** When the next attempt is made, or 0. */
	retryAt: number;
	/** Packet to picture, milliseconds, smoothed; NaN before the first frame. */
	latency: number;
	/** Frames not shown because the page was slow or hidden. */
	dropped: number;
}

export interface StreamListener {
	hello?(hello: Hello): void;
	frame?(frame: Frame): void;
	finding?(finding: LiveFinding): void;
	state?(state: StreamState): void;
}

export interface StreamOptions {
	url?: string;
	/** For tests. */
	source?: (url: string) => EventSource;
	now?: () => number;
}

const QUEUE_MAX = 24;
const STALE_AFTER_MS = 3000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 15000;
const CLOSE_AFTER_MS = 2000;
// Clocks of two machines that differ by less than this are taken as equal; a greater difference is subtracted.
const SKEW_IGNORED_MS = 250;

export class Stream {
	private readonly url: string;
	private readonly open: (url: string) => EventSource;
	private readonly clock: () => number;
	private readonly listeners = new Set<StreamListener>();
	private source: EventSource | null = null;
	private queue: Frame[] = [];
	private drainHandle = 0;
	private retryHandle = 0;
	private closeHandle = 0;
	private watchHandle = 0;
	private failures = 0;
	private skew = 0;
	private heard = 0;
	private lastHello: Hello | null = null;
	private readonly current: StreamState;

	constructor(options: StreamOptions = {}) {
		this.url = options.url ?? "/api/v1/live";
		this.open = options.source ?? ((url) => new EventSource(url));
		this.clock = options.now ?? Date.now;
		this.current = { phase: "connecting", since: this.clock(), retryAt: 0, latency: NaN, dropped: 0 };
	}

	get state(): Readonly<StreamState> {
		return this.current;
	}

	get hello(): Hello | null {
		return this.lastHello;
	}

	/** Opens the connection with the first listener and closes it a moment after the last has gone. Returns the way to leave. */
	subscribe(listener: StreamListener): () => void {
		this.listeners.add(listener);
		clearTimeout(this.closeHandle);
		if (!this.source && !this.retryHandle) this.connect();
		listener.state?.(this.current);
		if (this.lastHello) listener.hello?.(this.lastHello);
		return () => {
			if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
			this.closeHandle = window.setTimeout(() => this.close(), CLOSE_AFTER_MS);
		};
	}

	/** Tries at once, for a "try again" button. */
	retry(): void {
		if (this.current.phase === "live") return;
		this.close();
		this.connect();
	}

	close(): void {
		clearTimeout(this.retryHandle);
		clearInterval(this.watchHandle);
		cancelAnimationFrame(this.drainHandle);
		document.removeEventListener("visibilitychange", this.visibility);
		this.retryHandle = this.watchHandle = this.drainHandle = 0;
		this.source?.close();
		this.source = null;
		this.queue.length = 0;
	}

	private connect(): void {
		this.retryHandle = 0;
		if (this.failures === 0) this.enter("connecting", this.clock());
		const source = this.open(this.url);
		this.source = source;
		source.addEventListener("hello", (event) => this.take(event, this.takeHello));
		source.addEventListener("frame", (event) => {
			this.heard = this.clock();
			if (document.hidden) {
				this.current.dropped++;
				if (this.current.phase !== "live") this.enter("live", this.heard);
				return;
			}
			this.take(event, this.takeFrame);
		});
		source.addEventListener("finding", (event) => this.take(event, this.takeFinding));
		source.onerror = () => {
			if (source === this.source) this.lost();
		};
		clearInterval(this.watchHandle);
		this.watchHandle = window.setInterval(this.watch, 500);
		document.addEventListener("visibilitychange", this.visibility);
	}

	private take<T>(event: Event, then: (value: T) => void): void {
		let value: T;
		try {
			value = JSON.parse((event as MessageEvent<string>).data) as T;
		} catch {
			this.current.dropped++;
			return;
		}
		then.call(this, value);
	}

	private takeHello = (hello: Hello): void => {
		this.heard = this.clock();
		const theirs = typeof hello.now === "number" ? hello.now : Date.parse(hello.now);
		const skew = this.heard - theirs;
		this.skew = Number.isFinite(skew) && Math.abs(skew) > SKEW_IGNORED_MS ? skew : 0;
		this.failures = 0;
		this.lastHello = hello;
		this.enter("live", this.heard);
		for (const listener of this.listeners) listener.hello?.(hello);
	};

	private takeFrame = (frame: Frame): void => {
		this.failures = 0;
		if (this.current.phase !== "live") this.enter("live", this.heard);
		if (this.queue.length >= QUEUE_MAX) {
			this.queue.shift();
			this.current.dropped++;
		}
		this.queue.push(frame);
		if (!this.drainHandle) this.drainHandle = requestAnimationFrame(this.drain);
	};

	private takeFinding = (finding: LiveFinding): void => {
		for (const listener of this.listeners) listener.finding?.(finding);
	};

	private drain = (): void => {
		this.drainHandle = 0;
		const now = this.clock();
		for (const frame of this.queue) {
			const travelled = Math.max(0, now - frame.t - this.skew) + Math.max(0, frame.latency_ms || 0);
			const old = this.current.latency;
			this.current.latency = Number.isNaN(old) ? travelled : old + (travelled - old) * 0.1;
			for (const listener of this.listeners) listener.frame?.(frame);
		}
		this.queue.length = 0;
	};

	private visibility = (): void => {
		if (!document.hidden) return;
		this.current.dropped += this.queue.length;
		this.queue.length = 0;
	};

	private watch = (): void => {
		const silent = this.clock() - this.heard;
		if (this.current.phase === "live" && silent > STALE_AFTER_MS) this.enter("stale", this.heard);
		// A connection that is open but silent for long is a dead one that TCP has not noticed.
		if (this.current.phase === "stale" && silent > 10 * STALE_AFTER_MS) this.lost();
	};

	private lost(): void {
		this.source?.close();
		this.source = null;
		clearInterval(this.watchHandle);
		this.failures++;
		const delay = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (this.failures - 1)) * (0.75 + Math.random() / 2);
		const since = this.current.phase === "unreachable" ? this.current.since : this.heard || this.clock();
		this.current.retryAt = this.clock() + delay;
		this.enter(this.failures > 1 || this.heard === 0 ? "unreachable" : "stale", since);
		if (this.failures > 1) void this.askWhy();
		this.retryHandle = window.setTimeout(() => this.connect(), delay);
	}

	// EventSource hides the status code; an ordinary request tells "may not look" from "not there".
	private async askWhy(): Promise<void> {
		try {
			const answer = await fetch("/api/v1/session", { headers: { accept: "application/json" } });
			const session = (await answer.json()) as { user: unknown; guest_role: unknown };
			if (this.current.phase === "unreachable" && answer.ok && !session.user && !session.guest_role)
				this.enter("denied", this.clock());
		} catch {
			// still unreachable
		}
	}

	private enter(phase: StreamPhase, since: number): void {
		this.current.phase = phase;
		this.current.since = since;
		if (phase === "live" || phase === "connecting") this.current.retryAt = 0;
		for (const listener of this.listeners) listener.state?.(this.current);
	}
}

/** The one stream that all views share. */
export const stream = new Stream();
