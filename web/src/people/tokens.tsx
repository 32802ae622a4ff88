// Tokens for the API: made, shown once, revoked.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { ago, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { nameOf } from "../members/model";
import { Shown } from "../shell/parts";
import { RoleFields, Saying, Secret, Sure, useFault, useWords, type Said } from "./forms";
import { makeToken, organisations, revoke, TOKEN_ROLES, tokens, type Organisation, type Token } from "./model";

interface Made { name: string; role: string; token: string }

function Make({ theirs, made, leave }: { theirs: Organisation[]; made: (made: Made) => void; leave: () => void }) {
	const w = useWords(), fault = useFault();
	const [role, setRole] = useState("viewer"), [member, setMember] = useState(""), [said, say] = useState<Said | null>(null);
	const name = useRef<HTMLInputElement>(null);
	useLayoutEffect(() => name.current?.focus(), []);
	const send = (event: Event) => {
		event.preventDefault();
		const wanted = name.current?.value.trim() ?? "";
		makeToken({ name: wanted, role, ...(role === "member" ? { member: member.trim() } : {}) }).then(({ token }) => made({ name: wanted, role, token }), (reason: ApiError) => say(fault(reason)));
	};
	return (
		<form class="panel asking" aria-label={w("token.new")} onSubmit={send} onKeyDown={(event) => { if (event.key === "Escape") leave(); }}>
			<h2>{w("token.new")}</h2>
			<p class="hint">{w("token.hint")}</p>
			<div class="fields">
				<label class="field">{w("name")}<input ref={name} name="name" required pattern="[a-z0-9._\-]+" maxLength={63} autocomplete="off" autocapitalize="none" spellcheck={false} title={w("name.hint")} placeholder={w("name.hint")} /></label>
				<RoleFields roles={TOKEN_ROLES} role={role} member={member} organisations={theirs} changed={(one, of) => { setRole(one); setMember(of); }} />
			</div>
			<Saying said={said} />
			<div class="row"><button type="submit" class="main">{w("token.do")}</button><button type="button" class="plain" onClick={leave}>{w("cancel")}</button></div>
		</form>
	);
}

function Shows({ made, done }: { made: Made; done: () => void }) {
	const w = useWords();
	const path = made.role === "member" ? "findings" : "status";
	return (
		<>
			<Secret title={w("token.for", { name: made.name })} hint={w("token.once")} secret={made.token} done={done} />
			{made.role !== "sensor" && <section class="panel"><h2>{w("token.try")}</h2><pre class="command">{`curl -H 'Authorization: Bearer ${made.token}' ${location.origin}${location.pathname}api/v1/${path}`}</pre></section>}
		</>
	);
}

function Row({ token, theirs, sure, setSure, done }: { token: Token; theirs: Organisation[]; sure: boolean; setSure: (sure: boolean) => void; done: (said: Said) => void }) {
	const { tOf, language } = useHouse();
	const w = useWords(), fault = useFault();
	const organisation = theirs.find((one) => one.key === token.member);
	const act = () => revoke(token.id).then(() => done({ good: true, text: w("revoked", { name: token.name }) }), (reason: ApiError) => done(fault(reason)));
	return (
		<>
			<tr class={sure ? "open" : ""}>
				<th scope="row"><span class="who">{token.name}</span></th>
				<td data-label={w("role")}>{tOf("role", token.role)}{token.member && <span class="sub">{organisation ? nameOf(organisation, language) : token.member}</span>}</td>
				<td data-label={w("used")} class="t" title={time(token.last_used, language)}>{token.last_used ? ago(token.last_used, language) : w("never")}</td>
				<td data-label={w("made")} class="t">{time(token.created, language, false)}</td>
				<td class="n"><button type="button" aria-expanded={sure} aria-label={`${w("token.revoke")}: ${token.name}`} onClick={() => setSure(!sure)}>{w("token.revoke")}</button></td>
			</tr>
			{sure && <tr class="edit"><td colSpan={5}><Sure question={w("token.sure", { name: token.name })} word={w("token.revoke.do")} act={act} leave={() => setSure(false)} /></td></tr>}
		</>
	);
}

export function Tokens({ making, leaveMake }: { making: boolean; leaveMake: () => void }) {
	const w = useWords();
	const load = useLoad("tokens", tokens), members = useLoad("people.members", organisations);
	const [sure, setSure] = useState(0), [said, say] = useState<Said | null>(null), [made, setMade] = useState<Made | null>(null);
	const theirs = members.data ?? [];
	return (
		<>
			{making && <Make theirs={theirs} leave={leaveMake} made={(one) => { setMade(one); say(null); leaveMake(); load.reload(); }} />}
			{made && <Shows made={made} done={() => setMade(null)} />}
			<Saying said={said} />
			<Shown load={load}>{(list) => (
				<section class="panel">
					{list.length === 0 ? <div class="state"><p class="state-title">{w("tokens.none")}</p><p>{w("tokens.none.hint")}</p></div> : (
						<table class="people">
							<thead><tr><th scope="col">{w("name")}</th><th scope="col">{w("role")}</th><th scope="col">{w("used")}</th><th scope="col">{w("made")}</th><th><span class="hidden">{w("token.revoke")}</span></th></tr></thead>
							<tbody>{list.map((token) => <Row key={token.id} token={token} theirs={theirs} sure={sure === token.id} setSure={(on) => setSure(on ? token.id : 0)} done={(one) => { say(one); setSure(0); load.reload(); }} />)}</tbody>
						</table>
					)}
				</section>
			)}</Shown>
		</>
	);
}
