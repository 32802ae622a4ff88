// The cube's lines as segments: twelve edges, a grid on each face, small marks along the edges.

import type { Axis } from "./axes";
import type { CubeAxes } from "./view";

export const LINE_FLOATS = 8;
export const EDGE = 0;
export const GRID = 1;
export const MARK = 2;
const MARK_LONG = 0.014;

/** Marks carry their axis here: one that is seen end-on shows none. */
const MARK_FACE = 10;
const MAJOR = 2;

function places(axis: Axis): number[] {
	return axis.ticks.filter((tick) => tick.weight <= MAJOR && tick.at > 0.004 && tick.at < 0.996).map((tick) => tick.at);
}

/** Rows of LINE_FLOATS: a, what, b, face (-x, +x, -y, +y, -z, +z; -1 for none; marks: 10 + axis). */
export function buildLines(axes: CubeAxes): Float32Array {
	const rows: number[] = [];
	const add = (a: readonly number[], b: readonly number[], what: number, face: number) => rows.push(...a, what, ...b, face);
	const ends = [-0.5, 0.5] as const;
	for (const u of ends)
		for (const v of ends) {
			add([-0.5, u, v], [0.5, u, v], EDGE, -1);
			add([u, -0.5, v], [u, 0.5, v], EDGE, -1);
			add([u, v, -0.5], [u, v, 0.5], EDGE, -1);
		}
	for (const side of ends) {
		const face = side < 0 ? 0 : 1;
		for (const at of places(axes.source)) {
			const x = at - 0.5;
			add([x, side, -0.5], [x, side, 0.5], GRID, 2 + face);
			add([x, -0.5, side], [x, 0.5, side], GRID, 4 + face);
		}
		for (const at of places(axes.port)) {
			const y = at - 0.5;
			add([side, y, -0.5], [side, y, 0.5], GRID, face);
			add([-0.5, y, side], [0.5, y, side], GRID, 4 + face);
		}
		for (const at of places(axes.target)) {
			const z = 0.5 - at;
			add([side, -0.5, z], [side, 0.5, z], GRID, face);
			add([-0.5, side, z], [0.5, side, z], GRID, 2 + face);
		}
	}
	for (const u of ends)
		for (const v of ends) {
			const [mu, mv] = [u * (1 + 2 * MARK_LONG), v * (1 + 2 * MARK_LONG)];
			for (const at of axes.source.minor) add([at - 0.5, u, v], [at - 0.5, mu, mv], MARK, MARK_FACE);
			for (const at of axes.port.minor) add([u, at - 0.5, v], [mu, at - 0.5, mv], MARK, MARK_FACE + 1);
			for (const at of axes.target.minor) add([u, v, 0.5 - at], [mu, mv, 0.5 - at], MARK, MARK_FACE + 2);
		}
	return new Float32Array(rows);
}
