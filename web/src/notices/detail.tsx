// One notice: what it is about, its life as a line from top to bottom, and what may be done now.

import { useState } from "preact/hooks";
import { ApiError, get, request } from "../core/api";
import { ago, digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { Advice } from "../portal/advice";
import { Shown } from "../shell/parts";
import { Severity } from "../shell/feed";
import { AnswerFields, answerOf } from "./answer";
import { lifeOf, memberOf, type Line, type Notice } from "./model";
import { useWords } from "./texts";

function LifeLine({ line }: { line: Line }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<li class={line.good === null ? "" : line.good ? "good" : "bad"}>
			<time dateTime={line.time} title={time(line.time, language)}>{time(line.time, language, false)}</time>
			<div><b>{w.of("event", line.what)}</b>{line.who && <span class="hint"> {w.of("who", line.who)}</span>}{line.text && <p class="hint">{line.text}</p>}</div>
		</li>
	);
}

function Messages({ notice }: { notice: Notice }) {
	const { language } = useHouse();
	const w = useWords();
	const messages = notice.messages ?? [], tellings = notice.tellings ?? [];
	return (
		<>
			{messages.length > 0 && <><h3>{w("messages")}</h3>
				<ul class="message-list">{messages.map((message) => (
					<li key={message.id}><span class={`message-state ${message.state}`}>{w.of("message.state", message.state)}</span>
						<span><span class="mono">{message.address}</span>{message.name && <span class="hint"> {message.name}</span>}</span>
						<span class="hint">{w.of("channel", message.channel)}{message.attempts > 1 && ` · ${w("attempts", { count: message.attempts })}`} · {ago(message.done ?? message.made, language)}</span></li>
				))}</ul></>}
			{tellings.length > 0 && <><h3>{w("next")}</h3><ul class="message-list">{tellings.map((one) => <li key={`${one.step} ${one.channel} ${one.address}`}><span class="message-state waiting">{w.of("event", one.step)}</span><span>{w("next.at", { address: one.address, time: time(one.due, language, false) })}</span></li>)}</ul></>}
		</>
	);
}

function Act({ notice, changed }: { notice: Notice; changed: () => void }) {
	const { language, session } = useHouse();
	const w = useWords();
	const [closing, setClosing] = useState(false);
	const [error, setError] = useState("");
	const staff = session?.user?.role !== "member";
	const post = (what: string, body: unknown) => request("POST", `/notices/${notice.id}/${what}`, body).then(
		() => { setError(""); setClosing(false); changed(); }, (fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message));
	const answer = (event: Event) => { event.preventDefault(); void post("acknowledge", answerOf(event.currentTarget as HTMLFormElement)); };
	const close = (event: Event) => { event.preventDefault(); void post("close", { reason: String(new FormData(event.currentTarget as HTMLFormElement).get("reason")) }); };
	return (
		<div class="notice-act">
			<details open={!notice.acknowledged}><summary>{w("act")}</summary>
				<form onSubmit={answer} class="answer-form"><AnswerFields /><button type="submit" class="main">{w("answer.send")}</button></form>
			</details>
			{staff && <div class="row">
				<button type="button" onClick={() => { if (confirm(w("tell.again.sure"))) void post("send", {}); }}>{w("tell.again")}</button>
				{!closing && <button type="button" onClick={() => setClosing(true)}>{w("close")}</button>}
			</div>}
			{closing && <form class="row" onSubmit={close}><label class="field">{w("close.reason")}<input name="reason" required maxLength={1000} autofocus /></label><button type="submit" class="main">{w("close")}</button><button type="button" onClick={() => setClosing(false)}>{w("cancel")}</button></form>}
			{error && <p class="error" role="alert">{error}</p>}
		</div>
	);
}

export function Detail({ id, changed }: { id: string; changed: () => void }) {
	const { language, session } = useHouse();
	const w = useWords();
	const load = useLoad(`notice ${id} ${language}`, (signal) => get<Notice>(`/notices/${encodeURIComponent(id)}?language=${language}`, signal), 5_000);
	const member = session?.user?.role === "member";
	return (
		<Shown load={load}>{(notice) => (
			<>
				<p class="chips"><span class={`chip state-chip ${notice.state}`}>{w.of("state", notice.state)}</span><Severity value={notice.severity} /><span class="hint">No. {notice.id}</span></p>
				<h2 class="notice-title">{notice.type === "test" ? w("event.test") : <span class="mono">{notice.subject}</span>} <span>{w.of("verdict", notice.verdict)}</span></h2>
				<dl class="facts">
					<dt>{w("to.member")}</dt><dd>{notice.member_key ? <a href={member ? "#/portal" : `#/members/${encodeURIComponent(notice.member_key)}`}>{memberOf(notice, language)}</a> : notice.member}</dd>
					{notice.finding && <><dt>{w("in.finding")}</dt><dd><a href={`#/finding/${encodeURIComponent(notice.finding)}`}>{notice.detector}</a></dd></>}
					{notice.type !== "test" && <><dt>{w("observed")}</dt><dd>{time(notice.first, language, false)} – {time(notice.last, language, false)}</dd>
					<dt>{w("packets")}</dt><dd class="num">{digits(notice.packets, language)}</dd></>}
					{notice.reference && <><dt>{w("reference")}</dt><dd>{notice.reference}</dd></>}
				</dl>
				{notice.advice && notice.type !== "test" && notice.state !== "closed" && <Advice advice={notice.advice} />}
				<h3>{w("life")}</h3>
				<ol class="life">{lifeOf(notice).map((line, i) => <LifeLine key={i} line={line} />)}</ol>
				<Messages notice={notice} />
				{notice.state !== "closed" && <Act notice={notice} changed={() => { load.reload(); changed(); }} />}
			</>
		)}</Shown>
	);
}
