// One finding: what was found, by which rule, on what ground, and how to derive it again.

import { useMemo, useState } from "preact/hooks";
import { Chart } from "../charts/chart";
import { columnsOverTime } from "../charts/options";
import { ApiError, ask, get, packetsAddress, records, request, type Finding } from "../core/api";
import { courseOf } from "../core/command";
import { country, digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address, useRoute } from "../core/route";
import { Count, Page, Shown } from "../shell/parts";
import { Severity } from "../shell/feed";

const isAddress = (text: string): boolean => /^[0-9.]+$|^[0-9a-f:]*:[0-9a-f:.]*$/i.test(text);

function Ground({ ground }: { ground: Record<string, unknown> }) {
	const { t, tOf, language } = useHouse();
	const words = (name: string) => tOf("ground", name).replaceAll("_", " ");
	const observed = (ground["observed"] ?? {}) as Record<string, number>, thresholds = (ground["thresholds"] ?? {}) as Record<string, number>;
	const number = (value: unknown) => (typeof value === "number" ? (Number.isInteger(value) ? digits(value, language) : new Intl.NumberFormat(language, { maximumFractionDigits: 3 }).format(value)) : String(value));
	return (
		<div class="grid">
			<div class="half"><h2>{t("finding.observed")}</h2><dl class="facts">{Object.entries(observed).map(([name, value]) => [<dt key={name}>{words(name)}</dt>, <dd class="num">{number(value)}</dd>])}</dl></div>
			<div class="half"><h2>{t("finding.thresholds")}</h2><dl class="facts">{Object.entries(thresholds).map(([name, value]) => [<dt key={name}>{words(name)}</dt>, <dd class="num">{number(value)}</dd>])}</dl></div>
		</div>
	);
}

function Parts({ finding }: { finding: Finding }) {
	const { t, language } = useHouse();
	const ports = (finding.ground["ports"] as ({ name: string; packets: number } | string)[] | undefined) ?? [];
	const countries = (finding.ground["countries"] as { country: string; sources: number }[] | undefined) ?? [];
	const sample = (finding.ground["sample"] as string[] | undefined) ?? [];
	const params = { from: finding.first, to: finding.last };
	if (!ports.length && !countries.length && !sample.length) return null;
	return (
		<section class="panel">
			<dl class="facts">
				{ports.length > 0 && [<dt>{t("word.ports")}</dt>, <dd class="chips">{ports.map((port) => { const name = typeof port === "string" ? port : port.name; return <a key={name} class="chip" href={address("observe/top", { ...params, port: name, by: "source" })}>{name} {typeof port !== "string" && <b><Count value={port.packets} /></b>}</a>; })}</dd>]}
				{countries.length > 0 && [<dt>{t("word.countries")}</dt>, <dd class="chips">{countries.map((one) => <a key={one.country} class="chip" href={address("observe/top", { ...params, country: one.country, by: "source" })}>{country(one.country, language)} <b><Count value={one.sources} /></b></a>)}</dd>]}
				{sample.length > 0 && [<dt>{t("finding.sample")}</dt>, <dd class="chips">{sample.map((one) => <a key={one} class="chip mono" href={address(`source/${encodeURIComponent(one)}`, params)}>{one}</a>)}</dd>]}
			</dl>
		</section>
	);
}

function Derive({ command }: { command: string }) {
	const { t, theme, language } = useHouse();
	const [copied, setCopied] = useState(false);
	const query = useMemo(() => courseOf(command), [command]);
	const load = useLoad(command, async (signal) => (query ? ask(query, signal) : null));
	const option = useMemo(() => (load.data ? columnsOverTime(records(load.data).map((row): [number, number] => [Date.parse(String(row["time"])), Number(row["sum_packets"])]), theme, language) : null), [load.data, theme, language]);
	return (
		<>
			{query && option && load.data && load.data.rows.length > 0 && <Chart title={t("finding.course")} option={option} height={220} query={query} answer={load.data} />}
			<section class="panel">
				<h2><span>{t("findings.derive")}</span><button type="button" onClick={() => void navigator.clipboard?.writeText(command).then(() => setCopied(true))}>{t(copied ? "word.copied" : "word.copy")}</button></h2>
				<pre class="command">{command}</pre>
			</section>
		</>
	);
}

const PROPOSERS = ["analyst", "operator", "admin"];

interface Closed { by: string; time: string; reason: string }

function Close({ id, onDone }: { id: string; onDone: () => void }) {
	const { t, language } = useHouse();
	const [open, setOpen] = useState(false), [error, setError] = useState("");
	const close = (event: Event) => {
		event.preventDefault();
		const reason = String(new FormData(event.currentTarget as HTMLFormElement).get("reason"));
		request("POST", `/findings/${encodeURIComponent(id)}/close`, { reason }).then(onDone, (fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message));
	};
	if (!open) return <button type="button" onClick={() => setOpen(true)}>{t("finding.close")}</button>;
	return (
		<form class="row" onSubmit={close}>
			<label class="field">{t("finding.reason")}<input name="reason" required maxLength={300} autofocus /></label>
			<button type="submit" class="main">{t("finding.closeNow")}</button>
			{error && <p class="error" role="alert">{error}</p>}
		</form>
	);
}

export default function FindingPage() {
	const { t, tOf, language, session } = useHouse();
	const { path } = useRoute();
	const id = path[1] ?? "";
	const load = useLoad(id, (signal) => get<Finding>(`/findings/${encodeURIComponent(id)}`, signal), 60_000);
	const finding = load.data;
	return (
		<Page title={finding ? `${tOf("findings.type", finding.type)}: ${finding.subject}` : t("findings.title")} hint={finding ? tOf("finding.plain", finding.type) : ""} tools={finding && (
			<>
				{PROPOSERS.includes(session?.user?.role ?? "") && <a class="button" href={address("sharing/releases", { propose: "1", finding: finding.id })}>{t("finding.propose")}</a>}
				{PROPOSERS.includes(session?.user?.role ?? "") && !finding.ground["closed"] && <Close id={finding.id} onDone={load.reload} />}
				{finding.type === "livenet" && session?.user && <a class="button" href={`./api/v1/findings/${encodeURIComponent(finding.id)}/evidence.pcap`} download>{t("finding.evidence")}</a>}
				{finding.type === "livenet" && PROPOSERS.includes(session?.user?.role ?? "") && <a class="button" href={address("notices", { show: "any", member: String((finding as Finding & { member?: number }).member ?? "") })}>{t("finding.notices")}</a>}
				{isAddress(finding.subject) && <><a class="button" href={address(`source/${encodeURIComponent(finding.subject)}`, { from: finding.first, to: finding.last })}>{t("word.source")} →</a>
				<a class="button" href={packetsAddress(finding.subject, finding.first, finding.last)} download>{t("source.download")}</a></>}
			</>)}>
			<Shown load={load}>
				{(one) => (
					<>
						{one.ground["closed"] !== undefined && <p class="note">{t("finding.closedBy", { who: (one.ground["closed"] as Closed).by, time: time((one.ground["closed"] as Closed).time, language), reason: (one.ground["closed"] as Closed).reason })}</p>}
						<dl class="figures">
							<div><dt>{t("findings.severity")}</dt><dd class="small"><Severity value={one.severity} /></dd></div>
							<div><dt>{t("health.state")}</dt><dd class="small"><span class={`status-mark${one.ended ? " idle" : ""}`}>{t(one.ended ? "findings.ended" : "findings.ongoing")}</span></dd></div>
							<div><dt>{t("count.packets")}</dt><dd><Count value={one.packets} /></dd></div>
							<div><dt>{t("count.first")}</dt><dd class="small">{time(one.first, language)}</dd></div>
							<div><dt>{t("count.last")}</dt><dd class="small">{time(one.last, language)}</dd></div>
							<div><dt>{t("findings.rule")}</dt><dd class="small mono">{one.rule} <span class="hint">v{one.rule_version}</span></dd></div>
						</dl>
						<Parts finding={one} />
						<section class="panel"><h2>{t("findings.ground")}</h2><Ground ground={one.ground} /></section>
						{typeof one.ground["command"] === "string" && <Derive command={one.ground["command"]} />}
						<details class="panel"><summary>{t("finding.raw")}</summary><pre class="command">{JSON.stringify(one, null, 2)}</pre></details>
					</>
				)}
			</Shown>
		</Page>
	);
}
