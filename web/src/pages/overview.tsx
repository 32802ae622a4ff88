// What reaches the dark space, at a glance.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Chart } from "../charts/chart";
import { stacked } from "../charts/options";
import { ask, get, records, type Finding, type Query } from "../core/api";
import { percent, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { filtersOf, noteworthy, seriesQuery } from "../core/queries";
import { address, kept, range, useRoute } from "../core/route";
import { usePast } from "../live/past";
import { stream } from "../live/stream";
import { Count, Empty, KindMark, Page, Shown } from "../shell/parts";
import { Feed } from "../shell/feed";
import { Filters, TopPanel } from "../shell/tops";
import { kindSeries, shiftNote } from "../charts/series";
import { KINDS } from "../theme/palette";

const EVERY = 60_000;

function LiveRate() {
	const { t, language } = useHouse();
	const [rate, setRate] = useState<number | null>(null);
	const [quiet, setQuiet] = useState(false);
	useEffect(() => {
		let last = 0;
		return stream.subscribe({
			frame: (frame) => {
				if (frame.t - last < 500) return;
				last = frame.t;
				setRate(frame.pps);
			},
			state: (state) => setQuiet(state.phase !== "live"),
		});
	}, []);
	const past = usePast(rate === 0);
	return (
		<a href="#/observe/atlas">
			<span class="label"><span class={`status-mark${quiet ? " idle" : ""}`} />{t("overview.now")}</span>
			<span class="value">{rate === null || past ? "–" : <Count value={rate} />}</span>
			<span class="sub">{past ? t("overview.past", { time: time(past, language, false) }) : t("count.perSecond")}</span>
		</a>
	);
}

export default function Overview() {
	const { t, theme, language, tOf } = useHouse();
	const { params } = useRoute();
	const { from, to } = range(params);
	const filters = filtersOf(params);
	const key = params.toString();
	const byKind = seriesQuery("kind", from, to, filters);
	const series = useLoad(`kind?${key}`, (signal) => ask(byKind, signal), EVERY);
	const totals: Query = { kind: "tuple", from, to, filters, aggregates: [{ op: "distinct", field: "source" }, { op: "distinct", field: "network" }, { op: "distinct", field: "country" }] };
	const total = useLoad(`total?${key}`, (signal) => ask(totals, signal), EVERY);
	const findings = useLoad(`findings?${key}`, (signal) => noteworthy(from, to, (path) => get<{ findings: Finding[] }>(path, signal)), EVERY);
	const sums = total.data ? records(total.data)[0] : undefined;
	const option = useMemo(() => (series.data ? stacked(kindSeries(series.data, theme, (kind) => tOf("kind", kind)), series.data, theme, language) : null), [series.data, theme, language]);
	const perKind = useMemo(() => {
		const counts = new Map<string, number>();
		for (const row of series.data ? records(series.data) : []) counts.set(String(row["kind"]), (counts.get(String(row["kind"])) ?? 0) + Number(row["sum_packets"]));
		return counts;
	}, [series.data]);
	const packets = [...perKind.values()].reduce((sum, count) => sum + count, 0);
	const toSeries = address("observe/series", { ...kept(params), by: "kind" });
	return (
		<Page title={t("overview.title")} tools={<a class="button" href="#/observe/atlas">{t("nav.atlas")} →</a>}>
			<Filters params={params} />
			<div class="figures">
				<LiveRate />
				<a href={toSeries}><span class="label">{t("count.packets")}</span><span class="value">{series.data ? <Count value={packets} /> : "–"}</span><span class="sub">{series.data && shiftNote(series.data, t)}</span></a>
				<a href={address("observe/top", { ...kept(params), by: "source" })}><span class="label">{t("word.sourcesOf")}</span><span class="value">{sums ? <Count value={Number(sums["distinct_source"])} /> : "–"}</span></a>
				<a href={address("observe/top", { ...kept(params), by: "country" })}><span class="label">{t("word.countries")}</span><span class="value">{sums ? <Count value={Number(sums["distinct_country"])} /> : "–"}</span></a>
				<a href={address("observe/top", { ...kept(params), by: "network" })}><span class="label">{t("word.networks")}</span><span class="value">{sums ? <Count value={Number(sums["distinct_network"])} /> : "–"}</span></a>
			</div>
			<div class="figures">
				{KINDS.map((kind) => (
					<a key={kind} href={address("observe/top", { ...kept(params), by: "port", kind })}>
						<span class="label"><KindMark kind={kind} />{tOf("kind", kind)}</span>
						<span class="value small"><Count value={perKind.get(kind) ?? 0} /> {packets > 0 && <span class="sub">{percent((perKind.get(kind) ?? 0) / packets, language)}</span>}</span>
					</a>
				))}
			</div>
			<div class="grid">
				<div class="wide">
					<Shown load={series} empty={(answer) => answer.rows.length === 0} from={from}>
						{(answer) => option && <Chart title={t("overview.kinds")} option={option} height={410} query={byKind} answer={answer} busy={series.loading} onTime={(ms) => { location.hash = `${toSeries}&at=${new Date(ms).toISOString()}`; }} />}
					</Shown>
				</div>
				<section class="panel third">
					<h2><span>{t("overview.lastMinute")}</span><a href={address("findings", kept(params))}>{t("word.more")}</a></h2>
					<Shown load={findings}>
						{(list) => (list.length ? <Feed findings={list.slice(0, 6)} /> : <p class="hint">{t("overview.none")}</p>)}
					</Shown>
				</section>
				{packets === 0 && sums ? <Empty from={from} /> : (["port", "country", "network", "tool"] as const).map((dimension) => (
					<div class="half" key={dimension}>
						<TopPanel dimension={dimension} title={t(`word.${dimension === "country" ? "countries" : `${dimension}s`}` as "word.ports")} from={from} to={to} filters={filters} total={packets} params={params} everyMs={EVERY} />
					</div>
				))}
			</div>
		</Page>
	);
}
