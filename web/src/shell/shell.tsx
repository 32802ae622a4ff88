// The one shell: a slim bar by the loop at the left, range and search at the top, content in the middle.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, request } from "../core/api";
import { useHouse } from "../core/house";
import { countriesLike, country, instant, time } from "../core/format";
import { address, kept, range, useRoute, withParams } from "../core/route";
import type { Word } from "../i18n";

interface Place { path: string; word: Word; roles?: readonly string[] }
const STAFF = ["viewer", "analyst", "operator", "admin"], SHARERS = ["analyst", "operator", "admin", "member"];
const LOOP: { word: Word; icon: string; places: Place[] }[] = [
	{ word: "nav.observe", icon: "M2 12s3.600-7 10-7 10 7 10 7-3.600 7-10 7S2 12 2 12zm10-3a3 3 0 1 0 0 6 3 3 0 0 0 0-6z", places: [
		{ path: "observe/overview", word: "nav.overview" }, { path: "observe/atlas", word: "nav.atlas" }, { path: "observe/cube", word: "nav.cube" },
		{ path: "observe/tiles", word: "nav.tiles" }, { path: "observe/rings", word: "nav.rings" },
		{ path: "observe/series", word: "nav.series" }, { path: "observe/top", word: "nav.top" }, { path: "flow", word: "nav.flow", roles: ["analyst", "operator", "admin"] }] },
	{ word: "nav.analyze", icon: "M4 20V10m6 10V4m6 16v-7m4 7H2", places: [
		{ path: "findings", word: "nav.findings" }, { path: "victims", word: "nav.victims" }, { path: "campaigns", word: "nav.campaigns" }, { path: "query", word: "nav.query" }] },
	{ word: "nav.share", icon: "M6 3h9l4 4v14H6zM9 12h7M9 16h7M9 8h3", places: [{ path: "notices", word: "nav.notices", roles: [...STAFF, "member"] }, { path: "indicators", word: "nav.indicators", roles: ["analyst", "operator", "admin"] }, { path: "feeds", word: "nav.feeds", roles: [...STAFF, "member"] }, { path: "sharing", word: "nav.sharing", roles: SHARERS }, { path: "report", word: "nav.report" }, { path: "statistics", word: "nav.statistics" }] },
	{ word: "nav.members", icon: "M3 21h18M5 21V8l6-4v17M11 10h8v11M8 9v0M8 13v0M8 17v0M15 14v0M15 17v0", places: [
		{ path: "portal", word: "nav.portal", roles: ["member"] }, { path: "members", word: "nav.members", roles: STAFF }] },
	{ word: "nav.system", icon: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0-6v3m0 14v3M2 12h3m14 0h3M5 5l2 2m10 10 2 2M5 19l2-2M17 7l2-2", places: [
		{ path: "system", word: "nav.health" }, { path: "people", word: "nav.people", roles: ["admin"] }, { path: "audit", word: "nav.audit", roles: ["admin"] }, { path: "accounts", word: "nav.accounts" }, { path: "about", word: "nav.about" }] },
];
const RANGES = ["-15m", "-1h", "-6h", "-24h", "-7d", "-30d", "-365d"];
const KEYS: Record<string, string> = { o: "observe/overview", a: "observe/atlas", c: "observe/cube", l: "observe/tiles", r: "observe/rings", t: "observe/series", p: "observe/top", f: "findings", s: "system", m: "members" };

interface Hit { type: string; label: string; path: string }

/** Members by name, or whose an address is; nothing where they cannot be asked for. */
function membersLike(text: string, language: string, signal: AbortSignal): Promise<Hit[]> {
	return get<{ members: { key: string; name: string; name_en?: string }[] }>(`/members?limit=5&text=${encodeURIComponent(text)}`, signal).then(
		({ members }) => members.map((one) => ({ type: "member", label: (language === "en" && one.name_en) || one.name, path: `/members/${encodeURIComponent(one.key)}` })),
		() => [],
	);
}

function Search() {
	const { t, tOf, language, session } = useHouse();
	const staff = STAFF.includes(session?.user?.role ?? "");
	const route = useRoute();
	const [text, setText] = useState("");
	const [hits, setHits] = useState<Hit[] | null>(null);
	const [at, setAt] = useState(0);
	const field = useRef<HTMLInputElement>(null);
	useEffect(() => {
		const key = (event: KeyboardEvent) => {
			const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
			if (event.key === "/" && !typing) {
				event.preventDefault();
				field.current?.focus();
			}
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, []);
	useEffect(() => {
		if (text.trim().length < 2) return setHits(null);
		const controller = new AbortController();
		const timer = setTimeout(() => {
			const local: Hit[] = countriesLike(text).map((code) => ({ type: "country", label: country(code, language), path: `/observe/top?by=network&country=${code}` }));
			Promise.all([get<{ results: Hit[] }>(`/search?q=${encodeURIComponent(text.trim())}`, controller.signal), staff ? membersLike(text.trim(), language, controller.signal) : []]).then(
				([answer, members]) => { setHits([...local, ...members, ...answer.results.filter((hit) => hit.type !== "country" || !local.some((one) => one.path.endsWith(hit.path.slice(-2))))]); setAt(0); },
				() => { if (!controller.signal.aborted) setHits(local); },
			);
		}, 120);
		return () => { clearTimeout(timer); controller.abort(); };
	}, [text]);
	const open = (hit: Hit) => {
		const [path = "", own = ""] = hit.path.replace(/^[#/]+/, "").split("?");
		const params = new URLSearchParams(own);
		for (const [name, value] of Object.entries(kept(route.params))) if (value && !params.has(name)) params.set(name, value);
		if (path === "explore" && !params.has("by")) params.set("by", params.has("country") ? "network" : "source");
		location.hash = address(path.replace(/^explore$/, "observe/top").replace(/^sources\//, "source/").replace(/^findings\/(.+)/, (_, id: string) => `finding/${encodeURIComponent(id)}`), params);
		setText("");
		field.current?.blur();
	};
	const key = (event: KeyboardEvent) => {
		if (event.key === "Escape") { setText(""); field.current?.blur(); }
		if (!hits?.length) return;
		if (event.key === "ArrowDown") { event.preventDefault(); setAt((at + 1) % hits.length); }
		if (event.key === "ArrowUp") { event.preventDefault(); setAt((at + hits.length - 1) % hits.length); }
		const hit = hits[at];
		if (event.key === "Enter" && hit) open(hit);
	};
	return (
		<div class="search" role="search">
			<svg width="16" height="16" viewBox="0 0 24 24" aria-hidden="true"><path d="M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm5 12 5 5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" /></svg>
			<input ref={field} type="search" value={text} placeholder={t("search.placeholder")} aria-label={t("search.label")} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={key} role="combobox" aria-expanded={hits !== null} aria-controls="hits" autocomplete="off" />
			<kbd aria-hidden="true">/</kbd>
			{hits && (
				<ul id="hits" role="listbox">
					{hits.length === 0 && <li class="none">{t("search.none", { text })}</li>}
					{hits.map((hit, i) => (
						<li key={hit.path} role="option" aria-selected={i === at} onMouseDown={() => open(hit)} onMouseEnter={() => setAt(i)}><span>{hit.label}</span><em>{tOf("search.type", hit.type)}</em></li>
					))}
				</ul>
			)}
		</div>
	);
}

/** A time as the browser's own field wants it: local, to the minute. */
function local(text: string): string {
	const at = new Date(instant(text));
	return Number.isNaN(at.getTime()) ? "" : new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function Range() {
	const { t, tOf, language } = useHouse();
	const route = useRoute();
	const { from, to } = range(route.params);
	const relative = RANGES.includes(from) && to === "now";
	const go = (event: Event) => {
		event.preventDefault();
		const form = new FormData(event.currentTarget as HTMLFormElement);
		const [first, last] = [new Date(String(form.get("from"))), new Date(String(form.get("to")))];
		if (last > first) location.hash = withParams({ from: first.toISOString(), to: last.toISOString(), at: undefined });
		(event.currentTarget as HTMLElement).closest("details")?.removeAttribute("open");
	};
	return (
		<details class="menu range">
			<summary aria-label={t("range.label")}>{relative ? tOf("range", from) : `${time(instant(from), language, false)} – ${to === "now" ? "" : time(instant(to), language, false)}`}</summary>
			<div class="pop">
				{RANGES.map((one) => <a key={one} class={one === from ? "on" : ""} href={withParams({ from: one, to: "now", at: undefined })} onClick={(event) => event.currentTarget.closest("details")?.removeAttribute("open")}>{tOf("range", one)}</a>)}
				<form onSubmit={go} class="own-range">
					<label class="field">{t("range.from")}<input type="datetime-local" name="from" required defaultValue={local(from)} /></label>
					<label class="field">{t("range.to")}<input type="datetime-local" name="to" required defaultValue={local(to)} /></label>
					<button type="submit" class="main">{t("range.apply")}</button>
				</form>
			</div>
		</details>
	);
}

function Account() {
	const { t, tOf, session, reloadSession } = useHouse();
	const out = () => void request("DELETE", "/session").then(reloadSession, reloadSession);
	if (!session?.user) return <a class="button" href="#/sign-in">{session?.guest_role ? `${t("account.guest")} · ${t("account.signIn")}` : t("account.signIn")}</a>;
	return (
		<details class="menu account">
			<summary>{session.user.name}</summary>
			<div class="pop"><p class="hint">{t("account.role")}: {tOf("role", session.user.role)}</p><a href="#/accounts">{t("nav.accounts")}</a><button type="button" onClick={out}>{t("account.signOut")}</button></div>
		</details>
	);
}

function Switches() {
	const { t, theme, language, setTheme, setLanguage } = useHouse();
	return (
		<div class="switches">
			<button type="button" class="plain" onClick={() => setLanguage(language === "ja" ? "en" : "ja")} lang={language === "ja" ? "en" : "ja"}>{t("language.switch")}</button>
			<button type="button" class="plain" onClick={() => setTheme(theme === "dark" ? "light" : "dark")} aria-label={t("theme.switch")} title={t("theme.switch")}>{theme === "dark" ? "☾" : "☀"}</button>
			<Account />
		</div>
	);
}

/** For those who are let in to one page only: no ways that end at a locked door. */
function Public({ children }: { children: ComponentChildren }) {
	const { t } = useHouse();
	return (
		<div class="shell public">
			<header class="bar"><span class="mark"><img src="./mark.svg" width="28" height="28" alt="" /> {t("app.name")}</span><Switches /></header>
			<main id="content" tabIndex={-1}>{children}</main>
		</div>
	);
}

export function Shell({ children }: { children: ComponentChildren }) {
	const { t, theme, setTheme, session } = useHouse();
	const route = useRoute();
	const here = route.path.join("/");
	const at = (place: Place): boolean => place.path === here || (["report", "statistics", "members", "notices", "sharing", "indicators", "feeds", "flow"].includes(place.path) && place.path === route.path[0]) || (here === "" && place.path === "observe/overview");
	const open = (place: Place): boolean => !place.roles || place.roles.includes(session?.user?.role ?? "");
	const group = LOOP.find((one) => one.places.some(at)) ?? LOOP.find((one) => one.word === (route.path[0] === "source" ? "nav.observe" : "nav.analyze"));
	const fill = ["observe/atlas", "observe/cube", "observe/tiles", "observe/rings"].includes(here);
	const before = useRef("");
	useEffect(() => {
		const key = (event: KeyboardEvent) => {
			const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
			if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
			const place = before.current === "g" ? KEYS[event.key] : undefined;
			if (place) location.hash = address(place, kept(route.params));
			else if (event.key === "?") location.hash = "#/about";
			else if (event.key === "D") setTheme(theme === "dark" ? "light" : "dark");
			before.current = event.key;
		};
		addEventListener("keydown", key);
		return () => removeEventListener("keydown", key);
	}, [theme, route]);
	if (route.params.has("wall") || new URLSearchParams(location.search).has("wall")) return <main class="wall" id="content">{children}</main>;
	if (route.path[0] === "statistics" && session?.public_statistics && !session.user && !session.guest_role) return <Public>{children}</Public>;
	return (
		<div class={`shell${fill ? " fill" : ""}`}>
			<a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>{t("nav.skip")}</a>
			<nav class="rail" aria-label={t("app.name")}>
				<a class="mark" href={address("observe/overview", kept(route.params))} aria-label={t("app.name")}><img src="./mark.svg" width="32" height="32" alt="" /></a>
				{LOOP.filter((one) => one.places.some(open)).map((one) => (
					<a key={one.word} class={one === group ? "on" : ""} href={address(one.places.find(open)?.path ?? "", kept(route.params))} aria-current={one === group ? "true" : undefined}>
						<svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true"><path d={one.icon} fill="none" stroke="currentColor" stroke-width="1.700" stroke-linecap="round" stroke-linejoin="round" /></svg>
						<span>{t(one.word)}</span>
					</a>
				))}
			</nav>
			<header class="bar">
				<nav class="tabs" aria-label={group ? t(group.word) : ""}>
					{group?.places.filter(open).map((place) => (
						<a key={place.path} class={at(place) ? "on" : ""} aria-current={at(place) ? "page" : undefined} href={address(place.path, kept(route.params))}>{t(place.word)}</a>
					))}
				</nav>
				<Search />
				<Range />
				<Switches />
			</header>
			<main id="content" tabIndex={-1}>
				{session?.user?.must_set_password && route.path[0] !== "welcome" && <p class="banner">{t("account.mustSet", { name: session.user.name })} <a href="#/welcome">{t("account.setPassword")}</a></p>}
				{children}
			</main>
		</div>
	);
}
