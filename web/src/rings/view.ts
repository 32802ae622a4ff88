// What the page asks of a picture of the rings, whether the GPU draws it (scene.ts) or a plain canvas (flat2d.ts).

import type { CubeCamera } from "../cube/camera";
import { VERDICT_COLOURS, VERDICTS, type Theme } from "../theme/palette";
import type { CometRing } from "./comets";
import type { Layout } from "./layout";

type Tone = readonly [colour: string, alpha: number];

export interface RingsColours {
	dark: boolean;
	page: string;
	guide: Tone;
	member: Tone;
	block: Tone;
	core: Tone;
	grid: Tone;
	glow: Tone;
	ink: string;
	soft: string;
	verdicts: readonly string[];
}

export function ringsColours(theme: Theme): RingsColours {
	const verdicts = VERDICTS.map((one) => VERDICT_COLOURS[theme][one]);
	if (theme === "light")
		return { dark: false, page: "#eef2f6", guide: ["#5d7288", 0.22], member: ["#5d7288", 0.22], block: ["#3b6ea5", 0.62], core: ["#22344a", 0.93], grid: ["#a9c4e2", 0.3], glow: ["#3b76bd", 0.25], ink: "#12202f", soft: "#42566b", verdicts };
	return { dark: true, page: "#070b12", guide: ["#7ea3cc", 0.16], member: ["#6f9bcf", 0.12], block: ["#5b8fca", 0.44], core: ["#05080e", 0.96], grid: ["#6ea6e6", 0.22], glow: ["#4f8fd6", 0.5], ink: "#e8f0fa", soft: "#9fb1c6", verdicts };
}

/** Segments: from, to, inner, outer | tone, member's number in the layout, 0, 0. */
export const SEGMENT_FLOATS = 8;
export const GUIDE = 0;
export const MEMBER = 1;
export const BLOCK = 2;
const CHUNK = 0.34;
const GUIDE_HALF = 0.0012;

/** The rings as pieces short enough to be bent. */
export function segmentsOf({ rings }: Layout): Float32Array {
	const out: number[] = [];
	const add = (from: number, to: number, inner: number, outer: number, tone: number, who: number) => {
		const pieces = Math.max(1, Math.ceil((to - from) / CHUNK));
		for (let i = 0; i < pieces; i++) out.push(from + ((to - from) * i) / pieces, from + ((to - from) * (i + 1)) / pieces, inner, outer, tone, who, 0, 0);
	};
	for (const ring of rings) {
		const middle = (ring.inner + ring.outer) / 2;
		add(0, 2 * Math.PI, middle - GUIDE_HALF, middle + GUIDE_HALF, GUIDE, -1);
		for (const place of ring.members) {
			const who = place.member.id;
			add(place.from, place.to, ring.inner - 0.007, ring.inner - 0.003, BLOCK, who);
			add(place.from, place.to, ring.inner, ring.outer, MEMBER, who);
			for (const block of place.blocks) add(block.from, block.to, ring.inner, ring.outer, BLOCK, who);
		}
	}
	return new Float32Array(out);
}

/** Alerts: angle, radius, height, verdict | state, since, beat, member. Times are the picture's. */
export const MARK_FLOATS = 8;
export const MARKS_MAX = 400;
/** Blocks with an alert: from, to, radius, height | verdict, state, beat, member. */
export const WALL_FLOATS = 8;
export const WALLS_MAX = 200;
export const HEIGHTS = [0.17, 0.11, 0.05] as const;

export interface Shown {
	marks: Float32Array;
	markCount: number;
	walls: Float32Array;
	wallCount: number;
}

export interface RingsView {
	readonly canvas: HTMLCanvasElement;
	readonly rendererName: string;
	time: number;
	setColours(colours: RingsColours): void;
	setSegments(segments: Float32Array): void;
	setShown(shown: Shown): void;
	setStill(still: boolean): void;
	/** The member that stands out, or -1. */
	setFocus(member: number): void;
	setCometsMax(count: number): void;
	resize(scale: number, sharpness: number): void;
	frame(): void;
	/** Draws once more, finer, onto a canvas of its own: the picture without words. */
	picture(finer: number): HTMLCanvasElement;
	dispose(): void;
}

export interface ViewParts {
	canvas: HTMLCanvasElement;
	camera: CubeCamera;
	comets: CometRing;
}
