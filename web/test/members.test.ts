// Members without a browser: how much is theirs, in which order they stand, that both languages say the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { extent, faultsOf, rowsOf, sorted, validity, type Member } from "../src/members/model";
import { en, ja } from "../src/members/texts";
import * as portal from "../src/portal/texts";

const member = (id: number, name: string, more: Partial<Member> = {}): Member => ({ id, key: `m${id}`, name, kind: "other", prefixes: [], changed: `2026-01-0${id}T00:00:00Z`, ...more });

test("addresses are counted once, however blocks lie in each other", () => {
	assert.deepEqual(extent(["192.0.2.0/24", "192.0.2.0/28", "192.0.2.0/24", "198.51.100.7/32"]), { addresses: 257, sites: 0 });
	assert.deepEqual(extent(["2001:db8::/40", "2001:db8:1::/48", "2001:db8:1000::/56"]), { addresses: 0, sites: 257 });
	assert.deepEqual(extent([]), { addresses: 0, sites: 0 });
});

test("members stand in the order that was asked for, ties by name", () => {
	const rows = rowsOf([member(1, "b", { prefixes: ["192.0.2.0/24"] }), member(2, "a", { kind: "municipality" }), member(3, "c", { prefixes: ["192.0.2.0/24"] })], [{ member: 3 }, { member: 3 }, { member: 2 }]);
	const order = (by: Parameters<typeof sorted>[1], down: boolean) => sorted(rows, by, down, "en").map((row) => row.name).join("");
	assert.equal(order("name", false), "abc");
	assert.equal(order("name", true), "cba");
	assert.equal(order("kind", false), "abc");
	assert.equal(order("size", true), "bca");
	assert.equal(order("open", true), "cab");
	assert.equal(order("changed", true), "cab");
});

test("a member is valid from its first instant until just before its last", () => {
	const now = Date.parse("2026-06-01T00:00:00Z");
	assert.equal(validity({ valid_from: "2026-06-01T00:00:00Z" }, now), "valid");
	assert.equal(validity({ valid_from: "2026-06-01T00:00:01Z" }, now), "future");
	assert.equal(validity({ valid_until: "2026-06-01T00:00:00Z" }, now), "past");
	assert.equal(validity({ valid_from: null, valid_until: null }, now), "valid");
});

test("faults are taken out of an answer that has some", () => {
	const fault = { line: 2, key: "a", field: "name", message: "it is empty", message_ja: "空です" };
	assert.deepEqual(faultsOf({ report: { faults: [fault] } }), [fault]);
	assert.deepEqual(faultsOf(undefined), []);
	assert.deepEqual(faultsOf({ error: {} }), []);
});

test("both languages have the same words, with the same gaps", () => {
	for (const [english, japanese] of [[en, ja], [portal.en, portal.ja]] as Record<string, string>[][])
		for (const [key, text] of Object.entries(english ?? {})) assert.deepEqual(japanese?.[key]?.match(/\{\w+\}/g)?.sort() ?? [], text.match(/\{\w+\}/g)?.sort() ?? [], key);
});
