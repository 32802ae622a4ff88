// Findings as a list, newest first.

import type { Finding } from "../core/api";
import { ago, short } from "../core/format";
import { useHouse } from "../core/house";
import { address } from "../core/route";

export function Severity({ value }: { value: string }) {
	const { tOf } = useHouse();
	return <span class={`severity ${value}`}>{tOf("severity", value)}</span>;
}

export function findingAddress(finding: { id: string }): string {
	return address(`finding/${encodeURIComponent(finding.id)}`, {});
}

export function Feed({ findings }: { findings: Finding[] }) {
	const { t, tOf, language } = useHouse();
	return (
		<ul class="feed">
			{findings.map((finding) => (
				<li key={finding.id}>
					<a href={findingAddress(finding)}>{finding.subject}</a>
					<Severity value={finding.severity} />
					<span class="hint">{tOf("findings.type", finding.type)} · {short(finding.packets, language)} {t("count.packets")}</span>
					<time class="hint" dateTime={finding.last}>{finding.ended ? t("findings.ended") : t("findings.ongoing")} · {ago(finding.last, language)}</time>
				</li>
			))}
		</ul>
	);
}
