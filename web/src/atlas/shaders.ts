// The GPU's half of the Atlas (GLSL ES 3.00). Everything that moves is computed here from start times, so a frame costs the CPU
// nothing but a few uniforms. Colours leave premultiplied: with uAdditive 1 light adds up (dark theme), with 0 it covers.

const COMMON = /* glsl */ `
precision highp float;
const float PI = 3.14159265359;
const float BALL = 1.3;
`;

const PLACE = /* glsl */ `
uniform mat4 uCamera;   // projection * view
uniform vec3 uEye;
uniform float uCentre;  // meridian in the middle of the flat map
uniform vec2 uLook;     // longitude and latitude that face the viewer on the globe
uniform float uMorph;   // 0 flat, 1 globe
float wrapped(float a) { return a - 2.0 * PI * floor((a + PI) / (2.0 * PI)); }
vec2 naturalEarth(float l, float p) {
	float p2 = p * p, p4 = p2 * p2;
	return vec2(l * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4))),
		p * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4))));
}
vec3 earth(float l, float p) { return vec3(cos(p) * sin(l), sin(p), cos(p) * cos(l)); }
vec3 look(vec3 v) {
	float c = cos(uLook.y), s = sin(uLook.y);
	return vec3(v.x, c * v.y - s * v.z, s * v.y + c * v.z);
}
vec3 onBall(float l, float p) { return look(earth(l - uLook.x, p)); }
vec3 onFlat(float anchor, float offset, float p) { return vec3(naturalEarth(wrapped(anchor - uCentre) + offset, p), 0.0); }
// How far a point stands in front of the globe's limb; below 0 it is hidden by it.
float facing(vec3 n) { return mix(1.0, dot(n, normalize(uEye - n * BALL)), smoothstep(0.0, 0.6, uMorph)); }
float clearance(vec3 p) {
	vec3 d = p - uEye;
	float t = clamp(-dot(uEye, d) / dot(d, d), 0.0, 1.0);
	float r = length(uEye + d * t) / BALL;
	return t > 0.999 ? 1.0 : smoothstep(0.985, 1.0, r);
}
`;

export const LAND_VERTEX = /* glsl */ `${COMMON}${PLACE}
in vec4 aGeo;
out vec3 vEarth;
out float vFront;
flat out float vMark;
void main() {
	vec3 n = onBall(aGeo.x + aGeo.y, aGeo.z);
	vEarth = earth(aGeo.x + aGeo.y, aGeo.z);
	vFront = facing(n);
	vMark = aGeo.w;
	gl_Position = uCamera * vec4(mix(onFlat(aGeo.x, aGeo.y, aGeo.z), n * BALL, uMorph), 1.0);
}`;

const SHADE = /* glsl */ `
uniform vec3 uSun;
uniform float uNight;
float night() { return uNight * smoothstep(0.08, -0.22, dot(normalize(vEarth), uSun)); }
`;

export const SEA_FRAGMENT = /* glsl */ `${COMMON}
in vec3 vEarth;
in float vFront;
flat in float vMark;
uniform vec3 uSea;
uniform vec3 uSeaNight;
uniform float uMorph;
${SHADE}
out vec4 colour;
void main() {
	if (vFront < 0.0) discard;
	float rim = uMorph * pow(1.0 - clamp(vFront, 0.0, 1.0), 3.0);
	colour = vec4(mix(uSea, uSeaNight, night()) * (1.0 + 0.9 * rim), 1.0);
}`;

export const LAND_FRAGMENT = /* glsl */ `${COMMON}
in vec3 vEarth;
in float vFront;
flat in float vMark;
uniform vec3 uLand;
uniform vec3 uLandNight;
uniform vec3 uLandWarm;
uniform vec3 uLandHover;
uniform float uHover;
uniform sampler2D uCountries;
${SHADE}
out vec4 colour;
void main() {
	if (vFront < 0.0) discard;
	vec4 state = texelFetch(uCountries, ivec2(int(vMark + 0.5), 0), 0);
	vec3 c = mix(uLand, uLandNight, night());
	c = mix(c, uLandWarm, state.r);
	if (abs(vMark - uHover) < 0.5) c = mix(c, uLandHover, 0.75);
	colour = vec4(c, 1.0);
}`;

export const LINE_FRAGMENT = /* glsl */ `${COMMON}
in vec3 vEarth;
in float vFront;
flat in float vMark;
uniform vec4 uCoast;
uniform vec4 uBorder;
out vec4 colour;
void main() {
	if (vFront < 0.0) discard;
	vec4 c = mix(uBorder, uCoast, vMark);
	c.a *= smoothstep(0.0, 0.25, vFront);
	colour = vec4(c.rgb * c.a, c.a);
}`;

export const GLOW_VERTEX = /* glsl */ `${COMMON}${PLACE}
in vec3 position;
out vec2 vAt;
void main() {
	vAt = position.xy;
	gl_Position = uCamera * vec4(position.xy * BALL * 1.45, 0.0, 1.0);
}`;

export const GLOW_FRAGMENT = /* glsl */ `${COMMON}
in vec2 vAt;
uniform vec3 uGlow;
uniform float uMorph;
uniform float uAdditive;
out vec4 colour;
void main() {
	float r = length(vAt) * 1.45;
	float a = uMorph * uMorph * smoothstep(1.42, 1.0, r) * smoothstep(0.94, 1.03, r) * 0.5;
	a = a * a * 1.6;
	colour = vec4(uGlow * a, a * (1.0 - uAdditive));
}`;

/** Source places: (longitude, latitude, packets a second now, usually). What is usual is a dim ember; what is new shines. */
export const HEAT_VERTEX = /* glsl */ `${COMMON}${PLACE}
in vec4 aHeat;
uniform float uPixel;
out float vLevel;
out float vNew;
void main() {
	float rate = aHeat.z;
	vLevel = clamp(log2(1.0 + rate * 4.0) / 10.0, 0.0, 1.0);
	vNew = smoothstep(1.6, 5.0, rate / (aHeat.w + 0.4)) * smoothstep(0.3, 2.0, rate);
	vec3 n = onBall(aHeat.x, aHeat.y);
	float seen = smoothstep(0.0, 0.2, facing(n));
	vLevel *= seen;
	vNew *= seen;
	gl_Position = uCamera * vec4(mix(onFlat(aHeat.x, 0.0, aHeat.y), n * BALL * 1.002, uMorph), 1.0);
	gl_PointSize = rate > 0.02 ? uPixel * (5.0 + 34.0 * vLevel + 20.0 * vNew) : 0.0;
	if (rate <= 0.02) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

export const HEAT_FRAGMENT = /* glsl */ `${COMMON}
in float vLevel;
in float vNew;
uniform vec3 uUsual;
uniform vec3 uUnusual;
uniform float uAdditive;
out vec4 colour;
void main() {
	float r = length(gl_PointCoord - 0.5) * 2.0;
	if (r > 1.0) discard;
	float halo = pow(1.0 - r, 2.2) * (0.1 + 0.3 * vLevel + 0.6 * vNew);
	float core = smoothstep(0.22, 0.08, r) * (0.22 + 0.4 * vLevel + 0.6 * vNew);
	float a = min(1.0, halo + core) * smoothstep(0.0, 0.12, vLevel);
	colour = vec4(mix(uUsual, uUnusual, vNew) * a, a * (1.0 - uAdditive));
}`;

/**
 * One instance an arc: aEnds = source and target (longitude, latitude), aLife = start, duration, weight, seed,
 * aTone = kind, colour slot of the port. aShape = along the tail 0..1, side -1..1, part (0 tail, 1 head, 2 ripple, 3 source).
 */
export const ARC_VERTEX = /* glsl */ `${COMMON}${PLACE}
in vec3 aShape;
in vec4 aEnds;
in vec4 aLife;
in vec2 aTone;
uniform float uTime;
uniform float uPixel;
uniform vec2 uViewport;
uniform vec3 uColours[16];
uniform float uByPort;
uniform float uShown[6];
uniform float uStill;   // 1: nothing moves, a dot at the source instead
uniform float uWidth;
uniform float uCalm;    // below 1 when many arcs move: each gets fainter so that the sum stays readable
out vec4 vTone;         // colour, strength
out vec3 vAt;           // along or x, side or y, fade
flat out vec3 vPart;    // part, kind, progress of the ripple

vec3 flat0, flat1, bend, ball0, ball1;
float angle, lift;

vec3 along(float u) {
	vec3 f = mix(mix(flat0, bend, u), mix(bend, flat1, u), u);
	if (uMorph <= 0.0) return f;
	float s = sin(angle);
	vec3 g = s < 0.01 ? normalize(mix(ball0, ball1, u)) : (sin((1.0 - u) * angle) * ball0 + sin(u * angle) * ball1) / s;
	return mix(f, g * BALL * (1.0 + lift * 4.0 * u * (1.0 - u)), uMorph);
}

void main() {
	float kind = aTone.x;
	float age = uTime - aLife.x;
	float tail = 0.34;
	float h = age / aLife.y;
	float rippleSeconds = 0.9;
	float ripple = (age - aLife.y) / rippleSeconds;
	float life = max(aLife.y * (1.0 + tail), aLife.y + rippleSeconds);
	float shown = kind < 0.5 ? uShown[0] : kind < 1.5 ? uShown[1] : kind < 2.5 ? uShown[2] : kind < 3.5 ? uShown[3] : kind < 4.5 ? uShown[4] : uShown[5];
	gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
	vTone = vec4(0.0);
	vAt = vec3(0.0);
	vPart = vec3(aShape.z, kind, 0.0);
	if (age < 0.0 || age > life || shown < 0.5) return;

	flat0 = onFlat(aEnds.x, 0.0, aEnds.y);
	flat1 = onFlat(aEnds.z, 0.0, aEnds.w);
	vec2 way = flat1.xy - flat0.xy;
	float span = length(way);
	float pole = flat0.y + flat1.y < -0.5 ? -1.0 : 1.0;
	vec2 normal = span > 0.0 ? vec2(-way.y, way.x) / span : vec2(0.0, 1.0);
	if (normal.y * pole < 0.0) normal = -normal;
	float jitter = aLife.w - 0.5;
	bend = vec3((flat0.xy + flat1.xy) * 0.5 + normal * span * (0.26 + 0.16 * jitter), span * (0.5 + 0.3 * jitter));
	ball0 = onBall(aEnds.x, aEnds.y);
	ball1 = onBall(aEnds.z, aEnds.w);
	angle = acos(clamp(dot(ball0, ball1), -1.0, 1.0));
	lift = 0.03 + angle * (0.13 + 0.05 * jitter);

	vec3 tone = uByPort > 0.5 ? uColours[6 + int(aTone.y + 0.5)] : uColours[int(kind + 0.5)];
	float strength = aLife.z;
	float calm = mix(uCalm, 1.0, smoothstep(0.55, 1.0, strength));
	float part = aShape.z;
	vec3 p;
	if (part < 0.5) {
		if (uStill > 0.5 || h > 1.0 + tail) return;
		float from = max(0.0, h - tail), to = min(1.0, h);
		float u = mix(from, to, aShape.x);
		p = along(u);
		vec3 q = along(min(1.0, u + 0.01)), o = along(max(0.0, u - 0.01));
		vec4 cq = uCamera * vec4(q, 1.0), co = uCamera * vec4(o, 1.0);
		vec2 direction = (cq.xy / cq.w - co.xy / co.w) * uViewport;
		float size = length(direction);
		vec2 across = size > 0.0 ? vec2(-direction.y, direction.x) / size : vec2(0.0);
		float fade = 1.0 - (h - u) / tail;
		vec4 c = uCamera * vec4(p, 1.0);
		float width = uPixel * uWidth * (0.5 + 0.75 * strength) * (0.35 + 0.65 * fade);
		c.xy += across * aShape.y * width / uViewport * 2.0 * c.w;
		gl_Position = c;
		vTone = vec4(tone, calm * (0.35 + 0.65 * strength) * mix(1.0, 0.2, smoothstep(0.5, 1.0, u)));
		vAt = vec3(aShape.x, aShape.y, max(0.0, fade));
	} else {
		float size;
		float seen = 1.0;
		if (part < 1.5) {
			if (uStill > 0.5 || h > 1.0) return;
			p = along(h);
			size = uPixel * (3.6 + 3.6 * strength) * min(1.0, 0.3 + 8.0 * h);
			seen = mix(1.0, calm, 0.5) * mix(1.0, 0.25, smoothstep(0.75, 1.0, h));
		} else if (part < 2.5) {
			if (uStill > 0.5 || ripple < 0.0 || ripple > 1.0 || (strength < 0.75 && aLife.w > 0.1 * calm)) return;
			p = along(1.0);
			size = uPixel * (2.0 + 15.0 * sqrt(ripple) * (0.3 + 0.7 * strength));
			seen = (1.0 - ripple) * (1.0 - ripple) * calm * 0.7;
			vPart.z = ripple;
		} else {
			float born = age / (uStill > 0.5 ? life : 0.7);
			if (born > 1.0) return;
			p = along(0.0);
			size = uPixel * (3.0 + 5.0 * strength);
			seen = (1.0 - born) * 0.9;
			vPart.z = born;
		}
		vec4 c = uCamera * vec4(p, 1.0);
		c.xy += aShape.xy * size / uViewport * 2.0 * c.w;
		gl_Position = c;
		vTone = vec4(tone, strength * seen);
		vAt = vec3(aShape.xy, 1.0);
	}
	if (uMorph > 0.0) vTone.a *= mix(1.0, clearance(p), smoothstep(0.0, 0.6, uMorph));
}`;

export const MARK = /* glsl */ `
// The marks of the kinds, as in the legend: disc, diamond, square, triangle, cross, ring. Returns coverage.
float mark(float kind, vec2 p, float soft) {
	float d;
	if (kind < 0.5) d = length(p) - 0.5;
	else if (kind < 1.5) d = (abs(p.x) + abs(p.y)) * 0.7071 - 0.47;
	else if (kind < 2.5) d = max(abs(p.x), abs(p.y)) - 0.46;
	else if (kind < 3.5) { p.y += 0.1; d = max(abs(p.x) * 0.866 + p.y * 0.5, -p.y) - 0.36; }
	else if (kind < 4.5) { p = abs(p); d = max(min(p.x, p.y) - 0.16, max(p.x, p.y) - 0.58); }
	else d = abs(length(p) - 0.42) - 0.13;
	return smoothstep(soft, -soft, d);
}`;

export const ARC_FRAGMENT = /* glsl */ `${COMMON}${MARK}
in vec4 vTone;
in vec3 vAt;
flat in vec3 vPart;
uniform float uAdditive;
uniform float uTailStrength;
out vec4 colour;
void main() {
	vec3 c = vTone.rgb;
	float a;
	if (vPart.x < 0.5) {
		float edge = 1.0 - abs(vAt.y);
		a = vAt.z * vAt.z * smoothstep(0.0, 0.7, edge) * uTailStrength;
	} else if (vPart.x < 1.5) {
		float r = length(vAt.xy);
		float m = mark(vPart.y, vAt.xy * 1.15, 0.12);
		a = max(m, 0.34 * pow(max(0.0, 1.0 - r), 2.0));
		c = mix(c, vec3(1.0), uAdditive * m * smoothstep(0.4, 0.0, r) * 0.45);
	} else if (vPart.x < 2.5) {
		float r = length(vAt.xy);
		float w = 0.1 + 0.1 * (1.0 - vPart.z);
		a = smoothstep(w, 0.0, abs(r - (1.0 - w))) * 0.75;
	} else {
		a = mark(vPart.y, vAt.xy * 1.2, 0.15) * 0.85;
	}
	a = min(1.0, a * vTone.a);
	colour = vec4(c * a, a * (1.0 - uAdditive));
}`;

/** The darknet: two quiet rings that breathe. */
export const BEACON_VERTEX = /* glsl */ `${COMMON}${PLACE}
uniform vec2 uTarget;
uniform float uPixel;
out float vSeen;
void main() {
	vec3 n = onBall(uTarget.x, uTarget.y);
	vSeen = smoothstep(0.0, 0.2, facing(n));
	gl_Position = uCamera * vec4(mix(onFlat(uTarget.x, 0.0, uTarget.y), n * BALL * 1.003, uMorph), 1.0);
	gl_PointSize = uPixel * 56.0;
}`;

export const BEACON_FRAGMENT = /* glsl */ `${COMMON}
in float vSeen;
uniform vec3 uBeacon;
uniform float uTime;
uniform float uStill;
uniform float uAdditive;
out vec4 colour;
void main() {
	float r = length(gl_PointCoord - 0.5) * 2.0;
	float beat = uStill > 0.5 ? 0.5 : fract(uTime / 2.4);
	float ring = smoothstep(0.05, 0.0, abs(r - 0.34)) * 0.9;
	float wave = smoothstep(0.06, 0.0, abs(r - mix(0.34, 0.95, beat))) * (1.0 - beat) * 0.6;
	float dot_ = smoothstep(0.14, 0.1, r);
	float a = clamp(ring + wave + dot_, 0.0, 1.0) * vSeen;
	colour = vec4(uBeacon * a, a * (1.0 - 0.5 * uAdditive));
}`;
