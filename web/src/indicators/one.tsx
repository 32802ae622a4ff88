// One indicator: what is left of it and how it falls, who brought it, who reads it, what the warning lists say.

import { useMemo, useState } from "preact/hooks";
import { Chart } from "../charts/chart";
import { stacked } from "../charts/options";
import type { ApiError } from "../core/api";
import { get } from "../core/api";
import { digits, time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { address } from "../core/route";
import { Saying, Sure, useFault, type Said } from "../people/forms";
import { Page, Shown } from "../shell/parts";
import { Tlp } from "../sharing/marks";
import { lifeOf, setState, type Event, type IndicatorState, type Whole } from "./model";
import { Ends, Rows, Score, sourceWord, StateWord, useWords } from "./parts";

function Decay({ one }: { one: Whole }) {
	const { theme, language } = useHouse();
	const w = useWords();
	const option = useMemo(() => {
		const points = one.decay.map(([at, score]): [number, number] => [Date.parse(at), score]);
		const first = one.decay[0]?.[0] ?? "", last = one.decay[one.decay.length - 1]?.[0] ?? "";
		const now = Date.now(), inside = now > Date.parse(first) && now < Date.parse(last);
		return stacked([{ name: w("score"), points }], { from: first, to: last }, theme, language, true, inside ? now : undefined);
	}, [one, theme, language]);
	return <>{one.decay.length > 0 && <Chart title={w("decay.title")} option={option} height={240} />}<p class="hint">{one.score === 0 ? w("decay.over") : w("decay.hint", { confidence: one.confidence })}</p></>;
}

function Verdict({ one }: { one: Whole }) {
	const w = useWords();
	if (one.warning) return <p class="verdict bad"><span aria-hidden="true">▲ </span>{w("verdict.bad", { list: one.warning })}</p>;
	return <p class="verdict"><span aria-hidden="true">{one.lists ? "✓ " : ""}</span>{one.lists ? w("verdict.good", { lists: one.lists }) : w("verdict.nolists")}</p>;
}

function Origin({ one }: { one: Whole }) {
	const { language } = useHouse();
	const w = useWords();
	const { origin } = one;
	return (
		<dl class="facts">
			<dt>{w("who")}</dt>
			<dd>{sourceWord(w, origin.kind)} {origin.kind === "finding" ? <a class="mono" href={address(`finding/${encodeURIComponent(origin.name)}`, {})}>{origin.name}</a> : <span class="mono">{origin.name}</span>}
				<span class="sub">{origin.by && w("who.by", { by: origin.by })} {origin.time && w("who.at", { time: time(origin.time, language) })}</span></dd>
			<dt>{w("audiences")}</dt>
			<dd>{one.collections.length ? <ul class="chips">{one.collections.map((each) => <li key={each.name}><a class="chip" href={address("feeds", { collection: each.name })} title={each.name}>{each.title}</a></li>)}</ul> : w("audiences.none")}</dd>
			<dt>{w("verdict")}</dt><dd><Verdict one={one} /></dd>
		</dl>
	);
}

function What({ event }: { event: Event }) {
	const w = useWords();
	const detail = event.what === "state" ? w(`state.${event.detail}` as "state.active") : event.detail;
	return (
		<div><b>{w(`life.${event.what}`)}</b> {event.href ? <a href={event.href}>{detail}</a> : detail} {event.who && <span class="sub">{w("life.by", { who: event.who })}</span>}</div>
	);
}

function Life({ one }: { one: Whole }) {
	const { language } = useHouse();
	const w = useWords();
	const unseen = one.sightings - one.seen_by.reduce((sum, each) => sum + each.count, 0);
	return (
		<section class="panel">
			<h2>{w("life")}</h2>
			<ol class="life">{lifeOf(one).map((event, i) => <li key={i} class={Date.parse(event.at) > Date.now() ? "to-come" : event.what}><time dateTime={event.at}>{time(event.at, language, false)}</time><What event={event} /></li>)}</ol>
			{unseen > 0 && <p class="hint">{w("life.more", { count: digits(unseen, language) })}</p>}
		</section>
	);
}

function Acts({ one, changed, say }: { one: Whole; changed: () => void; say: (said: Said | null) => void }) {
	const w = useWords(), fault = useFault();
	const [asking, ask] = useState<IndicatorState | "">("");
	const act = (state: IndicatorState) => { ask(""); setState(one.id, state).then(() => { say(null); changed(); }, (reason: ApiError) => say(fault(reason))); };
	if (asking) return <Sure question={w("expire.sure")} word={w("yes")} act={() => act(asking)} leave={() => ask("")} />;
	return (
		<div class="row">
			{one.state === "active" ? <><button type="button" onClick={() => ask("expired")}>{w("expire")}</button><button type="button" onClick={() => ask("false-positive")}>{w("false")}</button></>
				: (one.state === "expired" || one.state === "false-positive") && Date.parse(one.until ?? "") > Date.now() && <button type="button" onClick={() => act("active")}>{w("revive")}</button>}
		</div>
	);
}

export function One({ id }: { id: string }) {
	const { language } = useHouse();
	const w = useWords();
	const [said, say] = useState<Said | null>(null);
	const load = useLoad(`indicator ${id}`, (signal) => get<Whole>(`/indicators/${encodeURIComponent(id)}`, signal));
	const shown = load.data;
	return (
		<Page title={shown?.value ?? w("title")} hint={shown ? w(`kind.${shown.kind}` as "kind.ipv4") : ""} tools={<><a class="button" href={address("sharing/releases", { propose: "1", indicator: id })}>{w("propose")}</a><a class="button" href="#/indicators">{w("back")}</a></>}>
			<Saying said={said} />
			<Shown load={load}>{(one) => (
				<>
					<dl class="figures">
						<div><dt>{w("score")}</dt><dd class="small"><Score of={one} /></dd></div>
						<div><dt>{w("confidence")}</dt><dd class="num">{one.confidence}</dd></div>
						<div><dt>{w("state")}</dt><dd class="small"><StateWord state={one.state} /></dd></div>
						<div><dt>{w("tlp")}</dt><dd class="small"><Tlp of={one.tlp} /></dd></div>
						<div><dt>{w("sightings")}</dt><dd class="num">{digits(one.sightings, language)}</dd></div>
						<div><dt>{w("seen")}</dt><dd class="small">{time(one.seen, language, false)}</dd></div>
						<div><dt>{w("until")}</dt><dd class="small">{time(one.until, language, false)} <span class="hint"><Ends until={one.until} /></span></dd></div>
					</dl>
					<div class="indicator-two">
						<div><Decay one={one} /></div>
						<section class="panel"><Origin one={one} /><Acts one={one} changed={load.reload} say={say} /></section>
					</div>
					<Life one={one} />
					{one.values.length > 1 && <section class="panel"><h2>{w("values.more")}</h2><Rows indicators={one.values} /></section>}
					<section class="panel"><h2>{w("also")}</h2>{one.also.length ? <Rows indicators={one.also} /> : <p class="hint">{w("also.none")}</p>}</section>
					<details class="panel"><summary>{w("raw")}</summary><pre class="command">{JSON.stringify(one.object, null, 2)}</pre></details>
				</>
			)}</Shown>
		</Page>
	);
}
