// Natural Earth I (T. Patterson 2011; polynomial by B. Savric et al. 2011) and the globe, on the CPU.
// shaders.ts has the same formulas for the GPU; both work in radians and in "map units" (a globe of radius 1).

export const RADIAN = Math.PI / 180;

export interface Point {
	x: number;
	y: number;
	z: number;
}

export function wrap(angle: number): number {
	return angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI));
}

export function naturalEarthX(lambda: number, phi: number): number {
	const p2 = phi * phi;
	const p4 = p2 * p2;
	return lambda * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4)));
}

export function naturalEarthY(phi: number): number {
	const p2 = phi * phi;
	const p4 = p2 * p2;
	return phi * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4)));
}

export const MAP_HALF_WIDTH = naturalEarthX(Math.PI, 0);
export const MAP_HALF_HEIGHT = naturalEarthY(Math.PI / 2);

/** Where on Earth (radians) a point of the flat map lies, or null outside of it. */
export function naturalEarthInverse(x: number, y: number, centre: number): { longitude: number; latitude: number } | null {
	if (Math.abs(y) > MAP_HALF_HEIGHT) return null;
	let phi = y;
	for (let i = 0; i < 12; i++) {
		const p2 = phi * phi;
		const p4 = p2 * p2;
		const slope = 1.007226 + p2 * (0.045255 + p4 * (-0.311325 + 0.259866 * p2 - 0.065076 * p4));
		const step = (naturalEarthY(phi) - y) / slope;
		phi -= step;
		if (Math.abs(step) < 1e-7) break;
	}
	const lambda = x / naturalEarthX(1, phi);
	if (Math.abs(lambda) > Math.PI) return null;
	return { longitude: wrap(lambda + centre), latitude: phi };
}

/** Latitude and longitude (radians) of the place where the sun stands in the zenith; to about a degree, enough for a shade on a map. */
export function subsolarPoint(unix_ms: number): { longitude: number; latitude: number } {
	const days = unix_ms / 86400000 - 10957.5;
	const mean = (357.528 + 0.9856003 * days) * RADIAN;
	const ecliptic = (280.46 + 0.9856474 * days) * RADIAN + (1.915 * Math.sin(mean) + 0.02 * Math.sin(2 * mean)) * RADIAN;
	const tilt = 23.439 * RADIAN;
	const latitude = Math.asin(Math.sin(tilt) * Math.sin(ecliptic));
	const ascension = Math.atan2(Math.cos(tilt) * Math.sin(ecliptic), Math.cos(ecliptic));
	const sidereal = (280.46061837 + 360.98564736629 * days) * RADIAN;
	return { longitude: wrap(ascension - sidereal), latitude };
}
