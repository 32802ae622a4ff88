// The sheet itself: a sentence, the figures, the times, two pictures, and what they are made of.

import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart";
import { columns, columnsBeside } from "../charts/options";
import { digits, short } from "../core/format";
import { useHouse, useTexts } from "../core/house";
import { VERDICT_COLOURS, VERDICT_SHAPES, type Verdict } from "../theme/palette";
import { duration, FIGURES, isMonth, periodName, spanName, thisMonth, type Counts, type Group, type Span, type Statistics } from "./model";
import { en, ja } from "./texts";

const useWords = () => useTexts({ en, ja });

/** A count, or the mark that it is hidden. */
function Told({ count, least }: { count: number | null; least: number }) {
	const { language } = useHouse();
	const w = useWords();
	if (count !== null) return <span class={count === 0 ? "num none" : "num"}>{digits(count, language)}</span>;
	return <span class="withheld" title={w("hidden", { least })}><span aria-hidden="true">●</span><span class="hidden">{w("hidden.short")}</span></span>;
}

function Lead({ statistics, span }: { statistics: Statistics; span: Span }) {
	const { language } = useHouse();
	const w = useWords();
	const { found, fixed } = statistics.alerts, half = statistics.times.fix_median_s;
	const filled = { span: spanName(span, language), members: digits(statistics.members, language), found: digits(found ?? 0, language), fixed: fixed === null ? w("hidden", { least: statistics.least }) : digits(fixed, language) };
	const open = thisMonth().startsWith(span);
	return (
		<p class="lead">
			{w(found === null ? "lead.few" : found === 0 ? "lead.none" : "lead", filled)}
			{found && fixed && half !== null ? w("lead.half", { time: duration(half, language) }) : ""}
			{open ? w(isMonth(span) ? "lead.open" : "lead.open.year") : ""}
		</p>
	);
}

function Figures({ statistics }: { statistics: Statistics }) {
	const { language } = useHouse();
	const w = useWords();
	const { alerts, machines, least } = statistics;
	return (
		<dl class="figures">
			<div><dt>{w("members")}</dt><dd><span class="num">{digits(statistics.members, language)}</span></dd></div>
			{FIGURES.map((figure) => <div key={figure} class={figure}><dt>{w(figure)}</dt><dd><Told count={alerts[figure]} least={least} /></dd></div>)}
			<div class="machines"><dt>{w("machines")}</dt><dd><Told count={machines.cleaned} least={least} />{machines.found !== null && <span class="sub">{w("machines.of", { count: digits(machines.found, language) })}</span>}</dd></div>
		</dl>
	);
}

/** The way of an alert, from the first packet to the last, with the time that half of them took for each stretch. */
function Times({ statistics }: { statistics: Statistics }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<section class="panel times">
			<h2>{w("times")}</h2>
			<dl>
				{(["tell", "acknowledge", "fix"] as const).map((stretch) => {
					const seconds = statistics.times[`${stretch}_median_s`];
					return <div key={stretch}><dt>{w(`time.${stretch}`)}</dt><dd>{seconds === null ? <span class="none">{w("time.none")}</span> : <span class="num">{duration(seconds, language)}</span>}</dd><dd class="hint">{seconds === null ? "" : w(`time.${stretch}.note`)}</dd></div>;
				})}
			</dl>
		</section>
	);
}

function Mark({ verdict }: { verdict: string }) {
	const { theme } = useHouse();
	return verdict in VERDICT_SHAPES ? <svg class="kind-mark" width="12" height="12" viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d={VERDICT_SHAPES[verdict as Verdict]} fill={VERDICT_COLOURS[theme][verdict as Verdict]} /></svg> : null;
}

function Cells({ counts, least }: { counts: Counts; least: number }) {
	return <>{FIGURES.map((figure) => <td key={figure} class="n"><Told count={counts[figure]} least={least} /></td>)}</>;
}

function Groups({ title, head, groups, name, least }: { title: string; head: string; groups: Group[]; name: (name: string) => string; least: number }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<section class="panel">
			<h2>{title}</h2>
			<div class="scroll" tabIndex={0} role="region" aria-label={title}>
				<table>
					<thead><tr><th scope="col">{head}</th>{FIGURES.map((figure) => <th key={figure} scope="col" class="n">{w(figure)}</th>)}<th scope="col" class="n">{w("median")}</th></tr></thead>
					<tbody>{groups.map((group) => (
						<tr key={group.name}>
							<th scope="row"><span class="kind"><Mark verdict={group.name} /> {name(group.name)}</span></th>
							<Cells counts={group} least={least} />
							<td class="n">{group.fix_median_s === null ? <span class="none">–</span> : duration(group.fix_median_s, language)}</td>
						</tr>
					))}</tbody>
				</table>
			</div>
		</section>
	);
}

function Periods({ statistics }: { statistics: Statistics }) {
	const { language } = useHouse();
	const w = useWords();
	const daily = statistics.by === "day";
	return (
		<details class="panel every">
			<summary>{w(daily ? "days.month" : "days.year")}</summary>
			<div class="scroll" tabIndex={0} role="region" aria-label={w(daily ? "days.month" : "days.year")}>
				<table>
					<thead><tr><th scope="col">{w(daily ? "day" : "month.one")}</th>{FIGURES.map((figure) => <th key={figure} scope="col" class="n">{w(figure)}</th>)}<th scope="col" class="n">{w("packets")}</th></tr></thead>
					<tbody>{statistics.periods.map((period) => <tr key={period.time}><th scope="row">{periodName(period, statistics.by, language)}</th><Cells counts={period} least={statistics.least} /><td class="n" title={digits(period.packets, language)}>{short(period.packets, language)}</td></tr>)}</tbody>
				</table>
			</div>
		</details>
	);
}

export function Sheet({ statistics, span }: { statistics: Statistics; span: Span }) {
	const { theme, language } = useHouse();
	const w = useWords();
	const { least, by, periods } = statistics;
	const form = by === "day" ? "month" : "year";
	const charts = useMemo(() => {
		const names = periods.map((period) => periodName(period, by, language, true));
		const series = (["found", "fixed"] as const).map((figure) => ({ name: w(figure), values: periods.map((period) => period[figure]) }));
		return {
			alerts: columnsBeside(names, series, w("hidden.short"), theme, language),
			darknet: columns(periods.map((period, i) => ({ name: names[i] ?? "", value: period.packets })), theme, language),
		};
	}, [statistics, theme, language]);
	return (
		<div class="report statistics">
			{statistics.simulated && <p class="note">{w("simulated")}</p>}
			<Lead statistics={statistics} span={span} />
			<Figures statistics={statistics} />
			<div class="grid">
				<div class="wide"><Chart title={w(`chart.${form}`)} option={charts.alerts} height={300} /></div>
				<div class="third"><Times statistics={statistics} /></div>
			</div>
			<Groups title={w("kinds")} head={w("kind")} groups={statistics.verdicts} name={(name) => w(`verdict.${name}` as keyof typeof en)} least={least} />
			<Groups title={w("sectors")} head={w("sector")} groups={statistics.sectors} name={(name) => w(`sector.${name}` as keyof typeof en)} least={least} />
			<Chart title={w(`darknet.${form}`)} option={charts.darknet} height={220} />
			<Periods statistics={statistics} />
			<section class="how-counted">
				<h2>{w("how")}</h2>
				<p>{w("how.begin")}</p>
				<p>{w("how.fixed")}</p>
				<p>{w("how.hidden", { least, step: statistics.step })}</p>
			</section>
		</div>
	);
}
