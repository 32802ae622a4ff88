// Start: language and theme, session, the shell, and the page that the address names.

import { render, type ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, type Session } from "./core/api";
import type { Language } from "./core/format";
import { HouseContext } from "./core/house";
import { routeOf, useRoute } from "./core/route";
import { Shell } from "./shell/shell";
import type { Theme } from "./theme/palette";
import "./style.css";

type Loader = () => Promise<{ default: ComponentType }>;
const PAGES: Record<string, Loader> = {
	"observe/overview": () => import("./pages/overview"),
	"observe/atlas": () => import("./atlas"),
	"observe/cube": () => import("./cube"),
	"observe/tiles": () => import("./tiles"),
	"observe/rings": () => import("./rings"),
	"observe/series": () => import("./pages/series"),
	"observe/top": () => import("./pages/top"),
	flow: () => import("./flow"),
	source: () => import("./pages/source"),
	findings: () => import("./findings"),
	victims: () => import("./pages/findings"),
	campaigns: () => import("./pages/findings"),
	finding: () => import("./pages/finding"),
	query: () => import("./pages/query"),
	notices: () => import("./notices"),
	acknowledge: () => import("./notices/acknowledge"),
	sharing: () => import("./sharing"),
	indicators: () => import("./indicators"),
	feeds: () => import("./feeds"),
	report: () => import("./pages/report"),
	statistics: () => import("./statistics"),
	members: () => import("./members"),
	portal: () => import("./portal"),
	system: () => import("./pages/system"),
	people: () => import("./people"),
	audit: () => import("./audit"),
	accounts: () => import("./pages/accounts"),
	"sign-in": () => import("./pages/welcome"),
	welcome: () => import("./pages/welcome"),
	about: () => import("./pages/about"),
};

function pageOf(path: string[]): string {
	const two = path.slice(0, 2).join("/");
	return two in PAGES ? two : path[0] && path[0] in PAGES ? path[0] : "observe/overview";
}

const loaded = new Map<string, ComponentType>();

/** A page that was loaded before is there at once; another shows nothing of the one before it under its own address. */
function Current() {
	const route = useRoute();
	const name = pageOf(route.path);
	const [, arrived] = useState("");
	useEffect(() => {
		if (loaded.has(name)) return arrived(name); // it may have come since it was drawn without
		void PAGES[name]?.().then((page) => { loaded.set(name, page.default); arrived(name); });
	}, [name]);
	const Shown = loaded.get(name);
	return Shown ? <Shown key={`${name}/${route.path.slice(1).join("/")}`} /> : <div class="state quiet" aria-busy="true">…</div>;
}

function remembered(name: string): string | null {
	try {
		return localStorage.getItem(name);
	} catch {
		return null;
	}
}

function remember(name: string, value: string): void {
	try {
		localStorage.setItem(name, value);
	} catch {
		/* A browser that keeps nothing still works. */
	}
}

function App() {
	const asked = routeOf(location.hash).params;
	const [language, setLanguage] = useState<Language>(() => {
		const wanted = asked.get("lang") ?? new URLSearchParams(location.search).get("lang") ?? remembered("language") ?? navigator.language;
		return wanted.startsWith("ja") ? "ja" : "en";
	});
	const [theme, setTheme] = useState<Theme>(() => {
		const wanted = asked.get("theme") ?? new URLSearchParams(location.search).get("theme") ?? remembered("theme");
		return wanted === "light" || wanted === "dark" ? wanted : matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
	});
	const [session, setSession] = useState<Session | null>(null);
	const reloadSession = () => get<Session>("/session").then(setSession, () => undefined);
	document.documentElement.lang = language;
	document.documentElement.dataset["theme"] = theme;
	useEffect(() => void reloadSession(), []);
	const house = {
		language, theme, session, reloadSession,
		setLanguage: (wanted: Language) => { remember("language", wanted); setLanguage(wanted); },
		setTheme: (wanted: Theme) => { remember("theme", wanted); setTheme(wanted); },
	};
	return <HouseContext.Provider value={house}><Shell><Current /></Shell></HouseContext.Provider>;
}

const root = document.getElementById("app");
if (root) render(<App />, root);
