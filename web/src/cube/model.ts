// What the Cube knows beside the Atlas's rolling figures: which packets belong to one sweep (one source and port over many
// destinations: a line; one source and destination over many ports: a column), which ports are heaviest now, the newest packets.

import { AtlasModel, portKey, type Snapshot } from "../atlas/model";
import { RollingTop } from "../live/rolling";
import type { Arc, Frame } from "../live/stream";
import type { Axes } from "./axes";
import { portHeight } from "./axes";
import type { Link, Place } from "./points";

const SWEEP_SECONDS = 10;
const SWEEPS_MAX = 12000;
const SWEEP_LEAST = 3;
const DISTINCT_MAX = 512;
const LATEST_MAX = 60;
export const PLANES = 4;
const PLANE_LEAST = 0.06;

interface Track {
	last: number;
	/** Place of the last packet that was seen of it. */
	y: number;
	z: number;
	first: string | number;
	others: Set<string | number> | null;
	/** Of the last packet. */
	arc: Arc;
}

export interface Sweep {
	arc: Arc;
	column: boolean;
	/** Different destinations (line) or ports (column) in the last seconds. */
	count: number;
}

export interface Plane {
	/** Key of the port as in the Atlas's model. */
	key: number;
	height: number;
	share: number;
}

export interface CubeSnapshot extends Snapshot {
	sweeps: Sweep[];
	newest: { arc: Arc; at: number }[];
	planes: Plane[];
}

export class CubeModel extends AtlasModel {
	private readonly tracks = new Map<string, Track>();
	private readonly heights = new RollingTop<number>(SWEEP_SECONDS, 4096, 60);
	private readonly newest: { arc: Arc; at: number }[] = [];
	private clock = 0;
	private readonly link: Link = { y: 0, z: 0, strength: 0 };

	constructor(private readonly axes: Axes) {
		super();
	}

	override takeFrame(frame: Frame): void {
		super.takeFrame(frame);
		this.clock = frame.t / 1000;
		this.heights.advance(frame.t);
		// The newest of each frame, so that the table does not only hold one tenth of a second.
		const some = Math.min(4, frame.arcs.length);
		for (let i = frame.arcs.length - some; i < frame.arcs.length; i++) this.newest.unshift({ arc: frame.arcs[i]!, at: frame.t });
		if (this.newest.length > LATEST_MAX) this.newest.length = LATEST_MAX;
	}

	/** Notes a packet and says to which earlier one a line leads. The answer is valid until the next call. */
	follow(arc: Arc, place: Place): Link {
		this.heights.add(portKey(arc[7], arc[8]), 1);
		const line = this.track(`${arc[0]}|${arc[7]}|${arc[8]}`, arc, place, arc[10]);
		const link = this.link;
		link.strength = 0;
		link.y = place.y;
		link.z = place.z;
		if (line) {
			link.strength = line.strength;
			link.z = line.z;
		}
		const column = this.track(`${arc[0]}>${arc[10]}`, arc, place, portKey(arc[7], arc[8]));
		if (column && column.strength > link.strength) {
			link.strength = column.strength;
			link.y = column.y;
			link.z = place.z;
		}
		return link;
	}

	/** True when the packet continues what is already seen as a line or column. */
	continues(arc: Arc): boolean {
		return (this.tracks.get(`${arc[0]}|${arc[7]}|${arc[8]}`)?.others ?? this.tracks.get(`${arc[0]}>${arc[10]}`)?.others) != null;
	}

	private track(key: string, arc: Arc, place: Place, what: string | number): { y: number; z: number; strength: number } | null {
		const old = this.tracks.get(key);
		if (!old || this.clock - old.last > SWEEP_SECONDS) {
			if (!old && this.tracks.size >= SWEEPS_MAX) return null;
			this.tracks.set(key, { last: this.clock, y: place.y, z: place.z, first: what, others: null, arc });
			return null;
		}
		if (!old.others) {
			if (what !== old.first) old.others = new Set([old.first, what]);
		} else if (old.others.size < DISTINCT_MAX) old.others.add(what);
		const count = old.others?.size ?? 1;
		const ret = { y: old.y, z: old.z, strength: count >= SWEEP_LEAST ? Math.min(1, 0.3 + 0.07 * count) : 0 };
		old.last = this.clock;
		old.y = place.y;
		old.z = place.z;
		old.arc = arc;
		return ret;
	}

	/** Once a second. */
	view(rows: number): CubeSnapshot {
		const sweeps: Sweep[] = [];
		for (const [key, track] of this.tracks) {
			if (this.clock - track.last > SWEEP_SECONDS) {
				this.tracks.delete(key);
				continue;
			}
			const count = track.others?.size ?? 1;
			if (count < SWEEP_LEAST) continue;
			let at = sweeps.length;
			while (at > 0 && sweeps[at - 1]!.count < count) at--;
			if (at >= rows) continue;
			sweeps.splice(at, 0, { arc: track.arc, column: key.includes(">"), count });
			if (sweeps.length > rows) sweeps.pop();
		}
		const planes = this.heights
			.top(PLANES)
			.filter((row) => row.share >= PLANE_LEAST)
			.map((row) => ({ key: row.key, height: portHeight(Math.floor(row.key / 65536), row.key % 65536), share: row.share }));
		return { ...this.snapshot(rows), sweeps, planes, newest: this.newest.slice() };
	}

	place(arc: Arc): Place | null {
		const z = this.axes.target(arc[10]);
		return Number.isNaN(z) ? null : { x: this.axes.source(arc[0]), y: portHeight(arc[7], arc[8]), z };
	}
}
