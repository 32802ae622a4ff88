// The pointer over a picture that turns: drag, pinch and wheel, hover, tap.

export interface GripEvents {
	drag(dx: number, dy: number): void;
	zoom(factor: number): void;
	hover(x: number, y: number): void;
	leave(): void;
	tap(x: number, y: number, mouse: boolean): void;
}

export class Grip {
	private readonly held = new Map<number, { x: number; y: number }>();
	private travelled = 0;
	private apart = 0;

	constructor(
		canvas: HTMLCanvasElement,
		private readonly events: GripEvents,
		signal: AbortSignal,
	) {
		const at = (event: PointerEvent) => {
			const box = canvas.getBoundingClientRect();
			return { x: event.clientX - box.left, y: event.clientY - box.top };
		};
		canvas.addEventListener("pointerdown", (event) => {
			canvas.setPointerCapture(event.pointerId);
			this.held.set(event.pointerId, at(event));
			this.travelled = 0;
			this.apart = 0;
		}, { signal });
		canvas.addEventListener("pointermove", (event) => {
			const now = at(event);
			const old = this.held.get(event.pointerId);
			if (!old) {
				if (event.pointerType === "mouse") events.hover(now.x, now.y);
				return;
			}
			this.travelled += Math.hypot(now.x - old.x, now.y - old.y);
			this.held.set(event.pointerId, now);
			if (this.held.size === 2) this.pinch();
			else if (this.travelled > 4) events.drag(now.x - old.x, now.y - old.y);
		}, { signal });
		const up = (event: PointerEvent) => {
			const old = this.held.get(event.pointerId);
			this.held.delete(event.pointerId);
			if (!old || event.type === "pointercancel" || this.travelled > 6 || this.apart > 0) return;
			events.tap(old.x, old.y, event.pointerType === "mouse");
		};
		canvas.addEventListener("pointerup", up, { signal });
		canvas.addEventListener("pointercancel", up, { signal });
		canvas.addEventListener("pointerleave", () => events.leave(), { signal });
		canvas.addEventListener("wheel", (event) => {
			event.preventDefault();
			events.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)));
		}, { signal, passive: false });
	}

	get holding(): boolean {
		return this.held.size > 0;
	}

	private pinch(): void {
		const [a, b] = [...this.held.values()] as [{ x: number; y: number }, { x: number; y: number }];
		const apart = Math.hypot(a.x - b.x, a.y - b.y);
		if (this.apart > 0) this.events.zoom(apart / this.apart);
		this.apart = apart;
	}
}
