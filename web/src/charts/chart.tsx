// A picture with its ground: what was counted, the command that prints it, and ways to take it along.

import type { EChartsOption } from "echarts/types/dist/shared";
import { useEffect, useRef, useState } from "preact/hooks";
import { downloadAddress, type Answer, type Query } from "../core/api";
import { time } from "../core/format";
import { useHouse } from "../core/house";

type Instance = import("echarts/core").ECharts;

export interface ChartProps {
	title: string;
	option: EChartsOption;
	height?: number;
	query?: Query;
	answer?: Answer | undefined;
	onPick?: (params: { name: string; value: unknown; seriesName?: string; dataIndex: number; seriesIndex?: number }) => void;
	/** A click anywhere in a picture over time: the time pointed at, in milliseconds since 1970. */
	onTime?: (ms: number) => void;
	/** A stretch of time that was dragged over, in milliseconds since 1970. */
	onSpan?: (from: number, to: number) => void;
	busy?: boolean;
}

const DRAG_LEAST = 6;

/** Dragging over a picture over time marks a stretch of it. */
function brush(target: HTMLElement, chart: Instance, done: (from: number, to: number) => void): void {
	const mark = document.createElement("div");
	mark.className = "brushed";
	let began: number | null = null;
	const at = (event: PointerEvent) => Math.min(Math.max(event.clientX - target.getBoundingClientRect().left, 0), target.clientWidth);
	const timeAt = (x: number) => Number(chart.convertFromPixel({ xAxisIndex: 0 }, x));
	target.addEventListener("pointerdown", (event) => {
		if (event.button !== 0) return;
		began = at(event);
		target.setPointerCapture(event.pointerId);
	});
	target.addEventListener("pointermove", (event) => {
		if (began === null || Math.abs(at(event) - began) < DRAG_LEAST) return;
		if (!mark.isConnected) target.append(mark);
		mark.style.left = `${Math.min(began, at(event))}px`;
		mark.style.width = `${Math.abs(at(event) - began)}px`;
	});
	const ended = (event: PointerEvent) => {
		const marked = mark.isConnected && began !== null && event.type === "pointerup" ? [began, at(event)].sort((a, b) => a - b).map(timeAt) : null;
		began = null;
		mark.remove();
		if (marked) done(marked[0] ?? 0, marked[1] ?? 0);
	};
	target.addEventListener("pointerup", ended);
	target.addEventListener("pointercancel", ended);
}

async function draw(node: HTMLElement, renderer: "canvas" | "svg"): Promise<Instance> {
	const { init } = await import("./echarts");
	return init(node, null, { renderer });
}

function save(address: string, name: string): void {
	const link = document.createElement("a");
	link.href = address;
	link.download = name;
	link.click();
}

export function How({ answer }: { answer: Answer }) {
	const { t, tOf, language } = useHouse();
	const [copied, setCopied] = useState(false);
	const copy = () => void navigator.clipboard?.writeText(answer.command).then(() => setCopied(true));
	return (
		<details class="how">
			<summary>{t("chart.how")}</summary>
			<div class="pop">
				<p>{t("chart.span", { from: time(answer.from, language), to: time(answer.to, language), exactness: t(answer.exact ? "chart.exact" : "chart.estimated"), ms: answer.elapsed_ms })}</p>
				{answer.read && <p>{t("chart.read", { parts: answer.read.map((part) => tOf("chart.read", part)).join(language === "ja" ? "、" : ", ") })}</p>}
				{answer.since && <p class="note">{t("chart.since", { since: time(answer.since, language) })}</p>}
				<p>{t("chart.command")}</p>
				<pre class="command">{answer.command}</pre>
				<button type="button" onClick={copy}>{t(copied ? "word.copied" : "word.copy")}</button>
			</div>
		</details>
	);
}

export function Chart({ title, option, height = 280, query, answer, onPick, onTime, onSpan, busy }: ChartProps) {
	const { t, theme } = useHouse();
	const node = useRef<HTMLDivElement>(null);
	const chart = useRef<Instance | null>(null);
	const pick = useRef(onPick);
	pick.current = onPick;
	const atTime = useRef(onTime);
	atTime.current = onTime;
	const spanned = useRef(onSpan);
	spanned.current = onSpan;
	const latest = useRef(option);
	latest.current = option;
	useEffect(() => {
		let gone = false;
		const target = node.current;
		if (!target) return;
		const watch = new ResizeObserver(() => chart.current?.resize());
		void draw(target, "canvas").then((made) => {
			if (gone) return made.dispose();
			chart.current = made;
			made.setOption(latest.current, true);
			made.on("click", (params) => pick.current?.(params as never));
			if (spanned.current) brush(target, made, (from, to) => spanned.current?.(from, to));
			if (atTime.current)
				made.getZr().on("click", (event: { offsetX: number; offsetY: number }) => {
					const place = [event.offsetX, event.offsetY];
					if (made.containPixel({ gridIndex: 0 }, place)) atTime.current?.(Number(made.convertFromPixel({ xAxisIndex: 0 }, event.offsetX)));
				});
			watch.observe(target);
		});
		return () => {
			gone = true;
			watch.disconnect();
			chart.current?.dispose();
			chart.current = null;
		};
	}, [theme]);
	useEffect(() => chart.current?.setOption(option, { notMerge: true }), [option]);

	const png = () => {
		const address = chart.current?.getDataURL({ type: "png", pixelRatio: 3, backgroundColor: getComputedStyle(document.body).backgroundColor });
		if (address) save(address, `${title}.png`);
	};
	const svg = async () => {
		const off = document.createElement("div");
		off.style.width = `${node.current?.clientWidth ?? 800}px`;
		off.style.height = `${height}px`;
		const made = await draw(off, "svg");
		made.setOption({ ...option, animation: false });
		const text = made.renderToSVGString();
		made.dispose();
		save(URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })), `${title}.svg`);
	};
	return (
		<figure class="chart">
			<figcaption>
				<span>{title}</span>
				<span class="tools">
					{answer && <How answer={answer} />}
					<details class="menu">
						<summary>{t("chart.save")}</summary>
						<div class="pop">
							<button type="button" onClick={png}>{t("chart.png")}</button>
							<button type="button" onClick={() => void svg()}>{t("chart.svg")}</button>
							{query && <a href={downloadAddress(query, "csv")} download>{t("chart.csv")}</a>}
							{query && <a href={downloadAddress(query, "json")} download>{t("chart.json")}</a>}
						</div>
					</details>
				</span>
			</figcaption>
			<div ref={node} class={`canvas${busy ? " busy" : ""}${onSpan ? " spans" : ""}`} style={{ height: `${height}px` }} role="img" aria-label={title} />
		</figure>
	);
}
