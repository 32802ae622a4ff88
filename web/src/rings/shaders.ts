// The GPU's half of Rings (GLSL ES 3.00). Everything that moves is computed here from start times. Colours leave premultiplied: with
// uAdditive 1 light adds up (dark theme), with 0 it covers.

import { COMMON as EYE } from "../cube/shaders";
import { IMPACTS, SPHERE } from "./comets";

const COMMON = /* glsl */ `${EYE}
uniform float uTime;
uniform float uStill;
uniform float uFocus;
uniform vec3 uVerdicts[4];
float focus(float who) { return uFocus < 0.0 || abs(uFocus - who) < 0.5 ? 1.0 : 0.28; }
vec3 onRing(float angle, float radius, float height) { return vec3(cos(angle) * radius, height, sin(angle) * radius); }
vec3 toneOf(float verdict) { return uVerdicts[int(verdict + 0.5)]; }
// After a packet: 1, then back to 0.
float beatOf(float beat) { float age = uTime - beat; return age < 0.0 ? 0.0 : exp(-age * 1.6); }
`;

/** Pieces of rings in their plane. The sphere lies between those behind it and those before it, so they are drawn in two halves. */
export const SEGMENT_VERTEX = /* glsl */ `${COMMON}
in vec2 aShape; // along 0..1, across 0..1
in vec4 aArc;   // from, to, inner, outer
in vec4 aTone;  // tone, member
uniform vec4 uGuide;
uniform vec4 uMember;
uniform vec4 uBlock;
out vec4 vTone;
out float vAcross;
out float vBehind;
flat out float vKind;
void main() {
	vec4 c = uCamera * vec4(onRing(mix(aArc.x, aArc.y, aShape.x), mix(aArc.z, aArc.w, aShape.y), 0.0), 1.0);
	gl_Position = c;
	vAcross = aShape.y;
	vKind = aTone.x;
	vBehind = c.w - uDistance;
	vec4 tone = aTone.x < 0.5 ? uGuide : aTone.x < 1.5 ? uMember : uBlock;
	float chosen = uFocus >= 0.0 && abs(uFocus - aTone.y) < 0.5 ? 1.7 : 1.0;
	vTone = vec4(tone.rgb, min(1.0, tone.a * nearness(c.w) * (aTone.x < 0.5 ? 1.0 : focus(aTone.y) * chosen)));
}`;

export const SEGMENT_FRAGMENT = (front: boolean): string => /* glsl */ `
precision highp float;
in vec4 vTone;
in float vAcross;
in float vBehind;
flat in float vKind;
uniform float uAdditive;
out vec4 colour;
void main() {
	if (${front ? "vBehind > 0.0" : "vBehind <= 0.0"}) discard;
	float edge = min(vAcross, 1.0 - vAcross) / max(fwidth(vAcross), 1e-6);
	float rim = smoothstep(2.2, 0.6, edge);
	float a = vTone.a * (vKind > 1.5 ? 0.45 + 0.2 * vAcross + 0.55 * rim : 1.0);
	a = min(1.0, a);
	colour = vec4(vTone.rgb * a, a * (1.0 - uAdditive));
}`;

/** Light that stands on a block with an alert. */
export const WALL_VERTEX = /* glsl */ `${COMMON}
in vec2 aShape;
in vec4 aArc;  // from, to, radius, height
in vec4 aLife; // verdict, state, beat, member
out vec4 vTone;
out vec2 vAt;
void main() {
	float beat = beatOf(aLife.z);
	float height = aArc.w * (0.75 + 0.45 * beat);
	vec4 c = uCamera * vec4(onRing(mix(aArc.x, aArc.y, aShape.x), aArc.z, height * aShape.y), 1.0);
	gl_Position = c;
	vAt = aShape;
	float alpha = aLife.y < 0.5 ? 0.75 : aLife.y < 1.5 ? 0.42 : 0.0;
	vTone = vec4(toneOf(aLife.x), min(1.0, alpha + 0.4 * beat) * nearness(c.w) * focus(aLife.w) * step(aLife.y, 1.5));
}`;

export const WALL_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
uniform float uAdditive;
out vec4 colour;
void main() {
	float a = vTone.a * pow(1.0 - vAt.y, 1.7);
	colour = vec4(vTone.rgb * a, a * (1.0 - uAdditive));
}`;

/** The block itself under its light, in the ring's plane. */
export const LIT_VERTEX = /* glsl */ `${COMMON}
in vec2 aShape;
in vec4 aArc;
in vec4 aLife;
uniform float uHalf;
out vec4 vTone;
out float vAcross;
void main() {
	vec4 c = uCamera * vec4(onRing(mix(aArc.x, aArc.y, aShape.x), aArc.z + (aShape.y - 0.5) * 2.0 * uHalf, 0.0), 1.0);
	gl_Position = c;
	vAcross = aShape.y;
	float alpha = aLife.y < 0.5 ? 0.95 : aLife.y < 1.5 ? 0.75 : 0.3;
	vTone = vec4(toneOf(aLife.x), alpha * nearness(c.w) * focus(aLife.w));
}`;

export const LIT_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in float vAcross;
out vec4 colour;
void main() {
	float edge = min(vAcross, 1.0 - vAcross) / max(fwidth(vAcross), 1e-6);
	float a = vTone.a * max(0.62, smoothstep(2.2, 0.6, edge));
	colour = vec4(vTone.rgb * a, a);
}`;

/** The darkness: a quiet sphere with a fine net, that a packet ripples where it falls in. */
export const SPHERE_VERTEX = /* glsl */ `${COMMON}
in vec2 aShape;
uniform float uRadius; // pixels of the drawing
out vec2 vAt;
void main() {
	vAt = aShape * 1.45;
	vec4 c = uCamera * vec4(0.0, 0.0, 0.0, 1.0);
	c.xy += vAt * uRadius / uViewport * 2.0 * c.w;
	gl_Position = c;
}`;

export const SPHERE_FRAGMENT = /* glsl */ `
precision highp float;
in vec2 vAt;
uniform mat3 uTurn; // from the eye's axes to the world's
uniform float uRadius;
uniform float uTime;
uniform float uStill;
uniform float uAdditive;
uniform vec4 uCore;
uniform vec4 uNet;
uniform vec4 uGlow;
uniform vec3 uVerdicts[4];
uniform vec4 uImpacts[${IMPACTS}]; // direction, time
uniform float uImpactTones[${IMPACTS}];
out vec4 colour;
void main() {
	float r = length(vAt);
	float soft = 1.5 / uRadius;
	float body = smoothstep(1.0 + soft, 1.0 - soft, r);
	float outside = max(0.0, 1.0 - (r - 1.0) / 0.45);
	vec3 light = uGlow.rgb * uGlow.a * 0.3 * outside * outside * (1.0 - body);
	float cover = 0.0;
	vec3 tone = vec3(0.0);
	if (body > 0.0) {
		float q = min(r, 0.9999);
		vec3 n = vec3(vAt / max(r, 1e-5) * q, sqrt(1.0 - q * q));
		vec3 w = uTurn * n;
		float rim = pow(1.0 - n.z, 2.6);
		vec2 net = vec2(atan(w.z, w.x) * 12.0 / 3.14159265, asin(clamp(w.y, -1.0, 1.0)) * 12.0 / 3.14159265);
		vec2 away = abs(fract(net - 0.5) - 0.5);
		vec2 width = min(fwidth(net), vec2(0.5));
		vec2 line = smoothstep(width * 1.1, width * 0.2, away) * smoothstep(0.5, 0.2, width);
		float lines = max(line.x * smoothstep(0.98, 0.8, abs(w.y)), line.y) * (0.35 + 0.65 * rim);
		tone = uCore.rgb + uNet.rgb * uNet.a * lines + uGlow.rgb * uGlow.a * rim;
		for (int i = 0; i < ${IMPACTS}; i++) {
			float age = uTime - uImpacts[i].w;
			if (age < 0.0 || age > 2.2) continue;
			float apart = acos(clamp(dot(w, uImpacts[i].xyz), -1.0, 1.0));
			float ring = uStill > 0.5 ? 0.0 : exp(-pow((apart - age * 0.42) * 16.0, 2.0)) * (1.0 - age / 2.2);
			float spot = exp(-apart * apart * 90.0) * exp(-age * 2.2);
			tone += uVerdicts[int(uImpactTones[i] + 0.5)] * (0.55 * ring + 0.9 * spot);
		}
		cover = body * uCore.a;
	}
	colour = vec4(tone * cover + light * mix(0.6, 1.0, uAdditive), cover + (1.0 - uAdditive) * dot(light, vec3(0.33)));
}`;

const COMET = /* glsl */ `${COMMON}
in vec4 aFrom; // angle, radius, start, flight
in vec4 aInto; // azimuth, elevation, verdict, lift
vec3 way(float part) {
	vec3 a = onRing(aFrom.x, aFrom.y, 0.0);
	vec3 b = vec3(cos(aInto.x) * cos(aInto.y), sin(aInto.y), sin(aInto.x) * cos(aInto.y)) * ${SPHERE.toFixed(4)};
	vec3 m = vec3((a.x + b.x) * 0.5, aInto.w + b.y, (a.z + b.z) * 0.5);
	float o = 1.0 - part;
	return o * o * a + 2.0 * o * part * m + part * part * b;
}
float along(float age) { float at = clamp(age / aFrom.w, 0.0, 1.0); return at * (0.55 + 0.45 * at); }
const float TAIL = 0.3;
bool gone(float age) { return age < 0.0 || age > aFrom.w * (1.0 + TAIL) || uStill > 0.5; }
`;

export const TAIL_VERTEX = /* glsl */ `${COMET}
in vec2 aShape; // along 0..1 towards the head, side
out vec4 vTone;
out vec2 vAt;
void main() {
	float age = uTime - aFrom.z;
	gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
	vTone = vec4(0.0);
	vAt = aShape;
	if (gone(age)) return;
	float tail = TAIL * aFrom.w;
	float here = along(age - tail * (1.0 - aShape.x));
	vec4 a = uCamera * vec4(way(here), 1.0), b = uCamera * vec4(way(min(1.0, here + 0.02)), 1.0);
	if (here > 0.98) b = a + (a - uCamera * vec4(way(here - 0.02), 1.0));
	widen(a, b, aShape.y, uPixel * (0.7 + 1.5 * aShape.x) + 0.5);
	gl_Position = a;
	vTone = vec4(toneOf(aInto.z), nearness(a.w) * 0.95);
}`;

export const TAIL_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
uniform float uAdditive;
out vec4 colour;
void main() {
	float a = vTone.a * vAt.x * vAt.x * smoothstep(1.0, 0.35, abs(vAt.y));
	vec3 c = mix(vTone.rgb, vec3(1.0), uAdditive * 0.45 * smoothstep(0.6, 1.0, vAt.x));
	colour = vec4(c * a, a * mix(1.0, 0.6, uAdditive));
}`;

export const HEAD_VERTEX = /* glsl */ `${COMET}
in vec2 aShape;
out vec4 vTone;
out vec2 vAt;
void main() {
	float age = uTime - aFrom.z;
	gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
	vTone = vec4(0.0);
	vAt = aShape;
	if (gone(age) || age > aFrom.w) return;
	vec4 c = uCamera * vec4(way(along(age)), 1.0);
	c.xy += aShape * uPixel * 7.0 / uViewport * 2.0 * c.w;
	gl_Position = c;
	vTone = vec4(toneOf(aInto.z), nearness(c.w));
}`;

export const HEAD_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
uniform float uAdditive;
out vec4 colour;
void main() {
	float r = length(vAt);
	float body = smoothstep(0.36, 0.22, r), halo = max(0.0, 1.0 - r);
	float a = vTone.a * max(body, halo * halo * mix(0.25, 0.6, uAdditive));
	vec3 c = mix(vTone.rgb, vec3(1.0), uAdditive * body * 0.7);
	colour = vec4(c * a, mix(a, body * vTone.a, uAdditive));
}`;

const MARK = /* glsl */ `${COMMON}
in vec4 aSpot; // angle, radius, height, verdict
in vec4 aLife; // state, since, beat, member
// A new alert rises from its block.
float risen() { return uStill > 0.5 ? 1.0 : 1.0 - pow(1.0 - clamp((uTime - aLife.y) / 0.9, 0.0, 1.0), 3.0); }
`;

/** The stem from the address to its mark. */
export const STEM_VERTEX = /* glsl */ `${MARK}
in vec2 aShape; // along 0..1, side
out vec4 vTone;
out float vSide;
void main() {
	vec4 a = uCamera * vec4(onRing(aSpot.x, aSpot.y, 0.0), 1.0), b = uCamera * vec4(onRing(aSpot.x, aSpot.y, aSpot.z * risen()), 1.0);
	vec4 here = aShape.x < 0.5 ? a : b, there = aShape.x < 0.5 ? b : a;
	widen(here, there, aShape.x < 0.5 ? aShape.y : -aShape.y, uPixel * 0.6 + 0.6);
	gl_Position = here;
	vSide = aShape.y;
	vTone = vec4(toneOf(aSpot.w), (aLife.x < 1.5 ? 0.9 : 0.4) * nearness(here.w) * focus(aLife.w));
}`;

export const STEM_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in float vSide;
out vec4 colour;
void main() {
	float a = vTone.a * smoothstep(1.0, 0.4, abs(vSide));
	colour = vec4(vTone.rgb * a, a);
}`;

export const MARK_VERTEX = /* glsl */ `${MARK}
in vec2 aShape;
out vec4 vTone;
out vec2 vAt;
flat out vec4 vMark; // verdict, state, softness, beat
flat out float vWave;
void main() {
	vec4 c = uCamera * vec4(onRing(aSpot.x, aSpot.y, aSpot.z * risen()), 1.0);
	float beat = beatOf(aLife.z);
	float size = uPixel * (aLife.x < 0.5 ? 7.6 : aLife.x < 1.5 ? 6.0 : 4.6) * (1.0 + 0.25 * beat) * mix(uDistance / c.w, 1.0, uFlat);
	float room = aLife.x < 0.5 ? 4.2 : 2.4;
	vAt = aShape * room;
	c.xy += aShape * size * room / uViewport * 2.0 * c.w;
	gl_Position = c;
	vMark = vec4(aSpot.w, aLife.x, 1.0 / max(1.0, size), beat);
	vWave = uStill > 0.5 ? 0.55 : fract((uTime - aLife.y) / 2.4);
	vTone = vec4(toneOf(aSpot.w), mix(0.75, 1.0, nearness(c.w)) * focus(aLife.w));
}`;

export const MARK_FRAGMENT = /* glsl */ `
precision highp float;
in vec4 vTone;
in vec2 vAt;
flat in vec4 vMark;
flat in float vWave;
uniform float uAdditive;
uniform vec4 uPage;
out vec4 colour;
// The marks of the palette: star, diamond, cross, ring; in -1..1.
float mark(float verdict, vec2 p) {
	if (verdict < 0.5) return length(p) - 0.74 - 0.24 * cos(atan(p.y, p.x) * 8.0);
	if (verdict < 1.5) return (abs(p.x) + abs(p.y) - 1.08) * 0.7071;
	p = abs(p);
	if (verdict < 2.5) return max(min(p.x, p.y) - 0.34, max(p.x, p.y) - 0.96);
	return abs(length(p) - 0.66) - 0.26;
}
void main() {
	float d = mark(vMark.x, vAt), soft = vMark.z, r = length(vAt);
	float body = smoothstep(soft, -soft, d);
	if (vMark.y > 1.5) body *= smoothstep(-0.16 - soft, -0.16 + soft, d);
	float ground = smoothstep(soft, -soft, d - 0.26) * (1.0 - body) * 0.75;
	float halo = max(0.0, 1.0 - r / 2.3);
	float light = halo * halo * (vMark.y < 1.5 ? 0.28 + 0.6 * vMark.w : 0.0) * mix(0.4, 1.0, uAdditive);
	if (vMark.y < 0.5) light = max(light, smoothstep(0.16, 0.0, abs(r - 1.2 - 2.8 * vWave)) * (1.0 - vWave) * 0.85);
	light *= (1.0 - body) * (1.0 - ground);
	vec3 c = mix(vTone.rgb, vec3(1.0), uAdditive * 0.3 * vMark.w);
	colour = vec4(c * body + uPage.rgb * ground + vTone.rgb * light, body + ground + light * mix(1.0, 0.25, uAdditive)) * vTone.a;
}`;

