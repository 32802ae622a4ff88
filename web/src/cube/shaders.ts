// The GPU's half of the Cube (GLSL ES 3.00). Everything that moves is computed here from start times, so a frame costs the CPU a few
// uniforms. Colours leave premultiplied: with uAdditive 1 light adds up (dark theme), with 0 it covers.

export const COMMON = /* glsl */ `
precision highp float;
uniform mat4 uCamera;
uniform float uDistance; // from the eye to the middle
uniform float uFlat;
uniform vec2 uViewport;
uniform float uPixel;
// What is far is fainter; a flat view has no far.
float nearness(float w) { return mix(mix(1.0, 0.42, smoothstep(uDistance - 0.75, uDistance + 0.75, w)), 1.0, uFlat); }
void widen(inout vec4 a, vec4 b, float side, float width) {
	vec2 way = (b.xy / b.w - a.xy / a.w) * uViewport;
	float size = length(way);
	vec2 across = size > 0.0 ? vec2(-way.y, way.x) / size : vec2(0.0);
	a.xy += across * side * width / uViewport * 2.0 * a.w;
}
`;

/**
 * Fine lines of one width, an instance each. aA and aB: ends; aA.w: what it is (0 edge, 1 grid, 2 mark); aB.w: the face (0..5) on which
 * it lies, -1, or for marks 10 + the axis. Lines on faces are seen only from inside, so the cube stays open towards the eye.
 */
export const LINE_VERTEX = /* glsl */ `${COMMON}
in vec2 aShape;
in vec4 aA;
in vec4 aB;
uniform vec3 uEye;
uniform vec4 uEdge;
uniform vec4 uGrid;
out vec4 vTone;
out float vSide;
float inner(float face) {
	if (face < -0.5) return 1.0;
	if (face > 9.5) return 1.0 - smoothstep(0.93, 0.995, abs(face < 10.5 ? uEye.x : face < 11.5 ? uEye.y : uEye.z) / uDistance);
	vec3 n = face < 0.5 ? vec3(-1, 0, 0) : face < 1.5 ? vec3(1, 0, 0) : face < 2.5 ? vec3(0, -1, 0) : face < 3.5 ? vec3(0, 1, 0) : face < 4.5 ? vec3(0, 0, -1) : vec3(0, 0, 1);
	return smoothstep(0.0, 0.1, dot(normalize(n * 0.5 - uEye), n));
}
void main() {
	vec4 a = uCamera * vec4(aA.xyz, 1.0), b = uCamera * vec4(aB.xyz, 1.0);
	vec4 here = mix(a, b, aShape.x);
	vec4 there = mix(b, a, aShape.x);
	float width = uPixel * (aA.w < 0.5 ? 0.62 : 0.5) + 0.5;
	widen(here, there, aShape.x < 0.5 ? aShape.y : -aShape.y, width);
	gl_Position = here;
	vec4 tone = aA.w < 0.5 ? uEdge : aA.w < 1.5 ? uGrid : vec4(uEdge.rgb, uEdge.a * 0.7);
	vTone = vec4(tone.rgb, tone.a * inner(aB.w) * (aA.w < 0.5 ? nearness(here.w) : 1.0));
	vSide = aShape.y * width;
}`;

export const LINE_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in float vSide;
uniform float uAdditive;
uniform float uPixel;
out vec4 colour;
void main() {
	float a = vTone.a * smoothstep(uPixel * 0.5 + 0.6, uPixel * 0.5 - 0.6, abs(vSide));
	colour = vec4(vTone.rgb * a, a * (1.0 - uAdditive));
}`;

/** Horizontal planes at the heaviest ports, and the source face. aShape: corners; the instance says which. */
export const PLANE_VERTEX = /* glsl */ `${COMMON}
in vec2 aShape;
uniform vec3 uEye;
uniform vec2 uPlanes[4]; // height, strength
uniform vec4 uPlane;
uniform vec4 uGate;
out vec4 vTone;
out vec2 vAt;
flat out float vGate;
void main() {
	vAt = aShape;
	vGate = gl_InstanceID == 4 ? 1.0 : 0.0;
	if (gl_InstanceID == 4) {
		gl_Position = uCamera * vec4(aShape.x * 0.5, aShape.y * 0.5, 0.5, 1.0);
		vTone = vec4(uGate.rgb, uGate.a * (1.0 - 0.8 * uFlat));
		return;
	}
	vec2 plane = uPlanes[gl_InstanceID];
	gl_Position = plane.y > 0.001 ? uCamera * vec4(aShape.x * 0.5, plane.x - 0.5, -aShape.y * 0.5, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
	// From above they would only lie on one another.
	vTone = vec4(uPlane.rgb, uPlane.a * plane.y * (1.0 - smoothstep(0.75, 0.98, abs(uEye.y) / uDistance)));
}`;

export const PLANE_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
flat in float vGate;
uniform float uAdditive;
out vec4 colour;
void main() {
	vec2 edge = (1.0 - abs(vAt)) / max(fwidth(vAt), vec2(1e-6));
	float rim = smoothstep(1.6, 0.4, min(edge.x, edge.y));
	float glow = pow(max(abs(vAt.x), abs(vAt.y)), 6.0);
	float a = vTone.a * (vGate > 0.5 ? 0.3 + 0.7 * glow : max(rim * 0.85, 0.13 + 0.12 * glow));
	colour = vec4(vTone.rgb * a, a * (1.0 - uAdditive));
}`;

const POINT = /* glsl */ `${COMMON}
in vec4 aPlace; // x, y, z, kind
in vec4 aLife;  // start, flight, strength, who
in vec4 aLink;  // y, z, strength, seed
uniform float uTime;
uniform float uStill;
uniform float uCalm;
uniform float uMark;
uniform float uFocus;
uniform float uShown[6];
uniform vec3 uColours[6];
const float FADE = 6.0;
const float RUNUP = 0.16;
float shown(float kind) { return kind < 0.5 ? uShown[0] : kind < 1.5 ? uShown[1] : kind < 2.5 ? uShown[2] : kind < 3.5 ? uShown[3] : kind < 4.5 ? uShown[4] : uShown[5]; }
float depthAt(float age) {
	if (uStill > 0.5 || age >= aLife.y) return aPlace.z;
	float left = 1.0 - max(0.0, age) / aLife.y;
	// In a flat view nothing flies over the words beside the cube.
	return aPlace.z + (0.5 + RUNUP * (1.0 - uFlat) - aPlace.z) * left * left * left;
}
float seenAt(float age) {
	float rise = uStill > 0.5 ? 1.0 : clamp(age / (aLife.y * 0.25), 0.0, 1.0);
	float old = clamp((age - aLife.y) / FADE, 0.0, 1.0);
	return rise * (1.0 - smoothstep(0.2, 1.0, old));
}
bool gone(float age) { return age < 0.0 || age > aLife.y + FADE || shown(aPlace.w) < 0.5; }
float focus() { return uFocus < 0.0 ? 1.0 : abs(uFocus - aLife.w) < 0.5 ? 1.6 : 0.16; }
`;

/** Marks of packets: a quad each that faces the eye. */
export const MARK_VERTEX = /* glsl */ `${POINT}
in vec2 aShape;
out vec4 vTone;
out vec2 vAt;
flat out vec3 vMark; // kind, softness, fresh
void main() {
	float age = uTime - aLife.x;
	gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
	vTone = vec4(0.0);
	vAt = aShape;
	vMark = vec3(0.0);
	if (gone(age)) return;
	vec4 c = uCamera * vec4(aPlace.x, aPlace.y, depthAt(age), 1.0);
	float landed = uStill > 0.5 ? age : age - aLife.y;
	float fresh = landed < 0.0 ? 0.55 : 1.0 - smoothstep(0.0, 0.6, landed);
	float seen = seenAt(age);
	float strength = aLife.z;
	float size = uPixel * uMark * (2.3 + 2.6 * strength + 1.2 * fresh * step(0.0, landed)) * mix(uDistance / c.w, 1.0, uFlat) * (0.75 + 0.25 * seen) * mix(0.8, 1.0, uCalm);
	float halo = 1.9;
	vAt = aShape * halo;
	c.xy += aShape * size * halo / uViewport * 2.0 * c.w;
	gl_Position = c;
	// What is usual recedes as soon as it has arrived; what belongs to a sweep or is no ordinary scan stays clear.
	float calm = mix(uCalm, 1.0, max(0.5 * fresh, strength * strength));
	vTone = vec4(uColours[int(aPlace.w + 0.5)], min(1.0, seen * nearness(c.w) * calm * mix(0.45 + 0.55 * strength, 1.0, 0.6 * fresh) * focus()));
	vMark = vec3(aPlace.w, 1.0 / max(1.0, size), fresh);
}`;

export const MARK_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
flat in vec3 vMark;
uniform float uAdditive;
out vec4 colour;
// The marks of the palette: disc, diamond, square, triangle, cross, ring; in -1..1.
float mark(float kind, vec2 p) {
	if (kind < 0.5) return length(p) - 0.84;
	if (kind < 1.5) return (abs(p.x) + abs(p.y) - 1.08) * 0.7071;
	if (kind < 2.5) return max(abs(p.x), abs(p.y)) - 0.78;
	if (kind < 3.5) return max(abs(p.x) * 0.876 + p.y * 0.482 - 0.405, -p.y - 0.8);
	p = abs(p);
	if (kind < 4.5) return max(min(p.x, p.y) - 0.32, max(p.x, p.y) - 0.94);
	return abs(length(p) - 0.66) - 0.26;
}
void main() {
	float d = mark(vMark.x, vAt);
	float body = smoothstep(vMark.y, -vMark.y, d);
	float halo = max(0.0, 1.0 - length(vAt) / 1.9);
	float a = max(body, halo * halo * (0.12 + 0.5 * vMark.z) * mix(0.35, 1.0, uAdditive));
	vec3 c = mix(vTone.rgb, vec3(1.0), uAdditive * body * vMark.z * 0.22);
	a = min(1.0, a * vTone.a);
	// Bodies cover, also in the dark: where many lie on one another the colour of their kind stays; only halos add light.
	colour = vec4(c * a, min(1.0, body * vTone.a) + (a - min(a, body * vTone.a)) * mix(1.0, 0.3, uAdditive));
}`;

/** What a packet leaves behind it in flight, and the line to the packet before it of the same sweep. aShape.z: 0 tail, 1 link. */
export const TRAIL_VERTEX = /* glsl */ `${POINT}
in vec3 aShape;
out vec4 vTone;
out vec2 vAt;
void main() {
	float age = uTime - aLife.x;
	gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
	vTone = vec4(0.0);
	vAt = aShape.xy;
	if (gone(age)) return;
	vec4 a, b;
	float width, alpha;
	if (aShape.z < 0.5) {
		float tail = 0.32 * aLife.y;
		if (uStill > 0.5 || age > aLife.y + tail) return;
		a = uCamera * vec4(aPlace.xy, depthAt(max(0.0, age - tail)), 1.0);
		b = uCamera * vec4(aPlace.xy, depthAt(age), 1.0);
		width = uPixel * (0.6 + 0.8 * aLife.z);
		alpha = (0.2 + 0.35 * aLife.z) * seenAt(age) * mix(uCalm, 1.0, aLife.z * 0.5);
	} else {
		float landed = uStill > 0.5 ? age : age - aLife.y;
		if (aLink.z <= 0.0 || landed < 0.0) return;
		a = uCamera * vec4(aPlace.x, aLink.x, aLink.y, 1.0);
		b = uCamera * vec4(aPlace.xyz, 1.0);
		width = uPixel * (0.65 + 0.75 * aLink.z);
		alpha = aLink.z * seenAt(age) * smoothstep(0.0, 0.25, landed) * 0.75;
	}
	vec4 here = aShape.x < 0.5 ? a : b;
	vec4 there = aShape.x < 0.5 ? b : a;
	width += 0.6;
	widen(here, there, aShape.x < 0.5 ? aShape.y : -aShape.y, width);
	gl_Position = here;
	vAt = vec2(aShape.z < 0.5 ? aShape.x : 1.0, aShape.y);
	vTone = vec4(uColours[int(aPlace.w + 0.5)], min(1.0, alpha * nearness(here.w) * focus()));
}`;

export const TRAIL_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
uniform float uAdditive;
out vec4 colour;
void main() {
	float a = vTone.a * vAt.x * smoothstep(1.0, 0.4, abs(vAt.y));
	colour = vec4(vTone.rgb * a, a * mix(1.0, 0.85, uAdditive));
}`;

/** Where a packet stands over the floor: source and destination at a glance. */
export const SHADOW_VERTEX = /* glsl */ `${POINT}
in vec2 aShape;
uniform vec4 uShadow;
out vec4 vTone;
out vec2 vAt;
void main() {
	float age = uTime - aLife.x;
	gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
	vTone = vec4(0.0);
	vAt = aShape;
	if (gone(age) || uFlat > 0.99) return;
	float z = depthAt(age);
	if (z > 0.5) return;
	vec4 c = uCamera * vec4(aPlace.x, -0.5, z, 1.0);
	c.xy += aShape * uPixel * 1.7 * (uDistance / c.w) / uViewport * 2.0 * c.w;
	gl_Position = c;
	vTone = vec4(uShadow.rgb, uShadow.a * seenAt(age) * (1.0 - uFlat) * uCalm * min(1.0, focus()));
}`;

export const SHADOW_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
uniform float uAdditive;
out vec4 colour;
void main() {
	float a = vTone.a * smoothstep(1.0, 0.3, length(vAt));
	colour = vec4(vTone.rgb * a, a * (1.0 - uAdditive));
}`;
