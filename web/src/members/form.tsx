// One member to be added or changed, as a whole; what the hub refuses is said at its field.

import { useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { useHouse, useLoad } from "../core/house";
import { Saying, useFault, type Said } from "../people/forms";
import { Page, Shown } from "../shell/parts";
import { memberAddress, useWords } from "./list";
import { CLEARANCES, CONTACT_ROLES, faultsOf, KINDS, memberOf, membersOf, nameOf, save, type Contact, type Member, type Remark } from "./model";

const FRESH: Member = { id: 0, key: "", name: "", kind: "municipality", prefixes: [], clearance: "amber", contacts: [{ role: "security", language: "ja" }], changed: "" };
const LISTS = ["prefixes", "asns", "domains", "endpoints"] as const;

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
const day = (at: string | null | undefined): string => at?.slice(0, 10) ?? "";

/** What a form holds, as the API wants it: every field, since one that is absent is emptied. */
function memberIn(form: HTMLFormElement, contacts: Contact[], before: Member): object {
	const data = new FormData(form);
	const text = (name: string) => String(data.get(name) ?? "").trim();
	return {
		name: text("name"), name_en: text("name_en"), kind: text("kind"), clearance: text("clearance"), notes: text("notes"),
		prefixes: words(text("prefixes")), asns: words(text("asns")), domains: words(text("domains")), endpoints: words(text("endpoints")),
		contacts: contacts.map((contact) => Object.fromEntries(Object.entries(contact).filter(([, value]) => value))),
		parent: text("parent") || null, reports_to: text("reports_to") || null,
		valid_from: text("valid_from") ? (text("valid_from") === day(before.valid_from) ? before.valid_from : text("valid_from")) : null,
		valid_until: text("valid_until") ? (text("valid_until") === day(before.valid_until) ? before.valid_until : text("valid_until")) : null,
		...(before.change ? { change: before.change } : {}),
	};
}

function Faults({ faults, field }: { faults: Remark[]; field: string }) {
	const { language } = useHouse();
	return <>{faults.filter((one) => one.field === field).map((one) => <span key={one.message} class="error fault">{language === "ja" ? one.message_ja : one.message}</span>)}</>;
}

function ContactFields({ contacts, change }: { contacts: Contact[]; change: (contacts: Contact[]) => void }) {
	const w = useWords();
	const put = (at: number, changed: Partial<Contact>) => change(contacts.map((one, i) => (i === at ? { ...one, ...changed } : one)));
	return (
		<>
			{contacts.map((contact, i) => (
				<div class="contact-fields" key={i} role="group" aria-label={`${w("contacts")} ${i + 1}`}>
					<label class="field">{w("role")}<select value={contact.role} onChange={(event) => put(i, { role: event.currentTarget.value })}>{CONTACT_ROLES.map((role) => <option key={role} value={role}>{w(`role.${role}`)}</option>)}</select></label>
					<label class="field">{w("language")}<select value={contact.language} onChange={(event) => put(i, { language: event.currentTarget.value })}><option value="ja">日本語</option><option value="en">English</option></select></label>
					<label class="field">{w("person")}<input value={contact.name ?? ""} onInput={(event) => put(i, { name: event.currentTarget.value })} /></label>
					<label class="field">{w("mail")}<input type="email" value={contact.mail ?? ""} onInput={(event) => put(i, { mail: event.currentTarget.value })} /></label>
					<label class="field">{w("phone")}<input type="tel" value={contact.phone ?? ""} onInput={(event) => put(i, { phone: event.currentTarget.value })} /></label>
					<label class="field">{w("webhook")}<input type="url" value={contact.webhook ?? ""} onInput={(event) => put(i, { webhook: event.currentTarget.value })} /></label>
					<button type="button" class="plain" aria-label={`${w("contact.remove")} ${i + 1}`} onClick={() => change(contacts.filter((_, at) => at !== i))}>✕ {w("remove")}</button>
				</div>
			))}
			<button type="button" onClick={() => change([...contacts, { role: "security", language: "ja" }])}>{w("contact.add")}</button>
		</>
	);
}

function Fields({ member, faults }: { member: Member; faults: Remark[] }) {
	const { language } = useHouse();
	const w = useWords();
	const others = useLoad("members.names", (signal) => membersOf({}, signal));
	const text = (name: "name" | "name_en", required = false) => <label class="field">{w(name)}<input name={name} required={required} defaultValue={member[name] ?? ""} /><Faults faults={faults} field={name} /></label>;
	const other = (name: "parent" | "reports_to") => <label class="field">{w(name)}<input name={name} list="member-keys" class="mono" autocomplete="off" defaultValue={member[name] ?? ""} /><span class="hint">{w("parent.help")}</span><Faults faults={faults} field={name} /></label>;
	const date = (name: "valid_from" | "valid_until") => <label class="field">{w(name)}<input type="date" name={name} defaultValue={day(member[name])} /><Faults faults={faults} field={name} /></label>;
	return (
		<>
			<fieldset><legend>{w("form.who")}</legend><div class="form-grid">
				{text("name", true)}{text("name_en")}
				<label class="field">{w("kind")}<select name="kind" defaultValue={member.kind}>{KINDS.map((kind) => <option key={kind} value={kind} selected={kind === member.kind}>{w(`kind.${kind}`)}</option>)}</select></label>
				<label class="field">{w("clearance")}<select name="clearance">{CLEARANCES.map((one) => <option key={one} value={one} selected={one === member.clearance}>TLP:{one.toUpperCase()} – {w(`tlp.${one}`)}</option>)}</select></label>
			</div></fieldset>
			<fieldset><legend>{w("belongings")}</legend><p class="hint">{w("lines.help")}</p><div class="form-grid">
				{LISTS.map((name) => <label class="field" key={name}>{w(name)}<textarea name={name} rows={4} spellcheck={false} defaultValue={(member[name] ?? []).join("\n")} /><Faults faults={faults} field={name} /></label>)}
			</div></fieldset>
			<fieldset><legend>{w("line")}</legend><div class="form-grid">
				{other("parent")}{other("reports_to")}{date("valid_from")}{date("valid_until")}
				<datalist id="member-keys">{others.data?.members.filter((one) => one.key !== member.key).map((one) => <option key={one.key} value={one.key}>{nameOf(one, language)}</option>)}</datalist>
			</div></fieldset>
		</>
	);
}

function Form({ member }: { member: Member }) {
	const w = useWords(), fault = useFault();
	const fresh = !member.key, back = fresh ? "#/members" : memberAddress(member.key);
	const [contacts, setContacts] = useState(member.contacts ?? []), [said, say] = useState<Said | null>(null), [faults, setFaults] = useState<Remark[]>([]), [busy, setBusy] = useState(false);
	const send = (event: Event) => {
		event.preventDefault();
		const form = event.currentTarget as HTMLFormElement, key = fresh ? String(new FormData(form).get("key")).trim() : member.key;
		setBusy(true);
		save(key, memberIn(form, contacts, member)).then((made) => { location.hash = memberAddress(made.key); }, (reason: ApiError) => {
			const found = faultsOf(reason.answer);
			setBusy(false);
			setFaults(found);
			say(found.length ? { good: false, text: w("faults", { count: found.length }) } : fault(reason));
		});
	};
	return (
		<form class="panel member-form" onSubmit={send} onKeyDown={(event) => { if (event.key === "Escape") location.hash = back; }}>
			{fresh && <label class="field key">{w("key")}<input name="key" class="mono" required pattern="[a-z0-9._\-]{1,63}" autocapitalize="none" spellcheck={false} autocomplete="off" /><span class="hint">{w("key.help")}</span><Faults faults={faults} field="key" /></label>}
			<Fields member={member} faults={faults} />
			<fieldset><legend>{w("contacts")}</legend><ContactFields contacts={contacts} change={setContacts} /><Faults faults={faults} field="contacts" /></fieldset>
			<fieldset><legend>{w("notes")}</legend><textarea name="notes" rows={3} aria-label={w("notes")} defaultValue={member.notes ?? ""} /><Faults faults={faults} field="notes" /></fieldset>
			<Saying said={said} />
			<div class="row"><button type="submit" class="main" disabled={busy}>{w("save")}</button><a class="button" href={back}>{w("cancel")}</a></div>
		</form>
	);
}

export function Edit({ of }: { of: string }) {
	const { language } = useHouse();
	const w = useWords();
	const load = useLoad(`edit ${of}`, async (signal) => (of ? memberOf(of, signal) : FRESH));
	return <Page title={of ? w("edit.title", { name: load.data ? nameOf(load.data, language) : of }) : w("new.title")} hint={w("edit.hint")}><Shown load={load}>{(member) => <Form member={member} />}</Shown></Page>;
}
