// The Tiles without a browser: what a source is taken for, who is remembered, who stands where.

import assert from "node:assert/strict";
import { test } from "node:test";
import { guess, type Behaviour, type Packet } from "../src/tiles/behaviour";
import { Board, GONE_MS, share, type Order } from "../src/tiles/board";
import { POINTS_MAX, Source, Sources, SOURCES_MAX, WINDOW_MS } from "../src/tiles/model";
import { en, ja } from "../src/tiles/texts";

const SCAN = 0;
const BACKSCATTER = 1;
const REFLECTION = 3;
const ALL = [true, true, true, true, true, true];
const START = 1_800_000_000_000;
const tcp = (port: number) => 6 * 65536 + port;

/** Packets whose ports and targets take turns. */
function packets(count: number, ports: number, targets: number, kind = SCAN): Packet[] {
	return Array.from({ length: count }, (_, i) => ({ kind, port: tcp(1000 + (i % ports)), target: `192.0.2.${i % targets}`, packets: 1 }));
}

test("every behaviour by its rule, at the edge of the rule", () => {
	const cases: [Behaviour, Packet[]][] = [
		["single", packets(2, 1, 1)],
		["repeats", packets(3, 1, 1)],
		["repeats", packets(9, 2, 2)],
		["vertical", packets(9, 3, 2)],
		["horizontal", packets(9, 2, 3)],
		["horizontal", packets(12, 5, 12)],
		["wide", packets(12, 6, 12)],
		["wide", packets(4, 4, 4)],
		["attacked", [...packets(5, 1, 5, BACKSCATTER), ...packets(4, 1, 4)]],
		["horizontal", [...packets(4, 1, 4, BACKSCATTER), ...packets(4, 1, 4)]],
		["reflectors", packets(1, 1, 1, REFLECTION)],
		["single", []],
	];
	for (const [behaviour, rows] of cases) assert.equal(guess(rows).behaviour, behaviour, JSON.stringify(guess(rows)));
});

test("a guess counts packets, not rows, and names the port and kind of most", () => {
	const rows: Packet[] = [
		{ kind: SCAN, port: tcp(23), target: "192.0.2.1", packets: 1 },
		{ kind: SCAN, port: tcp(23), target: "192.0.2.2", packets: 1 },
		{ kind: BACKSCATTER, port: tcp(80), target: "192.0.2.2", packets: 9 },
	];
	assert.deepEqual(guess(rows), { behaviour: "attacked", kind: BACKSCATTER, port: tcp(80), ports: 2, targets: 2, packets: 11 });
});

function arrive(sources: Sources, address: string, at: number, count = 1, kind = SCAN): void {
	for (let i = 0; i < count; i++) sources.take([address, 0, 0, "JP", 64500, kind, 0, 6, 23, 1, `192.0.2.${i % 200}`], at, 0.5, 0.5);
}

test("the newest packets of a source are kept, those outside the window are not counted", () => {
	const sources = new Sources();
	arrive(sources, "198.51.100.1", START, POINTS_MAX + 10);
	const source = sources.all.get("198.51.100.1")!;
	assert.equal(source.points.length, POINTS_MAX);
	assert.equal(source.guess(START).packets, POINTS_MAX);
	assert.equal(source.guess(START + WINDOW_MS + 1).packets, 0);
	assert.ok(source.activity(START) > source.activity(START + 1000));
});

test("a full table lets go of the least active, never of one that is shown", () => {
	const sources = new Sources();
	arrive(sources, "198.51.100.1", START);
	sources.all.get("198.51.100.1")!.shown = true;
	arrive(sources, "198.51.100.2", START);
	for (let i = 2; i < SOURCES_MAX; i++) arrive(sources, `203.0.113.${i}`, START, 5);
	arrive(sources, "198.51.100.3", START + 1);
	assert.equal(sources.all.size, SOURCES_MAX);
	assert.ok(sources.all.has("198.51.100.1") && sources.all.has("198.51.100.3"));
	assert.ok(!sources.all.has("198.51.100.2"));
	sources.sweep(START + WINDOW_MS + 2);
	assert.deepEqual([...sources.all.keys()], ["198.51.100.1"]);
});

test("a held copy does not change with its source", () => {
	const sources = new Sources();
	arrive(sources, "198.51.100.1", START, 3);
	const copy = sources.all.get("198.51.100.1")!.copy();
	arrive(sources, "198.51.100.1", START + 1, 3);
	assert.equal(copy.points.length, 3);
	assert.equal(copy.last, START);
});

function board(count: number, order: Order = "busiest", kinds = ALL, only: Behaviour | null = null): Board {
	const made = new Board();
	made.resize(count);
	made.ask(order, kinds, only);
	return made;
}
const standing = (one: Board) => one.slots.map((slot) => slot.source?.address ?? null);

test("a source keeps its place until it is gone, and a held one stays", () => {
	const sources = new Sources();
	const tiles = board(2);
	arrive(sources, "198.51.100.1", START, 4);
	arrive(sources, "198.51.100.2", START, 3);
	tiles.step(START, sources.all.values());
	assert.deepEqual(standing(tiles), ["198.51.100.1", "198.51.100.2"]);
	const late = START + GONE_MS - 5000;
	arrive(sources, "198.51.100.2", late, 3);
	arrive(sources, "198.51.100.3", late, 2);
	tiles.step(late, sources.all.values());
	assert.deepEqual(standing(tiles), ["198.51.100.1", "198.51.100.2"], "not gone yet, and one who is a little more active changes nothing");
	tiles.step(START + GONE_MS + 1, sources.all.values());
	assert.deepEqual(standing(tiles), ["198.51.100.3", "198.51.100.2"]);
	tiles.slots[0]!.held = true;
	tiles.step(START + 3 * GONE_MS, sources.all.values());
	assert.deepEqual(standing(tiles), ["198.51.100.3", null]);
});

test("who is clearly more active takes the place of the least", () => {
	const sources = new Sources();
	const tiles = board(2);
	arrive(sources, "198.51.100.1", START, 4);
	arrive(sources, "198.51.100.2", START, 3);
	tiles.step(START, sources.all.values());
	arrive(sources, "198.51.100.3", START + 1000, 30);
	tiles.step(START + 1000, sources.all.values());
	assert.deepEqual(standing(tiles), ["198.51.100.1", "198.51.100.2"], "it has to stay a while first");
	tiles.step(START + 9000, sources.all.values());
	assert.deepEqual(standing(tiles), ["198.51.100.1", "198.51.100.3"]);
	assert.equal(sources.all.get("198.51.100.2")!.shown, false);
});

test("kinds and behaviours that are not asked for leave the board", () => {
	const sources = new Sources();
	const tiles = board(4);
	arrive(sources, "198.51.100.1", START, 4);
	arrive(sources, "198.51.100.2", START, 4, BACKSCATTER);
	tiles.step(START, sources.all.values());
	assert.equal(standing(tiles).filter(Boolean).length, 2);
	tiles.ask("busiest", [false, true, true, true, true, true], null);
	tiles.step(START + 1000, sources.all.values());
	assert.deepEqual(standing(tiles).filter(Boolean), ["198.51.100.2"]);
	for (const slot of tiles.slots) slot.held = true;
	tiles.ask("busiest", ALL, "horizontal");
	tiles.step(START + 2000, sources.all.values());
	assert.deepEqual(standing(tiles).filter(Boolean), ["198.51.100.1"]);
});

test("by behaviour: like stands beside like, and each has its share", () => {
	const sources = new Sources();
	const tiles = board(4, "behaviour");
	for (let i = 0; i < 9; i++) arrive(sources, `203.0.113.${i}`, START, 5);
	for (let i = 0; i < 2; i++) arrive(sources, `198.51.100.${i}`, START, 5, BACKSCATTER);
	tiles.step(START, sources.all.values());
	assert.deepEqual(tiles.slots.map((slot) => slot.source!.guess(START).behaviour), ["horizontal", "horizontal", "attacked", "attacked"]);
	tiles.resize(2);
	assert.equal([...sources.all.values()].filter((source: Source) => source.shown).length, 2);
});

test("room is shared evenly among those who want some", () => {
	assert.deepEqual(share(10, [20, 0, 20]), [5, 0, 5]);
	assert.deepEqual(share(10, [1, 20, 2]), [1, 7, 2]);
	assert.deepEqual(share(2, [5, 5, 5]), [1, 1, 0]);
	assert.deepEqual(share(10, [1, 1]), [1, 1]);
	assert.deepEqual(share(0, [3]), [0]);
});

test("the Tiles say everything in both languages, with the same holes", () => {
	const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();
	assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
	for (const [key, text] of Object.entries(en)) assert.deepEqual(holes(ja[key as keyof typeof ja]), holes(text), key);
});
