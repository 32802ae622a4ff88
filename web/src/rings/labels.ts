// Words in Rings: what is the matter first, then whose arcs these are.

import { Words, type Label } from "../atlas/words";
import type { CubeCamera } from "../cube/camera";
import type { Layout, Spot } from "./layout";

const MEMBERS_MAX = 26;
const MEMBERS_NARROW = 8;
const NARROW_PX = 700;

interface MemberLabel extends Label {
	id: number;
	angle: number;
	radius: number;
	span: number;
}

interface AlertLabel extends Label {
	angle: number;
	radius: number;
	/** Of the mark over its ring. */
	rise: number;
	text: string;
}

export interface Told {
	spot: Spot;
	rise: number;
	text: string;
}

export class RingsLabels {
	private readonly words: Words;
	private members: MemberLabel[] = [];
	private readonly alerts: AlertLabel[] = [];
	private scale = 1;
	private focus = -1;
	private readonly at = { x: 0, y: 0, z: 0 };
	private readonly out = { x: 0, y: 0, z: 0 };

	constructor(
		private readonly root: HTMLElement,
		private readonly camera: CubeCamera,
	) {
		this.words = new Words(root, camera);
	}

	setMembers({ rings, byMember }: Layout, name: (id: number) => string): void {
		for (const label of this.members) label.element.remove();
		this.members = [...byMember.values()]
			.map((place) => ({ place, radius: rings[place.ring]!.outer + 0.016, span: place.to - place.from }))
			.sort((a, b) => b.span * b.radius - a.span * a.radius)
			.slice(0, this.camera.width < NARROW_PX ? MEMBERS_NARROW : MEMBERS_MAX)
			.map(({ place, radius, span }) => ({ ...this.words.make(name(place.member.id), "rings-member"), id: place.member.id, angle: (place.from + place.to) / 2, radius, span }));
		this.measure();
	}

	setAlerts(told: readonly Told[]): void {
		while (this.alerts.length < told.length) this.alerts.push({ ...this.words.make("", "rings-alert"), angle: 0, radius: 0, rise: 0, text: "" });
		this.alerts.forEach((label, i) => {
			const one = told[i];
			label.angle = one?.spot.angle ?? 0;
			label.radius = one?.spot.radius ?? 0;
			label.rise = one?.rise ?? 0;
			if (label.text === (one?.text ?? "")) return;
			label.text = label.element.textContent = one?.text ?? "";
			this.words.measure(label);
		});
	}

	setFocus(member: number): void {
		this.focus = member;
	}

	measure(scale = this.scale): void {
		this.scale = scale;
		for (const label of [...this.members, ...this.alerts]) this.words.measure(label);
	}

	update(): void {
		this.words.begin();
		for (const label of this.alerts) this.placeAlert(label);
		for (const label of this.members) this.placeMember(label);
	}

	private placeAlert(label: AlertLabel): void {
		label.seen = false;
		if (label.text) {
			this.camera.project(Math.cos(label.angle) * label.radius, label.rise, Math.sin(label.angle) * label.radius, this.at);
			const left = this.at.x < (this.camera.width + this.camera.insets.left - this.camera.insets.right) / 2;
			this.words.put(label, this.at.x + (left ? -1 : 1) * (13 * this.scale + label.width / 2), this.at.y);
			label.seen = this.words.free(label);
			if (label.seen) this.words.keep(label);
		}
		this.words.show(label, 1);
	}

	private placeMember(label: MemberLabel): void {
		const [x, z] = [Math.cos(label.angle), Math.sin(label.angle)];
		this.camera.project(x * label.radius, 0, z * label.radius, this.at);
		this.camera.project(x * (label.radius + 0.05), 0, z * (label.radius + 0.05), this.out);
		const length = Math.hypot(this.out.x - this.at.x, this.out.y - this.at.y) || 1;
		const [ox, oy] = [(this.out.x - this.at.x) / length, (this.out.y - this.at.y) / length];
		this.words.put(label, this.at.x + ox * (5 * this.scale + label.width / 2), this.at.y + oy * (5 * this.scale + label.height / 2));
		const chosen = this.focus === label.id;
		label.seen = label.width > 0 && (chosen || this.focus < 0) && this.words.free(label);
		if (label.seen) this.words.keep(label);
		// What is far recedes.
		const near = 1 - Math.max(0, Math.min(1, (this.at.z - this.camera.distance + 0.7) / 1.4));
		this.words.show(label, chosen ? 1 : 0.35 + 0.5 * near);
	}

	draw(c: CanvasRenderingContext2D, ratio: number): void {
		this.words.draw(c, ratio, [...this.members, ...this.alerts]);
	}

	dispose(): void {
		this.root.replaceChildren();
	}
}
