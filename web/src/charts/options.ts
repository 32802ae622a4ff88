// Options of the few kinds of picture there are. Tooltips are drawn, not HTML: the content policy forbids inline style.

import type { EChartsOption } from "echarts/types/dist/shared";
import { short, type Language } from "../core/format";
import { SERIES, SURFACE, type Theme } from "../theme/palette";

const FONT = '"Inter","Hiragino Sans","Noto Sans JP","Noto Sans CJK JP","Yu Gothic UI",Meiryo,system-ui,sans-serif';

function base(theme: Theme): EChartsOption {
	const surface = SURFACE[theme];
	return {
		animationDuration: 200,
		textStyle: { fontFamily: FONT, color: surface.text },
		aria: { enabled: true },
		tooltip: {
			renderMode: "richText", confine: true, backgroundColor: surface.panel, borderColor: surface.line,
			textStyle: { color: surface.text, fontFamily: FONT, fontSize: 12 },
		},
	};
}

const axis = (theme: Theme) => ({
	axisLine: { lineStyle: { color: SURFACE[theme].line } },
	axisTick: { show: false },
	axisLabel: { color: SURFACE[theme].muted, hideOverlap: true },
	splitLine: { lineStyle: { color: SURFACE[theme].line, type: "dashed" as const } },
});

export interface Series { name: string; color?: string; shape?: string; points: [number, number][] }

/** Areas on one another, or lines; `mark` is a time that is pointed at. */
export interface Span { from: string; to: string }

/** `span` is the time that was asked for: the axis shows all of it where little was seen, else what was seen. */
export function stacked(series: Series[], span: Span, theme: Theme, language: Language, line = false, mark?: number): EChartsOption {
	const few = (series[0]?.points.length ?? 0) < 12;
	return {
		...base(theme),
		grid: { left: 8, right: 12, top: series.length > 1 ? 34 : 12, bottom: 8, containLabel: true },
		legend: series.length > 1 ? { top: 0, left: 0, type: "scroll", itemWidth: 10, itemHeight: 10, textStyle: { color: SURFACE[theme].muted }, data: series.map((one) => ({ name: one.name, icon: one.shape ? `path://${one.shape}` : "roundRect" })) } : { show: false },
		tooltip: { ...(base(theme).tooltip as object), trigger: "axis", valueFormatter: (value) => short(Number(value), language) },
		xAxis: { type: "time", ...(few ? { min: Date.parse(span.from), max: Date.parse(span.to) } : {}), ...axis(theme), splitLine: { show: false } },
		yAxis: { type: "value", ...axis(theme), axisLabel: { color: SURFACE[theme].muted, formatter: (value: number) => short(value, language) } },
		series: series.map((one, i) => ({
			type: "line", name: one.name, data: one.points, showSymbol: false, symbolSize: 8, triggerLineEvent: true,
			lineStyle: { width: line ? 1.5 : 1 }, color: one.color ?? SERIES[theme][i % 10] ?? "#888",
			...(line ? {} : { stack: "all", areaStyle: { opacity: 0.55 } }), emphasis: { focus: "series" },
			...(i === 0 && mark ? { markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: SURFACE[theme].text, type: "solid" as const }, data: [{ xAxis: mark }] } } : {}),
		})),
	};
}

export function bars(rows: { name: string; value: number }[], theme: Theme, language: Language, color?: string): EChartsOption {
	return {
		...base(theme),
		grid: { left: 8, right: 56, top: 4, bottom: 4, containLabel: true },
		xAxis: { type: "value", show: false },
		yAxis: { type: "category", inverse: true, data: rows.map((row) => row.name), ...axis(theme), axisLine: { show: false }, axisLabel: { color: SURFACE[theme].text, width: 150, overflow: "truncate" } },
		tooltip: { ...(base(theme).tooltip as object), valueFormatter: (value) => short(Number(value), language) },
		series: [{ type: "bar", data: rows.map((row) => row.value), color: color ?? SURFACE[theme].accent, barMaxWidth: 16, itemStyle: { borderRadius: 2 },
			label: { show: true, position: "right", color: SURFACE[theme].muted, formatter: (params) => short(Number(params.value), language) } }],
	};
}

export function columns(rows: { name: string; value: number }[], theme: Theme, language: Language): EChartsOption {
	return {
		...base(theme),
		grid: { left: 8, right: 8, top: 12, bottom: 8, containLabel: true },
		xAxis: { type: "category", data: rows.map((row) => row.name), ...axis(theme) },
		yAxis: { type: "value", ...axis(theme), axisLabel: { color: SURFACE[theme].muted, formatter: (value: number) => short(value, language) } },
		tooltip: { ...(base(theme).tooltip as object), valueFormatter: (value) => short(Number(value), language) },
		series: [{ type: "bar", data: rows.map((row) => row.value), color: SURFACE[theme].accent, barMaxWidth: 36, itemStyle: { borderRadius: [2, 2, 0, 0] } }],
	};
}

/** Columns of several series beside one another; null is what is not told, and said so. */
export function columnsBeside(names: string[], series: { name: string; values: (number | null)[] }[], untold: string, theme: Theme, language: Language): EChartsOption {
	return {
		...base(theme),
		grid: { left: 8, right: 8, top: 34, bottom: 8, containLabel: true },
		legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 10, textStyle: { color: SURFACE[theme].muted } },
		xAxis: { type: "category", data: names, ...axis(theme), splitLine: { show: false } },
		yAxis: { type: "value", minInterval: 1, ...axis(theme), axisLabel: { color: SURFACE[theme].muted, formatter: (value: number) => short(value, language) } },
		tooltip: { ...(base(theme).tooltip as object), trigger: "axis", valueFormatter: (value) => (value === null || value === undefined ? untold : short(Number(value), language)) },
		series: series.map((one, i) => ({ type: "bar", name: one.name, data: one.values, color: SERIES[theme][i] ?? SURFACE[theme].accent, barMaxWidth: 22, barGap: "12%", itemStyle: { borderRadius: [2, 2, 0, 0] } })),
	};
}

export function pie(rows: { name: string; value: number; color?: string }[], theme: Theme, language: Language): EChartsOption {
	return {
		...base(theme),
		color: SERIES[theme],
		tooltip: { ...(base(theme).tooltip as object), valueFormatter: (value) => short(Number(value), language) },
		series: [{ type: "pie", radius: ["40%", "62%"], center: ["50%", "50%"], startAngle: 90, clockwise: true, itemStyle: { borderColor: SURFACE[theme].ground, borderWidth: 2 },
			data: rows.map((row) => ({ name: row.name, value: row.value, ...(row.color ? { itemStyle: { color: row.color } } : {}) })),
			label: { color: SURFACE[theme].text, formatter: "{b}  {d}%", overflow: "none" }, labelLine: { lineStyle: { color: SURFACE[theme].line } } }],
	};
}

/** A step of an axis that reads well in powers of two. */
const binaryStep = (most: number): number => 2 ** Math.ceil(Math.log2(Math.max(most, 4) / 4));

/** Columns over time, one series; of bytes, with an axis in powers of two. */
export function columnsOverTime(points: [number, number][], theme: Theme, language: Language, bytes?: (value: number) => string): EChartsOption {
	const said = bytes ?? ((value: number) => short(value, language));
	return {
		...base(theme),
		grid: { left: 8, right: 12, top: 12, bottom: 8, containLabel: true },
		tooltip: { ...(base(theme).tooltip as object), trigger: "axis", valueFormatter: (value) => said(Number(value)) },
		xAxis: { type: "time", ...axis(theme), splitLine: { show: false } },
		yAxis: { type: "value", ...(bytes ? { interval: binaryStep(Math.max(0, ...points.map(([, value]) => value))) } : {}), ...axis(theme), axisLabel: { color: SURFACE[theme].muted, formatter: said } },
		series: [{ type: "bar", data: points, color: SERIES[theme][0] ?? "#5b9dff", barMaxWidth: 14, itemStyle: { borderRadius: [2, 2, 0, 0] } }],
	};
}
