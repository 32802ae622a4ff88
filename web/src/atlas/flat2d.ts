// The Atlas on a plain canvas, for browsers without WebGL 2: the same map and arcs, fewer of them, no globe.

import type { Arc } from "../live/stream";
import { ARC_FLOATS, ArcRing, HeatGrid, TAIL } from "./arcs";
import type { Geography } from "./geography";
import { MAP_HALF_WIDTH, naturalEarthInverse, naturalEarthX, naturalEarthY, RADIAN, wrap } from "./projection";
import type { Insets, SceneColours } from "./scene";
import type { AtlasView } from "./view";

const ARCS_2D = 320;
const STEPS = 8;
const SOUTH = naturalEarthY(-57 * RADIAN);
const NORTH = naturalEarthY(83 * RADIAN);

export class FlatView implements AtlasView {
	readonly arcs = new ArcRing();
	readonly heat = new HeatGrid();
	readonly rendererName = "canvas 2d";
	geography: Geography | null = null;
	time = 0;
	paused = false;
	private readonly context: CanvasRenderingContext2D;
	private readonly ground = document.createElement("canvas");
	private groundStale = true;
	private colours: SceneColours | null = null;
	private shown: boolean[] = [true, true, true, true, true, true];
	private byPort = false;
	private still = false;
	private hover = -1;
	private centre = 150 * RADIAN;
	private target = { longitude: 139.7, latitude: 35.7 };
	private width = 1;
	private ratio = 1;
	private scale = 1;
	private unit = 100;
	private originX = 0;
	private originY = 0;
	private sinceHeat = 0;

	constructor(readonly canvas: HTMLCanvasElement) {
		const context = canvas.getContext("2d");
		if (!context) throw new Error("no 2d canvas");
		this.context = context;
		this.arcs.size = ARCS_2D;
	}

	setGeography(geography: Geography): void {
		this.geography = geography;
		this.groundStale = true;
	}
	setColours(colours: SceneColours): void {
		this.colours = colours;
		this.groundStale = true;
	}
	setTarget(longitude: number, latitude: number): void {
		this.target = { longitude, latitude };
	}
	setCentre(longitude: number): void {
		this.centre = Math.round(longitude / 5) * 5 * RADIAN;
		this.groundStale = true;
	}
	setGlobe(): void {}
	setShown(shown: readonly boolean[]): void {
		this.shown = [...shown];
	}
	setByPort(by_port: boolean): void {
		this.byPort = by_port;
	}
	setStill(still: boolean): void {
		this.still = still;
	}
	setNight(): void {}
	setHover(country: number): void {
		if (this.hover === country) return;
		this.hover = country;
		this.groundStale = true;
	}
	setCountry(): void {}
	setArcsMax(count: number): void {
		this.arcs.size = Math.min(ARCS_2D, count);
	}
	drag(): void {}
	zoomBy(): void {}
	resetView(): void {}

	resize(width: number, height: number, insets: Insets, scale: number, sharpness: number): void {
		this.width = width;
		this.scale = scale;
		this.ratio = Math.min(window.devicePixelRatio || 1, 2) * sharpness;
		for (const canvas of [this.canvas, this.ground]) {
			canvas.width = Math.round(width * this.ratio);
			canvas.height = Math.round(height * this.ratio);
		}
		const freeWidth = Math.max(80, width - insets.left - insets.right);
		const freeHeight = Math.max(80, height - insets.top - insets.bottom);
		this.unit = Math.min(freeWidth / (2 * MAP_HALF_WIDTH * 0.985), freeHeight / (NORTH - SOUTH)) * this.ratio;
		this.originX = (insets.left + freeWidth / 2) * this.ratio;
		this.originY = (insets.top + freeHeight / 2) * this.ratio + ((NORTH + SOUTH) / 2) * this.unit;
		this.groundStale = true;
	}

	launch(row: Arc, delay: number, portSlot: number): boolean {
		this.heat.add(row[2], row[1], row[9]);
		return this.arcs.add(row, this.target, this.time + delay, 1.1 + 0.4 * Math.random(), 0.6, portSlot, this.time);
	}

	private drawGround(): void {
		const c = this.ground.getContext("2d");
		if (!c || !this.geography || !this.colours) return;
		c.fillStyle = this.colours.sea;
		c.fillRect(0, 0, this.ground.width, this.ground.height);
		const land = this.geography.land;
		for (let i = 0; i < land.length; i += 12) {
			c.fillStyle = c.strokeStyle = land[i + 3] === this.hover ? this.colours.landHover : this.colours.land;
			c.beginPath();
			for (let k = 0; k < 12; k += 4) {
				const lambda = wrap(land[i + k]! - this.centre) + land[i + k + 1]!;
				c.lineTo(this.x(naturalEarthX(lambda, land[i + k + 2]!)), this.y(naturalEarthY(land[i + k + 2]!)));
			}
			c.closePath();
			c.fill();
			c.stroke();
		}
		const lines = this.geography.lines;
		for (const coast of [0, 1]) {
			const [style, alpha] = coast ? this.colours.coast : this.colours.border;
			c.strokeStyle = style;
			c.globalAlpha = alpha;
			c.beginPath();
			for (let i = 0; i < lines.length; i += 8) {
				if (lines[i + 3] !== coast) continue;
				for (const k of [0, 4]) {
					const lambda = wrap(lines[i + k]! - this.centre) + lines[i + k + 1]!;
					const x = this.x(naturalEarthX(lambda, lines[i + k + 2]!));
					const y = this.y(naturalEarthY(lines[i + k + 2]!));
					if (k) c.lineTo(x, y);
					else c.moveTo(x, y);
				}
			}
			c.stroke();
		}
		c.globalAlpha = 1;
		this.groundStale = false;
	}

	private x(mapX: number): number {
		return this.originX + mapX * this.unit;
	}
	private y(mapY: number): number {
		return this.originY - mapY * this.unit;
	}

	private atX = 0;
	private atY = 0;
	private along(at: number, u: number): void {
		const d = this.arcs.data;
		const x0 = naturalEarthX(wrap(d[at]! - this.centre), d[at + 1]!);
		const y0 = naturalEarthY(d[at + 1]!);
		const x1 = naturalEarthX(wrap(d[at + 2]! - this.centre), d[at + 3]!);
		const y1 = naturalEarthY(d[at + 3]!);
		const span = Math.hypot(x1 - x0, y1 - y0) || 1e-9;
		const sign = ((x1 - x0) / span) * (y0 + y1 < -0.5 ? -1 : 1) < 0 ? -1 : 1;
		const out = sign * (0.26 + 0.16 * (d[at + 7]! - 0.5));
		const bx = (x0 + x1) / 2 - (y1 - y0) * out;
		const by = (y0 + y1) / 2 + (x1 - x0) * out;
		const a = (1 - u) * (1 - u);
		const b = 2 * u * (1 - u);
		this.atX = this.x(a * x0 + b * bx + u * u * x1);
		this.atY = this.y(a * y0 + b * by + u * u * y1);
	}

	frame(seconds: number): void {
		const { colours, context: c } = this;
		if (!colours || this.width <= 1) return;
		if (!this.paused) this.time += seconds;
		this.sinceHeat += seconds;
		if (this.sinceHeat > 0.5) {
			this.heat.step(this.sinceHeat);
			this.sinceHeat = 0;
		}
		if (this.groundStale) this.drawGround();
		c.drawImage(this.ground, 0, 0);
		const px = this.ratio * this.scale;
		const d = this.arcs.data;
		c.lineCap = "round";
		for (let i = 0; i < this.arcs.size; i++) {
			const at = i * ARC_FLOATS;
			const age = this.time - d[at + 4]!;
			const h = age / d[at + 5]!;
			if (h < 0 || h > 1 + TAIL || !this.shown[d[at + 8]!]) continue;
			c.strokeStyle = c.fillStyle = (this.byPort ? colours.ports[d[at + 9]!] : colours.kinds[d[at + 8]!]) ?? "#888";
			if (!this.still) this.stroke(at, h, px);
			c.globalAlpha = this.still ? 1 - h / (1 + TAIL) : 1;
			if (h <= 1 || this.still) {
				this.along(at, this.still ? 0 : h);
				c.beginPath();
				c.arc(this.atX, this.atY, 2 * px, 0, 7);
				c.fill();
			}
		}
		c.globalAlpha = 1;
		c.strokeStyle = colours.beacon;
		c.lineWidth = 1.5 * px;
		c.beginPath();
		const lambda = wrap(this.target.longitude * RADIAN - this.centre);
		const phi = this.target.latitude * RADIAN;
		c.arc(this.x(naturalEarthX(lambda, phi)), this.y(naturalEarthY(phi)), 8 * px, 0, 7);
		c.stroke();
	}

	private stroke(at: number, h: number, px: number): void {
		const c = this.context;
		const from = Math.max(0, h - TAIL);
		const to = Math.min(1, h);
		for (let k = 0; k < STEPS; k += 2) {
			c.globalAlpha = 0.6 * ((k + 2) / STEPS) ** 2;
			c.lineWidth = px * (0.5 + k / STEPS);
			c.beginPath();
			for (let j = k; j <= k + 2; j++) {
				this.along(at, from + ((to - from) * j) / STEPS);
				if (j === k) c.moveTo(this.atX, this.atY);
				else c.lineTo(this.atX, this.atY);
			}
			c.stroke();
		}
	}

	placeAt(x: number, y: number): { longitude: number; latitude: number } | null {
		const at = naturalEarthInverse((x * this.ratio - this.originX) / this.unit, (this.originY - y * this.ratio) / this.unit, this.centre);
		return at && { longitude: at.longitude / RADIAN, latitude: at.latitude / RADIAN };
	}

	arcAt(x: number, y: number, reach: number): Arc | null {
		let best = (reach * this.ratio) ** 2;
		let found: Arc | null = null;
		for (let i = 0; i < this.arcs.size; i++) {
			if (!this.arcs.alive(i, this.time)) continue;
			const h = (this.time - this.arcs.data[i * ARC_FLOATS + 4]!) / this.arcs.data[i * ARC_FLOATS + 5]!;
			if (h > 1) continue;
			this.along(i * ARC_FLOATS, h);
			const away = (this.atX - x * this.ratio) ** 2 + (this.atY - y * this.ratio) ** 2;
			if (away < best) {
				best = away;
				found = this.arcs.rows[i] ?? null;
			}
		}
		return found;
	}

	picture(): Promise<Blob | null> {
		return new Promise((done) => this.canvas.toBlob(done, "image/png"));
	}

	dispose(): void {}
}
