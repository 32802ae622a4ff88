// Indicators as a list: every filter stands in the address and is asked of the hub.

import { useHouse, useLoad } from "../core/house";
import { replaceParams, useRoute, withParams } from "../core/route";
import { Page, Shown } from "../shell/parts";
import { FILTERS, KINDS, SCORES, SOURCES, STATES, TLPS, listOf } from "./model";
import { Rows, sourceWord, useWords } from "./parts";

function Choice({ name, word, options }: { name: string; word: string; options: [string, string][] }) {
	const { params } = useRoute();
	return (
		<label class="field">{word}
			<select value={params.get(name) ?? ""} onChange={(event) => replaceParams({ [name]: event.currentTarget.value || undefined, before: undefined })}>
				{options.map(([value, text]) => <option key={value} value={value} selected={value === (params.get(name) ?? "")}>{text}</option>)}
			</select>
		</label>
	);
}

function Sift() {
	const w = useWords();
	const { params } = useRoute();
	return (
		<div class="indicator-sift">
			<label class="field wide">{w("find")}<input type="search" class="mono" placeholder={w("find.like")} value={params.get("find") ?? ""} onChange={(event) => replaceParams({ find: event.currentTarget.value || undefined, before: undefined })} /></label>
			<Choice name="kind" word={w("kind")} options={[["", w("any")], ...KINDS.map((one): [string, string] => [one, w(`kind.${one}`)])]} />
			<Choice name="state" word={w("state")} options={[["", w("any")], ...STATES.map((one): [string, string] => [one, w(`state.${one}`)])]} />
			<Choice name="source" word={w("source")} options={[["", w("any")], ...SOURCES.map((one): [string, string] => [one, sourceWord(w, one)])]} />
			<Choice name="tlp" word={w("tlp")} options={[["", w("any")], ...TLPS.map((one): [string, string] => [one, `TLP:${one.toUpperCase()}`])]} />
			<Choice name="confidence" word={w("confidence")} options={SCORES.map((one): [string, string] => [one ? String(one) : "", one ? w("score.least", { score: one }) : w("any")])} />
			<Choice name="score" word={w("score")} options={SCORES.map((one): [string, string] => [one ? String(one) : "", one ? w("score.least", { score: one }) : w("any")])} />
			<label class="check"><input type="checkbox" checked={params.has("unwarned")} onChange={(event) => replaceParams({ unwarned: event.currentTarget.checked ? "1" : undefined, before: undefined })} /><span>{w("unwarned")}</span></label>
		</div>
	);
}

export function List() {
	const { language } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const before = params.get("before") ? Number(params.get("before")) : null;
	const load = useLoad(`indicators ${params}`, (signal) => listOf(params, before, signal));
	const sifted = FILTERS.some((name) => params.has(name));
	return (
		<Page title={w("title")} hint={w("hint")} tools={<a class="button main" href="#/indicators/import">{w("add")}</a>}>
			<section class="panel" lang={language}>
				<Sift />
				<Shown load={load}>{({ indicators, next }) => indicators.length > 0 ? (
					<>
						<Rows indicators={indicators} />
						<div class="row">{before !== null && <a class="button" href={withParams({ before: undefined })}>{w("page.first")}</a>}{next !== null && <a class="button" href={withParams({ before: String(next) })}>{w("page.more")}</a>}</div>
					</>
				) : (
					<div class="state"><p class="state-title">{w(sifted ? "none" : "none.yet")}</p><p>{w(sifted ? "none.hint" : "none.yet.hint")}</p><a class="button" href={sifted ? "#/indicators" : "#/indicators/import"}>{w(sifted ? "none.all" : "add")}</a></div>
				)}</Shown>
			</section>
		</Page>
	);
}
