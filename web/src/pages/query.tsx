// A question to the store, put together by hand; its address can be sent to a colleague.

import { useMemo, useState } from "preact/hooks";
import { Chart, How } from "../charts/chart";
import { stacked } from "../charts/options";
import { ask, downloadAddress, records, type Cell, type Filter, type Query } from "../core/api";
import { digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address, range, useRoute } from "../core/route";
import { seriesBy } from "../charts/series";
import { Page, Shown, VirtualRows } from "../shell/parts";
import { inside } from "../shell/tops";

const FIELDS: Record<string, string[]> = {
	tuple: ["source", "country", "network", "kind", "tool", "tool_version", "protocol", "port", "flags", "ttl", "spoofed", "sensor", "minute", "packets", "bytes", "targets", "payload", "signature"],
	echo: ["victim", "protocol", "port", "sensor", "bin", "packets", "bytes", "targets"],
	rollup: ["dimension", "key", "level", "kind", "sensor", "time", "packets", "bytes", "sources"],
	finding: ["type", "severity", "subject", "rule", "packets", "score", "ended"],
	health: ["name", "sensor", "minute", "value"],
	raw: ["source", "sensor", "minute", "block", "packets"],
};
const OPS = ["=", "!=", ">=", "<=", ">", "<", "in", "prefix", "like"];
const BUCKETS = ["", "1m", "5m", "15m", "1h", "6h", "1d", "month", "year"];
const COUNTS = ["sum", "count", "distinct", "approx_distinct", "min", "max", "avg"];

interface Draft { kind: string; filters: { field: string; op: string; value: string }[]; keys: string[]; bucket: string; aggregates: { op: string; field: string }[]; descending: boolean; order: string; limit: number }
const FIRST: Draft = { kind: "tuple", filters: [{ field: "kind", op: "=", value: "scan" }], keys: ["country"], bucket: "", aggregates: [{ op: "sum", field: "packets" }, { op: "distinct", field: "source" }], order: "sum_packets", descending: true, limit: 100 };

function draftOf(text: string | null): Draft {
	try {
		return text ? { ...FIRST, ...(JSON.parse(text) as Partial<Draft>) } : FIRST;
	} catch {
		return FIRST;
	}
}

function valueOf(filter: Draft["filters"][number]): unknown {
	const one = (text: string) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);
	return filter.op === "in" ? filter.value.split(/[,\s]+/).filter(Boolean).map(one) : one(filter.value.trim());
}

function queryOf(draft: Draft, from: string, to: string): Query {
	const filters: Filter[] = draft.filters.filter((filter) => filter.field && filter.value.trim() !== "").map((filter) => ({ field: filter.field, op: filter.op, value: valueOf(filter) }));
	return {
		kind: draft.kind, from, to, filters, keys: draft.keys, bucket: draft.bucket || null,
		aggregates: draft.aggregates.map((one) => (one.op === "count" ? { op: "count" } : one)),
		...(draft.order ? { order: [{ by: draft.order, descending: draft.descending }] } : {}), limit: draft.limit,
	};
}

function cell(value: Cell, type: string, language: "en" | "ja"): string {
	if (value === null) return "";
	if (type === "time") return time(String(value), language);
	if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(6);
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export default function QueryPage() {
	const { t, theme, language } = useHouse();
	const { params } = useRoute();
	const { from, to } = range(params);
	const asked = params.get("q");
	const [draft, set] = useState(() => draftOf(asked));
	const change = (part: Partial<Draft>) => set({ ...draft, ...part });
	const fields = FIELDS[draft.kind] ?? [];
	const query = useMemo(() => queryOf(draftOf(asked), from, to), [asked, from, to]);
	const load = useLoad(`${asked ?? ""} ${from} ${to}`, (signal) => ask(query, signal));
	const names = draft.aggregates.map((one) => (one.op === "count" ? "count" : `${one.op}_${one.field}`));
	const run = (event: Event) => {
		event.preventDefault();
		const next = new URLSearchParams(params);
		next.set("q", JSON.stringify(draft));
		const hash = address("query", next);
		if (location.hash === hash) load.reload();
		else location.hash = hash;
	};
	const option = useMemo(() => {
		if (!load.data?.columns.some((column) => column.name === "time") || !load.data.columns.some((column) => column.name === "sum_packets") || query.kind === "rollup") return null;
		const keys = query.keys ?? [];
		return stacked(seriesBy(load.data, (row) => keys.map((key) => String(row[key])).join(" ") || t("count.packets")), load.data, theme, language, true);
	}, [load.data, theme, language]);
	const select = (value: string, options: string[], label: string, onChange: (value: string) => void) => (
		<select value={value} aria-label={label} onChange={(event) => onChange(event.currentTarget.value)}>{options.map((one) => <option key={one} value={one}>{one || "–"}</option>)}</select>
	);
	return (
		<Page title={t("query.title")} hint={t("query.hint")}>
			<form class="panel" onSubmit={run}>
				<div class="builder">
					<label class="field">{t("query.kind")}{select(draft.kind, Object.keys(FIELDS), t("query.kind"), (kind) => set({ ...FIRST, kind, filters: [], keys: [], order: "", aggregates: kind === "tuple" || kind === "echo" ? [{ op: "sum", field: "packets" }] : [] }))}</label>
					<label class="field">{t("query.bucket")}{select(draft.bucket, BUCKETS, t("query.bucket"), (bucket) => change({ bucket }))}</label>
					<label class="field">{t("query.order")}<span class="where">{select(draft.order, ["", ...names, ...draft.keys, ...(draft.bucket ? ["time"] : [])], t("query.order"), (order) => change({ order }))}<button type="button" onClick={() => change({ descending: !draft.descending })}>{draft.descending ? "↓ 9–0" : "↑ 0–9"}</button></span></label>
					<label class="field">{t("query.limit")}<input type="number" min={1} max={10000} value={draft.limit} onInput={(event) => change({ limit: Number(event.currentTarget.value) || 100 })} /></label>
				</div>
				<fieldset class="plain-set"><legend>{t("query.where")}</legend>
					{draft.filters.map((filter, i) => {
						const put = (part: Partial<typeof filter>) => change({ filters: draft.filters.map((one, k) => (k === i ? { ...one, ...part } : one)) });
						return <p class="where" key={i}>{select(filter.field, fields, t("query.where"), (field) => put({ field }))}{select(filter.op, OPS, t("query.where"), (op) => put({ op }))}<input value={filter.value} aria-label={filter.field} onInput={(event) => put({ value: event.currentTarget.value })} /><button type="button" class="plain" aria-label={t("word.remove")} onClick={() => change({ filters: draft.filters.filter((_, k) => k !== i) })}>×</button></p>;
					})}
					<button type="button" class="plain" onClick={() => change({ filters: [...draft.filters, { field: fields[0] ?? "", op: "=", value: "" }] })}>+ {t("query.where")}</button>
				</fieldset>
				<fieldset class="plain-set"><legend>{t("query.keys")}</legend>
					<p class="chips">{fields.map((field) => <button type="button" key={field} class="chip" aria-pressed={draft.keys.includes(field)} onClick={() => change({ keys: draft.keys.includes(field) ? draft.keys.filter((one) => one !== field) : [...draft.keys, field] })}>{field}</button>)}</p>
				</fieldset>
				<fieldset class="plain-set"><legend>{t("query.aggregates")}</legend>
					{draft.aggregates.map((one, i) => {
						const put = (part: Partial<typeof one>) => change({ aggregates: draft.aggregates.map((old, k) => (k === i ? { ...old, ...part } : old)) });
						return <p class="where" key={i}>{select(one.op, COUNTS, t("query.aggregates"), (op) => put({ op }))}{one.op !== "count" && select(one.field, fields, t("query.aggregates"), (field) => put({ field }))}<button type="button" class="plain" aria-label={t("word.remove")} onClick={() => change({ aggregates: draft.aggregates.filter((_, k) => k !== i) })}>×</button></p>;
					})}
					<button type="button" class="plain" onClick={() => change({ aggregates: [...draft.aggregates, { op: "distinct", field: fields[0] ?? "" }] })}>+ {t("query.aggregates")}</button>
				</fieldset>
				<p><button class="main" type="submit">{t("query.run")}</button></p>
			</form>
			<Shown load={load} from={from}>
				{(answer) => (
					<>
						{option && answer.rows.length > 1 && <Chart title={t("query.title")} option={option} query={query} answer={answer} />}
						<section class="panel">
							<h2><span>{t("query.rows", { count: digits(answer.rows.length, language) })}</span><span class="row"><How answer={answer} /><a href={downloadAddress(query, "csv")} download>CSV</a><a href={downloadAddress(query, "json")} download>JSON</a></span></h2>
							<pre class="command">{answer.command}</pre>
							<div class="scroll tall">
								<table>
									<thead><tr>{answer.columns.map((column) => <th key={column.name} scope="col" class={column.type === "number" ? "n" : ""}>{column.name}</th>)}</tr></thead>
									<VirtualRows rows={records(answer)} height={34} render={(row, i) => (
										<tr key={i}>{answer.columns.map((column) => {
											const text = cell(row[column.name] ?? null, column.type, language);
											const link = column.name === "source" || column.name === "country" || column.name === "tool" ? inside(column.name, text, new URLSearchParams({ from, to })) : column.name === "victim" ? inside("source", text, new URLSearchParams({ from, to })) : "";
											return <td key={column.name} class={column.type === "number" ? "n" : column.type === "time" ? "t" : ""}>{link && text ? <a href={link}>{text}</a> : text}{column.name === "network" && answer.names?.[text] ? <span class="hint"> {answer.names[text]}</span> : null}</td>;
										})}</tr>
									)} />
								</table>
							</div>
						</section>
					</>
				)}
			</Shown>
		</Page>
	);
}
