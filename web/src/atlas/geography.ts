// Land as triangles and coasts as line segments, cut so that no piece is larger than a cell of 5 degrees: the flat map can then be
// cut at any multiple of 5 degrees and the globe is round. Data: Natural Earth (public domain) as TopoJSON of world-atlas (ISC).

import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { Earcut } from "three/src/extras/Earcut.js";
import { countryLetters } from "./iso";
import { RADIAN } from "./projection";

export type WorldTopology = Topology<{ countries: GeometryCollection<{ name: string }>; land: GeometryCollection }>;
type Ring = number[][];

export const CELL = 5;

export interface Country {
	code: string;
	name: string;
	/** Rings in degrees, outer and holes alike (even-odd). */
	rings: Ring[];
	box: [west: number, south: number, east: number, north: number];
}

export interface Geography {
	countries: Country[];
	/** Per vertex: longitude of the cell's middle, offset from it, latitude (radians), index of the country. */
	land: Float32Array;
	/** Per vertex as `land`; the fourth is 1 on coasts and 0 on borders between countries. */
	lines: Float32Array;
}

// Keeps the side of a ring where axis value <= limit (or >=), Sutherland and Hodgman 1974.
function clipSide(ring: Ring, axis: 0 | 1, limit: number, below: boolean): Ring {
	const out: Ring = [];
	let last = ring[ring.length - 1]!;
	let lastIn = below ? last[axis]! <= limit : last[axis]! >= limit;
	for (const point of ring) {
		const inside = below ? point[axis]! <= limit : point[axis]! >= limit;
		if (inside !== lastIn) {
			const f = (limit - last[axis]!) / (point[axis]! - last[axis]!);
			const other = last[1 - axis]! + f * (point[1 - axis]! - last[1 - axis]!);
			out.push(axis === 0 ? [limit, other] : [other, limit]);
		}
		if (inside) out.push(point);
		last = point;
		lastIn = inside;
	}
	return out;
}

// The data crosses the date line without being cut. Makes longitudes run on (past 180) along a ring, and closes a ring around a
// pole (Antarctica) along that pole.
function unroll(ring: Ring): Ring {
	const out: Ring = [[...ring[0]!]];
	for (let i = 1; i < ring.length; i++) {
		const last = out[i - 1]![0]!;
		const x = ring[i]![0]!;
		out.push([x + 360 * Math.round((last - x) / 360), ring[i]![1]!]);
	}
	const turn = out[out.length - 1]![0]! - out[0]![0]!;
	if (Math.abs(turn) > 180) {
		const pole = out[0]![1]! < 0 ? -90 : 90;
		out.push([out[out.length - 1]![0]!, pole], [out[0]![0]!, pole], [...out[0]!]);
	}
	return out;
}

// The widest ring is the outer one, whatever the data's order around a pole; holes are moved to its turn of the Earth.
function unrollPolygon(shape: Ring[]): Ring[] {
	const rings = shape.map(unroll);
	const boxes = rings.map((ring) => boxOf([ring]));
	let outer = 0;
	boxes.forEach((box, i) => {
		if (box[2] - box[0] > boxes[outer]![2] - boxes[outer]![0]) outer = i;
	});
	const middle = (boxes[outer]![0] + boxes[outer]![2]) / 2;
	const moved = rings.map((ring, i) => {
		const turn = 360 * Math.round((middle - (boxes[i]![0] + boxes[i]![2]) / 2) / 360);
		return turn ? ring.map((point) => [point[0]! + turn, point[1]!]) : ring;
	});
	return [moved[outer]!, ...moved.filter((_, i) => i !== outer)];
}

// Splits a polygon in halves along the cell grid until each piece lies within one cell.
function split(rings: Ring[], emit: (rings: Ring[], west: number) => void): void {
	let west = Infinity;
	let east = -Infinity;
	let south = Infinity;
	let north = -Infinity;
	for (const [x, y] of rings[0]!) {
		west = Math.min(west, x!);
		east = Math.max(east, x!);
		south = Math.min(south, y!);
		north = Math.max(north, y!);
	}
	const firstX = Math.floor(west / CELL + 1e-9);
	const lastX = Math.ceil(east / CELL - 1e-9);
	const firstY = Math.floor(south / CELL + 1e-9);
	const lastY = Math.ceil(north / CELL - 1e-9);
	if (lastX - firstX <= 1 && lastY - firstY <= 1) {
		emit(rings, firstX * CELL);
		return;
	}
	const axis = lastX - firstX >= lastY - firstY ? 0 : 1;
	const limit = (axis === 0 ? (firstX + lastX) >> 1 : (firstY + lastY) >> 1) * CELL;
	for (const below of [true, false]) {
		const parts: Ring[] = [];
		for (const ring of rings) {
			const part = clipSide(ring, axis, limit, below);
			if (part.length >= 3) parts.push(part);
			else if (parts.length === 0) break;
		}
		if (parts.length > 0) split(parts, emit);
	}
}

function triangulate(polygon: Ring[], country: number, out: number[]): void {
	split(polygon.map((ring) => ring.slice(0, -1)), (rings, west) => {
		const flat: number[] = [];
		const holes: number[] = [];
		for (const ring of rings) {
			if (flat.length > 0) holes.push(flat.length / 2);
			for (const point of ring) flat.push(point[0]!, point[1]!);
		}
		const middle = west + CELL / 2;
		for (const i of Earcut.triangulate(flat, holes, 2))
			out.push(middle * RADIAN, (flat[2 * i]! - middle) * RADIAN, flat[2 * i + 1]! * RADIAN, country);
	});
}

function addLine(from: number[], to: number[], coast: number, out: number[]): void {
	// Older data closes continents along the date line and the pole; those edges are no coast.
	if (Math.abs(from[0]!) > 179.9 && Math.abs(to[0]!) > 179.9) return;
	if (from[1]! < -89 && to[1]! < -89) return;
	const span = to[0]! - from[0]! - 360 * Math.round((to[0]! - from[0]!) / 360);
	const pieces = Math.max(1, Math.ceil(Math.max(Math.abs(span), Math.abs(to[1]! - from[1]!)) / CELL));
	for (let i = 0; i < pieces; i++) {
		const a = i / pieces;
		const b = (i + 1) / pieces;
		const x0 = from[0]! + span * a;
		const x1 = from[0]! + span * b;
		const middle = (x0 + x1) / 2;
		out.push(middle * RADIAN, (x0 - middle) * RADIAN, (from[1]! + (to[1]! - from[1]!) * a) * RADIAN, coast);
		out.push(middle * RADIAN, (x1 - middle) * RADIAN, (from[1]! + (to[1]! - from[1]!) * b) * RADIAN, coast);
	}
}

function boxOf(rings: Ring[]): Country["box"] {
	const box: Country["box"] = [Infinity, Infinity, -Infinity, -Infinity];
	for (const ring of rings)
		for (const [x, y] of ring) {
			box[0] = Math.min(box[0], x!);
			box[1] = Math.min(box[1], y!);
			box[2] = Math.max(box[2], x!);
			box[3] = Math.max(box[3], y!);
		}
	return box;
}

export function buildGeography(world: WorldTopology): Geography {
	const countries: Country[] = [];
	const land: number[] = [];
	for (const item of feature(world, world.objects.countries).features) {
		const shapes: Ring[][] =
			item.geometry.type === "Polygon"
				? [item.geometry.coordinates]
				: item.geometry.type === "MultiPolygon"
					? item.geometry.coordinates
					: [];
		const polygons = shapes.map(unrollPolygon);
		for (const polygon of polygons) triangulate(polygon, countries.length, land);
		const rings = polygons.flat();
		const name = item.properties?.name ?? "";
		countries.push({ code: countryLetters(item.id, name), name, rings, box: boxOf(rings) });
	}
	const lines: number[] = [];
	for (const coast of [1, 0]) {
		const shape = mesh(world, world.objects.countries, (a, b) => (a === b) === (coast === 1));
		for (const line of shape.coordinates)
			for (let i = 1; i < line.length; i++) addLine(line[i - 1]!, line[i]!, coast, lines);
	}
	return { countries, land: new Float32Array(land), lines: new Float32Array(lines) };
}

/** Parallels and meridians every `step` degrees, as `lines`. */
export function buildGraticule(step: number): Float32Array {
	const out: number[] = [];
	for (let x = -180; x < 180; x += step) for (let y = -80; y < 80; y += CELL) addLine([x + 1e-6, y], [x + 1e-6, y + CELL], 0, out);
	for (let y = -60; y <= 60; y += step) for (let x = -180; x < 180; x += CELL) addLine([x, y], [x + CELL, y], 0, out);
	return new Float32Array(out);
}

/** The whole Earth in cells, as `land`, for sea and shade. */
export function buildSea(): Float32Array {
	const out: number[] = [];
	for (let x = -180; x < 180; x += CELL)
		for (let y = -90; y < 90; y += CELL) {
			const middle = (x + CELL / 2) * RADIAN;
			const half = (CELL / 2) * RADIAN;
			const south = y * RADIAN;
			const north = (y + CELL) * RADIAN;
			out.push(middle, -half, south, -1, middle, half, south, -1, middle, half, north, -1);
			out.push(middle, -half, south, -1, middle, half, north, -1, middle, -half, north, -1);
		}
	return new Float32Array(out);
}

function within(rings: readonly Ring[], x: number, y: number): boolean {
	let inside = false;
	for (const ring of rings)
		for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
			const [xi, yi] = ring[i] as [number, number];
			const [xj, yj] = ring[j] as [number, number];
			if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
		}
	return inside;
}

/** Index of the country at a place in degrees, or -1. */
export function countryAt(countries: readonly Country[], longitude: number, latitude: number): number {
	for (let index = 0; index < countries.length; index++) {
		const { box, rings } = countries[index]!;
		if (latitude < box[1] || latitude > box[3]) continue;
		for (const x of [longitude, longitude + 360, longitude - 360])
			if (x >= box[0] && x <= box[2] && within(rings, x, latitude)) return index;
	}
	return -1;
}
