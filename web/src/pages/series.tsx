// Packets over time, by anything; a peak opens into ports, tools and sources.

import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart";
import { stacked } from "../charts/options";
import { bucketMs, kindSeries, peaks, seriesBy } from "../charts/series";
import { ask, records, type Answer } from "../core/api";
import { short, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { DIMENSIONS, filtersOf, seriesQuery, topQuery, type Dimension } from "../core/queries";
import { range, useRoute, withParams } from "../core/route";
import { Page, Shown } from "../shell/parts";
import { Filters, labelOf, TopPanel } from "../shell/tops";
import type { Word } from "../i18n";

function Peak({ at, bucket }: { at: number; bucket: string }) {
	const { t, language } = useHouse();
	const { params } = useRoute();
	const length = bucketMs(bucket) || 60e3, start = Math.floor(at / length) * length;
	const from = new Date(start).toISOString(), to = new Date(start + length).toISOString();
	const filters = filtersOf(params);
	const query = { kind: "tuple", from, to, filters, aggregates: [{ op: "sum", field: "packets" }] };
	const total = useLoad(JSON.stringify(query), (signal) => ask(query, signal));
	const packets = Number(total.data ? records(total.data)[0]?.["sum_packets"] ?? 0 : 0);
	const inner = new URLSearchParams(params);
	inner.set("from", from);
	inner.set("to", to);
	return (
		<section id="peak" aria-live="polite">
			<div class="page-head">
				<h2>{t("series.peak", { from: time(from, language, false), to: time(to, language, false), packets: short(packets, language) })}</h2>
				<p class="row"><a class="button" href={withParams({ from, to, at: undefined })}>{t("series.zoom")}</a><a class="button" href={withParams({ at: undefined })}>{t("word.close")}</a></p>
			</div>
			<div class="grid">
				{(["port", "tool", "country", "source"] as const).map((dimension) => (
					<div class="half" key={dimension}>
						<TopPanel dimension={dimension} title={t((dimension === "country" ? "word.countries" : dimension === "source" ? "word.sourcesOf" : `word.${dimension}s`) as Word)} from={from} to={to} filters={filters} total={packets} params={inner} limit={6} />
					</div>
				))}
			</div>
		</section>
	);
}

/** The largest values first, then their course: two questions, so that a long tail is never fetched. */
async function courses(dimension: Dimension, from: string, to: string, filters: ReturnType<typeof filtersOf>, signal: AbortSignal): Promise<Answer> {
	const query = seriesQuery(dimension, from, to, filters);
	if (dimension === "kind" || dimension === "tool") return ask(query, signal);
	const top = records(await ask(topQuery(dimension, from, to, filters, 8), signal));
	if (!top.length) return ask({ ...query, limit: 1 }, signal);
	const field = dimension;
	const values = [...new Set(top.map((row) => row[field]))];
	const answer = await ask({ ...query, filters: [...filters, { field, op: "in", value: values }] }, signal);
	if (dimension !== "port") return answer;
	const wanted = new Set(top.map((row) => `${row["protocol"]}/${row["port"]}`));
	const [protocol, port] = ["protocol", "port"].map((name) => answer.columns.findIndex((column) => column.name === name));
	return { ...answer, rows: answer.rows.filter((row) => wanted.has(`${row[protocol ?? 0]}/${row[port ?? 0]}`)) };
}

export default function SeriesPage() {
	const { t, tOf, theme, language } = useHouse();
	const { params } = useRoute();
	const { from, to } = range(params);
	const asked = params.get("by") ?? "kind";
	const by = (DIMENSIONS as string[]).includes(asked) ? (asked as Dimension) : "kind";
	const filters = filtersOf(params);
	const query = seriesQuery(by, from, to, filters);
	const load = useLoad(JSON.stringify([by, from, to, filters]), (signal) => courses(by, from, to, filters, signal), 60_000);
	const at = Date.parse(params.get("at") ?? "");
	const option = useMemo(() => {
		if (!load.data) return null;
		const series = by === "kind" ? kindSeries(load.data, theme, (kind) => tOf("kind", kind)) : seriesBy(load.data, (row) => labelOf(by, row, language, load.data?.names).text);
		return stacked(series, load.data, theme, language, by !== "kind", Number.isNaN(at) ? undefined : at);
	}, [load.data, theme, language, by, at]);
	return (
		<Page title={t("series.title")} hint={t("series.hint")} tools={
			<nav class="segments" aria-label={t("series.by")}>
				{DIMENSIONS.map((dimension) => <a key={dimension} class={dimension === by ? "on" : ""} aria-current={dimension === by ? "true" : undefined} href={withParams({ by: dimension })}>{t(`word.${dimension}` as Word)}</a>)}
			</nav>}>
			<Filters params={params} />
			<Shown load={load} empty={(answer) => answer.rows.length === 0} from={from}>
				{(answer) => option && (
					<>
						<Chart title={t("series.of", { what: t(`word.${by}` as Word) })} option={option} height={400} query={query} answer={answer} busy={load.loading} onTime={(ms) => { location.hash = withParams({ at: new Date(ms).toISOString() }); }} />
						<p class="chips"><span class="hint">{t("series.peaks")}</span>{peaks(answer, 5).map((peak) => (
							<a key={peak.at} class="chip" href={withParams({ at: new Date(peak.at).toISOString() })}>{time(peak.at, language, false)} <b>{short(peak.packets, language)}</b></a>
						))}</p>
					</>
				)}
			</Shown>
			{!Number.isNaN(at) && <Peak at={at} bucket={query.bucket ?? "1m"} />}
		</Page>
	);
}
