// The audit log: asked by person, action, object and time, checked, and taken away as a file. For administrators.

import { useState } from "preact/hooks";
import { useHouse, useLoad } from "../core/house";
import { replaceParams, useRoute, withParams } from "../core/route";
import { nameOf } from "../members/model";
import { accounts, organisations, tokens } from "../people/model";
import { OnlyFor, Page } from "../shell/parts";
import { Chain, type Checked } from "./chain";
import { List, SortMark } from "./list";
import { commandOf, exportAddress, FILTERS, question, SORTS, useLog } from "./model";
import { ACTIONS } from "./texts";
import { useWords } from "./words";
import "./audit.css";

function Filters({ params }: { params: URLSearchParams }) {
	const w = useWords();
	const people = useLoad("people", accounts), programs = useLoad("tokens", tokens);
	const actor = params.get("actor") ?? "", action = params.get("action") ?? "", sort = params.get("sort") ?? "all", before = Number(params.get("before"));
	const names = [...new Set([...(people.data ?? []).map((one) => one.name), ...(programs.data ?? []).map((one) => `token ${one.name}`), "local"])];
	const set = (name: string, value: string) => replaceParams({ [name]: value.trim() ? value : undefined, before: undefined });
	const filtered = FILTERS.some((name) => params.get(name));
	return (
		<form class="panel filters" onSubmit={(event) => event.preventDefault()}>
			<div class="sorts"><div class="segments" role="group" aria-label={w("sort")}>
				{SORTS.map((one) => <a key={one} class={one === sort ? "on" : ""} aria-current={one === sort ? "true" : undefined} href={withParams({ sort: one === "all" ? undefined : one, before: undefined })}>{one !== "all" && <SortMark sort={one} />} {w(`sort.${one}`)}</a>)}
			</div></div>
			<label class="field">{w("who")}<input name="actor" list="audit-names" value={actor} placeholder={w("who.any")} autocomplete="off" spellcheck={false} onChange={(event) => set("actor", event.currentTarget.value)} /></label>
			<datalist id="audit-names">{names.map((name) => <option key={name} value={name} />)}</datalist>
			<label class="field">{w("action")}
				<select name="action" value={action} onChange={(event) => set("action", event.currentTarget.value)}>
					<option value="">{w("action.any")}</option>
					{action && !ACTIONS.includes(action) && <option value={action}>{action}</option>}
					{ACTIONS.map((one) => <option key={one} value={one}>{w(one as "disclosed")}</option>)}
				</select>
			</label>
			<label class="field">{w("subject")}<input name="subject" type="search" value={params.get("subject") ?? ""} placeholder={w("subject.any")} autocomplete="off" spellcheck={false} onInput={(event) => set("subject", event.currentTarget.value)} /></label>
			{before > 0 && <a class="chip" href={withParams({ before: undefined })}>{w("upto", { number: before - 1 })} ×</a>}
			{filtered && <a class="button" href={withParams(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}>{w("clear")}</a>}
		</form>
	);
}

function Inside() {
	const { language } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const asked = question(params);
	const log = useLog(asked);
	const known = useLoad("people.members", organisations);
	const [checked, tell] = useState<Checked>(null);
	const memberOf = (id: number): string => { const one = known.data?.find((member) => member.id === id); return one ? nameOf(one, language) : String(id); };
	return (
		<Page title={w("title")} hint={w("hint")} tools={<span class="row" role="group" aria-label={w("export")}><span class="hint">{w("export")}</span>{(["csv", "json"] as const).map((format) => <a key={format} class="button" download href={exportAddress(asked, format)} title={w("exported")}>{w(format)}</a>)}</span>}>
			<div class="audit">
				<Filters params={params} />
				<Chain checked={checked} tell={tell} />
				<List log={log} command={commandOf(asked)} memberOf={memberOf} broken={checked?.verdict.broken ?? 0} />
			</div>
		</Page>
	);
}

export default function Audit() {
	const w = useWords();
	return <OnlyFor role="admin" title={w("title")} why={w("forbidden")}><Inside /></OnlyFor>;
}
