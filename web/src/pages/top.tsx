// The largest of anything, within any filter, and its course.

import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart";
import { stacked } from "../charts/options";
import { kindSeries } from "../charts/series";
import { ask, downloadAddress, records, type Query } from "../core/api";
import { useHouse, useLoad } from "../core/house";
import { DIMENSIONS, filtersOf, seriesQuery, type Dimension } from "../core/queries";
import { address, range, useRoute, withParams } from "../core/route";
import { How } from "../charts/chart";
import { Count, Page, Shown } from "../shell/parts";
import { Filters, TopTable, useTop } from "../shell/tops";
import type { Word } from "../i18n";

export default function Top() {
	const { t, tOf, theme, language } = useHouse();
	const { params } = useRoute();
	const { from, to } = range(params);
	const asked = params.get("by") ?? "port";
	const by = (DIMENSIONS as string[]).includes(asked) ? (asked as Dimension) : "port";
	const filters = filtersOf(params);
	const limit = Math.min(1000, Number(params.get("limit")) || 50);
	const { load, rows, downloads } = useTop(by, from, to, filters, limit, 60_000);
	const totalQuery: Query = { kind: "tuple", from, to, filters, aggregates: [{ op: "distinct", field: "source" }] };
	const total = useLoad(JSON.stringify(totalQuery), (signal) => ask(totalQuery, signal), 60_000);
	const courseQuery = seriesQuery("kind", from, to, filters);
	const course = useLoad(JSON.stringify([courseQuery, from, to]), (signal) => ask(courseQuery, signal), 60_000);
	const option = useMemo(() => (course.data ? stacked(kindSeries(course.data, theme, (kind) => tOf("kind", kind)), course.data, theme, language) : null), [course.data, theme, language]);
	const sources = total.data ? records(total.data)[0]?.["distinct_source"] : undefined;
	const packets = (course.data ? records(course.data) : []).reduce((sum, row) => sum + Number(row["sum_packets"]), 0);
	const series = new URLSearchParams(params);
	series.delete("by");
	const at = (ms: number) => { series.set("at", new Date(ms).toISOString()); location.hash = address("observe/series", series); };
	return (
		<Page title={t("top.title", { what: t((by === "country" ? "word.countries" : by === "source" ? "word.sourcesOf" : `word.${by}s`) as Word) })} hint={t("top.hint")} tools={
			<nav class="segments" aria-label={t("series.by")}>
				{DIMENSIONS.map((dimension) => <a key={dimension} class={dimension === by ? "on" : ""} aria-current={dimension === by ? "true" : undefined} href={withParams({ by: dimension })}>{t(`word.${dimension}` as Word)}</a>)}
			</nav>}>
			<Filters params={params} />
			{course.data && course.data.rows.length > 0 && option && <Chart title={t("top.course")} option={option} height={170} query={courseQuery} answer={course.data} busy={course.loading} onTime={at} />}
			<section class="panel">
				<h2><span>{course.data && <><Count value={packets} /> {t("count.packets")}</>}{sources !== undefined && <> · <Count value={Number(sources)} /> {t("word.sourcesOf")}</>}</span>
					<span class="row">{load.data && <How answer={load.data} />}<a href={downloadAddress(downloads, "csv")} download>CSV</a><a href={downloadAddress(downloads, "json")} download>JSON</a></span></h2>
				<Shown load={load} empty={(answer) => answer.rows.length === 0} from={from}>
					{(answer) => (
						<>
							<TopTable rows={rows} total={packets} dimension={by} params={params} />
							{answer.rows.length === limit && limit < 1000 && <p><a class="button" href={withParams({ limit: String(Math.min(1000, limit * 4)) })}>{t("word.more")}</a></p>}
						</>
					)}
				</Shown>
			</section>
		</Page>
	);
}
