// Small pieces of the pages of indicators: a score, a state, a line of the table.

import { time } from "../core/format";
import { useHouse, useTexts } from "../core/house";
import { address } from "../core/route";
import { Tlp } from "../sharing/marks";
import { ageOf, daysLeft, leftAt, type Indicator, type IndicatorState } from "./model";
import { en, ja } from "./texts";

export const useWords = () => useTexts({ en, ja });

/** How the score falls from when it was met last until it ends, and where it is now. */
export function Score({ of: one }: { of: Pick<Indicator, "score" | "confidence" | "speed" | "seen" | "until" | "state"> }) {
	const w = useWords();
	const height = (age: number) => 20 - leftAt(one.confidence, one.speed, age) * 0.18;
	const ages = Array.from({ length: 25 }, (_, i) => i / 24), now = ageOf(one), live = one.state === "active";
	const line = (upTo: number) => ages.filter((age) => age <= upTo).concat(upTo).map((age) => `${(age * 60 + 2).toFixed(1)},${height(age).toFixed(1)}`).join(" ");
	return (
		<span class={`score${live ? "" : " over"}`} title={w("score.of", { score: one.score, confidence: one.confidence })}>
			<svg width="64" height="22" viewBox="0 0 64 22" aria-hidden="true"><polygon class="rail" points={`2,20 ${line(1)}`} />{live && <polyline class="gone" points={line(now)} />}{live && <circle cx={now * 60 + 2} cy={height(now)} r="2.6" />}</svg>
			<b class="num">{one.score}</b>
		</span>
	);
}

const MARKS: Record<IndicatorState, string> = { active: "●", expired: "○", "false-positive": "✕", revoked: "⊘", replaced: "↻" };

export function StateWord({ state }: { state: IndicatorState }) {
	const w = useWords();
	return <span class={`indicator-state ${state}`}><span aria-hidden="true">{MARKS[state]}</span> {w(`state.${state}`)}</span>;
}

export function Ends({ until }: { until: string | null }) {
	const { language } = useHouse();
	const w = useWords();
	const days = daysLeft(until);
	if (days === null) return <>–</>;
	return <span title={time(until, language)}>{days < 0 ? w("days.over") : days === 0 ? w("days.today") : w("days.left", { days })}</span>;
}

export const indicatorAddress = (id: string): string => address(`indicators/${encodeURIComponent(id)}`, {});

export function sourceWord(w: ReturnType<typeof useWords>, kind: string): string {
	return ["finding", "file", "taxii", "manual", "release"].includes(kind) ? w(`source.${kind}` as "source.file") : kind;
}

export function Rows({ indicators }: { indicators: Indicator[] }) {
	const w = useWords();
	return (
		<table class="people indicators">
			<thead><tr>{(["value", "score", "state", "tlp", "until", "sightings", "source"] as const).map((one) => <th key={one} scope="col" class={one === "sightings" ? "n" : ""}>{w(one)}</th>)}</tr></thead>
			<tbody>{indicators.map((one) => (
				<tr key={`${one.id} ${one.value}`} class={one.state === "active" ? "" : "past"}>
					<th scope="row"><a class="mono" href={indicatorAddress(one.id)}>{one.value}</a><span class="sub">{w(`kind.${one.kind}` as "kind.ipv4")}{one.warning && <span class="warned"> ▲ {w("warned", { list: one.warning })}</span>}</span></th>
					<td data-label={w("score")}><Score of={one} /></td>
					<td data-label={w("state")}><StateWord state={one.state} /></td>
					<td data-label={w("tlp")}><Tlp of={one.tlp} /></td>
					<td data-label={w("until")}><Ends until={one.until} /></td>
					<td data-label={w("sightings")} class="n">{one.sightings}</td>
					<td data-label={w("source")} class="origin">{sourceWord(w, one.source_kind)}<span class="sub mono">{one.source}</span></td>
				</tr>
			))}</tbody>
		</table>
	);
}
