import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bucketFor, bytes, countriesLike, country, digits, instant, percent, short, time } from "../src/core/format";

test("counts are short to read, in the way of each language", () => {
	assert.equal(short(9999, "en"), "9,999");
	assert.equal(short(1_234_567, "en"), "1.2M");
	assert.equal(short(1_234_567, "ja"), "123.5万");
	assert.equal(short(701_000_000_000, "ja"), "7010億");
	assert.equal(short(NaN, "en"), "–");
	assert.equal(digits(1_234_567, "ja"), "1,234,567");
	assert.equal(percent(0.1234, "en"), "12.3%");
	assert.equal(bytes(1536), "1.5 KiB");
	assert.equal(bytes(512), "512 B");
});

test("times are read: relative, now, RFC 3339; anything else is no time", () => {
	const now = Date.UTC(2026, 0, 2);
	assert.equal(instant("-24h", now), Date.UTC(2026, 0, 1));
	assert.equal(instant("-15m", now), now - 900_000);
	assert.equal(instant("now", now), now);
	assert.equal(instant("2026-01-01T00:00:00Z"), Date.UTC(2026, 0, 1));
	assert.ok(Number.isNaN(instant("yesterday")));
	assert.ok(Number.isNaN(instant("-24x")));
});

test("times are written as readers write them", () => {
	const at = new Date(2026, 10, 3, 9, 5, 7).getTime();
	assert.equal(time(at, "en"), "2026-11-03 09:05:07");
	assert.match(time(at, "ja", false), /^2026\/11\/03 0?9:05$/);
	assert.equal(time(null, "en"), "–");
	assert.equal(time("no time", "en"), "–");
	assert.equal(ago(new Date(at - 7_200_000).toISOString(), "en", at), "2 hours ago");
	assert.equal(ago(new Date(at - 120_000).toISOString(), "ja", at), "2 分前");
});

test("buckets give at most two hundred points, or a day", () => {
	for (const hours of [0.25, 1, 6, 24, 168, 720]) {
		const span = hours * 3600e3;
		const ms: Record<string, number> = { "1m": 60e3, "5m": 300e3, "15m": 900e3, "1h": 3600e3, "6h": 21600e3, "1d": 86400e3 };
		assert.ok(span / (ms[bucketFor(span)] ?? 0) <= 200, `${hours} hours`);
	}
	assert.equal(bucketFor(365 * 86400e3), "1d");
});

test("countries are named and found in both languages", () => {
	assert.equal(country("JP", "en"), "Japan");
	assert.equal(country("JP", "ja"), "日本");
	assert.equal(country("ZZ", "ja"), "不明");
	assert.equal(country("", "en"), "Unknown");
	assert.deepEqual(countriesLike("日本"), ["JP"]);
	assert.ok(countriesLike("united").includes("GB"));
	assert.deepEqual(countriesLike("nl")[0], "NL");
	assert.deepEqual(countriesLike("no such land"), []);
});
