// The sources seen in the last minute with their newest packets: at most SOURCES_MAX of them, POINTS_MAX packets each. When the table is
// full the source that was least active gives way, so that many strangers with one packet each do not push out those who go on.

import { portKey } from "../atlas/model";
import type { Arc } from "../live/stream";
import { guess, type Guess, type Packet } from "./behaviour";

export const SOURCES_MAX = 512;
export const POINTS_MAX = 64;
export const WINDOW_MS = 60000;
const FORGET_MS = 30000;

export interface Point extends Packet {
	/** Milliseconds since 1970, the hub's clock. */
	at: number;
	/** Places on the axes of the Cube, 0..1. */
	high: number;
	deep: number;
}

export class Source {
	readonly points: Point[] = [];
	last = 0;
	/** Stands on a tile and is kept. */
	shown = false;
	private score = 0;
	private read: Guess | null = null;
	private readAt = 0;

	constructor(
		readonly address: string,
		readonly country: string,
		readonly network: number,
		/** Index into the stream's tools; 0 is unknown. */
		public tool: number,
		readonly first: number,
	) {}

	take(point: Point): void {
		this.score = this.activity(point.at) + point.packets;
		this.last = point.at;
		this.points.push(point);
		if (this.points.length > POINTS_MAX) this.points.shift();
		this.read = null;
	}

	/** Packets, the older the less: by a factor of e in FORGET_MS. */
	activity(now: number): number {
		return this.score * Math.exp(-Math.max(0, now - this.last) / FORGET_MS);
	}

	guess(now: number): Guess {
		if (!this.read || now - this.readAt > 2000) {
			while (this.points.length > 0 && this.points[0]!.at < now - WINDOW_MS) this.points.shift();
			this.read = guess(this.points);
			this.readAt = now;
		}
		return this.read;
	}

	/** As it is now, for a picture that is held. */
	copy(): Source {
		const copy = new Source(this.address, this.country, this.network, this.tool, this.first);
		copy.points.push(...this.points);
		copy.last = this.last;
		copy.score = this.score;
		return copy;
	}
}

export class Sources {
	readonly all = new Map<string, Source>();

	take(arc: Arc, at: number, high: number, deep: number): void {
		let source = this.all.get(arc[0]);
		if (!source) {
			if (this.all.size >= SOURCES_MAX) this.evict(at);
			source = new Source(arc[0], arc[3], arc[4], arc[6], at);
			this.all.set(arc[0], source);
		}
		if (arc[6]) source.tool = arc[6];
		source.take({ at, high, deep, kind: arc[5], port: portKey(arc[7], arc[8]), target: arc[10], packets: Math.max(1, arc[9]) });
	}

	/** Once a second: forgets who was silent for the whole window. */
	sweep(now: number): void {
		for (const [address, source] of this.all) if (!source.shown && now - source.last > WINDOW_MS) this.all.delete(address);
	}

	private evict(now: number): void {
		let least = Infinity;
		let found = "";
		for (const [address, source] of this.all) {
			if (source.shown) continue;
			const activity = source.activity(now);
			if (activity < least) [least, found] = [activity, address];
		}
		this.all.delete(found);
	}
}
