#!/usr/bin/env node
// The statistics as a reader meets them: what the hub tells stands in figures, pictures and tables, by day and by month; it can be
// taken along and printed; and whoever is let in to this page only is led nowhere else.

import assert from "node:assert/strict";
import { Hub, colours, main, open, saved, settled as atRest, until } from "./house.mjs";

const month = () => new Date().toISOString().slice(0, 7);
const year = () => month().slice(0, 4);

const settled = (page) => atRest(page, ".chart canvas");

async function shown(browser, hub, place = "statistics", options = {}) {
	const window = await open(browser, `${hub.address}/#/${place}`, options);
	await settled(window.page);
	return window;
}

const figure = (page, name) => page.locator(".figures > div", { has: page.locator(`dt:text-is("${name}")`) }).locator("dd");
const written = (count) => (count === null ? "hidden" : count.toLocaleString("en"));
/** What one reads of a cell: its number, or that it is hidden. */
const read = (text) => text.replace("●", "").trim().split(/\s/)[0];

async function told(hub, span) {
	return hub.get(`/statistics?${span.length === 7 ? "month" : "year"}=${span}`);
}

await main({
	async "the figures are the hub's, each kind and each day with its row"(browser, hub) {
		await until("alerts were found", async () => ((await told(hub, month())).alerts.found ?? 0) > 0, 90_000);
		const { page, faults, close } = await shown(browser, hub);
		await until("the page shows what the hub tells", async () => {
			const now = await told(hub, month());
			await page.reload();
			await settled(page);
			return read(await figure(page, "Alerts found").innerText()) === written(now.alerts.found) && read(await figure(page, "Machines cleaned").innerText()) === written(now.machines.cleaned);
		});
		const now = await told(hub, month());
		assert.equal(await figure(page, "Organisations watched").innerText(), written(now.members));
		assert.ok(now.members > 50, "the simulated country has no members");
		const rows = page.locator("section.panel table").first().locator("tbody tr");
		assert.equal(await rows.count(), now.verdicts.length);
		for (const [i, verdict] of now.verdicts.entries())
			assert.equal(read(await rows.nth(i).locator("td").first().innerText()), written(verdict.found), verdict.name);
		await page.locator("details.every summary").click();
		assert.equal(await page.locator("details.every tbody tr").count(), now.periods.length);
		assert.match(await page.locator(".lead").innerText(), /\d+ organisations/);
		assert.match(await page.locator(".note").innerText(), /generated/);
		assert.ok((await colours(page, page.locator(".chart .canvas").first())) > 3, "the picture is blank");
		assert.deepEqual(faults, []);
		await close();
	},

	async "months and years are gone through by button, list and keyboard"(browser, hub) {
		const { page, faults, close } = await shown(browser, hub);
		const name = (span) => new Intl.DateTimeFormat("en", { year: "numeric", month: "long", timeZone: "UTC" }).format(new Date(`${span}-15T00:00:00Z`));
		const at = new Date(`${month()}-01T00:00:00Z`);
		at.setUTCMonth(at.getUTCMonth() - 1);
		const before = at.toISOString().slice(0, 7);
		assert.equal(await page.locator(".span-pick a[aria-label=Later]").count(), 0, "there is no month after this one");
		await page.locator(".span-pick a[aria-label=Earlier]").focus();
		await page.keyboard.press("Enter");
		await until("the month before", async () => (await page.locator("h1").innerText()) === `Statistics of ${name(before)}`);
		await settled(page);
		assert.match(page.url(), new RegExp(`#/statistics/${before}$`));
		assert.match(await page.locator(".lead").innerText(), /nothing was found/);
		assert.equal(await figure(page, "Alerts found").innerText(), "0");
		await page.locator(".span-pick select").selectOption(month());
		await until("this month again", async () => (await page.locator("h1").innerText()) === `Statistics of ${name(month())}`);
		await page.locator(".segments a", { hasText: "By month" }).click();
		await until("the year", async () => (await page.locator("h1").innerText()) === `Statistics of ${year()}`);
		await settled(page);
		await page.locator("details.every summary").click();
		assert.equal(await page.locator("details.every tbody tr").count(), new Date().getUTCMonth() + 1);
		await page.goto(`${hub.address}/#/statistics/2026-99`);
		await until("an address without sense is this month", async () => (await page.locator("h1").innerText()) === `Statistics of ${name(month())}`);
		assert.deepEqual(faults, []);
		await close();
	},

	async "the file says what the page says, and is called by its month"(browser, hub) {
		const { page, close } = await shown(browser, hub);
		const { name, bytes } = await saved(page, () => page.locator(".page-tools a", { hasText: "CSV" }).click());
		assert.equal(name, `yagura-statistics-${month()}.csv`);
		const lines = bytes.toString("utf8").trim().split("\r\n");
		assert.equal(lines[0], "table,name,found,told,bounced,acknowledged,fixed,fix_median_s,packets,sources");
		assert.equal(lines.filter((line) => line.startsWith("day,")).length, (await told(hub, month())).periods.length);
		await close();
	},

	async "in Japanese, light, on a phone: all of it, nothing cut off"(browser, hub) {
		const { page, faults, close } = await shown(browser, hub, `statistics/${month()}`, { language: "ja-JP", theme: "light", width: 390, height: 844 });
		assert.match(await page.locator("h1").innerText(), /^\d{4}年\d+月の統計$/);
		assert.doesNotMatch(await page.locator(".statistics").innerText(), /[A-Za-z]{4,}/, "English is left over");
		assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, "the page is wider than the phone");
		assert.deepEqual(faults, []);
		await close();
	},

	async "on paper: black on white, no buttons"(browser, hub) {
		const { page, close } = await shown(browser, hub, "statistics", { theme: "dark" });
		await page.emulateMedia({ media: "print" });
		assert.equal(await page.locator(".page-tools").isVisible(), false);
		assert.equal(await page.locator(".rail").isVisible(), false);
		assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), "rgb(0, 0, 0)");
		const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
		const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
		assert.ok(pages >= 1 && pages <= 3, `${pages} pages`);
		await close();
	},

	async "a hub that does not answer is said, and what was there stays"(browser, hub) {
		const { page, close } = await shown(browser, hub);
		await page.route("**/api/v1/statistics?*", (route) => route.abort());
		await page.locator(".span-pick a[aria-label=Earlier]").click();
		await page.waitForSelector("[role=alert]");
		await page.unroute("**/api/v1/statistics?*");
		await until("it comes by itself", async () => (await page.locator(".statistics").count()) === 1, 15_000);
		await close();
	},

	async "whoever is not signed in sees this page where the operator says so, and no way to another"(browser) {
		const lit = await Hub.bare(["--guest-role", "none", "--public-statistics"]), closed = await Hub.bare(["--guest-role", "none"]);
		try {
			const { page, faults, close } = await shown(browser, lit);
			assert.equal(await page.locator(".rail, .search, .tabs").count(), 0);
			assert.match(await page.locator(".lead").innerText(), /nothing was found among 0/);
			assert.deepEqual(faults, []);
			await page.goto(`${lit.address}/#/sign-in`);
			await page.locator("a", { hasText: "Statistics" }).click();
			await settled(page);
			await close();
			const other = await open(browser, `${closed.address}/#/statistics`);
			await other.page.waitForSelector("[role=alert] a[href='#/sign-in']");
			await other.close();
		} finally {
			await lit.end();
			await closed.end();
		}
	},
});
