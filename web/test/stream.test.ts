// The live stream's client against a stream that breaks in every way it can.

import assert from "node:assert/strict";
import { test } from "node:test";

type Handler = (event: { data: string }) => void;
class Source {
	static made: Source[] = [];
	onerror: (() => void) | null = null;
	closed = false;
	private readonly handlers = new Map<string, Handler>();
	constructor(readonly url: string) { Source.made.push(this); }
	addEventListener(name: string, handler: Handler) { this.handlers.set(name, handler); }
	close() { this.closed = true; }
	say(name: string, value: unknown) { this.handlers.get(name)?.({ data: typeof value === "string" ? value : JSON.stringify(value) }); }
}
const frames: (() => void)[] = [];
Object.assign(globalThis, {
	window: globalThis,
	document: { hidden: false, addEventListener: () => undefined, removeEventListener: () => undefined },
	requestAnimationFrame: (then: () => void) => frames.push(then),
	cancelAnimationFrame: () => undefined,
});
const { Stream } = await import("../src/live/stream");
const draw = () => frames.splice(0).forEach((then) => then());
const hello = (now: number) => ({ darknet: { latitude: 0, longitude: 0, label: "" }, kinds: [], tools: [], tick_ms: 100, now });
const frame = (t: number) => ({ t, pps: 1, kinds: [1, 0, 0, 0, 0, 0], latency_ms: 20, arcs: [] });

test("frames reach the picture in order, old ones are dropped when the page is slow, and damage is no end", () => {
	const now = 1_000_000;
	const stream = new Stream({ source: (url) => new Source(url) as unknown as EventSource, now: () => now });
	const seen: number[] = [];
	const phases: string[] = [];
	const leave = stream.subscribe({ frame: (one) => seen.push(one.t), state: (state) => phases.push(state.phase) });
	const source = Source.made.at(-1)!;
	source.say("hello", hello(now));
	assert.equal(stream.state.phase, "live");
	source.say("frame", frame(now - 10));
	source.say("frame", "{not json");
	source.say("frame", frame(now));
	draw();
	assert.deepEqual(seen, [now - 10, now]);
	assert.ok(stream.state.latency >= 20 && stream.state.latency < 100);
	assert.equal(stream.state.dropped, 1);
	for (let i = 0; i < 100; i++) source.say("frame", frame(now + i));
	draw();
	assert.equal(seen.length, 2 + 24);
	assert.equal(seen.at(-1), now + 99);
	assert.equal(stream.state.dropped, 1 + 76);
	source.onerror?.();
	assert.ok(source.closed);
	assert.equal(stream.state.phase, "stale");
	assert.ok(stream.state.retryAt > now);
	leave();
	stream.close();
	assert.ok(phases.includes("live"));
});

test("a clock of the hub that is an hour off does not count as an hour of latency", () => {
	const now = 5_000_000;
	const stream = new Stream({ source: (url) => new Source(url) as unknown as EventSource, now: () => now });
	stream.subscribe({ frame: () => undefined });
	const source = Source.made.at(-1)!;
	source.say("hello", hello(now - 3_600_000));
	source.say("frame", frame(now - 3_600_000 - 30));
	draw();
	assert.ok(stream.state.latency < 200, String(stream.state.latency));
	stream.close();
});
