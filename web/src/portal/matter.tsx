// One alert in plain words, with what to do, and an answer.

import { useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { ago, digits, service, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { answerNotice, noticeOf } from "../members/model";
import type { Notice } from "../notices/model";
import { State } from "../members/parts";
import { Saying, useFault, type Said } from "../people/forms";
import { findingAddress, Severity } from "../shell/feed";
import { Shown } from "../shell/parts";
import { Advice, useWords } from "./advice";

type Words = ReturnType<typeof useWords>;

const ANSWERS = ["seen", "informed", "fixed", "not_found", "refused"] as const;

export function titleOf(notice: Notice, w: Words): string {
	return w(`verdict.${notice.verdict in VERDICTS ? notice.verdict : "other"}` as "verdict.other");
}
const VERDICTS: Record<string, true> = { infected: true, victim: true, misconfigured: true, spoofed: true };

function Observed({ notice }: { notice: Notice }) {
	const { language } = useHouse();
	const w = useWords();
	const ports = (notice.ground?.ports ?? []).map(({ name }) => (service(name) ? `${name} (${service(name)})` : name));
	return (
		<section>
			<h3>{w("observed")}</h3>
			<dl class="facts">
				<dt>{w("address")}</dt><dd class="mono">{notice.subject}</dd>
				<dt>{w("first")}</dt><dd>{time(notice.first, language)}</dd>
				<dt>{w("last")}</dt><dd>{time(notice.last, language)}</dd>
				<dt>{w("packets")}</dt><dd class="num">{digits(notice.packets, language)}</dd>
				{ports.length > 0 && notice.verdict !== "victim" && <><dt>{w("ports")}</dt><dd>{ports.join(", ")}</dd></>}
			</dl>
			<p class="hint"><a href={`#/notices/${notice.id}`}>{w("notice", { id: notice.id })}</a> · {notice.told ? w("told.to", { time: time(notice.told, language, false) }) : w("told.not")} · <a href={findingAddress({ id: notice.finding })}>{w("evidence")}</a></p>
		</section>
	);
}

function Answer({ notice, done }: { notice: Notice; done: () => void }) {
	const { language } = useHouse();
	const w = useWords(), fault = useFault();
	const [asking, ask] = useState(!notice.acknowledged), [said, say] = useState<Said | null>(null), [busy, setBusy] = useState(false);
	const send = (event: Event) => {
		event.preventDefault();
		const data = new FormData(event.currentTarget as HTMLFormElement);
		const given = Object.fromEntries([...data].filter(([, value]) => String(value).trim()));
		setBusy(true);
		answerNotice(notice.id, given).then(() => { setBusy(false); ask(false); say({ good: true, text: w("answer.thanks") }); done(); }, (reason: ApiError) => { setBusy(false); say(fault(reason)); });
	};
	const filled = { time: time(notice.acknowledged, language, false), answer: w(`answer.${notice.answer ?? "seen"}` as "answer.seen"), reference: notice.reference ?? "" };
	return (
		<section class="answer">
			<h3>{w("answer.title")}</h3>
			{notice.acknowledged && <p class="answered">{w(notice.reference ? "answer.done.reference" : "answer.done", filled)}</p>}
			<Saying said={said} />
			{asking ? (
				<form onSubmit={send} aria-label={w("answer.title")}>
					<p class="hint">{w("answer.hint")}</p>
					<div class="choices" role="radiogroup" aria-label={w("answer.title")}>{ANSWERS.map((one, i) => <label key={one}><input type="radio" name="state" value={one} defaultChecked={i === 0} /> {w(`answer.${one}`)}</label>)}</div>
					<div class="form-grid"><label class="field">{w("answer.reference")}<input name="reference" maxLength={200} /></label><label class="field">{w("answer.note")}<input name="note" maxLength={2000} /></label></div>
					<button type="submit" class="main" disabled={busy}>{w("answer.send")}</button>
				</form>
			) : <button type="button" onClick={() => { ask(true); say(null); }}>{w("answer.again")}</button>}
		</section>
	);
}

function Body({ of, answered }: { of: Notice; answered: () => void }) {
	const { language } = useHouse();
	const load = useLoad(`notice ${of.id} ${language}`, (signal) => noticeOf(of.id, language, signal));
	return (
		<Shown load={load}>{(notice) => (
			<div class="matter-body">
				<Advice advice={notice.advice} />
				<div class="aside"><Observed notice={notice} /><Answer notice={notice} done={() => { load.reload(); answered(); }} /></div>
			</div>
		)}</Shown>
	);
}

export function Matter({ notice, first, answered }: { notice: Notice; first: boolean; answered: () => void }) {
	const { language } = useHouse();
	const w = useWords();
	const [open, setOpen] = useState(first);
	const id = `matter-${notice.id}`;
	return (
		<article class={`panel matter ${notice.severity}`}>
			<header>
				<div>
					<h3 class="matter-title">{titleOf(notice, w)}</h3>
					<p class="matter-facts"><span class="mono">{notice.subject}</span> <Severity value={notice.severity} /> <State notice={notice} /> <time class="hint" dateTime={notice.last}>{w("seen", { ago: ago(notice.last, language) })}</time></p>
				</div>
				<button type="button" aria-expanded={open} aria-controls={id} aria-label={`${w(open ? "hide" : "show")}: ${notice.subject}`} onClick={() => setOpen(!open)}>{w(open ? "hide" : "show")}</button>
			</header>
			{open && <div id={id}><Body of={notice} answered={answered} /></div>}
		</article>
	);
}
