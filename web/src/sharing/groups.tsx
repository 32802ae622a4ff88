// Groups: the drawing, one of them beside it, and making or changing one.

import { useEffect, useState } from "preact/hooks";
import { ApiError, get, request } from "../core/api";
import { time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { useRoute, withParams } from "../core/route";
import { Shown } from "../shell/parts";
import { GroupMap } from "./map";
import { Lock, Tlp } from "./marks";
import { around, nameOf, outermost, participants, type Group } from "./model";
import { MemberPicker } from "./picker";
import { useWords } from "./texts";

function Participants({ groups, group, decides }: { groups: Group[]; group: Group; decides: boolean }) {
	const { language } = useHouse();
	const w = useWords();
	const list = participants(groups, group);
	const name = (key: string) => nameOf(groups.find((one) => one.key === key) ?? group, language);
	const ways = new Map<string, typeof list>();
	for (const one of list) ways.set(one.through.join("/"), [...(ways.get(one.through.join("/")) ?? []), one]);
	if (list.length === 0) return <p class="hint">{decides || group.takes_part ? w("participants.none") : w("participants.hidden")}</p>;
	return (
		<>
			{[...ways.entries()].map(([way, some]) => (
				<div key={way} class="way">
					<p class="hint">{way === "" ? w("direct") : w("via", { group: way.split("/").map(name).join(" › ") })} · {some.length}</p>
					<ul class="chips">{some.slice(0, 60).map((one) => <li key={one.key} class="chip" title={one.key}>{one.name}</li>)}{some.length > 60 && <li class="hint">{w("more", { count: some.length - 60 })}</li>}</ul>
				</div>
			))}
		</>
	);
}

function Reading({ group, decides }: { group: Group; decides: boolean }) {
	const w = useWords();
	const lines: [string, string][] = [
		[w("group.read.list"), `curl -u name:TOKEN ${location.origin}/feeds/${group.collection}/list.txt`],
		[w("group.read.taxii"), `curl -u name:TOKEN -H 'Accept: application/taxii+json;version=2.1' ${location.origin}/taxii2/api/collections/${group.collection}/objects/`],
		...(decides ? [[w("group.read.zone"), `yagura share rpz ${group.collection} --for MEMBER`] as [string, string]] : []),
	];
	return (
		<details class="reading">
			<summary>{w("group.read")}</summary>
			<p class="hint">{w("group.read.hint")}</p>
			{lines.map(([what, line]) => <div key={what}><p class="hint">{what}</p><pre class="command">{line}</pre></div>)}
		</details>
	);
}

function GroupShown({ groups, group, decides, edit, removed }: { groups: Group[]; group: Group; decides: boolean; edit: () => void; removed: () => void }) {
	const { language } = useHouse();
	const w = useWords();
	const [error, setError] = useState("");
	const remove = () => {
		if (!confirm(w("group.delete.sure", { name: nameOf(group, language) }))) return;
		request("DELETE", `/groups/${encodeURIComponent(group.key)}`).then(removed, (fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message));
	};
	return (
		<section class="panel group" aria-label={nameOf(group, language)}>
			<h2><span>{nameOf(group, language)} <code class="hint">{group.key}</code></span></h2>
			<p class="chips">
				{group.confidential && <span class="chip" title={w("confidential.help")}><Lock label={w("confidential")} />{w("confidential")}</span>}
				{group.takes_part && <span class="chip">{w("takes.part")}</span>}
				{group.most ? <span class="chip">{w("group.most")} <Tlp of={group.most} /></span> : <span class="hint">{w("group.most.none")}</span>}
			</p>
			{group.purpose && <p class="purpose">{group.purpose}</p>}
			<h3>{w("participants")}</h3>
			<Participants groups={groups} group={group} decides={decides} />
			{group.collection && <Reading group={group} decides={decides} />}
			{decides && (
				<div class="row">
					<button type="button" onClick={edit}>{w("group.edit")}</button>
					<button type="button" class="plain" onClick={remove}>{w("group.delete")}</button>
					{group.changed && <span class="hint">{time(group.changed, language, false)} · {group.changed_by}</span>}
				</div>
			)}
			{error && <p class="error" role="alert">{error}</p>}
		</section>
	);
}

const EMPTY: Group = { key: "", name: "", name_en: "", purpose: "", confidential: false, most: null, collection: null, takes_part: false, members: [], names: {}, groups: [] };

function GroupForm({ groups, group, done, cancel }: { groups: Group[]; group: Group | null; done: (key: string) => void; cancel: () => void }) {
	const { language } = useHouse();
	const w = useWords();
	const [draft, setDraft] = useState<Group>(group ?? EMPTY);
	const [error, setError] = useState("");
	const set = (changes: Partial<Group>) => setDraft({ ...draft, ...changes });
	const barred = group ? around(groups, group.key) : new Set<string>();
	const others = groups.filter((one) => !barred.has(one.key));
	const send = (event: Event) => {
		event.preventDefault();
		const { name, name_en, purpose, confidential, members, groups: parts, change } = draft;
		request("PUT", `/groups/${encodeURIComponent(draft.key)}`, { name, name_en, purpose, confidential, members, groups: parts, ...(group ? { change } : {}) }).then(
			() => done(draft.key),
			(fault: ApiError) => setError((language === "ja" && fault.messageJa) || fault.message),
		);
	};
	return (
		<form class="panel group-form" onSubmit={send} aria-label={group ? w("group.edit") : w("group.new")}>
			<h2>{group ? nameOf(group, language) : w("group.new")}</h2>
			{!group && <label class="field">{w("field.key")}<input required pattern="[a-z0-9._\-]{1,50}" value={draft.key} onInput={(event) => set({ key: event.currentTarget.value })} autocomplete="off" /><span class="hint">{w("field.key.help")}</span></label>}
			<label class="field">{w("field.name")}<input required value={draft.name} onInput={(event) => set({ name: event.currentTarget.value })} /></label>
			<label class="field">{w("field.name_en")}<input value={draft.name_en} onInput={(event) => set({ name_en: event.currentTarget.value })} /></label>
			<label class="field">{w("purpose")}<textarea class="prose" rows={2} value={draft.purpose} onInput={(event) => set({ purpose: event.currentTarget.value })} /></label>
			<label class="check"><input type="checkbox" checked={draft.confidential} onChange={(event) => set({ confidential: event.currentTarget.checked })} /><span>{w("confidential")}<span class="hint">{w("confidential.help")}</span></span></label>
			<div class="field">{w("field.members")}<MemberPicker label={w("field.members")} chosen={draft.members} names={draft.names} change={(members, names) => set({ members, names })} /></div>
			<fieldset class="plain-set"><legend>{w("field.groups")}</legend>
				{others.length === 0 && <span class="hint">{w("field.groups.none")}</span>}
				<div class="chips">{others.map((one) => {
					const on = draft.groups.includes(one.key);
					return <button key={one.key} type="button" class="chip" aria-pressed={on} onClick={() => set({ groups: on ? draft.groups.filter((key) => key !== one.key) : [...draft.groups, one.key] })}>{one.confidential && <Lock label={w("confidential")} />}{nameOf(one, language)}</button>;
				})}</div>
			</fieldset>
			<div class="row"><button type="submit" class="main">{w("save")}</button><button type="button" onClick={cancel}>{w("cancel")}</button></div>
			{error && <p class="error" role="alert">{error}</p>}
		</form>
	);
}

export function Groups() {
	const { session } = useHouse();
	const w = useWords();
	const route = useRoute();
	const load = useLoad("groups", (signal) => get<{ groups: Group[] }>("/groups", signal));
	const [editing, setEditing] = useState<"" | "new" | "change">("");
	const role = session?.user?.role ?? "";
	const decides = role === "operator" || role === "admin";
	const asked = route.params.get("group") ?? "";
	useEffect(() => setEditing(""), [asked]);
	const select = (key: string) => { setEditing(""); location.hash = withParams({ group: key }); };
	return (
		<Shown load={load}>{({ groups }) => {
			const chosen = groups.find((group) => group.key === asked) ?? outermost(groups)[0] ?? null;
			const finish = (key: string) => { setEditing(""); load.reload(); location.hash = withParams({ group: key || undefined }); };
			return (
				<div class={groups.length > 0 || editing ? "sharing-two" : ""}>
					<section class={groups.length > 0 ? "panel" : ""}>
						{groups.length > 0 && <h2><span>{w("map")} <span class="hint">{w("map.hint")}</span></span>{decides && <button type="button" onClick={() => setEditing("new")}>{w("group.new")}</button>}</h2>}
						{groups.length === 0 && <div class="state"><p class="state-title">{w("groups.none")}</p><p>{role === "member" ? w("groups.none.member") : w("groups.none.hint")}</p>{decides && !editing && <button type="button" class="main" onClick={() => setEditing("new")}>{w("group.new")}</button>}</div>}
						<GroupMap groups={groups} selected={editing === "new" ? "" : chosen?.key ?? ""} select={select} />
					</section>
					{editing === "new" && <GroupForm key="new" groups={groups} group={null} done={finish} cancel={() => setEditing("")} />}
					{editing === "change" && chosen && <GroupForm key={chosen.key} groups={groups} group={chosen} done={finish} cancel={() => setEditing("")} />}
					{!editing && chosen && <GroupShown key={chosen.key} groups={groups} group={chosen} decides={decides} edit={() => setEditing("change")} removed={() => finish("")} />}
				</div>
			);
		}}</Shown>
	);
}
