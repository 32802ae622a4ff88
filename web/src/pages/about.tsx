// What this is, whose data it uses, which keys it knows.

import { useHouse } from "../core/house";
import { Page } from "../shell/parts";

export default function About() {
	const { t, session } = useHouse();
	return (
		<Page title={t("nav.about")} hint={session?.version ? `Yagura 櫓 ${session.version}` : ""}>
			<section class="panel"><p>{t("about.text")}</p></section>
			<section class="panel">
				<h2>{t("about.keys")}</h2>
				<dl class="facts">
					<dt><kbd>/</kbd></dt><dd>{t("keys.search")}</dd>
					<dt><kbd>g</kbd> …</dt><dd>{t("keys.go")}</dd>
					<dt><kbd>D</kbd></dt><dd>{t("keys.theme")}</dd>
					<dt><kbd>?</kbd></dt><dd>{t("keys.help")}</dd>
				</dl>
			</section>
			<section class="panel">
				<h2>{t("about.data")}</h2>
				<p><a href="https://db-ip.com" rel="noopener noreferrer">{t("about.dbip")}</a></p>
				<p>{t("about.routeviews")}</p>
				<p class="hint">Apache-2.0 · Preact, ECharts, three.js, topojson, world-atlas</p>
			</section>
		</Page>
	);
}
