// Small pieces that every page uses.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../core/api";
import { digits, short, time } from "../core/format";
import { useHouse, type Loaded } from "../core/house";
import { withParams } from "../core/route";
import { KIND_COLOURS, KIND_SHAPES, type Kind } from "../theme/palette";

export function KindMark({ kind, size = 12 }: { kind: string; size?: number }) {
	const { theme } = useHouse();
	const known = kind in KIND_SHAPES ? (kind as Kind) : "other";
	return (
		<svg class="kind-mark" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
			<path fill-rule="evenodd" d={KIND_SHAPES[known]} fill={KIND_COLOURS[theme][known]} />
		</svg>
	);
}

export function KindName({ kind }: { kind: string }) {
	const { tOf } = useHouse();
	return <span class="kind"><KindMark kind={kind} /> {tOf("kind", kind)}</span>;
}

/** A count: short to read, plain digits on hover. */
export function Count({ value }: { value: number }) {
	const { language } = useHouse();
	return <span class="num" title={digits(value, language)}>{short(value, language)}</span>;
}

const WIDER: Record<string, string> = { "-15m": "-1h", "-1h": "-6h", "-6h": "-24h", "-24h": "-7d", "-7d": "-30d", "-30d": "-365d" };

export function Empty({ from }: { from?: string }) {
	const { t, tOf } = useHouse();
	const wider = from ? WIDER[from] : undefined;
	return (
		<div class="state">
			<p class="state-title">{t("state.empty")}</p>
			<p>{t("state.emptyHint")}</p>
			{wider && <a class="button" href={withParams({ from: wider, to: "now" })}>{t("range.widen", { range: tOf("range", wider) })}</a>}
		</div>
	);
}

export function Trouble({ error, reload }: { error: ApiError; reload: () => void }) {
	const { t, language } = useHouse();
	const [since] = useState(() => Date.now());
	useEffect(() => {
		if (error.status !== 0) return;
		const timer = setInterval(reload, 3000);
		return () => clearInterval(timer);
	}, [error.status]);
	const message = language === "ja" ? error.messageJa ?? error.message : error.message;
	return (
		<div class="state trouble" role="alert">
			<p class="state-title">
				{error.status === 0 ? t("state.unreachable", { time: time(since, language) }) : error.status === 401 || error.status === 403 ? t("state.forbidden") : t("state.failed", { message })}
			</p>
			<p>
				{error.status === 401 ? <a class="button" href="#/sign-in">{t("account.signIn")}</a> : <button type="button" onClick={reload}>{t("state.retry")}</button>}
			</p>
		</div>
	);
}

/** What a load shows: the thing, or why it is not there. Old data stays visible while the new is asked for. */
export function Shown<T>({ load, children, empty, from }: { load: Loaded<T>; children: (data: T) => ComponentChildren; empty?: (data: T) => boolean; from?: string }) {
	const { t } = useHouse();
	if (load.data === undefined)
		return load.error ? <Trouble error={load.error} reload={load.reload} /> : <div class="state quiet" aria-busy="true">{t("state.loading")}</div>;
	return (
		<>
			{load.error && <Trouble error={load.error} reload={load.reload} />}
			{empty?.(load.data) ? <Empty {...(from ? { from } : {})} /> : children(load.data)}
		</>
	);
}

/** The body of a long table: only the rows in sight of the nearest `.tall` are drawn. Rows have one height, in pixels. */
export function VirtualRows<T>({ rows, height, render }: { rows: T[]; height: number; render: (row: T, index: number) => ComponentChildren }) {
	const body = useRef<HTMLTableSectionElement>(null);
	const [top, setTop] = useState(0);
	const long = rows.length > 120;
	useEffect(() => {
		const box = body.current?.closest(".tall");
		if (!long || !box) return;
		const moved = () => setTop(box.scrollTop);
		box.addEventListener("scroll", moved, { passive: true });
		return () => box.removeEventListener("scroll", moved);
	}, [long]);
	const first = long ? Math.max(0, Math.floor(top / height) - 20) : 0;
	const last = long ? Math.min(rows.length, first + 90) : rows.length;
	const spacer = (count: number) => count > 0 && <tr class="spacer" aria-hidden="true"><td style={{ height: `${count * height}px` }} /></tr>;
	return <tbody ref={body}>{spacer(first)}{rows.slice(first, last).map((row, i) => render(row, first + i))}{spacer(rows.length - last)}</tbody>;
}

/** A page that only one role may open: others are told whom it is for before anything is asked of the hub. */
export function OnlyFor({ role, title, why, otherwise, children }: { role: string; title: string; why: string; otherwise?: ComponentChildren; children: ComponentChildren }) {
	const { t, session } = useHouse();
	if (!session) return <Page title={title}><div class="state quiet" aria-busy="true">{t("state.loading")}</div></Page>;
	if (session.user?.role === role) return <>{children}</>;
	return (
		<Page title={title}>
			<div class="state">
				<p class="state-title">{t("state.forbidden")}</p>
				<p>{why}</p>
				{session.user ? otherwise : <a class="button" href="#/sign-in">{t("account.signIn")}</a>}
			</div>
		</Page>
	);
}

export function Page({ title, hint, children, tools }: { title: string; hint?: string; children: ComponentChildren; tools?: ComponentChildren }) {
	useEffect(() => {
		document.title = `${title} · Yagura 櫓`;
	}, [title]);
	return (
		<div class="page">
			<header class="page-head">
				<div><h1>{title}</h1>{hint && <p class="hint">{hint}</p>}</div>
				{tools && <div class="page-tools">{tools}</div>}
			</header>
			{children}
		</div>
	);
}
