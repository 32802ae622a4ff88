import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../src/core/api";
import { courseOf } from "../src/core/command";
import { filtersOf, seriesQuery, topQuery } from "../src/core/queries";
import { address, routeOf } from "../src/core/route";
import { peaks, seriesBy } from "../src/charts/series";

test("an address of a view gives back its path and parameters", () => {
	const route = routeOf(address("finding/victim%3A192.0.2.1", { from: "-1h", to: undefined }));
	assert.deepEqual(route.path, ["finding", "victim:192.0.2.1"]);
	assert.equal(route.params.get("from"), "-1h");
	assert.ok(!route.params.has("to"));
});

test("filters of an address", () => {
	assert.deepEqual(filtersOf(new URLSearchParams("port=tcp/23&country=JP")), [
		{ field: "country", op: "=", value: "JP" },
		{ field: "protocol", op: "=", value: "tcp" },
		{ field: "port", op: "=", value: 23 },
	]);
	assert.deepEqual(filtersOf(new URLSearchParams("source=192.0.2.0/24")), [{ field: "source", op: "prefix", value: "192.0.2.0/24" }]);
	assert.deepEqual(filtersOf(new URLSearchParams("from=-1h")), []);
});

test("ports are those that are sought, not those that answer", () => {
	const query = topQuery("port", "-1h", "now", [], 10);
	assert.deepEqual(query.keys, ["protocol", "port"]);
	assert.ok(query.filters?.some((filter) => filter.field === "kind" && filter.op === "!=" && filter.value === "backscatter"));
	assert.equal(seriesQuery("kind", "-1h", "now", []).bucket, "1m");
});

test("the command of a finding becomes its course", () => {
	const query = courseOf("yagura query tuple --where source=192.0.2.1 --where port=23,2323 --where 'kind!=backscatter' --from 2026-01-01T00:00:00Z --to 2026-01-01T02:00:00Z");
	assert.equal(query?.kind, "tuple");
	assert.deepEqual(query?.filters, [
		{ field: "source", op: "=", value: "192.0.2.1" },
		{ field: "port", op: "in", value: [23, 2323] },
		{ field: "kind", op: "!=", value: "backscatter" },
	]);
	assert.equal(query?.bucket, "1m");
	for (const other of ["yagura status", "yagura query tuple --where port --from a --to b", "rm -r x", "", "yagura query tuple --from 2026-01-02T00:00:00Z --to 2026-01-01T00:00:00Z"]) assert.equal(courseOf(other), null, other);
});

const answer = (rows: Answer["rows"], to: string): Answer => ({ columns: [{ name: "time", type: "time" }, { name: "kind", type: "text" }, { name: "sum_packets", type: "number" }], rows, exact: true, elapsed_ms: 1, from: "2026-01-01T00:00:00Z", to, command: "" });

test("series: gaps are zero, an open last bucket is left out, the largest comes first", () => {
	const rows: Answer["rows"] = [["2026-01-01T00:00:00Z", "scan", 5], ["2026-01-01T00:01:00Z", "other", 90], ["2026-01-01T00:02:00Z", "scan", 7], ["2026-01-01T00:03:00Z", "scan", 1]];
	const open = seriesBy(answer(rows, "2026-01-01T00:03:10Z"), (row) => String(row["kind"]));
	assert.deepEqual(open.map((one) => one.name), ["other", "scan"]);
	assert.deepEqual(open[1]?.points.map((point) => point[1]), [5, 0, 7]);
	const closed = seriesBy(answer(rows, "2026-01-01T00:04:00Z"), (row) => String(row["kind"]));
	assert.deepEqual(closed[1]?.points.map((point) => point[1]), [5, 0, 7, 1]);
	assert.deepEqual(peaks(answer(rows, "2026-01-01T00:04:00Z"), 1), [{ at: Date.UTC(2026, 0, 1, 0, 1), packets: 90 }]);
});
