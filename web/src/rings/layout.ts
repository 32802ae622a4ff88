// Where members stand: a ring for each sector, on it an arc for each member, in the arc a segment for each of its blocks. Sizes are
// address space, drawn together by a root, so that a town's /24 is still seen beside a carrier's /12; the same size is the same length
// on every ring.

import { has, networkOf, placeIn, type Network } from "../core/address";
import { SECTORS, sectorOf, type Alert, type Member, type Sector } from "./model";

const TURN = 2 * Math.PI;
const ROOT = 0.36;
/** An IPv6 network of /48 weighs as much as so many IPv4 addresses. */
const SITE = 256;
const BLOCKS_MAX = 6000;
const FULL = 0.84;
const WIDEST = 0.42 * TURN;
const LEAST = 0.012;
const INNER = 0.47;
const OUTER = 0.8;
const ONE = 0.66;
export const BLOCK_HALF = 0.034;

export interface BlockPlace {
	text: string;
	network: Network | null;
	from: number;
	to: number;
}

export interface MemberPlace {
	member: Member;
	ring: number;
	from: number;
	to: number;
	blocks: BlockPlace[];
}

export interface RingPlace {
	sector: Sector;
	inner: number;
	outer: number;
	members: MemberPlace[];
}

export interface Layout {
	rings: RingPlace[];
	byMember: Map<number, MemberPlace>;
}

export interface Spot {
	place: MemberPlace;
	block: BlockPlace;
	angle: number;
	radius: number;
}

export function weightOf(addresses: number, sites: number): number {
	return Math.max(1, addresses + sites * SITE) ** ROOT;
}

function blockNetwork(text: string): Network | null {
	return networkOf(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
}

function blockWeight(network: Network | null): number {
	if (!network) return 1;
	return network.six ? weightOf(0, 2 ** Math.max(0, 48 - network.bits)) : weightOf(network.size, 0);
}

function blocksOf(member: Member, from: number, to: number, most: number): BlockPlace[] {
	const texts = member.blocks.slice(0, most);
	const networks = texts.map(blockNetwork);
	const weights = networks.map(blockWeight);
	const sum = weights.reduce((a, b) => a + b, 0);
	// None vanishes; each leaves a small gap to the next.
	const least = 0.35 / Math.max(1, texts.length);
	const shares = weights.map((one) => Math.max(least, one / sum));
	const all = shares.reduce((a, b) => a + b, 0);
	const gap = texts.length > 1 ? Math.min(0.0035, (0.25 * (to - from)) / texts.length) : 0;
	let at = from;
	return texts.map((text, i) => {
		const room = ((to - from) * shares[i]!) / all;
		const place = { text, network: networks[i]!, from: at + gap / 2, to: at + room - gap / 2 };
		at += room;
		return place;
	});
}

export function layout(members: readonly Member[]): Layout {
	const groups = SECTORS.map((sector) => ({ sector, members: members.filter((one) => sectorOf(one) === sector && one.blocks.length > 0).sort((a, b) => (a.key < b.key ? -1 : 1)) })).filter((group) => group.members.length > 0);
	const step = groups.length > 1 ? (OUTER - INNER) / (groups.length - 1) : 0;
	const half = BLOCK_HALF;
	const rings = groups.map(({ sector }, i): RingPlace => {
		const middle = groups.length > 1 ? INNER + step * i : ONE;
		return { sector, inner: middle - half, outer: middle + half, members: [] };
	});
	const weights = groups.map((group) => group.members.map((one) => weightOf(one.addresses, one.sites)));
	const radius = (i: number) => (rings[i]!.inner + rings[i]!.outer) / 2;
	const unit = Math.min(...weights.map((own, i) => (FULL * TURN * radius(i)) / own.reduce((a, b) => a + b, 0)));
	const blocks = members.reduce((sum, one) => sum + one.blocks.length, 0);
	const most = blocks > BLOCKS_MAX ? Math.max(1, Math.floor(BLOCKS_MAX / members.length)) : Infinity;
	const byMember = new Map<number, MemberPlace>();
	groups.forEach((group, ring) => {
		const room = (FULL * TURN) / group.members.length;
		const spans = weights[ring]!.map((one) => Math.min(WIDEST, Math.max(Math.min(LEAST, room), (one * unit) / radius(ring))));
		const used = spans.reduce((a, b) => a + b, 0);
		const gap = Math.max(0, TURN - used) / group.members.length;
		// Rings begin at different places, so that gaps do not line up.
		let at = ring * 2.4 + gap / 2;
		group.members.forEach((member, i) => {
			const place: MemberPlace = { member, ring, from: at, to: at + spans[i]!, blocks: blocksOf(member, at, at + spans[i]!, most) };
			rings[ring]!.members.push(place);
			byMember.set(member.id, place);
			at += spans[i]! + gap;
		});
	});
	return { rings, byMember };
}

/** Where an alert's address stands; null when its member is not in the picture. */
export function spotOf({ rings, byMember }: Layout, alert: Alert): Spot | null {
	const place = byMember.get(alert.member);
	if (!place) return null;
	let block = place.blocks.find((one) => one.text === alert.prefix) ?? place.blocks[0]!;
	for (const one of place.blocks) if (one.network && has(one.network, alert.address)) block = one;
	const within = block.network && has(block.network, alert.address) ? placeIn(block.network, alert.address) : 0.5;
	const ring = rings[place.ring]!;
	return { place, block, angle: block.from + (block.to - block.from) * (0.08 + 0.84 * within), radius: (ring.inner + ring.outer) / 2 };
}

/** The member at a place of the ring plane; null between them. */
export function memberAt({ rings }: Layout, angle: number, radius: number, reach: number): MemberPlace | null {
	const turned = ((angle % TURN) + TURN) % TURN;
	for (const ring of rings) {
		if (radius < ring.inner - reach || radius > ring.outer + reach) continue;
		for (const place of ring.members) {
			const off = (((turned - place.from) % TURN) + TURN) % TURN;
			if (off <= place.to - place.from) return place;
		}
	}
	return null;
}
