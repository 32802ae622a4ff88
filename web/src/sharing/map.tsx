// Groups as frames within frames: what lies within a frame takes part in it. A group that lies in several is drawn in each,
// and says where else.

import { useState } from "preact/hooks";
import { useHouse } from "../core/house";
import { Lock } from "./marks";
import { nameOf, outermost, participants, type Group } from "./model";
import { useWords } from "./texts";

const MEMBERS_SHOWN = 8;

function Members({ group, lit, light }: { group: Group; lit: string; light: (key: string) => void }) {
	const w = useWords();
	const [all, setAll] = useState(false);
	const shown = all ? group.members : group.members.slice(0, MEMBERS_SHOWN);
	const rest = group.members.length - shown.length;
	if (group.members.length === 0) return null;
	return (
		<ul class="frame-members">
			{shown.map((key) => <li key={key} class={key === lit ? "lit" : ""} title={key} onPointerEnter={() => light(key)} onPointerLeave={() => light("")}>{group.names[key] ?? key}</li>)}
			{(rest > 0 || all) && <li class="rest"><button type="button" class="link" onClick={() => setAll(!all)}>{all ? w("less") : w("more", { count: rest })}</button></li>}
		</ul>
	);
}

interface Drawing { groups: Group[]; byKey: Map<string, Group>; parents: Map<string, string[]>; selected: string; select: (key: string) => void; lit: string; light: (key: string) => void }

function Frame({ group, within, depth, drawing }: { group: Group; within: string | null; depth: number; drawing: Drawing }) {
	const { language } = useHouse();
	const w = useWords();
	const count = participants(drawing.groups, group).length;
	const also = (drawing.parents.get(group.key) ?? []).filter((key) => key !== within).map((key) => nameOf(drawing.byKey.get(key) as Group, language));
	const parts = group.groups.map((key) => drawing.byKey.get(key)).filter((part): part is Group => part !== undefined);
	return (
		<li class={`frame depth-${depth % 2}${group.confidential ? " confidential" : ""}${drawing.selected === group.key ? " selected" : ""}`}>
			<button type="button" class="frame-head" aria-pressed={drawing.selected === group.key} onClick={() => drawing.select(group.key)}>
				{group.confidential && <Lock label={w("confidential")} />}
				<span class="frame-name">{nameOf(group, language)}</span>
				{count > 0 && <span class="frame-count" title={w("participants.count", { count })}>{count}</span>}
				{group.takes_part && <span class="frame-own">{w("takes.part")}</span>}
			</button>
			{also.length > 0 && within !== null && <p class="frame-also">{w("also", { groups: also.join("、") })}</p>}
			<Members group={group} lit={drawing.lit} light={drawing.light} />
			{parts.length > 0 && <ul class="frames">{parts.map((part) => <Frame key={part.key} group={part} within={group.key} depth={depth + 1} drawing={drawing} />)}</ul>}
		</li>
	);
}

export function GroupMap({ groups, selected, select }: { groups: Group[]; selected: string; select: (key: string) => void }) {
	const [lit, light] = useState("");
	const parents = new Map<string, string[]>();
	for (const group of groups) for (const key of group.groups) parents.set(key, [...(parents.get(key) ?? []), group.key]);
	const drawing: Drawing = { groups, byKey: new Map(groups.map((group) => [group.key, group])), parents, selected, select, lit, light };
	return <ul class="frames outermost">{outermost(groups).map((group) => <Frame key={group.key} group={group} within={null} depth={0} drawing={drawing} />)}</ul>;
}
