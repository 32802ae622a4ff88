// Who stands where. A source keeps its place as long as it lives; who comes next takes the place of one that has gone quiet, or of the
// least one when it is clearly more. Only the order by behaviour rearranges, seldom, and then the tiles glide.

import { BEHAVIOURS, type Behaviour } from "./behaviour";
import type { Source } from "./model";

export const ORDERS = ["busiest", "newest", "behaviour"] as const;
export type Order = (typeof ORDERS)[number];

export const QUIET_MS = 15000;
export const GONE_MS = 30000;
/** A new one has to be active at the moment. */
const FRESH_MS = 10000;
const STAY_MS = 8000;
const SETTLE_MS = 10000;
const ARRANGE_MS = 10000;
/** How much more active than the least one a source is that takes its place. */
const CLEARLY = 1.6;

export interface Slot {
	source: Source | null;
	/** Since when this source stands here. */
	since: number;
	/** Looked at: keeps its source, until something else is asked for. */
	held: boolean;
}

export class Board {
	slots: Slot[] = [];
	private order: Order = "busiest";
	private kinds: readonly boolean[] = [true, true, true, true, true, true];
	private only: Behaviour | null = null;
	private begun = 0;
	private arranged = 0;
	private stepped = 0;
	private asked = false;

	resize(count: number): void {
		for (const slot of this.slots.splice(count)) if (slot.source) slot.source.shown = false;
		while (this.slots.length < count) this.slots.push({ source: null, since: 0, held: false });
	}

	/** A change of what is asked for may rearrange everything. */
	ask(order: Order, kinds: readonly boolean[], only: Behaviour | null): void {
		if (order !== this.order) this.clear();
		this.order = order;
		this.kinds = kinds;
		this.only = only;
		this.arranged = 0;
		this.asked = true;
	}

	clear(): void {
		for (const slot of this.slots) this.put(slot, null, 0);
	}

	/** Once a second. */
	step(now: number, sources: Iterable<Source>): void {
		// After a pause of any sort the board begins anew: who is there then has to show first that it goes on.
		if (now - this.stepped > GONE_MS || now < this.stepped) this.begun = now;
		this.stepped = now;
		for (const slot of this.slots) {
			if (!slot.source || (slot.held && !this.asked)) continue;
			if ((now - slot.source.last > GONE_MS && !slot.held) || !this.wanted(slot.source, now)) this.put(slot, null, now);
		}
		this.asked = false;
		const waiting = this.waiting(now, sources);
		if (this.order === "behaviour") this.byBehaviour(now, waiting);
		else this.byRank(now, waiting);
	}

	private wanted(source: Source, now: number): boolean {
		const { kind, behaviour } = source.guess(now);
		return this.kinds[kind] !== false && (this.only === null || this.only === behaviour);
	}

	private rank(source: Source, now: number): number {
		return this.order === "newest" ? source.first : source.activity(now);
	}

	private waiting(now: number, sources: Iterable<Source>): Source[] {
		const least = this.order === "newest" || (this.order === "busiest" && now - this.begun < SETTLE_MS) ? 2 : 1;
		const found: Source[] = [];
		for (const source of sources) {
			if (source.shown || now - source.last > FRESH_MS || (source.points.length < least && this.only !== "single")) continue;
			if (this.wanted(source, now)) found.push(source);
		}
		return found.sort((a, b) => this.rank(b, now) - this.rank(a, now));
	}

	private byRank(now: number, waiting: Source[]): void {
		let next = 0;
		for (const slot of this.slots) if (!slot.source && next < waiting.length) this.put(slot, waiting[next++]!, now);
		const most = Math.max(1, Math.ceil(this.slots.length / 16));
		for (let swaps = 0; swaps < most && next < waiting.length; swaps++) {
			const least = this.least(now);
			const better = waiting[next]!;
			if (!least || this.rank(better, now) <= this.rank(least.source!, now) * (this.order === "busiest" ? CLEARLY : 1)) return;
			this.put(least, better, now);
			next++;
		}
	}

	private least(now: number, among: (slot: Slot) => boolean = () => true): Slot | null {
		let found: Slot | null = null;
		for (const slot of this.slots)
			if (slot.source && !slot.held && now - slot.since >= STAY_MS && among(slot) && (!found || this.rank(slot.source, now) < this.rank(found.source!, now))) found = slot;
		return found;
	}

	// Every behaviour gets the same number of tiles, as far as it has sources; what is left over goes to those with more.
	private byBehaviour(now: number, waiting: Source[]): void {
		const groups = BEHAVIOURS.map((): Source[] => []);
		const held = BEHAVIOURS.map(() => 0);
		for (const source of waiting) groups[group(source, now)]!.push(source);
		for (const slot of this.slots) if (slot.source) held[group(slot.source, now)]!++;
		const shares = share(this.slots.length, BEHAVIOURS.map((_, i) => held[i]! + groups[i]!.length));
		let order = groups.flatMap((sources, i) => sources.slice(0, Math.max(0, shares[i]! - held[i]!)));
		for (const slot of this.slots) {
			if (slot.source || order.length === 0) continue;
			// Beside its like, where there is room.
			const like = this.likeness(slot, now);
			const found = order.find((source) => group(source, now) === like) ?? order[0]!;
			order = order.filter((source) => source !== found);
			this.put(slot, found, now);
		}
		for (const source of order) {
			const over = this.least(now, (slot) => held[group(slot.source!, now)]! > shares[group(slot.source!, now)]!);
			if (!over) break;
			held[group(over.source!, now)]!--;
			this.put(over, source, now);
		}
		if (now - this.arranged >= ARRANGE_MS) this.arrange(now);
	}

	private likeness(slot: Slot, now: number): number {
		for (let i = this.slots.indexOf(slot) - 1; i >= 0; i--) if (this.slots[i]!.source) return group(this.slots[i]!.source!, now);
		return 0;
	}

	private arrange(now: number): void {
		this.arranged = now;
		const at = (slot: Slot) => (slot.source ? group(slot.source, now) : BEHAVIOURS.length);
		this.slots = this.slots.map((slot, i) => ({ slot, i })).sort((a, b) => at(a.slot) - at(b.slot) || a.i - b.i).map((one) => one.slot);
	}

	private put(slot: Slot, source: Source | null, now: number): void {
		if (slot.source) slot.source.shown = false;
		if (source) source.shown = true;
		slot.source = source;
		slot.since = now;
	}
}

function group(source: Source, now: number): number {
	return BEHAVIOURS.indexOf(source.guess(now).behaviour);
}

/** `room` shared evenly among those who want some, nobody more than wanted. */
export function share(room: number, wants: readonly number[]): number[] {
	const shares = wants.map(() => 0);
	for (let left = room; left > 0; ) {
		const open = wants.flatMap((want, i) => (shares[i]! < want ? [i] : []));
		if (open.length === 0) break;
		const part = Math.max(1, Math.floor(left / open.length));
		for (const i of open) {
			const more = Math.min(wants[i]! - shares[i]!, part, left);
			shares[i]! += more;
			left -= more;
		}
	}
	return shares;
}
