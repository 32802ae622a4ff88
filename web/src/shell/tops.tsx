// Tables of the largest: of ports, countries, networks, tools, kinds, sources. Every row leads further inside.

import type { ComponentChildren } from "preact";
import { How } from "../charts/chart";
import { ask, downloadAddress, records, type Answer, type Cell, type Filter, type Query } from "../core/api";
import { country, percent, service, type Language } from "../core/format";
import { useHouse, useLoad, type Loaded } from "../core/house";
import { sourcesQuery, topQuery, type Dimension } from "../core/queries";
import { address } from "../core/route";
import { sayOf, type Word } from "../i18n";
import { Count, KindName, Shown } from "./parts";

export interface TopRow { value: string; label: ComponentChildren; text: string; packets: number; sources: number | undefined }

/** What one looks at next after choosing a row. */
export const NEXT: Record<Dimension, Dimension> = { kind: "port", port: "source", country: "network", network: "source", tool: "port", source: "port" };

export function labelOf(dimension: Dimension, row: Record<string, Cell>, language: Language, names: Record<string, string> = {}): { value: string; label: ComponentChildren; text: string } {
	const plain = (value: string, text = value) => ({ value, text, label: text });
	switch (dimension) {
		case "port": {
			const value = `${row["protocol"]}/${row["port"]}`;
			return { value, text: value, label: <>{value} <span class="hint">{service(value)}</span></> };
		}
		case "country": {
			const code = String(row["country"] ?? "");
			return plain(code, country(code, language));
		}
		case "network": {
			const number = Number(row["network"] ?? 0);
			if (!number) return plain("0", language === "ja" ? "不明" : "unknown");
			const name = names[number] ?? "";
			return { value: String(number), text: `AS${number} ${name}`, label: <><span class="mono">AS{number}</span> {name}</> };
		}
		case "kind": {
			const value = String(row["kind"]);
			return { value, text: value, label: <KindName kind={value} /> };
		}
		case "source": {
			const value = String(row["source"]);
			return { value, text: value, label: <span class="mono">{value}</span> };
		}
		default:
			return plain(String(row[dimension] ?? ""), sayOf(language, dimension, String(row[dimension] ?? "")));
	}
}

/** The top of a dimension: rows at once, their sources as soon as they are counted. */
export function useTop(dimension: Dimension, from: string, to: string, filters: Filter[], limit: number, everyMs: number): { load: Loaded<Answer>; rows: TopRow[]; downloads: Query } {
	const { language } = useHouse();
	const query = topQuery(dimension, from, to, filters, limit);
	const load = useLoad(JSON.stringify(query), (signal) => ask(query, signal), everyMs);
	const found = load.data ? records(load.data) : [];
	const counting = sourcesQuery(query, found);
	const counted = useLoad(JSON.stringify(counting), (signal) => (counting ? ask(counting, signal) : Promise.resolve(null)), everyMs);
	const nameOf = (row: Record<string, Cell>) => (query.keys ?? []).map((key) => row[key]).join("/");
	const sources = new Map((counted.data ? records(counted.data) : []).map((row) => [nameOf(row), Number(row["distinct_source"])]));
	return {
		load, downloads: topQuery(dimension, from, to, filters, limit, true),
		rows: found.map((row) => ({ ...labelOf(dimension, row, language, load.data?.names), packets: Number(row["sum_packets"]), sources: sources.get(nameOf(row)) })),
	};
}

/** Where a row leads: a source has its page, everything else narrows the view. */
export function inside(dimension: Dimension, value: string, params: URLSearchParams): string {
	if (dimension === "source") {
		const range = new URLSearchParams();
		for (const name of ["from", "to"]) if (params.has(name)) range.set(name, params.get(name) ?? "");
		return address(`source/${encodeURIComponent(value)}`, range);
	}
	const narrowed = new URLSearchParams(params);
	for (const name of ["at", "q", "id"]) narrowed.delete(name);
	narrowed.set(dimension, value);
	narrowed.set("by", NEXT[dimension] in Object.fromEntries(narrowed) ? "source" : NEXT[dimension]);
	return address("observe/top", narrowed);
}

export function TopTable({ rows, total, dimension, params }: { rows: TopRow[]; total: number; dimension: Dimension; params: URLSearchParams }) {
	const { t, language } = useHouse();
	const most = Math.max(1, ...rows.map((row) => row.packets));
	const word = `word.${dimension}` as Word;
	return (
		<div class="scroll">
			<table>
				<thead><tr><th scope="col">{t(word)}</th><th scope="col" class="n">{t("count.packets")}</th><th scope="col" class="n">{t("count.share")}</th><th scope="col" aria-hidden="true" />{dimension !== "source" && <th scope="col" class="n">{t("count.sources")}</th>}</tr></thead>
				<tbody>
					{rows.map((row) => {
						const to = inside(dimension, row.value, params);
						return (
							<tr key={row.value} class="go" onClick={() => { location.hash = to; }}>
								<td><a href={to} title={row.text}>{row.label}</a></td>
								<td class="n"><Count value={row.packets} /></td>
								<td class="n">{total ? percent(row.packets / total, language) : ""}</td>
								<td class="bar-cell" aria-hidden="true"><span class="share" style={{ width: `${(100 * row.packets) / most}%` }} /></td>
								{dimension !== "source" && <td class="n">{row.sources === undefined ? <span class="hint" aria-busy="true">…</span> : <Count value={row.sources} />}</td>}
							</tr>
						);
					})}
				</tbody>
			</table>
		</div>
	);
}

/** A panel that loads its own rows. `total` are the packets that shares refer to. */
export function TopPanel({ dimension, title, from, to, filters, total, params, limit = 8, everyMs = 0 }: {
	dimension: Dimension; title: string; from: string; to: string; filters: Filter[]; total: number; params: URLSearchParams; limit?: number; everyMs?: number;
}) {
	const { t } = useHouse();
	const { load, rows, downloads } = useTop(dimension, from, to, filters, limit, everyMs);
	const more = new URLSearchParams(params);
	more.set("by", dimension);
	more.delete("at");
	return (
		<section class="panel">
			<h2>
				<span>{title}</span>
				<span class="row">{load.data && <How answer={load.data} />}<a href={downloadAddress(downloads, "csv")} download>CSV</a><a href={address("observe/top", more)}>{t("word.more")}</a></span>
			</h2>
			<Shown load={load} empty={(answer) => answer.rows.length === 0}>
				{() => <TopTable rows={rows} total={total} dimension={dimension} params={params} />}
			</Shown>
		</section>
	);
}

export function Filters({ params }: { params: URLSearchParams }) {
	const { t, tOf, language } = useHouse();
	const shown = (["kind", "port", "country", "network", "tool", "source"] as const).filter((name) => params.has(name));
	if (!shown.length) return null;
	const without = (name: string) => {
		const rest = new URLSearchParams(params);
		rest.delete(name);
		return `${location.hash.split("?")[0]}?${rest.toString()}`;
	};
	return (
		<p class="chips">
			<span class="hint">{t("word.filters")}</span>
			{shown.map((name) => {
				const value = params.get(name) ?? "";
				const text = name === "kind" ? tOf("kind", value) : name === "country" ? country(value, language) : name === "network" ? `AS${value}` : value;
				return <a key={name} class="chip" href={without(name)} aria-label={`${t("word.remove")}: ${t(`word.${name}` as Word)} ${text}`}>{t(`word.${name}` as Word)} <b>{text}</b> ×</a>;
			})}
		</p>
	);
}
