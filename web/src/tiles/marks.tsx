// A behaviour as a very small tile: ports above, addresses below. The same signs in the list, in the key and nowhere else.

import type { Behaviour } from "./behaviour";

type Dots = readonly (readonly [x: number, upper: number, lower: number])[];

const SIGNS: Record<Behaviour, Dots> = {
	horizontal: [[2, 4, 15], [6, 4, 11], [10, 4, 17], [14, 4, 12], [18, 4, 16], [22, 4, 11]],
	vertical: [[2, 6, 14], [6, 2, 14], [10, 4, 14], [14, 7, 14], [18, 1, 14], [22, 5, 14]],
	wide: [[2, 6, 12], [6, 2, 17], [10, 5, 14], [14, 1, 11], [18, 7, 16], [22, 3, 13]],
	attacked: [[2, 5, 12], [6, 5, 17], [10, 5, 11], [14, 5, 15], [18, 5, 17], [22, 5, 12]],
	reflectors: [[3, 7, 16], [9, 7, 12], [15, 7, 17], [21, 7, 13]],
	repeats: [[2, 4, 14], [7, 4, 14], [12, 4, 14], [17, 4, 14], [22, 4, 14]],
	single: [[15, 4, 13]],
};
const KIND: Partial<Record<Behaviour, number>> = { attacked: 1, reflectors: 3 };

export function Sign({ behaviour }: { behaviour: Behaviour }) {
	const kind = KIND[behaviour] ?? 0;
	const shape = (x: number, y: number) => (kind === 1 ? `M${x} ${y - 2}l2 2-2 2-2-2z` : kind === 3 ? `M${x} ${y - 1.8}l1.9 3.3h-3.8z` : `M${x - 1.5} ${y}a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0`);
	return (
		<svg class={`tiles-sign tiles-sign-${kind}`} viewBox="-1 -1 26 21" aria-hidden="true">
			<path class="tiles-sign-lane" d="M-1-1h26v10h-26zM-1 10h26v10h-26z" />
			<path class="tiles-sign-dots" d={SIGNS[behaviour].flatMap(([x, upper, lower]) => [shape(x, upper), shape(x, lower)]).join("")} />
		</svg>
	);
}
