// What several pages of members show: differences, lists of words, looks at data, the state of a matter.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { time } from "../core/format";
import { useHouse, useLoad } from "../core/house";
import { useFault } from "../people/forms";
import { Shown } from "../shell/parts";
import { useWords, type Words } from "./list";
import type { Notice } from "../notices/model";
import { KINDS, looksOf, type Contact, type Difference, type Look, type Member } from "./model";

function contactText(contact: Contact, w: Words): string {
	return [w(`role.${contact.role}` as "role.other"), contact.name, contact.mail, contact.phone, contact.webhook].filter(Boolean).join(" · ");
}

function valueText(field: string, value: unknown, w: Words): string {
	if (field === "kind" && KINDS.includes(value as "other")) return w(`kind.${value as "other"}`);
	if (value === null || value === undefined || value === "") return w("emptied");
	if (Array.isArray(value)) return value.length ? value.map((one) => valueText(field, one, w)).join(", ") : w("emptied");
	return typeof value === "object" ? contactText(value as Contact, w) : String(value);
}

/** What changed, a field a line: taken away, then put in. A mark tells them apart besides the colour. */
export function Differences({ fields }: { fields: Difference[] }) {
	const w = useWords();
	return (
		<dl class="differences">
			{fields.map(({ field, before, after, added, removed }) => {
				const gone = removed ?? (before === null || before === undefined || before === "" ? [] : [before]), come = added ?? (removed ? [] : [after]);
				return (
					<div key={field}>
						<dt>{w(field as "name")}</dt>
						<dd>{gone.map((value, i) => <del key={`-${i}`}>{valueText(field, value, w)}</del>)}{come.map((value, i) => <ins key={`+${i}`}>{valueText(field, value, w)}</ins>)}</dd>
					</div>
				);
			})}
		</dl>
	);
}

export function Chips({ values, none }: { values: (string | number)[] | undefined; none: string }) {
	return values?.length ? <span class="chips">{values.map((one) => <span key={one} class="chip mono">{one}</span>)}</span> : <span class="hint">{none}</span>;
}

export function Contacts({ contacts }: { contacts: Contact[] }) {
	const w = useWords();
	if (!contacts.length) return <p class="note">{w("contacts.none")}</p>;
	return (
		<ul class="contacts">
			{contacts.map((contact, i) => (
				<li key={i}>
					<b>{contact.name || w(`role.${contact.role}` as "role.other")}</b>
					<span class="hint">{w(`role.${contact.role}` as "role.other")} · {contact.language === "ja" ? "日本語" : "English"}</span>
					{contact.mail && <a href={`mailto:${contact.mail}`}>{contact.mail}</a>}
					{contact.phone && <a href={`tel:${contact.phone.replace(/[^\d+]/g, "")}`}>{contact.phone}</a>}
					{contact.webhook && <span class="mono">{contact.webhook}</span>}
				</li>
			))}
		</ul>
	);
}

/** Prefixes, networks, domains, until when: what the hub knows to be theirs. */
export function Belongings({ member, children }: { member: Member; children?: ComponentChildren }) {
	const { language } = useHouse();
	const w = useWords();
	const [from, until] = [member.valid_from, member.valid_until].map((at) => (at ? time(at, language, false) : ""));
	return (
		<dl class="facts">
			<dt>{w("prefixes")}</dt><dd><Chips values={member.prefixes} none={w("nothing")} /></dd>
			<dt>{w("asns")}</dt><dd><Chips values={member.asns?.map((one) => `AS${one}`)} none={w("nothing")} /></dd>
			<dt>{w("domains")}</dt><dd><Chips values={member.domains} none={w("nothing")} /></dd>
			{(member.endpoints?.length ?? 0) > 0 && <><dt>{w("endpoints")}</dt><dd><Chips values={member.endpoints} none={w("nothing")} /></dd></>}
			{member.clearance && <><dt>{w("clearance")}</dt><dd>TLP:{member.clearance.toUpperCase()} <span class="hint">{w(`tlp.${member.clearance}` as "tlp.red")}</span></dd></>}
			<dt>{w("validity")}</dt><dd>{from && until ? w("valid.span", { from, until }) : from ? w("valid.since", { from }) : until ? w("valid.till", { until }) : w("valid.always")}</dd>
			{children}
		</dl>
	);
}

/** What somebody asked the hub for, in words; the request itself where there are none. */
function lookText(look: Look, w: Words): string {
	const words: [RegExp, Parameters<Words>[0]][] = [
		[/^GET \/members\/\{id\}\/history/, "look.history"], [/^GET \/members\/export/, "look.export"], [/^GET \/members/, "look.member"],
		[/evidence/, "look.evidence"], [/^GET \/findings/, "look.findings"], [/^GET \/notices/, "look.notices"], [/^GET \/audit/, "look.audit"],
	];
	const known = words.find(([pattern]) => pattern.test(look.action));
	return known ? w(known[1]) : look.action;
}

/** Who looked at a member's data, newest first, a page at a time. */
export function Looks({ of }: { of: string }) {
	const { language } = useHouse();
	const w = useWords(), fault = useFault();
	const load = useLoad(`looks ${of}`, (signal) => looksOf(of, 0, signal));
	const [older, setOlder] = useState<{ looks: Look[]; more: boolean }[]>([]), [trouble, setTrouble] = useState("");
	return (
		<Shown load={load}>{(first) => {
			const pages = [first, ...older], looks = pages.flatMap((page) => page.looks), last = looks.at(-1);
			if (!last) return <p class="hint">{w("looks.none")}</p>;
			return (
				<>
					<div class="scroll"><table class="looks">
						<thead><tr><th scope="col">{w("looks.time")}</th><th scope="col">{w("looks.who")}</th><th scope="col">{w("looks.what")}</th></tr></thead>
						<tbody>{looks.map((look) => <tr key={look.id}><td class="t">{time(look.time, language, false)}</td><td class="mono">{look.who}</td><td title={look.action}>{lookText(look, w)}</td></tr>)}</tbody>
					</table></div>
					{trouble && <p class="error" role="alert">{trouble}</p>}
					{pages.at(-1)?.more && <button type="button" onClick={() => looksOf(of, last.id).then((page) => setOlder([...older, page]), (reason: ApiError) => setTrouble(fault(reason).text))}>{w("more")}</button>}
				</>
			);
		}}</Shown>
	);
}

export function State({ notice }: { notice: Notice }) {
	const w = useWords();
	const over = notice.state === "closed" || notice.state === "ended";
	return <span class={`status-mark${over ? " idle" : notice.acknowledged ? "" : " bad"}`}>{w(over ? (notice.state === "closed" ? "matter.closed" : "matter.ended") : notice.acknowledged ? "matter.answered" : "matter.open")}</span>;
}
