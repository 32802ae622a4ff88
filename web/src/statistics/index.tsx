// Statistics for everybody, of a month by days or of a year by months: calm, to be printed or taken along as a file.

import { address, useRoute } from "../core/route";
import { get } from "../core/api";
import { useHouse, useLoad, useTexts } from "../core/house";
import { Page, Shown } from "../shell/parts";
import { Sheet } from "./sheet";
import { isMonth, query, spanName, spanOf, spans, step, thisMonth, type Span, type Statistics } from "./model";
import { en, ja } from "./texts";
import "./statistics.css";

const place = (span: Span): string => address(`statistics/${span}`, {});

function Pick({ span }: { span: Span }) {
	const { language } = useHouse();
	const w = useTexts({ en, ja });
	const last = isMonth(span) ? thisMonth() : thisMonth().slice(0, 4);
	const later = step(span, 1);
	return (
		<>
			<nav class="segments" aria-label={w("span")}>
				{(["month", "year"] as const).map((form) => {
					const on = isMonth(span) === (form === "month");
					return <a key={form} class={on ? "on" : ""} aria-current={on ? "page" : undefined} href={place(form === "year" ? span.slice(0, 4) : isMonth(span) ? span : spanOf(`${span}-12`))}>{w(form)}</a>;
				})}
			</nav>
			<div class="span-pick">
				<a class="button" href={place(step(span, -1))} aria-label={w("before")} title={w("before")}>‹</a>
				<select aria-label={w(isMonth(span) ? "pick.month" : "pick.year")} value={span} onChange={(event) => { location.hash = place(event.currentTarget.value); }}>
					{spans(span).map((one) => <option key={one} value={one}>{spanName(one, language)}</option>)}
				</select>
				{later <= last ? <a class="button" href={place(later)} aria-label={w("after")} title={w("after")}>›</a> : <span class="button off" aria-hidden="true">›</span>}
			</div>
			<a class="button" href={`./api/v1/statistics.csv?${query(span)}`} download>{w("csv")}</a>
			<button type="button" onClick={() => print()}>{w("print")}</button>
		</>
	);
}

export default function StatisticsPage() {
	const { language } = useHouse();
	const w = useTexts({ en, ja });
	const { path } = useRoute();
	const span = spanOf(path[1]);
	const load = useLoad(span, (signal) => get<Statistics>(`/statistics?${query(span)}`, signal), 60_000);
	return (
		<Page title={w("title.of", { span: spanName(span, language) })} hint={w("hint")} tools={<Pick span={span} />}>
			<Shown load={load}>{(statistics) => <Sheet statistics={statistics} span={span} />}</Shown>
		</Page>
	);
}
