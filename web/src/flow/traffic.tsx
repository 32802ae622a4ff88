// Traffic: a filter, its course over time, and what it adds up to; every part of the answer narrows the question.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Chart } from "../charts/chart";
import { columnsOverTime } from "../charts/options";
import { request } from "../core/api";
import { bytes, digits, percent, short, time } from "../core/format";
import { useHouse, useLoad, useTexts } from "../core/house";
import { range, useRoute, withParams } from "../core/route";
import { Shown } from "../shell/parts";
import { command, MEASURES, narrowed, narrowing, protocolName, SHOWN, VIEWS, type Answer, type Flow, type Group, type Measure, type Row, type Sums, type View } from "./model";
import { en, ja } from "./texts";

const EXAMPLES = ["proto tcp and dst port 23", "dst port in [53 123 1900] and bytes > 10k", "not net 10.0.0.0/8", "flags S and not flags A"];
const BINS = 120;
const LIMITS = [20, 100, 1000];

const useWords = () => useTexts({ en, ja });
const ask = (question: object, signal: AbortSignal) => request<Answer>("POST", "/flow/query", question, signal);
const amount = (measure: Measure, value: number, language: "en" | "ja") => (measure === "bytes" ? bytes(value) : short(value, language));

function FilterForm({ filter, error }: { filter: string; error: string | undefined }) {
	const w = useWords();
	const [text, setText] = useState(filter);
	const field = useRef<HTMLInputElement>(null);
	useEffect(() => setText(filter), [filter]);
	const go = (given: string) => { location.hash = withParams({ filter: given.trim() || undefined }); };
	return (
		<form class="flow-filter" onSubmit={(event) => { event.preventDefault(); go(text); }}>
			<label class="field"><span>{w("filter")}</span>
				<input ref={field} class="mono" value={text} placeholder={w("filter.none")} spellcheck={false} autocapitalize="off" autocomplete="off" aria-invalid={error ? "true" : undefined} aria-describedby={error ? "flow-filter-error" : undefined} onInput={(event) => setText(event.currentTarget.value)} />
			</label>
			<button type="submit" class="main">{w("ask")}</button>
			{filter && <button type="button" onClick={() => { go(""); field.current?.focus(); }}>{w("clear")}</button>}
			{error ? <p id="flow-filter-error" class="error" role="alert">{error}</p>
				: !filter && <p class="chips"><span class="hint">{w("examples")}</span>{EXAMPLES.map((one) => <a key={one} class="chip mono" href={withParams({ filter: one })}>{one}</a>)}</p>}
		</form>
	);
}

function Groups({ answer, sums, view, measure, filter }: { answer: Answer; sums: Sums; view: View; measure: Measure; filter: string }) {
	const { language } = useHouse();
	const w = useWords();
	const names = VIEWS[view], groups = answer.groups ?? [], total = sums[measure] || 1, most = groups[0]?.[measure] || 1;
	const said = (group: Group) => names.map((name) => (name === "proto" ? protocolName(Number(group[name])) : String(group[name])));
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={w(view)}>
			<table class="flow-groups">
				<thead><tr>{names.map((name) => <th key={name} scope="col">{w(name)}</th>)}<th scope="col">{w("share")}</th>{MEASURES.map((one) => <th key={one} scope="col" class={one === measure ? "n on" : "n"}>{w(one)}</th>)}</tr></thead>
				<tbody>{groups.map((group) => {
					const what = narrowing(names, group);
					return (
						<tr key={said(group).join(" ")}>
							{names.map((name, i) => <td key={name} class="mono">{i === 0 ? <a href={withParams({ filter: narrowed(filter, what), n: undefined })} title={w("narrow", { what })}>{said(group)[i]}</a> : said(group)[i]}</td>)}
							<td class="part"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={(100 * group[measure]) / most} height="8" rx="1" /></svg><span class="num">{percent(group[measure] / total, language)}</span></td>
							{MEASURES.map((one) => <td key={one} class={one === measure ? "n on" : "n"} title={digits(group[one], language)}>{amount(one, group[one], language)}</td>)}
						</tr>
					);
				})}</tbody>
			</table>
		</div>
	);
}

const FLAGS = ["F", "S", "R", "P", "A", "U"];
const flagsText = (flags: number) => FLAGS.map((name, bit) => (flags & (1 << bit) ? name : "·")).reverse().join("");
const end = (host: string, port: number) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

function List({ rows, filter }: { rows: Row[]; filter: string }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={w("list")}>
			<table class="flow-list">
				<thead><tr><th scope="col">{w("when")}</th><th scope="col" class="n">{w("lasted")}</th><th scope="col">{w("proto")}</th><th scope="col">{w("from")}</th><th scope="col">{w("to")}</th><th scope="col" class="n">{w("packets")}</th><th scope="col" class="n">{w("bytes")}</th></tr></thead>
				<tbody>{rows.map((row, i) => (
					<tr key={i}>
						<td class="t">{time(row.first, language)}</td>
						<td class="n">{((Date.parse(row.last) - Date.parse(row.first)) / 1000).toFixed(1)}</td>
						<td>{protocolName(row.protocol)} {row.protocol === 6 && <span class="mono hint">{flagsText(row.flags)}</span>}</td>
						<td class="mono"><a href={withParams({ filter: narrowed(filter, `host ${row.source}`) })}>{end(row.source, row.source_port)}</a></td>
						<td class="mono"><a href={withParams({ filter: narrowed(filter, `host ${row.target}`) })}>{end(row.target, row.target_port)}</a></td>
						<td class="n">{digits(row.packets, language)}</td>
						<td class="n">{bytes(row.bytes)}</td>
					</tr>
				))}</tbody>
			</table>
		</div>
	);
}

function Command({ text }: { text: string }) {
	const w = useWords();
	const [copied, setCopied] = useState(false);
	return (
		<details class="flow-command"><summary>{w("command")}</summary>
			<div class="row"><pre class="command">{text}</pre><button type="button" onClick={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}>{w(copied ? "copied" : "copy")}</button></div>
		</details>
	);
}

/** Nothing passed: because nothing of that time is kept, or because of the filter. */
function None({ flow, from, to }: { flow: Flow; from: string; to: string }) {
	const { language } = useHouse();
	const w = useWords();
	const archive = flow.archive;
	const outside = archive && (Date.parse(archive.last) < Date.parse(from) || Date.parse(archive.first) > Date.parse(to));
	return (
		<div class="state">
			<p class="state-title">{w("empty")}</p>
			{archive && <p>{w("empty.kept", { first: time(archive.first, language), last: time(archive.last, language) })}</p>}
			{archive && outside && <a class="button" href={withParams({ from: archive.first, to: new Date(Date.parse(archive.last) + 1000).toISOString() })}>{w("empty.show")}</a>}
		</div>
	);
}

export function Traffic({ flow }: { flow: Flow }) {
	const { theme, language } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const { from, to } = range(params);
	const filter = params.get("filter") ?? "";
	const asked = params.get("by") ?? "", view = (SHOWN as readonly string[]).includes(asked) ? (asked as View) : "talkers";
	const by = params.get("measure") ?? "", measure = (MEASURES as readonly string[]).includes(by) ? (by as Measure) : "bytes";
	const limit = LIMITS.includes(Number(params.get("n"))) ? Number(params.get("n")) : 20;
	const span = { filter, from, to: to === "now" ? undefined : to };
	const course = useLoad(JSON.stringify(["bins", span]), (signal) => ask({ ...span, bins: BINS }, signal));
	const names = VIEWS[view];
	const question = { ...span, limit, ...(names.length === 1 ? { statistic: `${names[0]}/${measure}` } : names.length ? { aggregate: names.join(",") } : {}) };
	const top = useLoad(JSON.stringify(question), (signal) => ask(question, signal));
	const points = useMemo<[number, number][]>(() => {
		const values = course.data?.bins?.[measure] ?? [];
		const begin = Date.parse(course.data?.from ?? ""), step = (Date.parse(course.data?.to ?? "") - begin) / (values.length || 1);
		return values.map((value, i) => [begin + (i + 0.5) * step, value]);
	}, [course.data, measure]);
	const option = useMemo(() => columnsOverTime(points, theme, language, measure === "bytes" ? bytes : undefined), [points, theme, language, measure]);
	const error = course.error?.status === 400 ? (language === "ja" && course.error.messageJa) || course.error.message : undefined;
	const none = course.data !== undefined && course.data.flows === 0;
	return (
		<>
			<FilterForm filter={filter} error={error} />
			{!error && (
				<>
					<Shown load={course}>{(answer) => none ? <None flow={flow} from={answer.from} to={answer.to} /> : (
						<div class="flow-course">
							<Chart title={w("over.time", { what: w(measure) })} option={option} height={220} busy={course.loading} onSpan={(begin, end) => { location.hash = withParams({ from: new Date(begin).toISOString(), to: new Date(end).toISOString() }); }} />
							<p class="hint">{w("sum", { flows: digits(answer.flows, language), packets: short(answer.packets, language), bytes: bytes(answer.bytes), took: answer.seconds < 1 ? `${Math.ceil(answer.seconds * 1000)} ms` : `${answer.seconds.toFixed(1)} s` })} · {w("brush")}</p>
						</div>
					)}</Shown>
					{!none && (
						<section class="panel flow-answer">
							<div class="row between">
								<nav class="segments" aria-label={w("view")}>{SHOWN.map((one) => <a key={one} class={one === view ? "on" : ""} aria-current={one === view ? "true" : undefined} href={withParams({ by: one, n: undefined })}>{w(one)}</a>)}</nav>
								{view !== "list" && <nav class="segments" aria-label={w("measure")}>{MEASURES.map((one) => <a key={one} class={one === measure ? "on" : ""} aria-current={one === measure ? "true" : undefined} href={withParams({ measure: one })}>{w(one)}</a>)}</nav>}
							</div>
							<Shown load={top}>{(answer) => (
								<>
									{answer.troubles.map((what) => <p key={what} class="note">{w("trouble", { what })}</p>)}
									{answer.rows ? <List rows={answer.rows} filter={filter} /> : <Groups answer={answer} sums={course.data ?? answer} view={view} measure={measure} filter={filter} />}
									<p class="row between">
										<span class="hint">{w("of", { shown: digits((answer.groups ?? answer.rows ?? []).length, language), all: digits(answer.of ?? course.data?.flows ?? 0, language) })}</span>
										{(answer.of ?? course.data?.flows ?? 0) > limit && limit < 1000 && <a class="button" href={withParams({ n: String(LIMITS[LIMITS.indexOf(limit) + 1]) })}>{w("more")}</a>}
									</p>
								</>
							)}</Shown>
							<Command text={command(filter, view, measure, limit, course.data?.from ?? from, course.data?.to ?? to)} />
						</section>
					)}
				</>
			)}
		</>
	);
}
