// Addresses and prefixes as numbers, so that pictures can place them.

export interface Network {
	text: string;
	six: boolean;
	bits: number;
	groups: number[];
	/** IPv4 only. */
	first: number;
	size: number;
}

export function fourOf(text: string): number {
	let value = 0;
	for (const part of text.split(".")) value = value * 256 + Number(part);
	return value;
}

export function fourText(value: number): string {
	return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export function groupsOf(text: string): number[] {
	const [head = "", tail] = text.split("::");
	const parse = (part: string): number[] => {
		if (part === "") return [];
		return part.split(":").flatMap((one) => {
			if (!one.includes(".")) return [parseInt(one, 16) || 0];
			const four = fourOf(one);
			return [Math.floor(four / 65536), four % 65536];
		});
	};
	const front = parse(head);
	if (tail === undefined) return [...front, 0, 0, 0, 0, 0, 0, 0, 0].slice(0, 8);
	const back = parse(tail);
	return [...front, ...new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back].slice(0, 8);
}

/** What follows the first `bits` bits, 0..1. */
function restOf(groups: readonly number[], bits: number): number {
	const at = Math.floor(bits / 16);
	const value = ((groups[at] ?? 0) * 65536 + (groups[at + 1] ?? 0)) * 65536 + (groups[at + 2] ?? 0);
	const room = 2 ** (48 - (bits % 16));
	return (value % room) / room;
}

export function networkOf(text: string): Network | null {
	const [address = "", length] = text.split("/");
	const bits = Number(length);
	const six = address.includes(":");
	if (length === undefined || !Number.isInteger(bits) || bits < 0 || bits > (six ? 128 : 32) || !/^[\da-fA-F:.]+$/.test(address)) return null;
	const size = six ? 0 : 2 ** (32 - bits);
	const first = six ? 0 : Math.floor(fourOf(address) / size) * size;
	return { text, six, bits, groups: six ? groupsOf(address) : [], first, size };
}

export function has(network: Network, address: string): boolean {
	const six = address.includes(":");
	if (network.six !== six) return false;
	if (!six) {
		const four = fourOf(address);
		return four >= network.first && four < network.first + network.size;
	}
	const groups = groupsOf(address);
	for (let bit = 0; bit < network.bits; bit += 16) {
		const shift = 16 - Math.min(16, network.bits - bit);
		if ((groups[bit / 16] ?? 0) >> shift !== (network.groups[bit / 16] ?? 0) >> shift) return false;
	}
	return true;
}

/** Where in the network an address of it stands, 0..1. */
export function placeIn(network: Network, address: string): number {
	return network.six ? restOf(groupsOf(address), network.bits) : (fourOf(address) - network.first) / network.size;
}
