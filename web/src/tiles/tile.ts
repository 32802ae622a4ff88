// One tile's words: an anchor with four short texts, written only where something changed.

import { KIND_COLOURS, language, links, type Theme } from "../atlas/house";
import { countryName } from "../atlas/iso";
import { portLabel } from "../atlas/model";
import type { Hello } from "../live/stream";
import { sayOf } from "../i18n";
import { KIND_SHAPES, KINDS } from "../theme/palette";
import type { Guess } from "./behaviour";
import type { Source } from "./model";
import { say } from "./texts";

export function guessText(guess: Guess): string {
	const port = portLabel(guess.port);
	if (guess.behaviour === "horizontal" && guess.ports > 1) return say("horizontal.more", { port, more: guess.ports - 1 });
	return say(`${guess.behaviour}.guess`, { port, ports: guess.ports });
}

export function toolText(tool: number, hello: Hello | null): string {
	const name = hello?.tools[tool];
	return tool > 0 && name ? sayOf(language(), "tool", name) : "";
}

export interface TileText {
	address: string;
	place: string;
	count: string;
	guess: string;
	kind: number;
}

const NS = "http://www.w3.org/2000/svg";

function part(name: string, ...inner: Element[]): HTMLElement {
	const made = document.createElement("span");
	made.className = name;
	made.append(...inner);
	return made;
}

export class Tile {
	readonly element = document.createElement("a");
	/** Whom it shows; behind `source` of its slot while it fades. */
	source: Source | null = null;
	alpha = 0;
	dim = 1;
	x = NaN;
	y = NaN;
	text: TileText = { address: "", place: "", count: "", guess: "", kind: -1 };
	private readonly shape = document.createElementNS(NS, "path");
	private readonly address = part("tile-address");
	private readonly place = part("tile-place");
	private readonly count = part("tile-count");
	private readonly guess = part("tile-guess");
	private key = "";

	constructor() {
		const mark = document.createElementNS(NS, "svg");
		mark.setAttribute("viewBox", "0 0 16 16");
		mark.setAttribute("class", "atlas-mark");
		mark.setAttribute("aria-hidden", "true");
		mark.append(this.shape);
		this.shape.setAttribute("fill-rule", "evenodd");
		this.element.className = "tile";
		this.element.tabIndex = -1;
		this.element.append(part("tile-head", mark, this.address, this.place, this.count), this.guess);
		this.element.hidden = true;
	}

	write(now: number, hello: Hello | null, theme: Theme): void {
		const { source } = this;
		this.element.hidden = !source;
		if (!source) {
			this.key = "";
			return;
		}
		const guess = source.guess(now);
		const text = {
			address: source.address,
			place: [countryName(source.country, language()), toolText(source.tool, hello)].filter(Boolean).join(" · "),
			count: say("minute", { count: guess.packets }),
			guess: guessText(guess),
			kind: guess.kind,
		};
		const key = Object.values(text).join("|") + theme;
		if (key === this.key) return;
		this.key = key;
		this.text = text;
		const set = (element: HTMLElement, value: string) => element.textContent !== value && (element.textContent = value);
		set(this.address, text.address);
		set(this.place, text.place);
		set(this.count, text.count);
		set(this.guess, text.guess);
		this.shape.setAttribute("d", KIND_SHAPES[KINDS[text.kind] ?? "other"]);
		this.shape.setAttribute("fill", KIND_COLOURS[theme][text.kind] ?? "");
		this.element.href = links.source(source.address);
		this.element.dataset["kind"] = KINDS[text.kind] ?? "other";
		this.element.dataset["behaviour"] = guess.behaviour;
		const label = say("label", { address: text.address, country: text.place, guess: text.guess, count: guess.packets });
		this.element.setAttribute("aria-label", label);
		this.element.title = `${text.address}\n${text.place}\n${say(`${guess.behaviour}.name`)}: ${say(`${guess.behaviour}.help`)}`;
	}
}
