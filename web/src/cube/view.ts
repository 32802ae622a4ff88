// What the page asks of a picture of the cube, whether the GPU draws it (scene.ts) or a plain canvas (flat2d.ts).

import type { Axis } from "./axes";
import type { CubeCamera } from "./camera";
import type { PointRing } from "./points";
import { KIND_COLOURS, type Theme } from "../atlas/house";

export interface CubeColours {
	dark: boolean;
	page: string;
	edge: [colour: string, alpha: number];
	grid: [colour: string, alpha: number];
	gate: [colour: string, alpha: number];
	plane: [colour: string, alpha: number];
	shadow: [colour: string, alpha: number];
	ink: string;
	soft: string;
	kinds: readonly string[];
}

export function cubeColours(theme: Theme): CubeColours {
	const kinds = KIND_COLOURS[theme];
	if (theme === "light")
		return {
			dark: false,
			page: "#eef2f6",
			edge: ["#4a6078", 0.62],
			grid: ["#5d7288", 0.2],
			gate: ["#3b76bd", 0.1],
			plane: ["#3b76bd", 0.5],
			shadow: ["#4a6078", 0.22],
			ink: "#12202f",
			soft: "#42566b",
			kinds,
		};
	return {
		dark: true,
		page: "#070b12",
		edge: ["#8fb4dc", 0.55],
		grid: ["#7ea3cc", 0.13],
		gate: ["#4f8fd6", 0.075],
		plane: ["#7fb0e6", 0.42],
		shadow: ["#9fc2ea", 0.16],
		ink: "#e8f0fa",
		soft: "#9fb1c6",
		kinds,
	};
}

export interface CubeAxes {
	source: Axis;
	port: Axis;
	target: Axis;
}

export interface CubeView {
	readonly canvas: HTMLCanvasElement;
	readonly rendererName: string;
	time: number;
	setColours(colours: CubeColours): void;
	setAxes(axes: CubeAxes): void;
	setShown(shown: readonly boolean[]): void;
	setStill(still: boolean): void;
	/** The source whose points stand out, or -1. */
	setFocus(who: number): void;
	/** Heights (0..1) and strengths (0..1) of ports that stand out as planes. */
	setPlanes(planes: readonly { height: number; strength: number }[]): void;
	setPointsMax(count: number): void;
	setShadows(on: boolean): void;
	resize(scale: number, sharpness: number): void;
	frame(): void;
	/** Draws once more, finer, onto a canvas of its own: the picture without words. */
	picture(finer: number): HTMLCanvasElement;
	dispose(): void;
}

export interface ViewParts {
	canvas: HTMLCanvasElement;
	camera: CubeCamera;
	points: PointRing;
}
