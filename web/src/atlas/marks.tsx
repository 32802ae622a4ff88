// Small drawings shared by the Atlas and the Cube: the mark of a kind (as the shaders draw it), a sparkline, icons.

import { KIND_SHAPES, KINDS } from "../theme/palette";
import { KIND_COLOURS, type Theme } from "./house";

export function Mark({ kind, theme }: { kind: number; theme: Theme }) {
	return (
		<svg class="atlas-mark" viewBox="0 0 16 16" aria-hidden="true" fill={KIND_COLOURS[theme][kind]}>
			<path fill-rule="evenodd" d={KIND_SHAPES[KINDS[kind] ?? "other"]} />
		</svg>
	);
}

export function Spark({ values, colour }: { values: Float64Array; colour: string }) {
	let top = 1;
	for (const value of values) if (value > top) top = value;
	let path = "";
	let first = 100;
	for (let i = 0; i < values.length; i++) {
		if (Number.isNaN(values[i])) continue;
		const x = (i / (values.length - 1)) * 100;
		const y = 23 - (values[i]! / (top * 1.15)) * 21;
		if (!path) first = x;
		path += `${path ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
	}
	if (!path) return <svg class="atlas-spark" viewBox="0 0 100 24" aria-hidden="true" />;
	return (
		<svg class="atlas-spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
			<path d={`${path}L100 24L${first.toFixed(1)} 24Z`} fill={colour} opacity="0.16" />
			<path d={path} fill="none" stroke={colour} stroke-width="1.4" vector-effect="non-scaling-stroke" stroke-linejoin="round" />
		</svg>
	);
}

const ICONS = {
	pause: "M5 3h2.5v10H5zM8.5 3H11v10H8.5z",
	play: "M5 2.8 13 8l-8 5.2z",
	colour: "M8 2a6 6 0 1 0 0 12c1 0 1.4-.7 1.1-1.5-.4-1 .1-1.9 1.2-1.9H12A2 2 0 0 0 14 8.4C13.8 4.8 11.2 2 8 2M4.6 8.8a1 1 0 1 1 0-2 1 1 0 0 1 0 2m2-3a1 1 0 1 1 0-2 1 1 0 0 1 0 2m3.5 0a1 1 0 1 1 0-2 1 1 0 0 1 0 2",
	globe: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13m0 1.2c.9 0 1.9 1.5 2.2 4.6H5.8C6.1 4.2 7.1 2.7 8 2.7M5.8 3.2c-.6 1-1 2.5-1.1 4.1H2.8a5.3 5.3 0 0 1 3-4.1m4.4 0a5.3 5.3 0 0 1 3 4.1h-1.9c-.1-1.6-.5-3.1-1.1-4.1M2.8 8.6h1.9c.1 1.6.5 3.1 1.1 4.2a5.3 5.3 0 0 1-3-4.2m3 0h4.4c-.3 3.1-1.3 4.7-2.2 4.7s-1.9-1.6-2.2-4.7m5.5 0h1.9a5.3 5.3 0 0 1-3 4.2c.6-1.1 1-2.6 1.1-4.2",
	centre: "M7.4 1h1.2v2.1a5 5 0 0 1 4.3 4.3H15v1.2h-2.1a5 5 0 0 1-4.3 4.3V15H7.4v-2.1a5 5 0 0 1-4.3-4.3H1V7.4h2.1a5 5 0 0 1 4.3-4.3zM8 4.3a3.7 3.7 0 1 0 0 7.4 3.7 3.7 0 0 0 0-7.4m0 2.2a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3",
	night: "M13.5 9.8A6 6 0 1 1 6.2 2.5a5 5 0 0 0 7.3 7.3",
	save: "M7.4 2h1.2v6l2.2-2.2.9.9L8 10.4 4.3 6.7l.9-.9L7.4 8zM2.5 10h1.3v2.5h8.4V10h1.3v3.8h-11z",
	table: "M2 2.5h12v11H2zm1.2 1.2v2h3v-2zm4.2 0v2h5.4v-2zm-4.2 3.2v2.2h3V6.9zm4.2 0v2.2h5.4V6.9zm-4.2 3.4v2h3v-2zm4.2 0v2h5.4v-2z",
	wall: "M2 2h4.5v1.3H3.3v3.2H2zm7.5 0H14v4.5h-1.3V3.3H9.5zM2 9.5h1.3v3.2h3.2V14H2zm10.7 0H14V14H9.5v-1.3h3.2z",
	full: "M9.2 2H14v4.8h-1.3V4.2L9.6 7.3l-.9-.9 3.1-3.1H9.2zM6.8 14H2V9.2h1.3v2.6l3.1-3.1.9.9-3.1 3.1h2.6z",
	whole: "M3 8a5 5 0 1 1 1.5 3.5l.9-.9A3.7 3.7 0 1 0 4.3 8H6L3.7 10.6 1.3 8z",
	info: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13m0 1.3a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8M7.3 7h1.4v4.5H7.3zm0-2.4h1.4V6H7.3z",
	turn: "M8 3c3.6 0 6.5 1.5 6.5 3.6 0 1.7-1.9 3-4.5 3.5V8.8c1.9-.4 3.2-1.3 3.2-2.2C13.2 5.4 10.9 4.3 8 4.3S2.8 5.4 2.8 6.6c0 .9 1.3 1.8 3.2 2.2V7.3L9 9.7 6 12v-1.9C3.4 9.6 1.5 8.3 1.5 6.6 1.5 4.5 4.4 3 8 3",
	scale: "M2 2h1.3v10.7H14V14H2zm3 8.5 2-3.5 2 1.5 3.5-5.5 1.1.7-4.2 6.6-2-1.5-1.3 2.3z",
	curve: "M2 14V8.5h4V5H2V2h1.3v1.7h4v6.1h-4V14zm6.7 0V9.8H10V5H8.7V2H10v1.7h4V5h-2.7v4.8H14V14h-1.3v-2.9H10V14z",
	close: "m3.5 2.6 4.5 4.5 4.5-4.5.9.9L8.9 8l4.5 4.5-.9.9L8 8.9l-4.5 4.5-.9-.9L7.1 8 2.6 3.5z",
} as const;

export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }) {
	return (
		<svg class="atlas-icon" viewBox="0 0 16 16" aria-hidden="true" fill="currentColor" fill-rule="evenodd">
			<path d={ICONS[name]} />
		</svg>
	);
}

export function Tool(props: { icon: IconName; label: string; pressed?: boolean; onClick: () => void; shortcut?: string }) {
	return (
		<button
			type="button"
			class="atlas-tool"
			title={props.shortcut ? `${props.label} (${props.shortcut})` : props.label}
			aria-label={props.label}
			aria-pressed={props.pressed}
			aria-keyshortcuts={props.shortcut}
			onClick={props.onClick}
		>
			<Icon name={props.icon} />
		</button>
	);
}
