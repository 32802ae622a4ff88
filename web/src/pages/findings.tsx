// The victims of denial of service, and the campaigns; all findings together stand on the board (findings/).

import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart";
import { stacked } from "../charts/options";
import { seriesBy } from "../charts/series";
import { ask, get, type Finding } from "../core/api";
import { ago, country, digits, short, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { findingsQuery, seriesQuery } from "../core/queries";
import { range, useRoute } from "../core/route";
import { Count, Page, Shown, VirtualRows } from "../shell/parts";
import { findingAddress, Severity } from "../shell/feed";
import { KIND_COLOURS } from "../theme/palette";

interface Port { name?: string; packets?: number }
const portsOf = (finding: Finding): string[] => ((finding.ground["ports"] as (Port | string)[] | undefined) ?? []).map((port) => (typeof port === "string" ? port : port.name ?? ""));
const observed = (finding: Finding, name: string): number | undefined => (finding.ground["observed"] as Record<string, number> | undefined)?.[name];
const countriesOf = (finding: Finding): { country: string; sources: number }[] => (finding.ground["countries"] as { country: string; sources: number }[] | undefined) ?? [];

function State({ finding }: { finding: Finding }) {
	const { t } = useHouse();
	return <span class={`status-mark${finding.ended ? " idle" : ""}`}>{t(finding.ended ? "findings.ended" : "findings.ongoing")}</span>;
}

function Table({ findings, type }: { findings: Finding[]; type: string }) {
	const { t, language } = useHouse();
	return (
		<div class="scroll tall">
			<table>
				<thead><tr>
					<th scope="col">{t("findings.subject")}</th>
					<th scope="col">{t("word.ports")}</th>
					{type === "campaign" && <><th scope="col" class="n">{t("word.sourcesOf")}</th><th scope="col">{t("word.countries")}</th></>}
					{type === "victim" && <th scope="col" class="n">{t("findings.estimated")}</th>}
					<th scope="col" class="n">{t("count.packets")}</th><th scope="col">{t("count.first")}</th><th scope="col">{t("count.last")}</th><th scope="col">{t("health.state")}</th>{type !== "campaign" && <th scope="col">{t("findings.severity")}</th>}
				</tr></thead>
				<VirtualRows rows={findings} height={37} render={(finding) => {
					const estimate = observed(finding, "estimated_packets_per_second_if_spoofed_at_random");
					return (
						<tr key={finding.id} class="go" onClick={() => { location.hash = findingAddress(finding); }}>
							<td><a class={type === "campaign" ? "" : "mono"} href={findingAddress(finding)}>{finding.subject}</a></td>
							<td class="mono">{portsOf(finding).slice(0, 3).join(" ")}{portsOf(finding).length > 3 && " …"}</td>
							{type === "campaign" && <><td class="n"><Count value={observed(finding, "most_sources") ?? finding.score} /></td><td>{countriesOf(finding).slice(0, 3).map((one) => country(one.country, language)).join(language === "ja" ? "、" : ", ")}</td></>}
							{type === "victim" && <td class="n">{estimate === undefined ? "" : <span title={digits(estimate, language)}>{short(estimate, language)} pps</span>}</td>}
							<td class="n"><Count value={finding.packets} /></td><td class="t">{time(finding.first, language, false)}</td><td class="t" title={time(finding.last, language)}>{ago(finding.last, language)}</td><td><State finding={finding} /></td>{type !== "campaign" && <td><Severity value={finding.severity} /></td>}
						</tr>
					);
				}} />
			</table>
		</div>
	);
}

export default function Findings() {
	const { t, tOf, theme, language } = useHouse();
	const { path, params } = useRoute();
	const { from, to } = range(params);
	const type = path[0] === "campaigns" ? "campaign" : "victim";
	const load = useLoad(`${type} ${from} ${to}`, async (signal) => (await get<{ findings: Finding[] }>(`${findingsQuery(from, to, 2000)}&type=${type}`, signal)).findings, 30_000);
	const query = useMemo(() => seriesQuery(null, from, to, [{ field: "kind", op: "=", value: "backscatter" }]), [from, to]);
	const course = useLoad(`course ${type} ${from} ${to}`, async (signal) => (type === "victim" ? ask(query, signal) : null), 60_000);
	const option = useMemo(() => (course.data ? stacked(seriesBy(course.data, () => tOf("kind", "backscatter")).map((one) => ({ ...one, color: KIND_COLOURS[theme].backscatter })), course.data, theme, language) : null), [course.data, theme, language]);
	const title = t(type === "victim" ? "findings.victims" : "findings.campaigns");
	const hint = t(type === "victim" ? "findings.victimsHint" : "findings.campaignsHint");
	return (
		<Page title={title} hint={hint}>
			{course.data && course.data.rows.length > 0 && option && <Chart title={t("findings.backscatter")} option={option} height={170} query={query} answer={course.data} onTime={(ms) => { location.hash = `#/observe/series?kind=backscatter&by=source&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}&at=${new Date(ms).toISOString()}`; }} />}
			<section class="panel">
				<Shown load={load} empty={(list) => list.length === 0} from={from}>
					{(list) => <><p class="hint">{t("query.rows", { count: digits(list.length, language) })}</p><Table findings={list} type={type} /></>}
				</Shown>
			</section>
		</Page>
	);
}
