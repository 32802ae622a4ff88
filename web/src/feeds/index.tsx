// Feeds: what each collection is served as, where, with a line to try it, and who fetched it last.

import { useState } from "preact/hooks";
import { get } from "../core/api";
import { copy } from "../core/clipboard";
import { ago, bytes, digits, time } from "../core/format";
import { useHouse, useLoad, useTexts } from "../core/house";
import { useRoute, withParams } from "../core/route";
import { Page, Shown } from "../shell/parts";
import { Tlp } from "../sharing/marks";
import type { Receipt } from "../sharing/model";
import { servicesOf, type Collection, type FormFigures, type Offered, type Service } from "./lines";
import { en, ja } from "./texts";
import "../people/people.css";
import "../sharing/sharing.css";
import "./feeds.css";

const useWords = () => useTexts({ en, ja });

function Copy({ text }: { text: string }) {
	const w = useWords();
	const [copied, setCopied] = useState("");
	return <button type="button" onClick={() => void copy(text).then((done) => setCopied(done ? text : ""))}>{w(copied === text ? "copied" : "copy")}</button>;
}

/** `counted`: the hub has answered; a large collection is counted when it is fetched. */
function Figures({ form, counted }: { form: FormFigures | undefined; counted: boolean }) {
	const { language } = useHouse();
	const w = useWords();
	if (!form) return counted ? <p class="feed-figures hint">{w("not.counted")}</p> : null;
	const words = form.file.startsWith("misp/") ? [] : [w("values", { count: digits(form.values, language) })];
	if (form.left_out) words.push(w("left.out", { count: digits(form.left_out, language) }));
	words.push(bytes(form.bytes));
	if (form.serial) words.push(w("serial", { serial: form.serial }));
	return <p class="feed-figures num">{words.join(" · ")}</p>;
}

function One({ service, form, counted, last }: { service: Service; form: FormFigures | undefined; counted: boolean; last: Receipt | undefined }) {
	const { language } = useHouse();
	const w = useWords();
	const [who, setWho] = useState(service.tries[0]?.who ?? "");
	const chosen = service.tries.find((one) => one.who === who) ?? service.tries[0];
	return (
		<section class="panel feed" aria-label={w(`form.${service.form}`)}>
			<h2><span>{w(`form.${service.form}`)}</span>{last && <span class="hint" title={time(last.time, language)}>{ago(last.time, language)} · {last.name ?? last.actor}</span>}</h2>
			<p class="hint">{w(`what.${service.form}`)}</p>
			{service.file && <Figures form={form} counted={counted} />}
			<div class="feed-address"><code>{service.address}</code><Copy text={service.address} /></div>
			<div class="feed-try">
				<div class="segments" role="group" aria-label={w("try")}>{service.tries.map((one) => <button key={one.who} type="button" class={one === chosen ? "on" : ""} aria-pressed={one === chosen} onClick={() => setWho(one.who)}>{one.who}</button>)}</div>
				{chosen && <Copy text={chosen.line} />}
			</div>
			{chosen && <pre class="command" tabIndex={0}>{chosen.line}</pre>}
		</section>
	);
}

function Fetches({ receipts }: { receipts: Receipt[] }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<section class="panel">
			<h2><span>{w("fetches")}</span><a class="button" href="#/sharing/receipts">{w("fetches.all")}</a></h2>
			{receipts.length === 0 ? <p class="hint">{w("fetches.none")}</p> : (
				<div class="scroll"><table><thead><tr><th scope="col">{w("time")}</th><th scope="col">{w("who")}</th><th scope="col">{w("way")}</th><th scope="col" class="n">{w("count")}</th></tr></thead>
					<tbody>{receipts.slice(0, 10).map((one) => <tr key={`${one.id} ${one.time} ${one.actor}`}><td class="t" title={time(one.time, language)}>{ago(one.time, language)}</td><td>{one.name && `${one.name} `}<span class="hint">{one.actor}</span></td><td>{one.detail.way}</td><td class="n">{digits(one.detail.objects, language)}</td></tr>)}</tbody></table></div>
			)}
		</section>
	);
}

function Collections({ collections, chosen }: { collections: Collection[]; chosen: Collection }) {
	const { language } = useHouse();
	const w = useWords();
	return (
		<nav class="panel" aria-label={w("collections")}>
			<h2>{w("collections")}</h2>
			<ul class="feed-list">{collections.map((one) => (
				<li key={one.id}><a class={one === chosen ? "on" : ""} aria-current={one === chosen ? "true" : undefined} href={withParams({ collection: one.name })}>
					<b>{one.title}</b><span class="hint">{one.objects ? w("objects", { count: digits(one.objects, language) }) : w("empty")}</span>
				</a></li>
			))}</ul>
		</nav>
	);
}

interface ChosenProps { collection: Collection; url: string; receipts: Receipt[] | null; token: string; setToken: (token: string) => void }

function Chosen({ collection, url, receipts, token, setToken }: ChosenProps) {
	const { language, session } = useHouse();
	const w = useWords();
	const whole = useLoad(`collection ${collection.name}`, (signal) => get<Collection>(`/collections/${encodeURIComponent(collection.name)}`, signal), 60_000);
	const own = receipts?.filter((one) => one.subject === collection.name) ?? [];
	const host = new URL(url).hostname;
	return (
		<div class="feed-shown">
			<section class="panel">
				<h2><span>{collection.title} <code class="hint">{collection.name}</code></span></h2>
				{collection.description && <p>{collection.description}</p>}
				<p class="chips"><span class="chip">{w("most")} <Tlp of={collection.most} /></span>{collection.group && <span class="chip">{w("group")}</span>}{collection.automatic && <span class="chip">{w("automatic")}</span>}{collection.writable && <span class="chip">{w("writable")}</span>}
					<span class="hint">{w("objects", { count: digits(collection.objects, language) })}{collection.last && ` · ${w("last.put", { time: ago(collection.last, language) })}`}</span></p>
				<label class="field feed-token">{w("token")}<input class="mono" autoComplete="off" spellcheck={false} placeholder="TOKEN" value={token} onInput={(event) => setToken(event.currentTarget.value.trim())} /></label>
				<p class="hint">{w("token.hint")} {session?.user?.role === "admin" && <a href="#/people/tokens">{w("token.make")}</a>}</p>
			</section>
			{servicesOf(collection, url, host, token || "TOKEN").map((service) => <One key={`${collection.id} ${service.form}`} service={service} form={whole.data?.forms?.find((one) => one.file === service.file)} counted={Boolean(whole.data)} last={own.find((one) => one.detail.way.startsWith(service.way))} />)}
			{receipts && <Fetches receipts={own} />}
		</div>
	);
}

export default function Feeds() {
	const { session } = useHouse();
	const w = useWords();
	const { params } = useRoute();
	const [token, setToken] = useState("");
	const told = ["operator", "admin", "member"].includes(session?.user?.role ?? "");
	const load = useLoad("collections", (signal) => get<Offered>("/collections", signal), 30_000);
	const receipts = useLoad(`receipts ${told}`, async (signal) => (told ? (await get<{ receipts: Receipt[] }>("/receipts?limit=500", signal)).receipts : null), 30_000);
	return (
		<Page title={w("title")} hint={w("hint")}>
			<Shown load={load}>{({ collections, url }) => {
				const chosen = collections.find((one) => one.name === params.get("collection")) ?? collections[0];
				if (!chosen) return <div class="state"><p class="state-title">{w("none")}</p><p>{w("none.hint")}</p><a class="button" href="#/sharing/groups">{w("none.groups")}</a></div>;
				return <div class="feeds"><Collections collections={collections} chosen={chosen} /><Chosen key={chosen.id} collection={chosen} url={url || location.origin} receipts={receipts.data ?? null} token={token} setToken={setToken} /></div>;
			}}</Shown>
		</Page>
	);
}
