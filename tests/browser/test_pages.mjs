#!/usr/bin/env node
// Every page, clicked through in Chromium as its users would: operator, analyst, administrator, in both languages and themes.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Hub, ROOT, colours, main, open, saved, settled, sleep, until } from "./house.mjs";

const PAGES = ["observe/overview", "observe/atlas", "observe/cube", "observe/tiles", "observe/series", "observe/top?by=country", "findings", "victims", "campaigns", "query", "report", "system", "accounts", "about", "sign-in"];

/** The page is there and has what it asked for. */
async function goTo(page, place) {
	await page.evaluate((hash) => { location.hash = hash; }, `#/${place}`);
	await sleep(50);
	await settled(page);
}

async function topSource(hub) {
	const answer = await fetch(`${hub.address}/api/v1/query`, { method: "POST", headers: { "Content-Type": "application/json", "X-Yagura": "1" }, body: JSON.stringify({ kind: "tuple", from: "-24h", to: "now", filters: [{ field: "tool", op: "=", value: "mirai" }], keys: ["source"], aggregates: [{ op: "sum", field: "packets" }], order: [{ by: "sum_packets", descending: true }], limit: 1 }) });
	return (await answer.json()).rows[0][0];
}

await main({
	async "what is loaded first is small"(browser, hub) {
		const index = readFileSync(join(ROOT, "web/dist/index.html"), "utf8");
		const first = [...index.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((match) => match[1]);
		const pages = readdirSync(join(ROOT, "web/dist/assets")).filter((name) => /\.(js|css)$/.test(name) && !/^(three|land|echarts|countries)/.test(name)).map((name) => `assets/${name}`);
		const size = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(ROOT, "web/dist", name))).length, 0);
		assert.ok(first.length > 0);
		assert.ok(size(first) < 60_000, `first: ${size(first)} bytes`);
		for (const page of pages) assert.ok(size([page]) < 60_000, `${page}: ${size([page])} bytes`);
		const { page, close } = await open(browser, `${hub.address}/#/observe/overview`);
		await page.waitForSelector(".chart canvas");
		const fetched = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname.slice(1)).filter((name) => /\.(js|css)$/.test(name)));
		assert.ok(fetched.some((name) => name.includes("echarts")), fetched.join(" "));
		assert.ok(size([...new Set(fetched)]) < 300_000, `the overview with its pictures: ${size([...new Set(fetched)])} bytes`);
		await close();
	},

	async "a history that is still loaded is said, not a rate of nothing"(browser) {
		const hub = await Hub.begin("24h");
		try {
			const { page } = await open(browser, hub.address);
			const figure = page.locator(".figures a").first();
			await until("it is said", async () => /loading the history, up to .*\d/.test(await figure.innerText()));
			await page.goto(`${hub.address}/#/observe/atlas`);
			await until("on the map as well", async () => /history is being loaded/.test(await page.locator(".atlas-banner").innerText().catch(() => "")));
		} finally {
			await hub.end();
		}
	},

	async "first paint within a second"(browser, hub) {
		const paints = []; // the least of some: other tests share the machine
		while (paints.length < 5 && !paints.some((paint) => paint < 1000)) {
			const { page, close } = await open(browser, hub.address);
			await settled(page);
			paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime));
			await close();
		}
		assert.ok(paints.some((paint) => paint < 1000), `first contentful paint after ${paints.join(", ")} ms`);
	},

	...Object.fromEntries([["en-GB", "dark", 1440], ["ja-JP", "light", 1440], ["ja-JP", "dark", 390], ["en-GB", "light", 390]].map(([language, theme, width]) => [
		`every page: ${language}, ${theme}, ${width} wide`,
		async (browser, hub) => {
			const { page, faults } = await open(browser, hub.address, { language, theme, width, height: width === 390 ? 844 : 900 });
			const source = await topSource(hub);
			const finding = (await hub.get("/findings?from=-24h&to=now&limit=1")).findings[0];
			assert.ok(finding, "no finding yet");
			const problems = [];
			for (const place of [...PAGES, `source/${source}`, `finding/${encodeURIComponent(finding.id)}`]) {
				await goTo(page, place);
				const seen = await page.evaluate(() => ({
					language: document.documentElement.lang, theme: document.documentElement.dataset.theme,
					wide: document.documentElement.scrollWidth > innerWidth + 1,
					text: document.querySelector("main").innerText.length,
					unnamed: [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter((one) => one.offsetParent && !(one.textContent.trim() || one.getAttribute("aria-label") || one.title || one.labels?.length || one.querySelector("[alt]:not([alt=''])") || one.getAttribute("placeholder"))).map((one) => one.outerHTML.slice(0, 120)),
					images: [...document.images].filter((one) => !one.hasAttribute("alt") || !one.complete || !one.naturalWidth).length,
					keys: /\b[a-z]+\.[a-zA-Z]+\b/.exec(document.querySelector("main h1")?.textContent ?? "")?.[0] ?? "",
				}));
				if (seen.language !== language.slice(0, 2)) problems.push(`${place}: language ${seen.language}`);
				if (seen.theme !== theme) problems.push(`${place}: theme ${seen.theme}`);
				if (seen.wide) problems.push(`${place}: wider than the window`);
				if (seen.text < 20) problems.push(`${place}: no text`);
				if (seen.unnamed.length) problems.push(`${place}: without a name: ${seen.unnamed.join(" ")}`);
				if (seen.images) problems.push(`${place}: ${seen.images} images are broken or without alt`);
				if (language === "ja-JP" && !/[\u3040-\u30ff\u4e00-\u9fff]/.test(await page.title() + (await page.locator("main").innerText()))) problems.push(`${place}: not in Japanese`);
				for (const canvas of await page.locator("main canvas:visible").all()) {
					const box = await canvas.boundingBox();
					if (!box || box.width < 20 || box.height < 20) continue;
					const count = await until("a picture", async () => { const got = await colours(page, canvas); return got >= 12 && got; }, 15_000).catch(() => 0);
					if (!count) problems.push(`${place}: a canvas is blank`);
				}
			}
			assert.deepEqual(problems, []);
			assert.deepEqual(faults, []);
		},
	])),

	async "the map is alive: packets, motion, latency under a second"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/atlas`);
		await page.waitForSelector(".atlas-map");
		const rate = await until("a rate", async () => Number((await page.locator(".atlas-pps").innerText()).replace(/\D/g, "")) || 0);
		assert.ok(rate > 50 && rate < 4000, `${rate} packets per second`);
		await sleep(2000);
		const first = await page.locator(".atlas-map").screenshot();
		await sleep(1000);
		const second = await page.locator(".atlas-map").screenshot();
		assert.ok(!first.equals(second), "nothing moves");
		const latency = Number(/(\d[\d,]*) ms/.exec(await page.locator(".atlas-foot").innerText())?.[1]?.replace(/,/g, ""));
		assert.ok(latency > 0 && latency < 1000, `${latency} ms from packet to picture`);
		await page.keyboard.press("Space");
		await until("it says that it is paused", () => page.locator(".atlas-paused").count());
		await page.keyboard.press("Space");
		await page.keyboard.press("1");
		assert.equal(await page.locator(".atlas-kind[aria-pressed=false]").count(), 1);
		await page.keyboard.press("t");
		await until("a table for those who read", () => page.locator(".atlas table").count());
	},

	async "tiles: sources side by side, reached by keyboard, narrowed by kind, opened with a click"(browser, hub) {
		const { page, faults } = await open(browser, `${hub.address}/#/observe/tiles`);
		const tiles = page.locator(".tile:visible");
		await until("tiles appear", async () => (await tiles.count()) >= 8);
		await until("pictures of packets", async () => (await colours(page, page.locator(".tiles-canvas"))) >= 100);
		await until("more packets than tiles", () => page.evaluate(() => window.__tiles.tiles >= 8 && window.__tiles.points > window.__tiles.tiles));
		assert.match(await tiles.first().getAttribute("aria-label"), /^[0-9a-f.:]+, .+ packets in the last minute$/);

		const focused = () => page.evaluate(() => document.activeElement.closest(".tile")?.style.transform ?? "");
		await page.locator(".tile[tabindex='0']").focus();
		const before = await focused();
		await page.keyboard.press("ArrowRight");
		const right = await focused();
		assert.ok(right && right !== before, `${before} ArrowRight ${right}`);
		await page.keyboard.press("ArrowLeft");
		assert.equal(await focused(), before);
		await page.keyboard.press("ArrowDown");
		assert.ok(![before, right, ""].includes(await focused()));

		await page.keyboard.press("1");
		await until("no scan is left", async () => (await tiles.count()) > 0 && (await page.locator(".tile[data-kind=scan]:visible").count()) === 0);
		assert.match(page.url(), /hide=1/);
		await page.keyboard.press("1");
		await until("scans are back", () => page.locator(".tile[data-kind=scan]:visible").count());
		await page.locator(".tiles-behaviour").nth(3).click();
		await until("the attacked alone", async () => (await tiles.count()) > 0 && (await page.locator(".tile:not([data-behaviour=attacked]):visible").count()) === 0);
		assert.match(page.url(), /only=attacked/);
		await page.keyboard.press("Escape");

		await page.keyboard.press("t");
		await until("a table for those who read", async () => (await page.locator(".tiles table tbody tr").count()) > 0);
		await page.keyboard.press("Escape");
		await page.locator(".tile[tabindex='0']").focus();
		await page.keyboard.press("Space");
		await until("it says that it is paused", () => page.locator(".atlas-paused").count());
		const first = tiles.first();
		const address = await first.locator(".tile-address").innerText();
		await first.click();
		await until("the page of the source", async () => page.url().endsWith(`#/source/${address}`));
		await until("its address as the title", async () => (await page.locator("h1").innerText()) === address);
		assert.deepEqual(faults, []);
	},

	async "the wall has no chrome"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/atlas?wall`, { width: 1920, height: 1080 });
		await page.waitForSelector(".atlas-wall");
		assert.equal(await page.locator(".rail, .bar").count(), 0);
		const box = await page.locator(".atlas-map").boundingBox();
		assert.deepEqual([box.width, box.height], [1920, 1080]);
	},

	async "motion stops for those who asked for less"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/atlas`, { motion: "reduce" });
		await page.waitForSelector(".atlas-note");
	},

	async "from a peak to the packets of one source in three clicks"(browser, hub) {
		const { page, faults } = await open(browser, `${hub.address}/#/observe/series?by=kind&from=-6h`);
		await settled(page);
		const chart = page.locator(".chart .canvas").first();
		await chart.locator("canvas").waitFor();
		const box = await chart.boundingBox();
		await page.mouse.click(box.x + box.width - 60, box.y + box.height / 2);
		await page.waitForSelector("#peak table");
		await settled(page);
		assert.match(page.url(), /[?&]at=/);
		const filled = page.locator("#peak table").first().locator("tbody tr");
		await until("rows of the peak", () => filled.count());
		await page.locator("#peak .panel", { hasText: "Sources" }).last().locator("tbody tr a").first().click();
		await page.waitForSelector("#pcap", { timeout: 20_000 });
		const address = await page.locator("h1").innerText();
		assert.match(address, /^[0-9a-f.:]+$/);
		const row = page.locator("section", { hasText: "Packets" }).last().locator("tbody tr.go").first();
		await row.click();
		assert.match(await page.locator(".hex").innerText(), /^0000 {2}[0-9a-f]{2} /);
		const { bytes } = await saved(page, () => page.click("#pcap"));
		assert.ok(["d4c3b2a1", "4d3cb2a1", "0a0d0d0a"].includes(bytes.subarray(0, 4).toString("hex")), "not a capture file");
		assert.ok(bytes.length > 80);
		await page.goBack();
		assert.match(page.url(), /observe\/series/);
		assert.deepEqual(faults, []);
	},

	async "top: a row narrows, a filter is taken away again"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/top?by=country&from=-6h`);
		await settled(page);
		await page.locator("tbody tr a").first().click();
		await until("a filter", () => page.locator("a.chip").count());
		assert.match(page.url(), /country=[A-Z]{2}/);
		await settled(page);
		const narrowed = await page.locator(".panel h2").first().innerText();
		await page.locator("a.chip").first().click();
		await until("no filter", async () => (await page.locator("main p.chips").count()) === 0);
		await settled(page);
		assert.notEqual(await page.locator(".panel h2").first().innerText(), narrowed);
	},

	async "pictures and tables can be taken along"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/series?by=port&from=-6h`);
		await settled(page);
		const take = async (label) => {
			if (!(await page.locator(".chart .menu[open]").count())) await page.locator(".chart .menu summary").first().click();
			return saved(page, () => page.locator(".chart .menu .pop").first().getByText(label).click());
		};
		const png = await take("Picture (PNG)");
		assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
		const svg = await take("Picture (SVG)");
		assert.match(svg.bytes.toString(), /^<svg[\s\S]*tcp\/23[\s\S]*<\/svg>/);
		const csv = await take("Table (CSV)");
		assert.match(csv.bytes.toString(), /^time,protocol,port,sum_packets\r\n/);
		await page.locator(".chart .how summary").first().click();
		assert.match(await page.locator(".chart .how .command").first().innerText(), /^yagura query tuple --from /);
	},

	async "a finding shows its ground and its course"(browser, hub) {
		const finding = (await hub.get("/findings?type=scanner&from=-24h&to=now&limit=1")).findings[0];
		const { page, faults } = await open(browser, `${hub.address}/#/finding/${encodeURIComponent(finding.id)}`);
		await settled(page);
		const text = await page.locator("main").innerText();
		for (const part of [finding.subject, "Observed", "yagura query tuple"]) assert.ok(text.includes(part), `${part} is not in ${text}`);
		await page.waitForSelector(".chart canvas");
		assert.deepEqual(faults, []);
	},

	async "search finds addresses, ports and countries by keyboard"(browser, hub) {
		const source = await topSource(hub);
		const { page } = await open(browser, `${hub.address}/#/observe/overview`);
		await settled(page);
		await page.keyboard.press("/");
		await page.keyboard.type("japan");
		await page.waitForSelector("#hits [role=option]");
		await page.keyboard.press("Enter");
		await until("Japan", async () => /country=JP/.test(page.url()));
		await page.keyboard.press("/");
		await page.keyboard.type(source);
		await until("the source", async () => (await page.locator("#hits [role=option]").first().innerText().catch(() => "")).includes(source));
		await page.keyboard.press("Enter");
		await until("its page", async () => page.url().includes(`source/${source}`));
		await page.keyboard.press("/");
		await page.keyboard.type("2323");
		await page.waitForSelector("#hits [role=option]");
		await page.keyboard.press("ArrowDown");
		await page.keyboard.press("ArrowUp");
		await page.keyboard.press("Enter");
		await until("the port", async () => /port=tcp(%2F|\/)2323/.test(page.url()));
		await page.keyboard.press("g");
		await page.keyboard.press("s");
		await until("system health", async () => /#\/system/.test(page.url()));
	},

	async "language, theme and range are switched and stay"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/overview`);
		await settled(page);
		await page.getByText("日本語").click();
		assert.equal(await page.evaluate(() => document.documentElement.lang), "ja");
		await page.keyboard.press("Shift+D");
		await until("light", () => page.evaluate(() => document.documentElement.dataset.theme === "light"));
		await page.locator(".range summary").click();
		await page.locator(".range .pop a").nth(1).click();
		assert.match(page.url(), /from=-1h/);
		await page.reload();
		await settled(page);
		assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]), ["ja", "light"]);
	},

	async "a question is put together, answered, sent on and downloaded"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/query?from=-6h`);
		await settled(page);
		await page.locator("button.chip", { hasText: /^tool$/ }).click();
		await page.locator("main button.main").click();
		await until("an answer by country and tool", async () => (await page.locator("thead").last().innerText()).includes("tool"));
		const rows = await page.locator("tbody tr").count();
		assert.ok(rows > 5);
		const { bytes } = await saved(page, () => page.locator("a", { hasText: "CSV" }).last().click());
		assert.match(bytes.toString(), /^country,tool,sum_packets,distinct_source\r\n/);
		const again = await open(browser, page.url());
		await settled(again.page);
		await until("the same at a colleague's", async () => (await again.page.locator("thead").last().innerText()).includes("tool"));
	},

	async "the yearly report prints without chrome"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/report`);
		await settled(page);
		await page.waitForSelector(".report .canvas canvas");
		await page.emulateMedia({ media: "print" });
		for (const part of [".rail", ".bar", ".page-tools"]) assert.equal(await page.locator(part).isVisible(), false, part);
		assert.ok((await page.pdf({ format: "A4" })).length > 20_000);
	},

	async "one-time link, password, sign out, sign in"(browser, hub) {
		const { page } = await open(browser, hub.link);
		await page.waitForSelector("input[type=password]");
		await page.fill("input[type=password]", "a long enough password");
		await page.locator("main button.main").click();
		await until("the overview", async () => /overview/.test(page.url()));
		await until("the administrator's name", () => page.locator(".account summary", { hasText: "admin" }).count());
		await page.locator(".account summary").click();
		await page.locator(".account .pop button").click();
		await until("signed out", () => page.locator("a", { hasText: "Sign in" }).count());
		await goTo(page, "sign-in");
		await page.fill("[name=name]", "admin");
		await page.fill("[name=password]", "not this one at all");
		await page.locator("main button.main").click();
		await page.waitForSelector("[role=alert]");
		await page.fill("[name=password]", "a long enough password");
		await page.locator("main button.main").click();
		await until("admin is in", () => page.locator(".account summary", { hasText: "admin" }).count());
		const used = await open(browser, hub.link);
		await used.page.waitForSelector("[role=alert]");
	},

	async "an empty range says what to do"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/observe/series?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z`);
		await page.waitForSelector(".state-title");
		assert.match(await page.locator(".state").innerText(), /Nothing was observed/);
	},

	async "a hub that goes away is said, and when it is back all goes on"(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/system`);
		await settled(page);
		await hub.stop();
		await page.waitForSelector(".trouble", { timeout: 20_000 });
		assert.match(await page.locator(".trouble").innerText(), /does not answer since/);
		assert.ok((await page.locator("table").count()) > 0, "what was there is gone");
		await hub.run();
		await until("the page recovered", async () => (await page.locator(".trouble").count()) === 0, 30_000);
	},
});
