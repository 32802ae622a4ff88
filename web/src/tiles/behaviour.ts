// What a source does, guessed from its packets of the last minute by rules that stand here and nowhere else. They are read from top to
// bottom; the first that holds names the behaviour. Horizontal and vertical scans are told apart as in Durumeric et al., "An
// Internet-Wide View of Internet-Wide Scanning" (USENIX Security 2014) and Staniford et al., "Practical Automated Detection of
// Stealthy Portscans" (2002). A guess from few packets is a guess: the page of the source has the figures.
//
// 1. More than half of the packets are backscatter: the source answers forged packets, it is under attack itself.
// 2. More than half are requests with large answers: it looks for reflectors.
// 3. Fewer than three packets: single packets.
// 4. At most two addresses: three ports or more are a port sweep (vertical scan), fewer are repetition.
// 5. Several addresses: more than five ports, or a new port with nearly every packet, is a wide scan; otherwise a horizontal scan.

export const BEHAVIOURS = ["horizontal", "vertical", "wide", "attacked", "reflectors", "repeats", "single"] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export interface Packet {
	/** Index into KINDS. */
	kind: number;
	/** protocol * 65536 + port */
	port: number;
	target: string;
	packets: number;
}

export interface Guess {
	behaviour: Behaviour;
	/** The kind of most packets. */
	kind: number;
	/** The port of most packets. */
	port: number;
	ports: number;
	targets: number;
	packets: number;
}

const BACKSCATTER = 1;
const REFLECTION = 3;
const KINDS = 6;
const LEAST = 3;
const FEW_TARGETS = 2;
const FEW_PORTS = 5;
const NEW_PORT_SHARE = 0.8;

export function guess(rows: readonly Packet[]): Guess {
	const kinds = new Array<number>(KINDS).fill(0);
	const ports = new Map<number, number>();
	const targets = new Set<string>();
	let packets = 0;
	for (const row of rows) {
		kinds[row.kind] = (kinds[row.kind] ?? 0) + row.packets;
		ports.set(row.port, (ports.get(row.port) ?? 0) + row.packets);
		targets.add(row.target);
		packets += row.packets;
	}
	let kind = 0;
	for (let i = 1; i < KINDS; i++) if (kinds[i]! > kinds[kind]!) kind = i;
	let [port, most] = [0, 0];
	for (const [key, count] of ports) if (count > most) [port, most] = [key, count];
	const found = { kind, port, ports: ports.size, targets: targets.size, packets };
	return { behaviour: name(found, kinds, rows.length), ...found };
}

function name(found: Omit<Guess, "behaviour">, kinds: readonly number[], rows: number): Behaviour {
	const { packets, ports, targets } = found;
	if (kinds[BACKSCATTER]! * 2 > packets) return "attacked";
	if (kinds[REFLECTION]! * 2 > packets) return "reflectors";
	if (packets < LEAST) return "single";
	if (targets <= FEW_TARGETS) return ports >= LEAST ? "vertical" : "repeats";
	return ports > FEW_PORTS || (ports >= LEAST && ports >= NEW_PORT_SHARE * rows) ? "wide" : "horizontal";
}
