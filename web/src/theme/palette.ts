// Colour has one meaning everywhere: the kind of a packet. Hues stay apart for the common kinds of colour blindness and differ in
// lightness too; each has a shape, so that colour is never alone.

export const KINDS = ["scan", "backscatter", "survey", "reflection", "misconfiguration", "other"] as const;
export type Kind = (typeof KINDS)[number];
export type Theme = "dark" | "light";

export const KIND_COLOURS: Record<Theme, Record<Kind, string>> = {
	dark: { scan: "#5b9dff", backscatter: "#ff9f43", survey: "#35d0a5", reflection: "#d77bf0", misconfiguration: "#f2d94e", other: "#a7b3c2" },
	light: { scan: "#1f62d0", backscatter: "#b85c00", survey: "#00795c", reflection: "#9a2fb5", misconfiguration: "#7a6500", other: "#55606e" },
};

/** SVG paths in a 16 by 16 box; the shaders of the maps draw the same. */
export const KIND_SHAPES: Record<Kind, string> = {
	scan: "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3",
	backscatter: "M8 1.8 14.2 8 8 14.2 1.8 8Z",
	survey: "M3 3h10v10H3Z",
	reflection: "M8 2.2 14.4 13.4H1.6Z",
	misconfiguration: "M6.2 2h3.6v4.2H14v3.6H9.8V14H6.2V9.8H2V6.2h4.2Z",
	other: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2m0 3.1a2.9 2.9 0 1 0 0 5.8 2.9 2.9 0 0 0 0-5.8",
};

/** What is the matter with a member's own address. A victim is seen by its backscatter, a mistake is misconfiguration: the same colours. */
export const VERDICTS = ["infected", "victim", "misconfigured", "spoofed"] as const;
export type Verdict = (typeof VERDICTS)[number];

export const VERDICT_COLOURS: Record<Theme, Record<Verdict, string>> = {
	dark: { infected: "#ff5470", victim: KIND_COLOURS.dark.backscatter, misconfigured: KIND_COLOURS.dark.misconfiguration, spoofed: KIND_COLOURS.dark.other },
	light: { infected: "#b8123b", victim: KIND_COLOURS.light.backscatter, misconfigured: KIND_COLOURS.light.misconfiguration, spoofed: KIND_COLOURS.light.other },
};

export const VERDICT_SHAPES: Record<Verdict, string> = {
	infected: "M8 .9l1.8 3.3 3.5-1.5-1.5 3.5L15.1 8l-3.3 1.8 1.5 3.5-3.5-1.5L8 15.1l-1.8-3.3-3.5 1.5 1.5-3.5L.9 8l3.3-1.8-1.5-3.5 3.5 1.5Z",
	victim: KIND_SHAPES.backscatter,
	misconfigured: KIND_SHAPES.misconfiguration,
	spoofed: KIND_SHAPES.other,
};

/** Series without a kind: distinct, quiet, in a fixed order. */
export const SERIES: Record<Theme, string[]> = {
	dark: ["#5b9dff", "#35d0a5", "#ff9f43", "#d77bf0", "#f2d94e", "#7fd4ff", "#ff7d8e", "#9be37a", "#c3a6ff", "#a7b3c2"],
	light: ["#1f62d0", "#00795c", "#b85c00", "#9a2fb5", "#7a6500", "#00708f", "#b3263a", "#3b7a14", "#5b3fc4", "#55606e"],
};

export const SURFACE: Record<Theme, { ground: string; panel: string; text: string; muted: string; line: string; accent: string; danger: string }> = {
	dark: { ground: "#0a1017", panel: "#101923", text: "#e6edf5", muted: "#93a3b5", line: "#22303f", accent: "#35d0a5", danger: "#ff7d8e" },
	light: { ground: "#f5f7f9", panel: "#ffffff", text: "#15202b", muted: "#566473", line: "#d9e0e7", accent: "#00795c", danger: "#b3263a" },
};
