// Proposing a release: what, to whom, how far it may go, by name or not. A link may bring what: ?value=, ?finding=, ?indicator=.

import { useState } from "preact/hooks";
import { ApiError, request } from "../core/api";
import { useHouse } from "../core/house";
import { useRoute } from "../core/route";
import { Lock, Tlp } from "./marks";
import { TLPS, nameOf, type Group, type Release } from "./model";
import { MemberPicker } from "./picker";
import { useWords, type SharingWord } from "./texts";

type What = "value" | "finding" | "indicator";
const WHATS: What[] = ["value", "finding", "indicator"];

export function ProposalForm({ groups, done, cancel }: { groups: Group[]; done: (id: number) => void; cancel: () => void }) {
	const { language, session } = useHouse();
	const w = useWords();
	const route = useRoute();
	const brought = WHATS.find((one) => route.params.has(one)) ?? "value";
	const member = session?.user?.role === "member";
	const [what, setWhat] = useState<What>(brought);
	const [subject, setSubject] = useState(route.params.get(brought) ?? "");
	const [to, setTo] = useState<string[]>(groups.length === 1 && groups[0] ? [groups[0].key] : []);
	const [tlp, setTlp] = useState("amber");
	const [confidence, setConfidence] = useState(70);
	const [title, setTitle] = useState("");
	const [note, setNote] = useState("");
	const [anonymous, setAnonymous] = useState(false);
	const [originator, setOriginator] = useState<{ keys: string[]; names: Record<string, string> }>({ keys: [], names: {} });
	const [error, setError] = useState("");
	const send = (event: Event) => {
		event.preventDefault();
		request<Release>("POST", "/releases", { [what]: subject.trim(), groups: to, tlp, confidence, title, note, anonymous, ...(originator.keys[0] ? { originator: originator.keys[0] } : {}) }).then(
			(release) => done(release.id),
			(fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message),
		);
	};
	return (
		<form class="panel proposal" onSubmit={send} aria-label={w("release.propose")}>
			<h2>{w("release.propose")}</h2>
			{!member && <div class="segments" role="group" aria-label={w("what")}>{WHATS.map((one) => <button key={one} type="button" class={one === what ? "on" : ""} aria-pressed={one === what} onClick={() => setWhat(one)}>{w(`what.${one}`)}</button>)}</div>}
			<label class="field">{w(`what.${what}`)}<input class="mono" required value={subject} onInput={(event) => setSubject(event.currentTarget.value)} autocomplete="off" spellcheck={false} /><span class="hint">{w(`what.${what}.help`)}</span></label>
			<fieldset class="plain-set"><legend>{w("to")}</legend>
				<div class="chips">{groups.map((group) => {
					const on = to.includes(group.key);
					return <button key={group.key} type="button" class="chip" aria-pressed={on} onClick={() => setTo(on ? to.filter((key) => key !== group.key) : [...to, group.key])}>{group.confidential && <Lock label={w("confidential")} />}{nameOf(group, language)}</button>;
				})}</div>
			</fieldset>
			<fieldset class="plain-set tlp-choice"><legend>{w("tlp")}</legend>
				{what === "indicator" ? <p class="hint">{w("tlp.own")}</p> : TLPS.map((one) => <label key={one} class={`check${one === tlp ? " on" : ""}`}><input type="radio" name="tlp" checked={one === tlp} onChange={() => setTlp(one)} /><Tlp of={one} /><span class="hint">{w(`tlp.${one}.help` as SharingWord)}</span></label>)}
			</fieldset>
			<label class="field">{w("title")}<input value={title} onInput={(event) => setTitle(event.currentTarget.value)} /><span class="hint">{w("title.help")}</span></label>
			<label class="field">{w("note")}<textarea class="prose" rows={2} value={note} onInput={(event) => setNote(event.currentTarget.value)} /><span class="hint">{w("note.help")}</span></label>
			<label class="field">{w("confidence")} {confidence} %<input type="range" min={0} max={100} step={5} value={confidence} onInput={(event) => setConfidence(Number(event.currentTarget.value))} /></label>
			{!member && <div class="field">{w("originator.field")}<MemberPicker label={w("originator.field")} single chosen={originator.keys} names={originator.names} change={(keys, names) => setOriginator({ keys, names })} /></div>}
			{(member || originator.keys.length > 0) && <label class="check"><input type="checkbox" checked={anonymous} onChange={(event) => setAnonymous(event.currentTarget.checked)} /><span>{w("anonymous")}<span class="hint">{w("anonymous.help")}</span></span></label>}
			<div class="row"><button type="submit" class="main" disabled={to.length === 0 || !subject.trim()}>{w("send")}</button><button type="button" onClick={cancel}>{w("cancel")}</button></div>
			{error && <p class="error" role="alert">{error}</p>}
		</form>
	);
}
