// Words over a picture that turns: elements over the canvas, moved once a frame, sharp at every size, in the reader's language. What
// would overlap is left out.

export interface Label {
	element: HTMLElement;
	width: number;
	height: number;
	/** Position of its middle, CSS pixels. */
	x: number;
	y: number;
	seen: boolean;
}

interface Room {
	width: number;
	height: number;
}

export class Words {
	private readonly boxes: number[] = [];

	constructor(
		readonly root: HTMLElement,
		private readonly room: Room,
	) {}

	make(text: string, name: string): Label {
		const element = document.createElement("span");
		element.className = name;
		element.textContent = text;
		this.root.append(element);
		return { element, width: 0, height: 0, x: 0, y: 0, seen: false };
	}

	measure(label: Label): void {
		label.width = label.element.offsetWidth;
		label.height = label.element.offsetHeight;
	}

	/** Before the words of a frame are placed. */
	begin(): void {
		this.boxes.length = 0;
	}

	put(label: Label, x: number, y: number): void {
		label.x = Math.max(label.width / 2 + 3, Math.min(this.room.width - label.width / 2 - 3, x));
		label.y = Math.max(label.height / 2 + 2, Math.min(this.room.height - label.height / 2 - 2, y));
	}

	free(label: Label): boolean {
		const boxes = this.boxes;
		for (let i = 0; i < boxes.length; i += 4)
			if (Math.abs(boxes[i]! - label.x) < (boxes[i + 2]! + label.width) / 2 + 5 && Math.abs(boxes[i + 1]! - label.y) < (boxes[i + 3]! + label.height) / 2) return false;
		return true;
	}

	keep(label: Label): void {
		this.boxes.push(label.x, label.y, label.width, label.height);
	}

	show(label: Label, opacity: number): void {
		const style = label.element.style;
		style.opacity = label.seen ? Math.min(1, opacity).toFixed(2) : "0";
		if (label.seen) style.transform = `translate(${(label.x - label.width / 2).toFixed(1)}px, ${(label.y - label.height / 2).toFixed(1)}px)`;
	}

	/** The same words, onto a saved picture; `ratio` is its pixels a CSS pixel. */
	draw(c: CanvasRenderingContext2D, ratio: number, labels: Iterable<Label>): void {
		c.save();
		c.scale(ratio, ratio);
		c.textAlign = "center";
		c.textBaseline = "middle";
		for (const label of labels) {
			if (!label.seen) continue;
			const style = getComputedStyle(label.element);
			c.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
			c.fillStyle = style.color;
			c.fillText(label.element.textContent ?? "", label.x, label.y);
		}
		c.restore();
	}
}
