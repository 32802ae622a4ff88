// One member: what is theirs, whom to tell, what is the matter, what was changed, who looked.

import { useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { ago, digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address } from "../core/route";
import { Saying, Sure, useFault, type Said } from "../people/forms";
import { Severity } from "../shell/feed";
import { Page, Shown } from "../shell/parts";
import { memberAddress, useWords } from "./list";
import type { Notice } from "../notices/model";
import { ANALYSTS, changesOf, extent, memberOf, membersOf, nameOf, noticesOf, OPERATORS, remove, validity, type Member } from "./model";
import { Belongings, Contacts, Differences, Looks, State } from "./parts";

function Matters({ notices }: { notices: Notice[] }) {
	const { language } = useHouse();
	const w = useWords();
	if (!notices.length) return <p class="hint">{w("matters.none")}</p>;
	return (
		<ul class="feed">
			{notices.slice(0, 50).map((notice) => (
				<li key={notice.id}>
					<a href={`#/notices/${notice.id}`}><span class="mono">{notice.subject}</span> {w(`verdict.${notice.verdict}` as "verdict.infected")}</a>
					<Severity value={notice.severity} />
					<span class="hint"><State notice={notice} /> · {notice.told ? w("told", { time: time(notice.told, language, false) }) : w("told.not")}</span>
					<time class="hint" dateTime={notice.last}>{ago(notice.last, language)}</time>
				</li>
			))}
		</ul>
	);
}

function Lines({ member }: { member: Member }) {
	const { language } = useHouse();
	const w = useWords();
	const under = useLoad(`under ${member.key}`, (signal) => membersOf({ parent: member.key }, signal));
	const above = [...new Set([member.parent, member.reports_to].filter((one): one is string => !!one))];
	const names = useLoad(`above ${above}`, (signal) => Promise.all(above.map((key) => memberOf(key, signal))));
	const link = (key: string) => { const known = names.data?.find((one) => one.key === key); return <a href={memberAddress(key)}>{known ? nameOf(known, language) : key}</a>; };
	return (
		<>
			<dt>{w("parent")}</dt><dd>{member.parent ? link(member.parent) : <span class="hint">{w("nothing")}</span>}</dd>
			<dt>{w("reports_to")}</dt><dd>{member.reports_to ? link(member.reports_to) : <span class="hint">{w("nothing")}</span>}</dd>
			{(under.data?.total ?? 0) > 0 && <><dt>{w("children")}</dt><dd class="chips">{under.data?.members.map((one) => <a key={one.id} class="chip" href={memberAddress(one.key)}>{nameOf(one, language)}</a>)}</dd></>}
		</>
	);
}

function History({ of }: { of: string }) {
	const { language } = useHouse();
	const w = useWords();
	const load = useLoad(`history ${of}`, (signal) => changesOf(of, signal));
	return (
		<Shown load={load}>{(changes) => changes.length ? (
			<ol class="history">
				{changes.map((change) => (
					<li key={change.number}>
						<p><time dateTime={change.time}>{time(change.time, language, false)}</time> <b>{w(`history.${change.action}` as "history.add")}</b>{change.who && <span class="hint"> · {change.who}</span>}</p>
						<Differences fields={change.fields} />
					</li>
				))}
			</ol>
		) : <p class="hint">{w("history.none")}</p>}</Shown>
	);
}

function Inside({ member, notices, role }: { member: Member; notices: Notice[] | undefined; role: string }) {
	const { language } = useHouse();
	const w = useWords();
	const size = extent(member.prefixes), open = notices?.filter((one) => one.state !== "closed" && one.state !== "ended");
	return (
		<>
			<dl class="figures">
				<div><dt>{w("figure.four")}</dt><dd class="num">{digits(size.addresses, language)}</dd></div>
				<div><dt>{w("figure.six")}</dt><dd class="num">{digits(size.sites, language)}</dd></div>
				{notices && open && <><div><dt>{w("sort.open")}</dt><dd class="num">{digits(open.length, language)}</dd></div><div><dt>{w("figure.all")}</dt><dd class="num">{digits(notices.length, language)}</dd></div></>}
				<div><dt>{w("sort.changed")}</dt><dd class="small">{time(member.changed, language, false)}</dd></div>
			</dl>
			<div class="grid">
				<section class="panel half"><h2>{w("belongings")}</h2><Belongings member={member}><Lines member={member} /></Belongings></section>
				<div class="half stack">
					{notices && <section class="panel"><h2><span>{w("matters")}</span><a href={address("observe/rings", { member: member.key })}>{w("matters.rings")}</a></h2><Matters notices={notices} /></section>}
					<section class="panel"><h2>{w("contacts")}</h2>{member.contacts ? <Contacts contacts={member.contacts} /> : <p class="hint">{w("contacts.analysts")}</p>}</section>
					{member.notes && <section class="panel"><h2>{w("notes")}</h2><p class="notes">{member.notes}</p></section>}
				</div>
				<section class="panel half"><h2>{w("history")}</h2><History of={member.key} /></section>
				<section class="panel half"><h2>{w("looks")}</h2>{role === "admin" ? <Looks of={member.key} /> : <p class="hint">{w("looks.admin")}</p>}</section>
			</div>
		</>
	);
}

export function One({ of }: { of: string }) {
	const { language, session } = useHouse();
	const w = useWords(), fault = useFault();
	const role = session?.user?.role ?? "";
	const load = useLoad(`member ${of}`, (signal) => memberOf(of, signal));
	const notices = useLoad(`member.notices ${of} ${role}`, async (signal) => (ANALYSTS.includes(role) ? noticesOf({ member: of }, signal) : undefined), 60_000);
	const [asking, ask] = useState(false), [said, say] = useState<Said | null>(null);
	const member = load.data, state = member && validity(member);
	const gone = () => remove(of).then(() => { location.hash = "#/members"; }, (reason: ApiError) => { ask(false); say(fault(reason)); });
	const tools = (
		<>
			<a class="button" href="#/members">{w("back")}</a>
			{member && OPERATORS.includes(role) && <><a class="button" href={address(`members/${encodeURIComponent(of)}/edit`, {})}>{w("edit")}</a><button type="button" class="grave" onClick={() => ask(true)}>{w("remove")}</button></>}
		</>
	);
	const hint = member ? [w(`kind.${member.kind}` as "kind.other"), language === "en" ? (member.name_en ? member.name : "") : member.name_en, member.key].filter(Boolean).join(" · ") : "";
	return (
		<Page title={member ? nameOf(member, language) : of} hint={hint} tools={tools}>
			{state && state !== "valid" && <p class="note">{w(`state.${state}.long`)}</p>}
			{asking && member && <Sure question={w("remove.sure", { name: nameOf(member, language) })} word={w("remove")} act={() => void gone()} leave={() => ask(false)} />}
			<Saying said={said} />
			{load.error?.status === 404 ? <div class="state"><p class="state-title">{w("absent", { key: of })}</p><p>{w("absent.hint")}</p></div> : <Shown load={load}>{(one) => <Inside member={one} notices={notices.data} role={role} />}</Shown>}
		</Page>
	);
}
