// The yearly report, in the manner of NICTER's: total, months, ports, where from, with what; to be printed or taken along.

import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart";
import { bars, columns, pie } from "../charts/options";
import { get } from "../core/api";
import { country, digits, percent, service, short, time, type Language } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address, useRoute } from "../core/route";
import { Count, Page, Shown } from "../shell/parts";
import { KIND_COLOURS, KINDS, SURFACE } from "../theme/palette";

interface Report {
	year: number; from: string; to: string; darknet_addresses: number; packets: number; packets_per_address: number; sources: number; sources_exact: boolean; months: { month: string; packets: number; sources: number }[];
	kinds: Record<string, number>; top_ports: { port: string; packets: number; sources: number; share: number }[]; top_countries: { country: string; packets: number; sources: number }[];
	top_networks: { network: string; name: string; packets: number; sources: number }[]; tools: { tool: string; packets: number; sources: number }[]; victims: number; campaigns: number;
}

function month(name: string, language: Language): string {
	return new Intl.DateTimeFormat(language, { month: "short" }).format(new Date(`${name}-15T00:00:00Z`));
}

function Table({ head, rows }: { head: string; rows: { name: string; link?: string; packets: number; sources: number; share?: number }[] }) {
	const { t, language } = useHouse();
	return (
		<table>
			<thead><tr><th scope="col">{head}</th><th scope="col" class="n">{t("count.packets")}</th><th scope="col" class="n">{t("count.share")}</th><th scope="col" class="n">{t("count.sources")}</th></tr></thead>
			<tbody>{rows.map((row) => <tr key={row.name}><td>{row.link ? <a href={row.link}>{row.name}</a> : row.name}</td><td class="n" title={digits(row.packets, language)}>{short(row.packets, language)}</td><td class="n">{row.share === undefined ? "" : percent(row.share, language)}</td><td class="n"><Count value={row.sources} /></td></tr>)}</tbody>
		</table>
	);
}

function Body({ report }: { report: Report }) {
	const { t, tOf, theme, language } = useHouse();
	const { packets } = report;
	const range = { from: report.from, to: report.to };
	const scans = report.kinds["scan"] ?? 0;
	const share = (count: number) => (scans ? count / scans : 0);
	const ports = report.top_ports.slice(0, 10);
	const charts = useMemo(() => {
		const rest = scans - ports.reduce((sum, port) => sum + port.packets, 0);
		return {
			months: columns(report.months.map((one) => ({ name: month(one.month, language), value: one.packets })), theme, language),
			ports: pie([...ports.map((port) => ({ name: `${port.port} ${service(port.port)}`.trim(), value: port.packets })), { name: t("report.rest"), value: Math.max(0, rest), color: SURFACE[theme].muted }], theme, language),
			kinds: pie(KINDS.filter((kind) => report.kinds[kind]).map((kind) => ({ name: tOf("kind", kind), value: report.kinds[kind] ?? 0, color: KIND_COLOURS[theme][kind] })), theme, language),
			countries: bars(report.top_countries.slice(0, 12).map((one) => ({ name: country(one.country, language), value: one.packets })), theme, language),
			networks: bars(report.top_networks.slice(0, 12).map((one) => ({ name: `${one.network} ${one.name}`, value: one.packets })), theme, language),
			tools: bars(report.tools.map((one) => ({ name: tOf("tool", one.tool), value: one.packets })), theme, language),
		};
	}, [report, theme, language]);
	return (
		<div class="report">
			<p class="lead">{t("report.summary", { year: report.year, addresses: digits(report.darknet_addresses, language), packets: short(packets, language), perAddress: digits(Math.round(report.packets_per_address), language), sources: short(report.sources, language) })}</p>
			<p class="hint">{t("report.ground", { from: time(report.from, language, false), to: time(report.to, language, false), exactness: t(report.sources_exact ? "chart.exact" : "chart.estimated") })}</p>
			<dl class="figures">
				<div><dt>{t("count.packets")}</dt><dd><Count value={packets} /></dd></div>
				<div><dt>{t("count.perAddress")}</dt><dd><Count value={Math.round(report.packets_per_address)} /></dd></div>
				<div><dt>{t("word.sourcesOf")}</dt><dd><Count value={report.sources} /></dd></div>
				<a href={address("victims", range)}><dt>{t("report.victims")}</dt><dd><Count value={report.victims} /></dd></a>
				<a href={address("campaigns", range)}><dt>{t("report.campaigns")}</dt><dd><Count value={report.campaigns} /></dd></a>
			</dl>
			<div class="grid">
				<div class="half"><Chart title={t("report.months")} option={charts.months} height={300} /></div>
				<div class="half"><Chart title={t("report.kinds")} option={charts.kinds} height={300} /></div>
				<div class="half"><Chart title={t("report.ports")} option={charts.ports} height={390} /></div>
				<section class="panel half"><Table head={t("word.port")} rows={ports.map((port) => ({ name: `${port.port} ${service(port.port)}`.trim(), link: address("observe/top", { ...range, port: port.port, by: "source" }), packets: port.packets, sources: port.sources, share: port.share }))} /></section>
				<div class="half"><Chart title={t("report.countries")} option={charts.countries} height={420} /></div>
				<section class="panel half"><Table head={t("word.country")} rows={report.top_countries.slice(0, 12).map((one) => ({ name: country(one.country, language), link: address("observe/top", { ...range, country: one.country, by: "network" }), packets: one.packets, sources: one.sources, share: share(one.packets) }))} /></section>
				<div class="half"><Chart title={t("report.networks")} option={charts.networks} height={420} /></div>
				<section class="panel half"><Table head={t("word.network")} rows={report.top_networks.slice(0, 12).map((one) => ({ name: `${one.network} ${one.name}`, link: address("observe/top", { ...range, network: one.network.replace(/^AS/, ""), by: "source" }), packets: one.packets, sources: one.sources, share: share(one.packets) }))} /></section>
				<div class="half"><Chart title={t("report.tools")} option={charts.tools} height={240} /></div>
				<section class="panel half"><Table head={t("word.tool")} rows={report.tools.map((one) => ({ name: tOf("tool", one.tool), packets: one.packets, sources: one.sources, share: share(one.packets) }))} /></section>
			</div>
		</div>
	);
}

export default function ReportPage() {
	const { t } = useHouse();
	const { path } = useRoute();
	const now = new Date().getFullYear();
	const year = Number(path[1]) || now;
	const load = useLoad(String(year), (signal) => get<Report>(`/report/${year}`, signal));
	return (
		<Page title={t("report.title", { year })} tools={
			<>
				<label class="where"><span class="hint">{t("report.year")}</span><select value={year} onChange={(event) => { location.hash = `#/report/${event.currentTarget.value}`; }}>{[0, 1, 2, 3, 4].map((back) => <option key={back} value={now - back}>{now - back}</option>)}</select></label>
				<button type="button" onClick={() => print()}>{t("report.print")}</button>
			</>}>
			<Shown load={load} empty={(report) => report.packets === 0}>{(report) => <Body report={report} />}</Shown>
		</Page>
	);
}
