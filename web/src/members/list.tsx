// Members as a list: searched by the hub, sorted here.

import { useMemo } from "preact/hooks";
import { ago, digits, time } from "../core/format";
import { useHouse, useLoad, useTexts } from "../core/house";
import { address, replaceParams, useRoute, withParams } from "../core/route";
import { Page, Shown } from "../shell/parts";
import type { Notice } from "../notices/model";
import { ANALYSTS, KINDS, membersOf, nameOf, noticesOf, OPERATORS, rowsOf, sorted, SORTS, validity, type Listed, type Row, type Sort } from "./model";
import { en, ja } from "./texts";

export const useWords = () => useTexts({ en, ja });
export type Words = ReturnType<typeof useWords>;
export const memberAddress = (key: string): string => address(`members/${encodeURIComponent(key)}`, {});

const DOWN_FIRST: readonly string[] = ["size", "open", "changed"];

function Heading({ by, sort, down, numeric }: { by: Sort; sort: Sort; down: boolean; numeric?: boolean }) {
	const w = useWords();
	const on = by === sort, next = on ? !down : DOWN_FIRST.includes(by);
	return (
		<th scope="col" class={numeric ? "n" : ""} aria-sort={on ? (down ? "descending" : "ascending") : undefined}>
			<a class={`sorter${on ? " on" : ""}`} href={withParams({ sort: by, down: next ? "1" : undefined })}>{w(`sort.${by}`)}<span aria-hidden="true">{on ? (down ? " ↓" : " ↑") : ""}</span></a>
		</th>
	);
}

function Line({ row, parent, matters }: { row: Row; parent: Row | undefined; matters: boolean }) {
	const { language } = useHouse();
	const w = useWords();
	const state = validity(row);
	return (
		<tr>
			<th scope="row"><a href={memberAddress(row.key)}>{nameOf(row, language)}</a>{state !== "valid" && <span class="chip">{w(`state.${state}`)}</span>}<span class="sub mono">{row.key}</span></th>
			<td data-label={w("sort.kind")}>{w(`kind.${row.kind}` as "kind.other")}{row.parent && <span class="sub">{parent ? nameOf(parent, language) : row.parent}</span>}</td>
			<td data-label={w("sort.size")} class="n">{row.addresses > 0 && digits(row.addresses, language)}{row.sites > 0 && <span class="sub">{w("sites", { count: digits(row.sites, language) })}</span>}{!row.addresses && !row.sites && "–"}</td>
			<td data-label={w("domains")} class="mono names">{(row.domains ?? []).slice(0, 2).join(" ")}{(row.domains?.length ?? 0) > 2 && ` +${(row.domains?.length ?? 0) - 2}`}</td>
			{matters && <td data-label={w("sort.open")} class="n">{row.open > 0 ? <span class="open-count">{digits(row.open, language)}</span> : "–"}</td>}
			<td data-label={w("sort.changed")} class="t" title={time(row.changed, language)}>{ago(row.changed, language)}</td>
		</tr>
	);
}

function Table({ listed, notices }: { listed: Listed; notices: Notice[] | undefined }) {
	const { language } = useHouse();
	const { params } = useRoute();
	const asked = params.get("sort") as Sort | null, sort = asked && SORTS.includes(asked) ? asked : "name", down = params.has("down");
	const rows = useMemo(() => rowsOf(listed.members, notices ?? []), [listed, notices]);
	const shown = useMemo(() => sorted(rows, sort, down, language), [rows, sort, down, language]);
	const byKey = useMemo(() => new Map(rows.map((row) => [row.key, row])), [rows]);
	const w = useWords();
	const heading = (by: Sort, numeric = false) => <Heading by={by} sort={sort} down={down} numeric={numeric} />;
	return (
		<table class="people members">
			<thead><tr>{heading("name")}{heading("kind")}{heading("size", true)}<th scope="col">{w("domains")}</th>{notices && heading("open", true)}{heading("changed")}</tr></thead>
			<tbody>{shown.map((row) => <Line key={row.id} row={row} parent={row.parent ? byKey.get(row.parent) : undefined} matters={notices !== undefined} />)}</tbody>
		</table>
	);
}

function Sift({ listed }: { listed: Listed | undefined }) {
	const { language } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const kind = params.get("kind") ?? "";
	return (
		<div class="sift">
			<input type="search" aria-label={w("search")} placeholder={w("search")} value={params.get("text") ?? ""} onInput={(event) => replaceParams({ text: event.currentTarget.value || undefined })} />
			<span class="hint" role="status">{listed && w("count", { count: digits(listed.total, language) })}</span>
			<span class="spread" />
			<div class="segments" role="group" aria-label={w("kind")}>
				{["", ...KINDS].map((one) => <a key={one} class={one === kind ? "on" : ""} aria-current={one === kind ? "true" : undefined} href={withParams({ kind: one || undefined })}>{w(`kind.${one || "any"}` as "kind.any")}</a>)}
			</div>
		</div>
	);
}

export function List() {
	const { session } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const role = session?.user?.role ?? "", edits = OPERATORS.includes(role), analyses = ANALYSTS.includes(role);
	const question = Object.fromEntries(["text", "kind"].flatMap((name) => (params.get(name) ? [[name, params.get(name) ?? ""]] : [])));
	const load = useLoad(`members ${JSON.stringify(question)}`, (signal) => membersOf(question, signal));
	const notices = useLoad(`members.open ${analyses}`, async (signal) => (analyses ? noticesOf({ state: "open" }, signal) : undefined), 60_000);
	const sifted = Object.keys(question).length > 0;
	const tools = (
		<>
			{analyses && <><a class="button" href="./api/v1/members/export?format=csv&bom=1" download>{w("export.csv")}</a><a class="button" href="./api/v1/members/export?format=json" download>{w("export.json")}</a></>}
			{edits && <><a class="button" href="#/members/import">{w("import")}</a><a class="button main" href="#/members/import/one">{w("add")}</a></>}
		</>
	);
	return (
		<Page title={w("title")} hint={w("hint")} tools={tools}>
			<section class="panel">
				<Sift listed={load.data} />
				<Shown load={load}>{(listed) => listed.members.length ? <Table listed={listed} notices={notices.data} /> : (
					<div class="state">
						<p class="state-title">{w(sifted ? "none" : "none.yet")}</p><p>{w(sifted ? "none.hint" : "none.yet.hint")}</p>
						{sifted ? <a class="button" href="#/members">{w("none.all")}</a> : edits && <a class="button" href="#/members/import">{w("import")}</a>}
					</div>
				)}</Shown>
			</section>
		</Page>
	);
}
