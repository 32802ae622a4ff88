// What the page asks of a picture of the Earth, whether the GPU draws it (scene.ts) or a plain canvas (flat2d.ts).

import type { Arc } from "../live/stream";
import type { ArcRing } from "./arcs";
import type { Geography } from "./geography";
import type { Insets, SceneColours } from "./scene";

export interface AtlasView {
	readonly canvas: HTMLCanvasElement;
	readonly arcs: ArcRing;
	readonly rendererName: string;
	geography: Geography | null;
	time: number;
	paused: boolean;
	setGeography(geography: Geography): void;
	setColours(colours: SceneColours): void;
	setTarget(longitude: number, latitude: number): void;
	setCentre(longitude: number): void;
	setGlobe(globe: boolean, at_once: boolean): void;
	setShown(shown: readonly boolean[]): void;
	setByPort(by_port: boolean): void;
	setStill(still: boolean): void;
	setNight(on: boolean): void;
	setHover(country: number): void;
	setCountry(index: number, warmth: number): void;
	resize(width: number, height: number, insets: Insets, scale: number, sharpness: number): void;
	setArcsMax(count: number): void;
	launch(row: Arc, delay: number, portSlot: number): boolean;
	frame(seconds: number): void;
	drag(dx: number, dy: number): void;
	zoomBy(factor: number, x: number, y: number): void;
	resetView(): void;
	placeAt(x: number, y: number): { longitude: number; latitude: number } | null;
	arcAt(x: number, y: number, reach: number): Arc | null;
	picture(): Promise<Blob | null>;
	dispose(): void;
}
