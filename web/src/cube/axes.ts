// Where a packet stands in the cube: source address to the right, destination port upwards, destination address into the depth.
// All three run from 0 to 1. The port's scale is logarithmic, so that 22 and 23 are apart and 65535 still fits.

import { fourOf, fourText, groupsOf, has, networkOf, placeIn, type Network } from "../core/address";

export interface Tick {
	at: number;
	text: string;
	/** 0 is shown first; higher ones only where there is room. */
	weight: number;
}

export interface Axis {
	ticks: Tick[];
	/** Small marks without text. */
	minor: number[];
}

export interface Prefix extends Network {
	/** Its part of the destination axis. */
	from: number;
	to: number;
}

// Packets without a port (ICMP and the like) lie in a strip of their own under port 0.
const NO_PORT = 0.03;
const PORT_FLOOR = 0.08;
const GAP = 0.03;
const FOUR_WITH_SIX = 0.82;
const SIX_OF_DARKNET = 0.22;
const PREFIX_LEAST = 0.05;
const LEARNED_MAX = 12;
const PORT_TICKS: readonly [number, number][] = [[1, 1], [22, 1], [80, 2], [443, 1], [1024, 2], [8080, 1], [65535, 0]];

export function hasPort(protocol: number): boolean {
	return protocol === 6 || protocol === 17 || protocol === 33 || protocol === 132 || protocol === 136;
}

export function portHeight(protocol: number, port: number): number {
	return hasPort(protocol) ? PORT_FLOOR + (1 - PORT_FLOOR) * (Math.log2(port + 1) / 16) : NO_PORT;
}

export class Axes {
	prefixes: Prefix[] = [];
	/** True while prefixes were guessed from what arrived. */
	learned = true;
	/** The part of the source axis that IPv4 takes. */
	private four = 1;
	version = 0;

	/** The darknet as the hub says it. Texts that are no prefix are passed over. False when nothing remains or nothing changes. */
	setDarknet(texts: readonly string[]): boolean {
		const prefixes = texts.map(networkOf).filter((one) => one !== null).map((one) => ({ ...one, from: 0, to: 1 }));
		if (prefixes.length === 0 || (!this.learned && prefixes.map((one) => one.text).join() === this.prefixes.map((one) => one.text).join())) return false;
		this.learned = false;
		this.prefixes = prefixes;
		this.share();
		return true;
	}

	source(text: string): number {
		if (!text.includes(":")) return (fourOf(text) / 2 ** 32) * this.four;
		if (this.four === 1) return 1;
		// Nearly all that is in use begins with 2: 2000::/4 takes the room, the rest stands at its ends.
		const groups = groupsOf(text);
		const at = Math.max(0, Math.min(1, ((groups[0]! - 0x2000) * 65536 + groups[1]!) / 2 ** 28));
		return this.four + GAP + (1 - this.four - GAP) * at;
	}

	/** Depth of a destination; an address outside of what is known teaches a prefix when none was told. NaN when it has no place. */
	target(text: string): number {
		for (const prefix of this.prefixes) if (has(prefix, text)) return prefix.from + (prefix.to - prefix.from) * placeIn(prefix, text);
		if (!this.learned || this.prefixes.length >= LEARNED_MAX) return NaN;
		const six = text.includes(":");
		const network = networkOf(six ? `${groupsOf(text).slice(0, 3).map((one) => one.toString(16)).join(":")}::/48` : `${fourText(Math.floor(fourOf(text) / 65536) * 65536)}/16`);
		if (!network) return NaN;
		this.prefixes = [...this.prefixes, { ...network, from: 0, to: 1 }];
		this.share();
		return this.target(text);
	}

	// IPv4 prefixes share by size (none vanishes), IPv6 ones evenly.
	private share(): void {
		this.version++;
		this.prefixes.sort((a, b) => Number(a.six) - Number(b.six) || a.first - b.first || a.text.localeCompare(b.text));
		const fours = this.prefixes.filter((one) => !one.six);
		const sixes = this.prefixes.filter((one) => one.six);
		this.four = sixes.length > 0 ? FOUR_WITH_SIX : 1;
		const room = sixes.length === 0 ? 1 : fours.length === 0 ? 0 : 1 - SIX_OF_DARKNET - GAP;
		const all = fours.reduce((sum, one) => sum + one.size, 0);
		const weights = fours.map((one) => Math.max(PREFIX_LEAST, one.size / all));
		const sum = weights.reduce((a, b) => a + b, 0);
		let at = 0;
		fours.forEach((one, i) => {
			one.from = at;
			at += (room * weights[i]!) / sum;
			one.to = at;
		});
		const begin = fours.length === 0 ? 0 : room + GAP;
		sixes.forEach((one, i) => {
			one.from = begin + ((1 - begin) * i) / sixes.length;
			one.to = begin + ((1 - begin) * (i + 1)) / sixes.length;
		});
	}

	sourceAxis(): Axis {
		const ticks: Tick[] = [];
		for (let eight = 0; eight < 256; eight += 32) ticks.push({ at: (eight / 256) * this.four, text: `${eight}.0.0.0`, weight: eight === 0 ? 0 : eight % 128 === 0 ? 1 : eight % 64 === 0 ? 2 : 4 });
		ticks.push({ at: this.four, text: "255.255.255.255", weight: 0 });
		const minor: number[] = [];
		for (let eight = 8; eight < 256; eight += 8) minor.push((eight / 256) * this.four);
		if (this.four < 1) {
			ticks.push({ at: (this.four + GAP + 1) / 2, text: "IPv6", weight: 1 });
			for (let part = 0; part < 8; part++) minor.push(this.four + GAP + (1 - this.four - GAP) * (part / 8));
			minor.push(this.four);
		}
		return { ticks, minor };
	}

	targetAxis(): Axis {
		const ticks: Tick[] = [];
		const minor: number[] = [];
		const alone = this.prefixes.length === 1;
		this.prefixes.forEach((one, i) => {
			ticks.push({ at: one.from, text: one.text, weight: i === 0 ? 0 : 1 });
			if (one.six) {
				if (i > 0) minor.push(one.from);
				return;
			}
			for (let part = 1; part < 4; part++)
				if (one.size >= 4 && one.to - one.from > 0.2) ticks.push({ at: one.from + ((one.to - one.from) * part) / 4, text: fourText(one.first + (one.size * part) / 4), weight: part === 2 ? 2 : 4 });
			if (one.size > 1 && (alone || one.to - one.from > 0.2)) ticks.push({ at: one.to, text: fourText(one.first + one.size - 1), weight: alone ? 0 : 3 });
			for (let part = i > 0 ? 0 : 1; part < (i + 1 < this.prefixes.length ? 17 : 16); part++) minor.push(one.from + ((one.to - one.from) * part) / 16);
		});
		return { ticks, minor };
	}

	portAxis(noPort: string): Axis {
		const ticks = PORT_TICKS.map(([port, weight]) => ({ at: portHeight(6, port), text: String(port), weight }));
		ticks.push({ at: NO_PORT, text: noPort, weight: 1 });
		return { ticks, minor: Array.from({ length: 16 }, (_, power) => PORT_FLOOR + ((1 - PORT_FLOOR) * power) / 16) };
	}
}
