// What the hub says of groups, releases and receipts, and what follows from it for the pages.

export interface Group {
	key: string; name: string; name_en: string; purpose: string; confidential: boolean; most: string | null; collection: string | null;
	takes_part: boolean; members: string[]; names: Record<string, string>; groups: string[]; change?: number; changed?: string; changed_by?: string;
}
export interface Brief { id: number; key: string; name: string; kind: string; sector: string; sector_name: string }
export interface Warning { code: string; detail: string; message: string; message_ja: string }
export interface Preview { count: number; members: Brief[]; sectors: Record<string, number>; warnings: Warning[]; tlp: string; digest: string }
export type State = "proposed" | "released" | "refused" | "withdrawn";
export interface Release {
	id: number; state: State; kind: "value" | "finding" | "indicator"; value: string; value_kind: string; tlp: string; confidence: number; title: string;
	object: string | null; anonymous: boolean; proposed: string; decided: string | null; groups: string[]; own: boolean;
	originator: { key: string; name: string } | null; note?: string; decision_note?: string | null; subject?: string; proposer?: string; releaser?: string | null;
	audience?: { count: number; sectors: Record<string, number> } | null; preview?: Preview;
}
export interface Receipt {
	id?: number; time: string; actor: string; subject: string; member: number | null; name?: string; hash?: string;
	detail: { way: string; filter: string; objects: number; after: string | null; until: string | null; most: string };
}

export const TLPS = ["clear", "green", "amber", "amber+strict", "red"];
export const STATES: State[] = ["proposed", "released", "refused", "withdrawn"];

export function nameOf(group: Group, language: string): string {
	return (language === "en" && group.name_en) || group.name;
}

/** Groups that lie in no other: where a drawing begins. */
export function outermost(groups: Group[]): Group[] {
	const inner = new Set(groups.flatMap((group) => group.groups));
	return groups.filter((group) => !inner.has(group.key));
}

export interface Participant { key: string; name: string; through: string[] }

/** Everybody who takes part, with the groups on the way from the group to where they are named: the shortest way. */
export function participants(groups: Group[], from: Group): Participant[] {
	const byKey = new Map(groups.map((group) => [group.key, group]));
	const found = new Map<string, Participant>();
	const met = new Set([from.key]);
	let row: { group: Group; through: string[] }[] = [{ group: from, through: [] }];
	while (row.length > 0) {
		const next: typeof row = [];
		for (const { group, through } of row) {
			for (const key of group.members) if (!found.has(key)) found.set(key, { key, name: group.names[key] ?? key, through });
			for (const key of group.groups) {
				const part = byKey.get(key);
				if (part && !met.has(key)) {
					met.add(key);
					next.push({ group: part, through: [...through, key] });
				}
			}
		}
		row = next;
	}
	return [...found.values()];
}

/** Groups that would come to lie in themselves if they were put into `key`: itself, and whatever it lies in. */
export function around(groups: Group[], key: string): Set<string> {
	const found = new Set([key]);
	for (let before = 0; before !== found.size;) {
		before = found.size;
		for (const group of groups) if (group.groups.some((part) => found.has(part))) found.add(group.key);
	}
	return found;
}
