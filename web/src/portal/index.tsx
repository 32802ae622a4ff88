// The portal: what a member's own people see. What is the matter, what to do, what is known of them, who looked.

import { useMemo } from "preact/hooks";
import { time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { useRoute } from "../core/route";
import "../members/members.css";
import { memberOf, nameOf, noticesOf } from "../members/model";
import type { Notice } from "../notices/model";
import { Belongings, Contacts, Looks, State } from "../members/parts";
import "../people/people.css";
import { Count, Page, Shown } from "../shell/parts";
import { useWords } from "./advice";
import { Matter, titleOf } from "./matter";
import "./portal.css";

interface Sorted { waiting: Notice[]; answered: Notice[]; over: Notice[] }

/** Those that wait for an answer first, then by severity, then the newest. */
const SEVERITIES = ["high", "medium", "low", "info"];
function sortedOut(notices: Notice[]): Sorted {
	const order = (a: Notice, b: Notice) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || Date.parse(b.last) - Date.parse(a.last);
	const open = notices.filter((one) => one.state === "new" || one.state === "continuing").sort(order);
	return { waiting: open.filter((one) => !one.acknowledged), answered: open.filter((one) => one.acknowledged), over: notices.filter((one) => one.state === "ended" || one.state === "closed") };
}

/** Half of what is over took at most this long from the first observation to the last. */
function usualMs(over: Notice[]): number | null {
	const lengths = over.map((one) => Date.parse(one.last) - Date.parse(one.first)).filter(Number.isFinite).sort((a, b) => a - b);
	return lengths[Math.floor((lengths.length - 1) / 2)] ?? null;
}

function lengthText(ms: number | null, language: string): string {
	if (ms === null) return "";
	for (const [unit, length] of [["day", 86400e3], ["hour", 3600e3], ["minute", 60e3]] as const)
		if (ms >= length) return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(ms / length);
	return new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "long", maximumFractionDigits: 0 }).format(ms / 1000);
}

function Now({ sorted }: { sorted: Sorted }) {
	const { language } = useHouse();
	const w = useWords();
	const count = sorted.waiting.length, word = count ? "open" : sorted.answered.length ? "answered" : "quiet";
	const usual = lengthText(usualMs(sorted.over), language);
	return (
		<>
			<section class={`now ${word}`} role="status">
				<p class="now-title">{word === "open" && count === 1 ? w("now.open.one") : w(`now.${word}`, { count })}</p>
				<p>{w(`now.${word}.hint`)}</p>
			</section>
			<dl class="figures">
				<div><dt>{w("figure.open")}</dt><dd><Count value={count} /></dd></div>
				<div><dt>{w("figure.answered")}</dt><dd><Count value={sorted.answered.length} /></dd></div>
				<div><dt>{w("figure.closed")}</dt><dd><Count value={sorted.over.length} /></dd></div>
				<div><dt>{w("figure.fix")}</dt><dd>{usual || w("figure.fix.none")}</dd></div>
			</dl>
		</>
	);
}

function Past({ over }: { over: Notice[] }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<section class="panel">
			<h2>{w("past")}</h2>
			{over.length ? (
				<table class="people">
					<thead><tr><th scope="col">{w("matter")}</th><th scope="col">{w("address")}</th><th scope="col">{w("first")}</th><th scope="col">{w("last")}</th><th scope="col">{w("state")}</th></tr></thead>
					<tbody>{over.slice(0, 100).map((one) => (
						<tr key={one.id}><th scope="row">{titleOf(one, w)}</th><td data-label={w("address")} class="mono">{one.subject}</td><td data-label={w("first")} class="t">{time(one.first, language, false)}</td><td data-label={w("last")} class="t">{time(one.last, language, false)}</td><td data-label={w("state")}><State notice={one} /></td></tr>
					))}</tbody>
				</table>
			) : <p class="hint">{w("past.none")}</p>}
		</section>
	);
}

function Matters({ sorted, answered }: { sorted: Sorted; answered: () => void }) {
	const w = useWords();
	const { params } = useRoute();
	const open = [...sorted.waiting, ...sorted.answered], asked = Number(params.get("notice")) || sorted.waiting[0]?.id;
	if (!open.length) return null;
	return (
		<section class="matters" aria-label={w("alerts")}>
			<h2>{w("alerts")}</h2>
			{open.map((notice) => <Matter key={notice.id} notice={notice} first={notice.id === asked} answered={answered} />)}
		</section>
	);
}

function Own({ of }: { of: string }) {
	const w = useWords();
	const load = useLoad(`portal.member ${of}`, (signal) => memberOf(of, signal));
	return (
		<Shown load={load}>{(member) => (
			<div class="grid">
				<section class="panel half"><h2>{w("data")}</h2><Belongings member={member} /><p class="hint below">{w("data.hint")}</p></section>
				<section class="panel half"><h2>{w("contacts")}</h2><Contacts contacts={member.contacts ?? []} /></section>
				<section class="panel"><h2>{w("looks")}</h2><p class="hint">{w("looks.hint")}</p><Looks of={of} /></section>
			</div>
		)}</Shown>
	);
}

function Inside({ of, name }: { of: string; name: string }) {
	const w = useWords();
	const load = useLoad(`portal ${of}`, (signal) => noticesOf({}, signal), 30_000);
	const sorted = useMemo(() => sortedOut(load.data ?? []), [load.data]);
	return (
		<Page title={name} hint={w("hint")} tools={<a class="button" href="#/observe/rings">{w("rings")}</a>}>
			<Shown load={load}>{() => <><Now sorted={sorted} /><Matters sorted={sorted} answered={load.reload} /><Past over={sorted.over} /></>}</Shown>
			<Own of={of} />
		</Page>
	);
}

export default function Portal() {
	const { t, session, language } = useHouse();
	const w = useWords();
	const member = session?.user?.member;
	const load = useLoad(`portal.name ${member?.key ?? ""}`, async (signal) => (member ? memberOf(member.key, signal) : undefined));
	if (!session) return <Page title={w("title")}><div class="state quiet" aria-busy="true">{t("state.loading")}</div></Page>;
	if (member) return <Inside of={member.key} name={load.data ? nameOf(load.data, language) : member.name} />;
	return (
		<Page title={w("title")}>
			<div class="state"><p class="state-title">{w("forbidden")}</p><p>{w("forbidden.hint")}</p><a class="button" href={session.user ? "#/members" : "#/sign-in"}>{t(session.user ? "nav.members" : "account.signIn")}</a></div>
		</Page>
	);
}
