// Notices: how many and how fast, the list, and beside it the life of one.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, request } from "../core/api";
import { ago, digits } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address, routeOf, useRoute } from "../core/route";
import { Page, Shown } from "../shell/parts";
import { Severity } from "../shell/feed";
import { Detail } from "./detail";
import { memberOf, type Bounce, type Figures, type Notice, type Span } from "./model";
import { useWords, type NoticeWord } from "./texts";
import "./notices.css";

const FILTERS: Record<string, string> = { open: "state=open", waiting: "state=open&unacknowledged=1", closed: "state=closed", any: "" };
const PAGE = 100;

/** A length of time as people say it. */
export function span(seconds: number, language: string): string {
	const [value, unit] = seconds < 1 ? [Math.round(seconds * 1000), "ms"] : seconds < 90 ? [Math.round(seconds * 10) / 10, "s"] : seconds < 5400 ? [Math.round(seconds / 60), "min"] : seconds < 172800 ? [Math.round(seconds / 3600), "h"] : [Math.round(seconds / 86400), "d"];
	const words: Record<string, string> = language === "ja" ? { ms: "ミリ秒", s: "秒", min: "分", h: "時間", d: "日" } : { ms: "ms", s: "s", min: "min", h: "h", d: "days" };
	return `${value} ${words[unit as string]}`;
}

function SpanFigure({ label, value }: { label: string; value: Span }) {
	const { language } = useHouse();
	const w = useWords();
	return <div><dt>{label}</dt><dd class={value.count ? "" : "small"}>{value.median_s === null ? w("figure.none") : span(value.median_s, language)}{value.count > 0 && <span class="sub">{w("figure.median", { count: digits(value.count, language) })}</span>}</dd></div>;
}

function Summary({ figures }: { figures: Figures }) {
	const { language } = useHouse();
	const w = useWords();
	const of = (name: string) => figures.notices[name] ?? 0;
	return (
		<>
			{figures.sending && !figures.sending.ready && <p class="note" role="note">{w("texts.none")}</p>}
			{figures.sending?.ready && !figures.sending.relay && <p class="note" role="note">{w("relay.none")}</p>}
			<dl class="figures">
				<div><dt>{w("figure.open")}</dt><dd>{digits(of("made") - of("closed"), language)}</dd></div>
				<div><dt>{w("figure.unanswered")}</dt><dd>{digits(Math.max(0, of("told") - of("acknowledged")), language)}</dd></div>
				<SpanFigure label={w("figure.toTell")} value={figures.to_tell} />
				<SpanFigure label={w("figure.toAnswer")} value={figures.to_acknowledge} />
				<SpanFigure label={w("figure.toFix")} value={figures.to_fix} />
			</dl>
		</>
	);
}

function Bounces({ bounces }: { bounces: Bounce[] }) {
	const { language } = useHouse();
	const w = useWords();
	if (bounces.length === 0) return null;
	return (
		<details class="panel bounces"><summary>{w("bounces")} <b class="badge">{bounces.length}</b></summary>
			<ul>{bounces.map((one) => <li key={`${one.channel} ${one.address}`}><span class="mono">{one.address}</span><span class="chip">{one.member_key ?? one.member}</span><span class="hint">{w("bounce.since")} {ago(one.since, language)} · {one.answer}</span></li>)}</ul>
		</details>
	);
}

function Test() {
	const { language } = useHouse();
	const w = useWords();
	const [open, setOpen] = useState(false);
	const [error, setError] = useState("");
	const send = (event: Event) => {
		event.preventDefault();
		const member = String(new FormData(event.currentTarget as HTMLFormElement).get("member"));
		request<Notice>("POST", "/notices/test", { member }).then((notice) => { setOpen(false); location.hash = `#/notices/${notice.id}?show=any`; }, (fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message));
	};
	if (!open) return <button type="button" onClick={() => { setOpen(true); setError(""); }}>{w("test")}</button>;
	return (
		<form class="row" onSubmit={send}>
			<label class="field">{w("test.member")}<input name="member" required autofocus /></label>
			<button type="submit" class="main">{w("test")}</button><button type="button" onClick={() => setOpen(false)}>{w("cancel")}</button>
			{error && <p class="error" role="alert">{error}</p>}
		</form>
	);
}

function Row({ notice, selected }: { notice: Notice; selected: boolean }) {
	const { language } = useHouse();
	const { params } = useRoute();
	const w = useWords();
	return (
		<li><a class={selected ? "on" : ""} aria-current={selected ? "true" : undefined} href={address(`notices/${notice.id}`, params)}>
			<span class="line-value"><span class={`state-dot ${notice.state}`} aria-hidden="true" /><b class={notice.type === "test" ? "" : "mono"}>{notice.type === "test" ? w("event.test") : notice.subject}</b> <span class="hint">{w.of("verdict", notice.verdict)}</span></span>
			<Severity value={notice.severity} />
			<span class="hint line-title">{memberOf(notice, language)}</span>
			<span class="hint line-end">{w.of("state", notice.state)}{notice.acknowledged && <span class="answered" title={w.of("answer", notice.answer ?? "seen")}> ✓</span>} · {ago(notice.last, language)}</span>
		</a></li>
	);
}

export default function Notices() {
	const { session } = useHouse();
	const w = useWords();
	const { path, params } = useRoute();
	const chosen = path[1];
	const shown = params.get("show") ?? "open";
	const own = session?.user?.role === "member";
	const may = session?.user?.role === "operator" || session?.user?.role === "admin";
	const [limit, setLimit] = useState(PAGE);
	const member = /^\d+$/.test(params.get("member") ?? "") ? `&member=${params.get("member")}` : "";
	const list = useLoad(`notices ${shown}${member} ${limit}`, (signal) => get<{ notices: Notice[]; more: boolean }>(`/notices?${FILTERS[shown] ?? ""}${member}&limit=${limit}`, signal), 10_000);
	const figures = useLoad("notice figures", (signal) => get<Figures>("/notices/figures", signal), 15_000);
	const bounces = useLoad(`bounces ${own}`, async (signal) => (own ? { bounces: [] } : get<{ bounces: Bounce[] }>("/notices/bounces", signal)), 60_000);
	const box = useRef<HTMLElement>(null);
	useEffect(() => { if (routeOf(location.hash).path[1] && innerWidth <= 900) box.current?.scrollIntoView({ block: "start" }); }, [chosen, list.data === undefined]);
	useEffect(() => {
		const key = (event: KeyboardEvent) => {
			if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
			const rows = list.data?.notices ?? [];
			const at = rows.findIndex((one) => String(one.id) === (routeOf(location.hash).path[1] ?? ""));
			const next = event.key === "j" ? rows[at + 1] : event.key === "k" ? rows[Math.max(0, at - 1)] : undefined;
			if (next) location.hash = address(`notices/${next.id}`, routeOf(location.hash).params);
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, [list.data]);
	const changed = () => { list.reload(); figures.reload(); };
	return (
		<Page title={w("title")} hint={w("hint")} tools={may && <Test />}>
			{figures.data && <Summary figures={figures.data} />}
			{bounces.data && <Bounces bounces={bounces.data.bounces} />}
			<Shown load={list}>{({ notices, more }) => {
				const selected = chosen ?? (notices[0] ? String(notices[0].id) : undefined);
				return (
					<div class="notice-two">
						<section class="panel">
							<nav class="segments" aria-label={w("filter.label")}>
								{Object.keys(FILTERS).map((one) => <a key={one} class={one === shown ? "on" : ""} aria-current={one === shown ? "page" : undefined} href={address("notices", { show: one })}>{w(`filter.${one}` as NoticeWord)}</a>)}
							</nav>
							{notices.length === 0 ? <div class="state"><p class="state-title">{w("none")}</p><p>{w("none.hint")}</p>{may && <p>{w("none.test")}</p>}</div> : (
								<ul class="notice-list">{notices.map((notice) => <Row key={notice.id} notice={notice} selected={String(notice.id) === selected} />)}</ul>
							)}
							{more && limit < 1000 && <button type="button" onClick={() => setLimit(Math.min(1000, limit + PAGE))}>{w("more")}</button>}
						</section>
						<section ref={box} class="panel notice-one" aria-live="polite">
							{selected ? <Detail key={selected} id={selected} changed={changed} /> : <div class="state quiet">{w("choose")}</div>}
						</section>
					</div>
				);
			}}</Shown>
		</Page>
	);
}

