#!/usr/bin/env node
// Indicators as those meet them who work with them: an analyst brings a list, sees what is taken and what is refused, searches,
// opens one and its life, ends it; who may not is told. In both languages, dark and light, wide and on a phone.

import assert from "node:assert/strict";
import { Hub, colours, main, open, settled, until } from "./house.mjs";

const PASSWORD = "correct horse battery", DAY = 86_400_000;
const HEADERS = { "Content-Type": "application/json", "X-Yagura": "1" };
let cookie = "";

async function api(hub, method, path, body, own = cookie) {
	const answer = await fetch(`${hub.address}/api/v1${path}`, { method, headers: { ...HEADERS, Cookie: own }, ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }) });
	const text = await answer.text();
	if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
	return text ? JSON.parse(text) : undefined;
}

async function session(hub, name) {
	const answer = await fetch(`${hub.address}/api/v1/session`, { method: "POST", headers: HEADERS, body: JSON.stringify({ name, password: PASSWORD }) });
	assert.equal(answer.status, 200);
	return answer.headers.get("set-cookie").split(";")[0];
}

const at = (days) => new Date(Date.now() + days * DAY).toISOString().replace(/\d{3}Z$/, "000Z");

/** An address that was met twelve days ago, and three times four days ago. */
function aged() {
	const id = "indicator--5f0c3f6e-64c5-4f43-9d5c-3f6d0a4d1e11";
	const common = { spec_version: "2.1", object_marking_refs: ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"] };
	return { type: "bundle", id: "bundle--5f0c3f6e-64c5-4f43-9d5c-3f6d0a4d1e12", objects: [
		{ ...common, type: "indicator", id, created: at(-12), modified: at(-12), name: "45.66.77.45", indicator_types: ["malicious-activity"], pattern: "[ipv4-addr:value = '45.66.77.45']", pattern_type: "stix", valid_from: at(-12), valid_until: at(8), confidence: 85 },
		{ ...common, type: "sighting", id: "sighting--5f0c3f6e-64c5-4f43-9d5c-3f6d0a4d1e13", created: at(-4), modified: at(-4), first_seen: at(-4), last_seen: at(-4), count: 3, sighting_of_ref: id },
	] };
}

async function seeded(hub) {
	if (cookie) return;
	const token = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	const redeemed = await fetch(`${hub.address}/api/v1/session/redeem`, { method: "POST", headers: HEADERS, body: JSON.stringify({ token }) });
	assert.equal(redeemed.status, 200);
	cookie = redeemed.headers.get("set-cookie").split(";")[0];
	await api(hub, "POST", "/members/import", [{ key: "aoba", name: "青葉市", kind: "municipality", clearance: "red" }]);
	for (const [name, role, member] of [["hanako", "operator"], ["taro", "analyst"], ["yuki", "viewer"], ["aoba-soc", "member", "aoba"]]) await api(hub, "POST", "/users", { name, role, password: PASSWORD, ...(member ? { member } : {}) });
	await api(hub, "PUT", "/groups/towns", { name: "自治体の輪", name_en: "Circle of towns", members: ["aoba"], groups: [] });
	await api(hub, "POST", "/indicators/import?name=partner-feed.json", aged());
	await api(hub, "POST", "/indicators/import?tlp=amber&name=phishing-2026-11.csv&confidence=60", "login-aoba.example\nhxxps://login-aoba[.]example/mail/index.php\n45.66.80.80\n45.66.81.0/24\n8.8.8.8\n9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab\nAS64500\n");
	await api(hub, "POST", "/indicators/import?tlp=red", "45.66.82.66\n");
	const [{ id }] = (await api(hub, "GET", "/indicators?value=45.66.77.45")).indicators;
	await api(hub, "POST", "/releases", { indicator: id, groups: ["towns"] }, await session(hub, "taro"));
}

async function signedIn(browser, hub, name, place, options = {}) {
	await seeded(hub);
	const own = await session(hub, name);
	const window = await open(browser, `${hub.address}/#/about`, options);
	const [key, value] = own.split("=");
	await window.page.context().addCookies([{ name: key, value, url: hub.address }]);
	await window.page.goto(`${hub.address}/#/${place}`);
	await window.page.reload();
	await settled(window.page);
	window.faults.length = 0;
	return window;
}

const values = async (page) => (await page.locator("table.indicators tbody th a").allInnerTexts()).map((text) => text.trim());

await main({
	async "what there is, and what of it is left"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "taro", "indicators");
		assert.equal(await page.locator(".side a.on, nav a[aria-current=page]").filter({ hasText: "Indicators" }).count(), 1, "the way here is marked");
		const row = page.locator("table.indicators tbody tr", { hasText: "45.66.77.45" });
		const score = Number(await row.locator(".score b").innerText());
		assert.ok(score > 40 && score < 85, `it has fallen from 85, not to nothing: ${score}`);
		assert.equal(await row.locator(".score svg circle").count(), 1);
		assert.match(await row.innerText(), /in 8 d|in 7 d/);
		assert.match(await page.locator("table.indicators tbody tr", { hasText: "8.8.8.8" }).innerText(), /on a warning list/);
		assert.ok(!(await values(page)).includes("45.66.82.66"), "TLP:RED is not for analysts");
		assert.deepEqual(faults, []);
		await close();
	},

	async "one looks for a part of it, and sifts"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "hanako", "indicators");
		assert.equal((await values(page)).length, 9);
		await page.getByLabel("Search").last().fill("login-aoba[.]example");
		await page.keyboard.press("Enter");
		await until("two", async () => (await values(page)).length === 2);
		assert.match(page.url(), /find=/);
		await page.getByLabel("Kind").selectOption("url");
		await until("the address of the page", async () => (await values(page)).join() === "https://login-aoba.example/mail/index.php");
		await page.reload();
		await settled(page);
		assert.equal(await page.getByLabel("Kind").inputValue(), "url");
		await page.getByLabel("Kind").selectOption("md5");
		await until("nothing", async () => (await page.locator(".state-title").count()) === 1);
		await page.getByRole("link", { name: "Show all" }).click();
		await until("all", async () => (await values(page)).length === 9);
		await page.getByLabel("Sharing").selectOption("red");
		await until("the red one", async () => (await values(page)).join() === "45.66.82.66");
		assert.deepEqual(faults, []);
		await close();
	},

	async "one of them, with its life"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "hanako", "indicators");
		await page.locator("table.indicators a", { hasText: "45.66.77.45" }).click();
		await settled(page);
		assert.equal(await page.locator("h1").innerText(), "45.66.77.45");
		await until("the curve", async () => (await page.locator("canvas").count()) > 0);
		const life = page.locator(".life");
		const told = await life.locator("li").allInnerTexts();
		assert.match(told[0], /Ends, if nobody meets it again/);
		for (const word of [/First stored partner-feed\.json/, /Seen 3 ×/, /Proposed to towns.*taro/s]) assert.ok(told.some((one) => word.test(one.replace(/\s+/g, " "))), `${word} in ${told}`);
		assert.match(await page.locator("main").innerText(), /It stands in no collection/);
		assert.equal(await page.getByRole("link", { name: "Propose to share" }).count(), 1);
		assert.deepEqual(faults, []);
		await close();
	},

	async "a list is judged, then taken"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "taro", "indicators/import");
		await page.locator("textarea").fill("45.66.80.9\nthis is none\n45.66.80.80\n300.1.2.3\n");
		await page.getByRole("button", { name: "Look at it first" }).click();
		const refused = page.locator("section.refused");
		await until("what is refused", async () => (await refused.locator("tbody tr").count()) === 2);
		assert.match(await refused.innerText(), /line 2[\s\S]*line 4/);
		assert.match(await page.locator("table.preview").innerText(), /45\.66\.80\.9[\s\S]*new/);
		assert.equal((await api(hub, "GET", "/indicators?value=45.66.80.9")).indicators.length, 0, "nothing is taken before one says so");
		await page.getByRole("button", { name: "Take 2" }).click();
		await until("it is said", async () => /2 taken/.test(await page.locator(".saying").innerText()));
		const [{ source_kind: kind, source }] = (await api(hub, "GET", "/indicators?value=45.66.80.9")).indicators;
		assert.deepEqual([kind, source], ["manual", "taro"]);
		await page.locator("input[type=file]").setInputFiles({ name: "more.csv", mimeType: "text/csv", buffer: Buffer.from("value,comment\n45.66.80.10,scanner\n") });
		await until("it is read", async () => /45\.66\.80\.10/.test(await page.locator("textarea").inputValue()));
		await page.getByRole("button", { name: "Look at it first" }).click();
		await page.getByRole("button", { name: "Take 1" }).click();
		await until("it is said again", async () => /1 taken/.test(await page.locator(".saying").innerText()));
		assert.equal((await api(hub, "GET", "/indicators?value=45.66.80.10")).indicators[0].source, "more.csv");
		assert.deepEqual(faults, []);
		await close();
	},

	async "it is ended, and taken back"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "taro", "indicators?find=45.66.80.80&source=file");
		await page.locator("table.indicators a", { hasText: "45.66.80.80" }).click();
		await settled(page);
		await page.getByRole("button", { name: "A false positive" }).click();
		await page.getByRole("button", { name: "Yes, now" }).click();
		await until("its life says so", async () => /Set false positive\s*by taro/.test((await page.locator(".life").innerText()).replace(/\s+/g, " ")));
		assert.match(await page.locator("main").innerText(), /its score is 0/);
		await page.getByRole("button", { name: /Take it back/ }).click();
		await until("it is active", async () => (await page.getByRole("button", { name: "Expire now" }).count()) === 1);
		assert.deepEqual(faults, []);
		await close();
	},

	async "whoever may not is told"(browser, hub) {
		for (const [name, word] of [["yuki", /Indicators/], ["aoba-soc", /Indicators/]]) {
			const { page, close } = await signedIn(browser, hub, name, "indicators");
			assert.equal(await page.locator("nav a", { hasText: word }).count(), 0, "no way leads there");
			assert.equal(await page.locator("table.indicators").count(), 0);
			assert.ok((await page.locator("main .state").count()) === 1, "a state that says why");
			await close();
		}
	},

	async "it holds in both languages, dark and light, wide and narrow"(browser, hub) {
		await seeded(hub);
		const [{ id }] = (await api(hub, "GET", "/indicators?value=45.66.77.45")).indicators;
		for (const [language, theme, width] of [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]])
			for (const place of ["indicators", `indicators/${id}`, "indicators/import"]) {
				const { page, faults, close } = await signedIn(browser, hub, "hanako", place, { language, theme, width, height: 900 });
				if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${place.replace(/--.*/, "-one").replace(/\W+/g, "-")}-${language}-${theme}-${width}.png`, fullPage: true });
				const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(wide <= 1, `${place} at ${width}: ${wide} px too wide`);
				assert.ok((await colours(page, page.locator("main"))) > 20);
				assert.deepEqual(faults, []);
				await close();
			}
	},

	async "it is worked by keyboard"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "taro", "indicators");
		await page.locator("table.indicators a", { hasText: "login-aoba.example" }).first().focus();
		await page.keyboard.press("Enter");
		await until("the one", async () => /login-aoba/.test(await page.locator("h1").innerText()));
		await close();
	},
}, () => Hub.bare([]));
