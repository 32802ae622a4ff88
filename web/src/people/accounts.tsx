// Accounts: who is there, in which role, whose people they are; inviting, changing and closing.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { ago, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { nameOf } from "../members/model";
import { replaceParams, useRoute, withParams } from "../core/route";
import { Shown } from "../shell/parts";
import { RoleFields, Saying, Secret, Sure, useFault, useWords, type Said } from "./forms";
import { accounts, change, close, invite, linkAddress, newLink, organisations, ROLES, sifted, stateOf, type Account, type Link, type Organisation } from "./model";

interface Handed { name: string; link: Link }

function Handing({ handed, done }: { handed: Handed; done: () => void }) {
	const { language } = useHouse();
	const w = useWords();
	const until = time(handed.link.until, language, false), address = linkAddress(handed.link.token);
	const mail = `mailto:?subject=${encodeURIComponent(w("mail.subject"))}&body=${encodeURIComponent(w("mail.body", { name: handed.name, time: until, link: address }))}`;
	return (
		<Secret title={w("link.for", { name: handed.name })} hint={w("link.once", { name: handed.name, time: until })} secret={address} done={done}>
			<a class="button" href={mail}>{w("link.mail")}</a>
		</Secret>
	);
}

export function Invite({ theirs, made, leave }: { theirs: Organisation[]; made: (handed: Handed) => void; leave: () => void }) {
	const w = useWords(), fault = useFault();
	const [role, setRole] = useState("viewer"), [member, setMember] = useState(""), [said, say] = useState<Said | null>(null);
	const name = useRef<HTMLInputElement>(null);
	useLayoutEffect(() => name.current?.focus(), []);
	const send = (event: Event) => {
		event.preventDefault();
		const wanted = name.current?.value.trim() ?? "";
		invite({ name: wanted, role, ...(role === "member" ? { member: member.trim() } : {}) }).then((link) => made({ name: wanted, link }), (reason: ApiError) => say(fault(reason)));
	};
	return (
		<form class="panel asking" aria-label={w("invite")} onSubmit={send} onKeyDown={(event) => { if (event.key === "Escape") leave(); }}>
			<h2>{w("invite")}</h2>
			<p class="hint">{w("invite.hint")}</p>
			<div class="fields">
				<label class="field">{w("name")}<input ref={name} name="name" required pattern="[a-z0-9._\-]+" maxLength={63} autocomplete="off" autocapitalize="none" spellcheck={false} title={w("name.hint")} placeholder={w("name.hint")} /></label>
				<RoleFields roles={ROLES} role={role} member={member} organisations={theirs} changed={(one, of) => { setRole(one); setMember(of); }} />
			</div>
			<Saying said={said} />
			<div class="row"><button type="submit" class="main">{w("invite.do")}</button><button type="button" class="plain" onClick={leave}>{w("cancel")}</button></div>
		</form>
	);
}

interface EditProps { account: Account; own: boolean; theirs: Organisation[]; done: (said: Said) => void; handed: (handed: Handed) => void; leave: () => void }

function Edit({ account, own, theirs, done, handed, leave }: EditProps) {
	const { tOf } = useHouse();
	const w = useWords(), fault = useFault();
	const [role, setRole] = useState(account.role), [member, setMember] = useState(account.member ?? "");
	const [said, say] = useState<Said | null>(null), [closing, setClosing] = useState(false);
	const failed = (reason: ApiError) => say(fault(reason));
	const save = (event: Event) => {
		event.preventDefault();
		change(account.name, role, role === "member" ? member.trim() : undefined).then(() => done({ good: true, text: w("saved", { name: account.name, role: tOf("role", role) }) }), failed);
	};
	if (closing)
		return <Sure question={w("close.sure", { name: account.name })} word={w("close.do")} leave={() => setClosing(false)}
			act={() => close(account.name).then(() => done({ good: true, text: w("closed", { name: account.name }) }), (reason: ApiError) => { setClosing(false); failed(reason); })} />;
	return (
		<form class="asking" aria-label={`${w("change")}: ${account.name}`} onSubmit={save} onKeyDown={(event) => { if (event.key === "Escape") leave(); }}>
			<div class="fields"><RoleFields roles={ROLES} role={role} member={member} organisations={theirs} changed={(one, of) => { setRole(one); setMember(of); }} /></div>
			<Saying said={said} />
			<div class="row">
				<button type="submit" class="main" disabled={role === account.role && member === (account.member ?? "")}>{w("save")}</button>
				<button type="button" class="plain" onClick={leave}>{w("cancel")}</button>
				<span class="spread" />
				<a class="button" href={`#/audit?actor=${encodeURIComponent(account.name)}&from=-365d`}>{w("audit")}</a>
				<button type="button" title={w("link.help")} onClick={() => newLink(account.name).then((link) => handed({ name: account.name, link }), failed)}>{w("link")}</button>
				{!own && <button type="button" class="grave" onClick={() => setClosing(true)}>{w("close")}</button>}
			</div>
		</form>
	);
}

function State({ account }: { account: Account }) {
	const { language } = useHouse();
	const w = useWords();
	const state = stateOf(account);
	return <span class={`status-mark${state === "over" ? " bad" : state === "in" ? "" : " idle"}`}>{w(`state.${state}`, { time: time(account.link_until, language, false) })}</span>;
}

function Row({ account, theirs, open, toggle, ...edit }: EditProps & { open: boolean; toggle: () => void }) {
	const { tOf, language } = useHouse();
	const w = useWords();
	const organisation = theirs.find((one) => one.key === account.member);
	return (
		<>
			<tr class={open ? "open" : ""}>
				<th scope="row"><span class="who">{account.name}</span>{edit.own && <span class="chip">{w("you")}</span>}</th>
				<td data-label={w("role")}>{tOf("role", account.role)}{account.member && <a class="sub" href={`#/members/${encodeURIComponent(account.member)}`}>{organisation ? nameOf(organisation, language) : account.member}</a>}</td>
				<td data-label={w("state")}><State account={account} /></td>
				<td data-label={w("seen")} class="t" title={time(account.last_login, language)}>{account.last_login ? ago(account.last_login, language) : w("never")}</td>
				<td data-label={w("made")} class="t">{time(account.created, language, false)}</td>
				<td class="n"><button type="button" aria-expanded={open} aria-label={`${w("change")}: ${account.name}`} onClick={toggle}>{w("change")}</button></td>
			</tr>
			{open && <tr class="edit"><td colSpan={6}><Edit account={account} theirs={theirs} {...edit} /></td></tr>}
		</>
	);
}

export function Accounts({ inviting, leaveInvite }: { inviting: boolean; leaveInvite: () => void }) {
	const { tOf, session, language } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const load = useLoad("people", accounts), members = useLoad("people.members", organisations);
	const [open, setOpen] = useState(""), [said, say] = useState<Said | null>(null), [handed, setHanded] = useState<Handed | null>(null);
	const theirs = members.data ?? [], role = params.get("role") ?? "", find = params.get("find") ?? "";
	const hand = (one: Handed) => { setHanded(one); setOpen(""); say(null); leaveInvite(); load.reload(); };
	const done = (one: Said) => { say(one); setOpen(""); load.reload(); };
	const organisationOf = (key: string): string => { const one = theirs.find((each) => each.key === key); return one ? nameOf(one, language) : ""; };
	return (
		<>
			{inviting && <Invite theirs={theirs} made={hand} leave={leaveInvite} />}
			{handed && <Handing handed={handed} done={() => setHanded(null)} />}
			<Saying said={said} />
			<Shown load={load}>{(list) => {
				const shown = sifted(list, find, role, organisationOf);
				return (
					<section class="panel">
						<div class="sift">
							<input type="search" aria-label={w("find")} placeholder={w("find")} value={find} onInput={(event) => replaceParams({ find: event.currentTarget.value || undefined })} />
							<div class="segments" role="group" aria-label={w("role")}>
								{["", ...ROLES].map((one) => <a key={one} class={one === role ? "on" : ""} aria-current={one === role ? "true" : undefined} href={withParams({ role: one || undefined })}>{one ? tOf("role", one) : w("role.any")} <span class="num">{one ? list.filter((account) => account.role === one).length : list.length}</span></a>)}
							</div>
						</div>
						{shown.length === 0 ? <div class="state"><p class="state-title">{w("none")}</p><p>{w("none.hint")}</p></div> : (
							<table class="people">
								<thead><tr><th scope="col">{w("name")}</th><th scope="col">{w("role")}</th><th scope="col">{w("state")}</th><th scope="col">{w("seen")}</th><th scope="col">{w("made")}</th><th><span class="hidden">{w("change")}</span></th></tr></thead>
								<tbody>{shown.map((account) => (
									<Row key={account.name} account={account} own={account.name === session?.user?.name} theirs={theirs} open={open === account.name}
										toggle={() => setOpen(open === account.name ? "" : account.name)} done={done} handed={hand} leave={() => setOpen("")} />
								))}</tbody>
							</table>
						)}
					</section>
				);
			}}</Shown>
		</>
	);
}
