// Small pieces of the sharing page: the marking, a lock, a state.

import type { State } from "./model";
import { useWords, type SharingWord } from "./texts";

/** As FIRST writes it: coloured letters on black, with the word itself. */
export function Tlp({ of }: { of: string }) {
	return <span class={`tlp tlp-${of.replace("+", "-")}`}>TLP:{of.toUpperCase()}</span>;
}

export function Lock({ label }: { label: string }) {
	return (
		<svg class="lock" width="14" height="14" viewBox="0 0 24 24" role="img" aria-label={label}>
			<title>{label}</title>
			<path d="M6 10V7.500a6 6 0 0 1 12 0V10h1a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zm2 0h8V7.500a4 4 0 0 0-8 0z" fill="currentColor" />
		</svg>
	);
}

const SHAPES: Record<State, string> = {
	proposed: "M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zm0 2v4.700l3 1.800",
	released: "M2.500 8.500 6.300 12.300 13.500 4.200",
	refused: "M3.500 3.500l9 9m0-9-9 9",
	withdrawn: "M6.500 3 2.500 7l4 4M3 7h6.500a3.500 3.500 0 0 1 0 7H7",
};

export function StateMark({ state }: { state: State }) {
	const w = useWords();
	return (
		<span class={`release-state ${state}`}>
			<svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPES[state]} fill="none" stroke="currentColor" stroke-width="1.800" stroke-linecap="round" stroke-linejoin="round" /></svg>
			{w(`state.${state}` as SharingWord)}
		</span>
	);
}

export function Eyes({ open }: { open: boolean }) {
	return (
		<svg class={`eyes${open ? " open" : ""}`} width="46" height="22" viewBox="0 0 46 22" aria-hidden="true">
			{[11, 35].map((x) => (
				<g key={x} transform={`translate(${x} 11)`}>
					<path d="M-9 0s3.500-6.500 9-6.500S9 0 9 0 5.500 6.500 0 6.500-9 0-9 0z" fill="none" stroke="currentColor" stroke-width="1.600" stroke-linejoin="round" />
					{open ? <circle r="2.800" fill="currentColor" /> : <path d="M-6 5 6-5" stroke="currentColor" stroke-width="1.600" stroke-linecap="round" />}
				</g>
			))}
		</svg>
	);
}
