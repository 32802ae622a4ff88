// Colours of the map and of the top ports. Kinds have their colours from the palette of the whole product.

import { KIND_COLOURS, type Theme } from "./house";
import type { SceneColours } from "./scene";

// Eight hues of even lightness and a grey for the rest (after Okabe and Ito, and Tol's "bright"), checked against both grounds.
export const PORT_COLOURS: Record<Theme, readonly string[]> = {
	dark: ["#4cc9f0", "#ffb454", "#7ee081", "#ff7a90", "#b69cff", "#f4e04d", "#2ec4b6", "#ff9de2", "#8793a3"],
	light: ["#0077a8", "#a85a00", "#2f7d32", "#c22d4b", "#6441c9", "#7a6500", "#00786f", "#a8348c", "#68737f"],
};

export function sceneColours(theme: Theme): SceneColours {
	const kinds = KIND_COLOURS[theme];
	const ports = PORT_COLOURS[theme];
	if (theme === "light")
		return {
			dark: false,
			page: "#eef2f6",
			sea: "#e3eaf1",
			seaNight: "#cfd9e4",
			land: "#fbfcfd",
			landNight: "#e6ebf1",
			landWarm: "#c9dcf7",
			landHover: "#b9d3fb",
			coast: ["#7d90a6", 0.75],
			border: ["#9fb0c2", 0.5],
			grid: ["#8ea2b8", 0.16],
			usual: "#3a6ea8",
			unusual: "#c05600",
			glow: "#9fb8d6",
			beacon: "#14283f",
			kinds,
			ports,
		};
	return {
		dark: true,
		page: "#070b12",
		sea: "#0a111c",
		seaNight: "#070c15",
		land: "#18273a",
		landNight: "#101b2a",
		landWarm: "#27537f",
		landHover: "#35659a",
		coast: ["#6f96bf", 0.5],
		border: ["#4a6889", 0.32],
		grid: ["#5b7fa8", 0.09],
		usual: "#5d87b5",
		unusual: "#ffe0a3",
		glow: "#4f8fd6",
		beacon: "#eaf4ff",
		kinds,
		ports,
	};
}
