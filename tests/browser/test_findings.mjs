#!/usr/bin/env node
// The findings board as an analyst meets it: filtered, put in order, walked by keys, and many closed at once with a reason that
// is kept; what cannot be closed is named. In both languages, dark and light, wide and on a phone.

import assert from "node:assert/strict";
import { Hub, colours, main, open, saved, settled, until } from "./house.mjs";

const PASSWORD = "correct horse battery";
const cookies = {};
const call = (hub, method, path, body, headers = {}) =>
	fetch(`${hub.address}/api/v1${path}`, { method, headers: { "Content-Type": "application/json", "X-Yagura": "1", ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
const cookieOf = (answer) => answer.headers.get("set-cookie").split(";")[0];

async function peopled(hub) {
	if (cookies.admin) return;
	const token = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	cookies.admin = cookieOf(await call(hub, "POST", "/session/redeem", { token }));
	cookies.admin = cookieOf(await call(hub, "PUT", "/users/admin", { password: PASSWORD }, { Cookie: cookies.admin }));
	assert.equal((await call(hub, "POST", "/users", { name: "annika", role: "analyst", password: PASSWORD }, { Cookie: cookies.admin })).status, 201);
	cookies.annika = cookieOf(await call(hub, "POST", "/session", { name: "annika", password: PASSWORD }));
	cookies.annika = cookieOf(await call(hub, "PUT", "/users/annika", { password: PASSWORD }, { Cookie: cookies.annika }));
}

const findings = async (hub, query) => (await (await call(hub, "GET", `/findings?limit=10000&${query}`, undefined, { Cookie: cookies.annika })).json()).findings;
const NOTEWORTHY = "livenet,victim,campaign,new_port,change_point,intake";

async function signedIn(browser, hub, place = "findings", options = {}) {
	await peopled(hub);
	const window = await open(browser, `${hub.address}/#/about`, options);
	const [key, value] = cookies.annika.split("=");
	await window.page.context().addCookies([{ name: key, value, url: hub.address }]);
	await window.page.goto(`${hub.address}/#/${place}`);
	await window.page.reload();
	await settled(window.page);
	await window.page.waitForSelector(".board tbody tr, .board, main .state");
	window.faults.length = 0;
	return window;
}

const rows = (page) => page.locator(".board tbody tr:not(.spacer)");
const cell = async (page, i, n) => (await rows(page).nth(i).locator("td").nth(n).innerText()).trim();
const subjects = async (page) => rows(page).locator("td.subject").allInnerTexts();

await main({
	async "filters stand in the address and show what the hub has"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub);
		const all = await findings(hub, `from=-24h&type=${NOTEWORTHY}&state=new,continuing`);
		assert.ok(all.length > 5, "the simulated country has hardly a finding");
		await until("as many as the hub has", async () => Math.abs((await page.locator(".hint span").first().innerText()).match(/^[\d,]+/)?.[0].replace(",", "") - all.length) < 30);
		await page.locator("select[aria-label=Type]").selectOption("victim");
		await until("only victims", async () => page.url().includes("type=victim") && (await rows(page).count()) > 0 && new Set(await rows(page).locator("td:nth-child(3)").allInnerTexts()).size === 1);
		const [one] = await findings(hub, "from=-24h&type=victim&state=new,continuing");
		await page.locator("main input[type=search]").fill(one.subject);
		await page.keyboard.press("Enter");
		await until("that subject alone", async () => new Set(await subjects(page)).size === 1 && (await subjects(page))[0] === one.subject);
		await page.locator("main input[type=search]").fill("there is no such thing");
		await page.keyboard.press("Enter");
		await until("none", async () => /No finding/.test(await page.locator("main .state-title").innerText().catch(() => "")));
		await page.locator("main .state a.button").click();
		await until("all again", async () => (await rows(page).count()) > 5);
		assert.deepEqual(faults, []);
		await close();
	},

	async "each column puts them in order, one way and the other"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "findings?state=any");
		await page.locator("th button", { hasText: "Subject" }).click();
		await until("in order", async () => (await page.locator("th[aria-sort=ascending]").innerText()).startsWith("Subject"));
		const up = await subjects(page);
		assert.deepEqual(up, [...up].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })));
		await page.locator("th button", { hasText: "Subject" }).click();
		await until("turned", async () => (await page.locator("th[aria-sort=descending]").count()) === 1);
		assert.notEqual((await subjects(page))[0], up[0]);
		assert.deepEqual(faults, []);
		await close();
	},

	async "chosen by keys, closed together for a reason that is kept, each noted"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "findings?by=subject");
		const before = await subjects(page);
		await page.locator("h1").click();
		for (const key of ["j", "x", "j", "j", "Shift+X"]) await page.keyboard.press(key);
		await until("three are chosen", async () => (await page.locator(".bulk b").innerText()) === "3 chosen");
		assert.equal(await page.locator("tr.chosen").count(), 3);
		await page.keyboard.press("Escape");
		await until("none is chosen", async () => (await page.locator(".bulk").count()) === 0);
		await page.locator("tr .box input").nth(1).click();
		await page.locator("tr .box input").nth(2).click();
		const wanted = await rows(page).locator("td.subject a").evaluateAll((links) => links.slice(0, 2).map((link) => decodeURIComponent(link.getAttribute("href").split("/").at(-1))));
		const csv = await saved(page, () => page.locator(".bulk a", { hasText: "CSV" }).click());
		assert.equal(csv.bytes.toString().trim().split("\r\n").length, 3, csv.bytes.toString());
		// somebody else is faster with one of them
		assert.equal((await call(hub, "POST", `/findings/${encodeURIComponent(wanted[0])}/close`, { reason: "faster" }, { Cookie: cookies.admin })).status, 200);
		await page.locator(".bulk button", { hasText: "Close…" }).click();
		await page.locator(".bulk input[name=reason]").fill("a test of ours");
		await page.locator(".bulk button[type=submit]").click();
		await page.waitForSelector(".note[role=status]");
		const told = await page.locator(".note[role=status]").innerText();
		assert.match(told, /^1 closed\. 1 could not be closed:/);
		assert.ok(told.includes(wanted[0]) && /already/.test(told), told);
		const one = await (await call(hub, "GET", `/findings/${encodeURIComponent(wanted[1])}`, undefined, { Cookie: cookies.annika })).json();
		assert.equal(one.state, "closed");
		assert.deepEqual([one.ground.closed.by, one.ground.closed.reason], ["annika", "a test of ours"]);
		await until("they are gone from what is open", async () => !(await rows(page).locator("td.subject a").evaluateAll((links) => links.map((link) => link.getAttribute("href")))).some((href) => href.includes(encodeURIComponent(wanted[1]))));
		const log = await (await call(hub, "GET", "/audit?limit=50", undefined, { Cookie: cookies.admin })).json();
		assert.ok(log.entries.some((entry) => entry.action === "POST /findings/{id}/close" && entry.subject === wanted[1] && entry.actor === "annika" && entry.detail.reason === "a test of ours"), JSON.stringify(log.entries[0]));
		await page.goto(`${hub.address}/#/finding/${encodeURIComponent(wanted[1])}`);
		await until("its page says so", async () => /closed by annika/.test(await page.locator("main .note").first().innerText().catch(() => "")));
		assert.ok(before.length > 3);
		assert.deepEqual(faults, []);
		await close();
	},

	async "one is opened by Enter and closed on its own page"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "findings?type=livenet");
		await page.locator("h1").click();
		await page.keyboard.press("j");
		await page.keyboard.press("Enter");
		await until("its page", async () => page.url().includes("#/finding/"));
		await settled(page);
		const pcap = await saved(page, () => page.locator("a", { hasText: "Evidence" }).click());
		assert.equal(pcap.bytes.readUInt32LE(0), 0xa1b23c4d);
		await page.locator("button", { hasText: "Close…" }).click();
		await page.locator("input[name=reason]").fill("cleaned");
		await page.locator("main button[type=submit]").click();
		await until("it says so", async () => /closed by annika .*: cleaned/.test(await page.locator("main .note").first().innerText().catch(() => "")));
		assert.equal(await page.locator("button", { hasText: "Close…" }).count(), 0);
		assert.deepEqual(faults, []);
		await close();
	},

	async "a guest looks and changes nothing"(browser, hub) {
		const { page, close } = await open(browser, `${hub.address}/#/findings?state=any`);
		await page.waitForSelector(".board tbody tr");
		assert.equal(await page.locator(".board input[type=checkbox]").count(), 0);
		assert.equal((await call(hub, "POST", "/findings/close", { ids: ["x"], reason: "y" })).status, 401);
		await close();
	},

	async "in both languages, dark and light, wide and on a phone"(browser, hub) {
		for (const [language, theme, width] of [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]]) {
			const { page, faults, close } = await signedIn(browser, hub, "findings", { language, theme, width });
			await page.locator("tr .box input").nth(1).click();
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(wide <= 1, `at ${width}: ${wide} px too wide`);
			const text = await page.locator("main").innerText();
			assert.ok(!/undefined|NaN|\{\w+\}|findings\.type/.test(text), text.slice(0, 400));
			assert.equal(/[ぁ-ん]/.test(await page.locator("thead, .bulk, .page-head").allInnerTexts().then((all) => all.join(" "))), language === "ja-JP");
			assert.ok((await colours(page, page.locator(".board"))) > 5);
			if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/findings-${language}-${theme}-${width}.png` });
			assert.deepEqual(faults, []);
			await close();
		}
	},
});
