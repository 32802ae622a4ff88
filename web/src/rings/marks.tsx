// The sign of a verdict in its state: filled while it goes on, ringed while it is new, hollow when it has ended.

import type { Theme } from "../atlas/house";
import { VERDICT_COLOURS, VERDICT_SHAPES, VERDICTS } from "../theme/palette";
import type { State } from "./model";

export function VerdictMark({ verdict, state = "continuing", theme }: { verdict: number; state?: State; theme: Theme }) {
	const name = VERDICTS[verdict] ?? "spoofed";
	const colour = VERDICT_COLOURS[theme][name];
	const hollow = state === "ended";
	return (
		<svg class="atlas-mark" viewBox={state === "new" ? "-5 -5 26 26" : "0 0 16 16"} aria-hidden="true" fill={hollow ? "none" : colour} stroke={hollow ? colour : "none"} stroke-width="1.4">
			<path fill-rule="evenodd" d={VERDICT_SHAPES[name]} />
			{state === "new" && <circle cx="8" cy="8" r="11.5" fill="none" stroke={colour} stroke-width="1.8" />}
		</svg>
	);
}
