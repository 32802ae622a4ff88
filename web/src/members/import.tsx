// A file of members: read and compared first, applied when somebody says so.

import { useRef, useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { digits } from "../core/format";
import { useHouse } from "../core/house";
import { Saying, Sure, useFault, type Said } from "../people/forms";
import { Page } from "../shell/parts";
import { useWords } from "./list";
import { importFile, type Remark, type Report } from "./model";
import { Differences } from "./parts";

const CHANGES_SHOWN = 200;
const TALLIES = ["added", "changed", "removed", "same", "bad"] as const;

function Drop({ take, busy }: { take: (file: File) => void; busy: string }) {
	const w = useWords();
	const field = useRef<HTMLInputElement>(null);
	const [over, setOver] = useState(false);
	const drop = (event: DragEvent) => { event.preventDefault(); setOver(false); const file = event.dataTransfer?.files[0]; if (file) take(file); };
	return (
		<section class={`panel drop${over ? " over" : ""}`} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop} aria-busy={busy ? "true" : undefined}>
			<svg width="44" height="44" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 15V4m-4 4 4-4 4 4M4 15v4h16v-4" fill="none" stroke="currentColor" stroke-width="1.500" stroke-linecap="round" stroke-linejoin="round" /></svg>
			<p class="state-title">{busy ? w("import.reading", { name: busy }) : w("import.drop")}</p>
			<button type="button" class="main" onClick={() => field.current?.click()}>{w("import.choose")}</button>
			<input ref={field} type="file" class="hidden" tabIndex={-1} aria-label={w("import.choose")} accept=".csv,.json,text/csv,application/json" onChange={(event) => { const file = event.currentTarget.files?.[0]; if (file) take(file); }} />
			<p class="hint">{w("import.example")}</p>
		</section>
	);
}

function Remarks({ title, remarks, count, bad }: { title: string; remarks: Remark[]; count: number; bad?: boolean }) {
	const { language } = useHouse();
	const w = useWords();
	if (!count) return null;
	return (
		<section class={`panel${bad ? " refused" : ""}`}>
			<h2>{title} <span class="hint num">{digits(count, language)}</span></h2>
			<div class="scroll tall short"><table class="remarks">
				<thead><tr><th scope="col" class="n">{w("row")}</th><th scope="col">{w("key")}</th><th scope="col">{w("field")}</th><th scope="col">{w("reason")}</th></tr></thead>
				<tbody>{remarks.map((one, i) => <tr key={i}><td class="n" data-label={w("row")}>{one.line || ""}</td><td class="mono">{one.key}</td><td>{one.field && w(one.field as "name")}</td><td class="reason">{language === "ja" ? one.message_ja : one.message}</td></tr>)}</tbody>
			</table></div>
		</section>
	);
}

function Changes({ report }: { report: Report }) {
	const w = useWords();
	if (!report.changes.length) return null;
	return (
		<section class="panel">
			<h2>{w("import.changes")}</h2>
			<ol class="changes">
				{report.changes.slice(0, CHANGES_SHOWN).map((change) => (
					<li key={`${change.line} ${change.key}`} class={change.action}>
						<p><span class="action">{w(`action.${change.action}` as "action.add")}</span> <b>{change.name}</b> <span class="mono hint">{change.key}</span>{change.line > 0 && <span class="hint"> · {w("row")} {change.line}</span>}</p>
						{change.action !== "remove" && <Differences fields={change.fields.filter((one) => one.field !== "key")} />}
					</li>
				))}
			</ol>
			{report.changes.length > CHANGES_SHOWN && <p class="hint">{w("import.cut", { count: CHANGES_SHOWN })}</p>}
		</section>
	);
}

function Tally({ report }: { report: Report }) {
	const { language } = useHouse();
	const w = useWords();
	return <dl class="figures tally">{TALLIES.map((one) => <div key={one} class={report[one] ? one : "zero"}><dt>{w(one)}</dt><dd class="num">{digits(report[one], language)}</dd></div>)}</dl>;
}

interface PreviewProps { report: Report; skip: boolean; absent: boolean; busy: boolean; look: (skip: boolean, absent: boolean) => void; apply: () => void }

function Preview({ report, skip, absent, busy, look, apply }: PreviewProps) {
	const { language } = useHouse();
	const w = useWords();
	const [asking, ask] = useState(false);
	const count = report.added + report.changed + report.removed, blocked = report.bad > 0 && !skip;
	return (
		<>
			<Tally report={report} />
			<section class="panel apply">
				<div class="choices">
					{(report.bad > 0 || skip) && <label><input type="checkbox" checked={skip} onChange={() => look(!skip, absent)} /> {w("import.skip")}</label>}
					<label><input type="checkbox" checked={absent} onChange={() => look(skip, !absent)} /> {w("import.absent")}</label>
				</div>
				{asking ? <Sure question={w("import.absent.sure", { count: digits(report.removed, language) })} word={w("import.apply", { count: digits(count, language) })} act={() => { ask(false); apply(); }} leave={() => ask(false)} /> : (
					<div class="row">
						<button type="button" class="main" disabled={busy || blocked || !count} onClick={() => (report.removed ? ask(true) : apply())}>{w("import.apply", { count: digits(count, language) })}</button>
						<p class={blocked ? "error" : "hint"} role="status">{blocked ? w("import.blocked", { count: digits(report.bad, language) }) : count ? w("import.hint") : w("import.nothing")}</p>
					</div>
				)}
			</section>
			<Remarks title={w("import.faults")} remarks={report.faults} count={report.fault_count} bad />
			<Changes report={report} />
			{report.tie_count > 0 && <section class="panel"><h2>{w("import.ties")}</h2><p class="hint">{w("import.ties.hint")}</p><ul class="ties">{report.ties.map((tie) => <li key={tie.prefix}><span class="mono">{tie.prefix}</span> {tie.members}</li>)}</ul></section>}
			<Remarks title={w("import.warnings")} remarks={report.warnings} count={report.warning_count} />
		</>
	);
}

export function Import() {
	const { language } = useHouse();
	const w = useWords(), fault = useFault();
	const [file, setFile] = useState<File | null>(null), [report, setReport] = useState<Report | null>(null), [said, say] = useState<Said | null>(null);
	const [busy, setBusy] = useState(false), [skip, setSkip] = useState(false), [absent, setAbsent] = useState(false);
	const ask = (given: File, how: { skip: boolean; absent: boolean; apply: boolean }) => {
		setFile(given); setSkip(how.skip); setAbsent(how.absent); setBusy(true); say(null);
		importFile(given, how).then((found) => {
			setBusy(false);
			setReport(found.applied ? null : found);
			if (!found.applied) return;
			setFile(null);
			say({ good: true, text: w("import.done", Object.fromEntries(TALLIES.map((one) => [one, digits(found[one], language)]))) });
		}, (reason: ApiError) => { setBusy(false); setReport(null); say(fault(reason)); });
	};
	const take = (given: File) => ask(given, { skip: false, absent: false, apply: false });
	return (
		<Page title={w("import.title")} hint={file && report ? file.name : w("import.hint")} tools={<>{report && <button type="button" onClick={() => { setReport(null); setFile(null); say(null); }}>{w("import.other")}</button>}<a class="button" href="#/members">{w("back")}</a></>}>
			<Saying said={said} />
			{file && report ? <Preview report={report} skip={skip} absent={absent} busy={busy} look={(more, less) => ask(file, { skip: more, absent: less, apply: false })} apply={() => ask(file, { skip, absent, apply: true })} />
				: <Drop take={take} busy={busy && file ? file.name : ""} />}
		</Page>
	);
}
