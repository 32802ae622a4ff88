// The log as a chain: each entry hangs on the one before it, and opens to all that is written in it.

import { useRef } from "preact/hooks";
import { digits, time } from "../core/format";
import { useHouse } from "../core/house";
import { withParams } from "../core/route";
import { Shown, Trouble } from "../shell/parts";
import { sortOf, type Entry, type Log } from "./model";
import { actionWord, actorOf, useMore, useWords } from "./words";

/** A shape for each sort, so that colour is not all that tells them apart. */
const SHAPES = { changes: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z", looks: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11zm0 2a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7z", refused: "M3.500 5.300 5.300 3.500 8 6.200l2.700-2.700 1.800 1.800L9.800 8l2.700 2.700-1.800 1.800L8 9.800l-2.700 2.700-1.800-1.800L6.200 8z", system: "M4 4h8v8H4z" };

export function SortMark({ sort }: { sort: keyof typeof SHAPES }) {
	return <svg class={`mark ${sort}`} width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d={SHAPES[sort]} fill="currentColor" /></svg>;
}

function Who({ entry }: { entry: Entry }) {
	const w = useWords();
	const actor = actorOf(entry.actor);
	return (
		<span class="who">
			{actor.kind === "token" && <span class="kind-of">{w("token")} </span>}
			{actor.kind === "local" || actor.kind === "guest" ? w(actor.kind) : actor.name}
		</span>
	);
}

function All({ entry, member, doubt }: { entry: Entry; member: string; doubt: boolean }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<div class="all">
			{doubt && <p class="error">{w("entry.doubt")}</p>}
			<dl class="facts">
				<dt>{w("entry")}</dt><dd class="num">{digits(entry.id, language)}</dd>
				<dt>{w("raw")}</dt><dd><code>{entry.action}</code>{entry.subject && <> <code>{entry.subject}</code></>}</dd>
				{entry.peer && <><dt>{w("peer")}</dt><dd><code>{entry.peer}</code></dd></>}
				{entry.member !== null && <><dt>{w("member")}</dt><dd>{member}</dd></>}
				{Object.keys(entry.detail).length > 0 && <><dt>{w("detail")}</dt><dd><pre>{JSON.stringify(entry.detail, null, 1)}</pre></dd></>}
				<dt>{w("hash")}</dt><dd><code class="whole-hash">{entry.hash}</code></dd>
			</dl>
			<p class="row">
				<a class="button" href={withParams({ actor: entry.actor, before: undefined })}>{w("only", { what: actorOf(entry.actor).name })}</a>
				{entry.subject && <a class="button" href={withParams({ subject: entry.subject, before: undefined })}>{w("only", { what: entry.subject })}</a>}
			</p>
		</div>
	);
}

function One({ entry, member, broken }: { entry: Entry; member: string; broken: number }) {
	const { language } = useHouse();
	const w = useWords(), more = useMore();
	const sort = sortOf(entry), said = more(entry);
	const state = broken === 0 ? "" : entry.id === broken ? " broken" : entry.id > broken ? " doubt" : "";
	return (
		<li class={`entry ${sort}${entry.undone ? " undone" : ""}${state}`}>
			<details>
				<summary>
					<span class="node"><SortMark sort={sort} /><span class="hidden">{w(`sort.${sort}`)}</span></span>
					<time dateTime={entry.time} title={time(entry.time, language)}>{time(entry.time, language).split(" ")[1]}</time>
					<Who entry={entry} />
					<span class="what">{actionWord(entry, w)} {entry.subject && <b>{entry.subject}</b>}{member && member !== entry.subject && <span class="of"> · {member}</span>}{said && <span class={`said${sort === "refused" ? " error" : ""}`}> {said}</span>}</span>
					<code class="hash" aria-hidden="true">{entry.hash.slice(0, 8)}</code>
				</summary>
				<All entry={entry} member={member} doubt={state !== ""} />
			</details>
		</li>
	);
}

/** Entries of one day stand under its date. */
function byDay(list: Entry[], language: "en" | "ja"): { day: string; list: Entry[] }[] {
	const days: { day: string; list: Entry[] }[] = [];
	const format = new Intl.DateTimeFormat(language === "ja" ? "ja" : "en-GB", { year: "numeric", month: "long", day: "numeric", weekday: "long" });
	for (const entry of list) {
		const day = format.format(new Date(entry.time)), last = days[days.length - 1];
		if (last?.day === day) last.list.push(entry);
		else days.push({ day, list: [entry] });
	}
	return days;
}

export function List({ log, command, memberOf, broken }: { log: Log; command: string | null; memberOf: (id: number) => string; broken: number }) {
	const { language } = useHouse();
	const w = useWords();
	const box = useRef<HTMLElement>(null);
	const move = (event: KeyboardEvent) => {
		if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
		const heads = [...(box.current?.querySelectorAll<HTMLElement>("li.entry > details > summary") ?? [])];
		const at = heads.indexOf(document.activeElement as HTMLElement), next = heads[at + (event.key === "ArrowDown" ? 1 : -1)];
		if (at < 0 || !next) return;
		event.preventDefault();
		next.focus();
	};
	return (
		<Shown load={log.first}>{() => log.all.length === 0 ? <div class="panel"><div class="state"><p class="state-title">{w("none")}</p><p>{w("none.hint")}</p></div></div> : (
			<section class="panel log" ref={box} onKeyDown={move}>
				<div class="count"><p class="hint" role="status">{w(log.ended ? "shown" : "shown.more", { count: digits(log.all.length, language) })}</p>
					{command && <details class="how"><summary>{w("asked")}</summary><div class="pop"><pre class="command">{command}</pre></div></details>}
				</div>
				{byDay(log.all, language).map(({ day, list }) => (
					<div key={day} class="day">
						<h3>{day}</h3>
						<ol>{list.map((entry) => <One key={entry.id} entry={entry} member={entry.member === null ? "" : memberOf(entry.member)} broken={broken} />)}</ol>
					</div>
				))}
				{log.error && <Trouble error={log.error} reload={log.older} />}
				{log.ended ? <p class="hint">{w("end")}</p> : <button type="button" disabled={log.busy} aria-busy={log.busy} onClick={log.older}>{w("more")}</button>}
			</section>
		)}</Shown>
	);
}
