// The findings board: filters that stand in the address, a table that is walked by keys, and what is done to many at once.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { downloadAddress, get, request, type ApiError, type Filter } from "../core/api";
import { ago, digits, time } from "../core/format";
import { useHouse, useLoad, useTexts } from "../core/house";
import { range, replaceParams, useRoute, withParams } from "../core/route";
import { findingAddress, Severity } from "../shell/feed";
import { Count, Page, Shown, VirtualRows } from "../shell/parts";
import { closedOf, CLOSED_AT_ONCE, COLUMNS, pathOf, SEVERITIES, SHOWN, sorted, STATES, TYPES, wantedOf, type ColumnName, type Found, type Wanted } from "./model";
import { en, ja } from "./texts";
import "./findings.css";

const REASONS = ["fixed", "false", "known", "double", "test"] as const;
const CLOSERS = ["analyst", "operator", "admin"];
const ROW = 41;

interface Member { id: number; key: string; name: string; name_en?: string }
const useWords = () => useTexts({ en, ja });

function Filters({ wanted, members }: { wanted: Wanted; members: Member[] }) {
	const { tOf, language } = useHouse();
	const w = useWords();
	const [text, setText] = useState(wanted.text);
	useEffect(() => setText(wanted.text), [wanted.text]);
	const set = (name: string) => (event: Event) => { location.hash = withParams({ [name]: (event.currentTarget as HTMLSelectElement).value || undefined }); };
	return (
		<form class="board-filters" onSubmit={(event) => { event.preventDefault(); replaceParams({ text: text.trim() || undefined }); }}>
			<nav class="segments" aria-label={w("state")}>
				{(Object.keys(STATES) as (keyof typeof STATES)[]).map((state) => <a key={state} class={state === wanted.state ? "on" : ""} aria-current={state === wanted.state ? "true" : undefined} href={withParams({ state: state === "open" ? undefined : state })}>{w(`state.${state}`)}</a>)}
			</nav>
			<select aria-label={w("type")} value={wanted.type} onChange={set("type")}><option value="">{w("type.any")}</option>{TYPES.map((type) => <option key={type} value={type}>{tOf("findings.type", type)}</option>)}</select>
			<select aria-label={w("severity")} value={wanted.severity} onChange={set("severity")}><option value="">{w("severity.any")}</option>{SEVERITIES.map((severity) => <option key={severity} value={severity}>{tOf("severity", severity)}</option>)}</select>
			{members.length > 0 && <select aria-label={w("member")} value={wanted.member} onChange={set("member")}><option value="">{w("member.any")}</option>{members.map((member) => <option key={member.id} value={String(member.id)}>{(language === "en" && member.name_en) || member.name}</option>)}</select>}
			<input type="search" aria-label={w("text")} placeholder={w("text")} value={text} onInput={(event) => setText(event.currentTarget.value)} onBlur={() => text.trim() !== wanted.text && replaceParams({ text: text.trim() || undefined })} />
		</form>
	);
}

function Heads({ by, reverse, all, some, onAll, may }: { by: ColumnName; reverse: boolean; all: boolean; some: boolean; onAll: (on: boolean) => void; may: boolean }) {
	const w = useWords();
	const box = useRef<HTMLInputElement>(null);
	useEffect(() => { if (box.current) box.current.indeterminate = some && !all; }, [some, all]);
	return (
		<thead><tr>
			{may && <th class="box"><input ref={box} type="checkbox" checked={all} aria-label={w("choose.all")} onChange={(event) => onAll(event.currentTarget.checked)} /></th>}
			{COLUMNS.map((column) => (
				<th key={column} scope="col" class={column === "packets" ? "n" : ""} aria-sort={by === column ? (reverse ? "descending" : "ascending") : undefined}>
					<button type="button" class="sort" onClick={() => replaceParams({ by: column === "last" ? undefined : column, turn: by === column && !reverse ? "1" : undefined })}>{w(column)}<span aria-hidden="true">{by === column ? (reverse ? " ▴" : " ▾") : ""}</span></button>
				</th>
			))}
			<th scope="col">{w("state")}</th>
		</tr></thead>
	);
}

function What({ finding }: { finding: Found }) {
	const { tOf } = useHouse();
	const w = useWords();
	const verdict = finding.type === "livenet" && finding.verdict && finding.verdict !== "none" ? w(`verdict.${finding.verdict}` as keyof typeof en) : "";
	return <>{verdict || tOf("findings.type", finding.type)}</>;
}

function Row({ finding, member, at, may, chosen, onChoose, onHere }: { finding: Found; member: Member | undefined; at: boolean; may: boolean; chosen: boolean; onChoose: (range: boolean) => void; onHere: () => void }) {
	const { language } = useHouse();
	const w = useWords();
	const closed = closedOf(finding);
	return (
		<tr class={`${chosen ? "chosen" : ""}${at ? " at" : ""}`} aria-selected={may ? chosen : undefined} onClick={onHere}>
			{may && <td class="box"><input type="checkbox" checked={chosen} tabIndex={-1} aria-label={w("choose", { subject: finding.subject })} onClick={(event) => { event.stopPropagation(); onChoose(event.shiftKey); }} /></td>}
			<td><Severity value={finding.severity} /></td>
			<td class="t"><What finding={finding} /></td>
			<td class="subject"><a class={/^[\d.:a-f/]+$/i.test(finding.subject) ? "mono" : ""} href={findingAddress(finding)}>{finding.subject}</a></td>
			<td class="whose">{member ? <a href={`#/members/${encodeURIComponent(member.key)}`}>{(language === "en" && member.name_en) || member.name}</a> : finding.member ? `#${finding.member}` : ""}</td>
			<td class="n"><Count value={finding.packets} /></td>
			<td class="t">{time(finding.first, language, false)}</td>
			<td class="t" title={time(finding.last, language)}>{ago(finding.last, language)}</td>
			<td class="t"><span class={`status-mark${finding.state === "closed" || finding.ended ? " idle" : ""}`} title={closed ? w("closed.by", { who: closed.by, reason: closed.reason }) : undefined}>{w(finding.state === "closed" ? "closed" : finding.ended ? "ended" : "ongoing")}</span></td>
		</tr>
	);
}

interface Closed { closed: number; refused: { id: string; message: string; message_ja: string }[] }

/** What can be done to those that were chosen. */
function Bulk({ chosen, findings, onDone, onCancel }: { chosen: Set<string>; findings: Found[]; onDone: (answer: Closed) => void; onCancel: () => void }) {
	const { language } = useHouse();
	const w = useWords();
	const [asking, setAsking] = useState(false), [busy, setBusy] = useState(false), [error, setError] = useState("");
	const filters: Filter[] = [{ field: "id", op: "in", value: [...chosen].slice(0, CLOSED_AT_ONCE) }];
	const oldest = findings.filter((finding) => chosen.has(finding.id)).reduce((least, finding) => (finding.time < least ? finding.time : least), "9999");
	const close = async (event: Event) => {
		event.preventDefault();
		const reason = String(new FormData(event.currentTarget as HTMLFormElement).get("reason")).trim();
		const ids = [...chosen], sum: Closed = { closed: 0, refused: [] };
		setBusy(true);
		try {
			for (let i = 0; i < ids.length; i += CLOSED_AT_ONCE) {
				const answer = await request<Closed>("POST", "/findings/close", { ids: ids.slice(i, i + CLOSED_AT_ONCE), reason });
				sum.closed += answer.closed;
				sum.refused.push(...answer.refused);
			}
			onDone(sum);
		} catch (fault) {
			setError((language === "ja" && (fault as ApiError).messageJa) || (fault as ApiError).message);
		}
		setBusy(false);
	};
	return (
		<section class="bulk" aria-live="polite">
			<b>{w("chosen", { count: digits(chosen.size, language) })}</b>
			{asking ? (
				<form class="row" onSubmit={(event) => void close(event)}>
					<label class="field">{w("reason")}<input name="reason" list="board-reasons" required maxLength={300} autofocus /></label>
					<datalist id="board-reasons">{REASONS.map((reason) => <option key={reason} value={w(`reason.${reason}`)} />)}</datalist>
					<button type="submit" class="main" disabled={busy}>{w("close.now", { count: digits(chosen.size, language) })}</button>
					<button type="button" onClick={() => setAsking(false)}>{w("cancel")}</button>
					{error && <p class="error" role="alert">{error}</p>}
				</form>
			) : (
				<p class="row">
					<button type="button" class="main" onClick={() => setAsking(true)}>{w("close")}</button>
					<a class="button" href={downloadAddress({ kind: "finding", from: oldest, to: "now", filters }, "csv")} download>{w("csv")}</a>
					<button type="button" class="plain" onClick={onCancel}>{w("cancel")}</button>
				</p>
			)}
		</section>
	);
}

/** j, k and the arrows walk the rows; the one that is walked to comes into sight. */
function useWalk(findings: Found[], choose: (at: number, range: boolean) => void, letGo: () => void) {
	const [at, setAt] = useState(-1);
	const box = useRef<HTMLDivElement>(null);
	const latest = useRef({ at, findings, choose, letGo });
	latest.current = { at, findings, choose, letGo };
	useEffect(() => {
		const key = (event: KeyboardEvent) => {
			const { at, findings, choose, letGo } = latest.current;
			const field = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT|BUTTON|A)$/.test(event.target.tagName) && !(event.target instanceof HTMLInputElement && event.target.type === "checkbox");
			if (field || event.ctrlKey || event.metaKey || event.altKey) return;
			const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
			const here = findings[at];
			if (step) {
				const to = Math.min(Math.max(at + step, 0), findings.length - 1);
				event.preventDefault();
				setAt(to);
				const scroll = box.current;
				if (scroll && (to * ROW < scroll.scrollTop || (to + 2) * ROW > scroll.scrollTop + scroll.clientHeight)) scroll.scrollTop = to * ROW - scroll.clientHeight / 2;
			} else if (event.key.toLowerCase() === "x" && here) choose(at, event.shiftKey);
			else if (event.key === "Enter" && here) location.hash = findingAddress(here);
			else if (event.key === "Escape") letGo();
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, []);
	return { at, setAt, box };
}

function Board({ findings, members, onClosed }: { findings: Found[]; members: Map<number, Member>; onClosed: (answer: Closed) => void }) {
	const { language, session } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const column = params.get("by") ?? "", by = (COLUMNS as readonly string[]).includes(column) ? (column as ColumnName) : "last", reverse = params.has("turn");
	const rows = useMemo(() => sorted(findings, by, reverse), [findings, by, reverse]);
	const [chosen, setChosen] = useState<Set<string>>(new Set());
	const from = useRef(0);
	const may = CLOSERS.includes(session?.user?.role ?? "");
	const choose = (at: number, span: boolean) => {
		const next = new Set(chosen), [low, high] = span ? [Math.min(from.current, at), Math.max(from.current, at)] : [at, at];
		const on = span || !chosen.has(rows[at]?.id ?? "");
		for (const finding of rows.slice(low, high + 1)) on ? next.add(finding.id) : next.delete(finding.id);
		from.current = at;
		if (may) setChosen(next);
	};
	const { at, setAt, box } = useWalk(rows, choose, () => setChosen(new Set()));
	const there = useMemo(() => new Set([...chosen].filter((id) => findings.some((finding) => finding.id === id))), [chosen, findings]);
	if (!rows.length) return <div class="state"><p class="state-title">{w("none")}</p><a class="button" href="#/findings?state=any">{w("reset")}</a></div>;
	return (
		<>
			<p class="row between hint"><span>{findings.length >= SHOWN ? w("most", { count: digits(SHOWN, language) }) : w(rows.length === 1 ? "one" : "many", { count: digits(rows.length, language) })}</span><span class="keys">{w("keys")}</span></p>
			<div ref={box} class="scroll tall" tabIndex={0} role="region" aria-label={w("title")}>
				<table class="board">
					<Heads by={by} reverse={reverse} may={may} all={there.size === rows.length} some={there.size > 0} onAll={(on) => setChosen(new Set(on ? rows.map((finding) => finding.id) : []))} />
					<VirtualRows rows={rows} height={ROW} render={(finding, i) => <Row key={finding.id} finding={finding} member={members.get(finding.member)} at={i === at} may={may} chosen={there.has(finding.id)} onChoose={(span) => choose(i, span)} onHere={() => setAt(i)} />} />
				</table>
			</div>
			{there.size > 0 && <Bulk chosen={there} findings={rows} onCancel={() => setChosen(new Set())} onDone={(answer) => { setChosen(new Set()); onClosed(answer); }} />}
		</>
	);
}

function Told({ answer }: { answer: Closed }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<div class="note" role="status">
			<p>{w("done", { count: digits(answer.closed, language) })}{answer.refused.length > 0 && ` ${w("refused", { count: digits(answer.refused.length, language) })}`}</p>
			{answer.refused.length > 0 && <ul>{answer.refused.slice(0, 20).map((one) => <li key={one.id}><span class="mono">{one.id}</span> {language === "ja" ? one.message_ja : one.message}</li>)}</ul>}
		</div>
	);
}

export default function FindingsPage() {
	const { session } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const { from, to } = range(params);
	const wanted = wantedOf(params);
	const path = pathOf(wanted, from, to);
	const load = useLoad(path, (signal) => get<{ findings: Found[] }>(path, signal), 30_000);
	const known = useLoad(`members ${session?.user?.name ?? ""}`, (signal) => (session?.user ? get<{ members: Member[] }>("/members?limit=1000", signal).then((answer) => answer.members, () => []) : Promise.resolve<Member[]>([])));
	const members = useMemo(() => new Map((known.data ?? []).map((member) => [member.id, member])), [known.data]);
	const [told, setTold] = useState<Closed | null>(null);
	return (
		<Page title={w("title")} hint={w("hint")}>
			<Filters wanted={wanted} members={known.data ?? []} />
			{told && <Told answer={told} />}
			<section class="panel"><Shown load={load}>{(answer) => <Board key={path} findings={answer.findings} members={members} onClosed={(closed) => { setTold(closed); load.reload(); }} />}</Shown></section>
		</Page>
	);
}
