#!/usr/bin/env node
// Flow information as an analyst meets it: a real exporter's flows are looked for, narrowed by clicks and by dragging over the
// picture; mistakes are said at the field; exporters show how they do. In both languages, dark and light, wide and on a phone.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hub, ROOT, YAGURA, colours, main, open, settled, until } from "./house.mjs";

const CAPTURE = join(ROOT, "../shared/data/flow/slips/test-cc-capture-1.pcap.zst");
const PASSWORD = "correct horse battery";
const PORT = 20000 + (process.pid % 20000);
const SERVER = "141.193.213.21", CLIENT = "147.32.80.37";
const cookies = {};

const call = (hub, method, path, body, headers = {}) =>
	fetch(`${hub.address}/api/v1${path}`, { method, headers: { "Content-Type": "application/json", "X-Yagura": "1", ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
const cookieOf = (answer) => answer.headers.get("set-cookie").split(";")[0];

/** People, and nothing else yet. */
async function peopled(hub) {
	if (cookies.admin) return;
	const token = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	cookies.admin = cookieOf(await call(hub, "POST", "/session/redeem", { token }));
	cookies.admin = cookieOf(await call(hub, "PUT", "/users/admin", { password: PASSWORD }, { Cookie: cookies.admin }));
	for (const role of ["analyst", "viewer"]) {
		assert.equal((await call(hub, "POST", "/users", { name: role, role, password: PASSWORD }, { Cookie: cookies.admin })).status, 201);
		cookies[role] = cookieOf(await call(hub, "POST", "/session", { name: role, password: PASSWORD }));
		cookies[role] = cookieOf(await call(hub, "PUT", `/users/${role}`, { password: PASSWORD }, { Cookie: cookies[role] }));
	}
}

const flow = async (hub) => (await call(hub, "GET", "/flow", undefined, { Cookie: cookies.analyst })).json();
const query = async (hub, question) => (await call(hub, "POST", "/flow/query", { from: "2000-01-01", ...question }, { Cookie: cookies.analyst })).json();

async function exported(hub) {
	await peopled(hub);
	if ((await flow(hub)).collector?.stored > 0) return;
	const folder = mkdtempSync(join(tmpdir(), "yagura-flow-"));
	execFileSync("zstd", ["-q", "-d", CAPTURE, "-o", join(folder, "cc.pcap")]);
	execFileSync("softflowd", ["-d", "-a", "-r", join(folder, "cc.pcap"), "-v", "9", "-n", `127.0.0.1:${PORT}`, "-p", join(folder, "softflowd.pid"), "-c", "none"], { stdio: "ignore" });
	rmSync(folder, { recursive: true });
	await until("flows are stored", async () => (await flow(hub)).collector?.stored > 500 && (await flow(hub)).archive);
}

async function signedIn(browser, hub, place, options = {}, role = "analyst") {
	await peopled(hub);
	const window = await open(browser, `${hub.address}/#/about`, options);
	const [key, value] = cookies[role].split("=");
	await window.page.context().addCookies([{ name: key, value, url: hub.address }]);
	await window.page.goto(`${hub.address}/#/${place}`);
	await window.page.reload();
	await settled(window.page);
	window.faults.length = 0;
	return window;
}

const ALL = "from=2024-01-01T00:00:00Z&to=2025-01-01T00:00:00Z";
const cells = (page) => page.locator(".flow-groups tbody tr");

await main({
	async "before the first flow it says how to begin"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "flow");
		await until("an empty archive", async () => (await flow(hub)).collector);
		await page.reload();
		await settled(page);
		assert.match(await page.locator("main .state-title").innerText(), /No flow|no flow/i);
		await page.goto(`${hub.address}/#/flow/exporters`);
		await settled(page);
		assert.match(await page.locator(".figures").innerText(), /Exporters\s+0/i);
		assert.deepEqual(faults, []);
		await close();
	},

	async "what a router told is found, where it is, and narrowed by clicks"(browser, hub) {
		await exported(hub);
		const { page, faults, close } = await signedIn(browser, hub, "flow?from=-24h&to=now");
		await page.locator("main .state a.button").click(); // nothing today: there is a way to what is kept
		await page.waitForSelector(".flow-groups tbody tr");
		await settled(page);
		const top = await query(hub, { statistic: "ip/bytes", limit: 20 });
		assert.equal(await cells(page).count(), top.groups.length);
		for (const [i, group] of top.groups.entries()) assert.equal(await cells(page).nth(i).locator("td").first().innerText(), group.ip);
		assert.ok((await colours(page, page.locator(".chart .canvas"))) > 5, "the picture is blank");
		await page.locator(".flow-answer .segments a", { hasText: "Ports" }).click();
		await until("ports", async () => (await cells(page).first().locator("td").first().innerText()) === "443");
		await page.locator(".flow-answer .segments a", { hasText: "Sources" }).click();
		await until("sources", async () => (await cells(page).first().locator("td").first().innerText()) === SERVER);
		await cells(page).nth(1).locator("a").click();
		const wanted = await query(hub, { filter: `src host ${CLIENT}`, statistic: "srcip/bytes" });
		await until("one source alone", async () => (await cells(page).count()) === 1 && (await page.locator(".flow-filter input").inputValue()) === `src host ${CLIENT}`);
		await until("its sums", async () => (await page.locator(".flow-course .hint").innerText()).startsWith(`${wanted.flows.toLocaleString("en")} flows`));
		await page.locator(".flow-answer .segments a", { hasText: "Single flows" }).click();
		await page.waitForSelector(".flow-list tbody tr");
		assert.equal(await page.locator(".flow-list tbody tr").count(), 20);
		await page.locator("a.button", { hasText: "More" }).click();
		await until("a hundred", async () => (await page.locator(".flow-list tbody tr").count()) === 100);
		await page.locator(".flow-command summary").click();
		const words = (await page.locator(".flow-command pre").innerText()).replace("DATA/flow", join(hub.data, "flow"));
		const printed = execFileSync("sh", ["-c", words.replace("yagura", YAGURA)]).toString().trim().split("\n");
		assert.equal(printed.length, 100, words);
		assert.ok(printed.every((line) => line.includes(CLIENT)));
		assert.deepEqual(faults, []);
		await close();
	},

	async "a stretch of time is dragged over"(browser, hub) {
		await exported(hub);
		const { page, faults, close } = await signedIn(browser, hub, `flow?${ALL}`);
		const { first, last } = (await flow(hub)).archive;
		await page.goto(`${hub.address}/#/flow?from=${first}&to=${last}`);
		await page.waitForSelector(".chart canvas");
		await settled(page);
		const box = await page.locator(".chart .canvas").boundingBox();
		await page.mouse.move(box.x + box.width * 0.4, box.y + 60);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.6, box.y + 90, { steps: 5 });
		assert.equal(await page.locator(".brushed").count(), 1);
		await page.mouse.up();
		await until("a shorter time", async () => new URLSearchParams(page.url().split("?")[1]).get("from") !== first);
		await settled(page);
		const asked = new URLSearchParams(page.url().split("?")[1]), whole = Date.parse(last) - Date.parse(first);
		const part = (Date.parse(asked.get("to")) - Date.parse(asked.get("from"))) / whole;
		assert.ok(part > 0.15 && part < 0.3, `${part} of the time`);
		const sums = await query(hub, { from: asked.get("from"), to: asked.get("to"), bins: 10 });
		await until("the sums of that time", async () => (await page.locator(".flow-course .hint").innerText()).startsWith(`${sums.flows.toLocaleString("en")} flows`));
		await page.goBack();
		await until("back", async () => page.url().includes(encodeURIComponent(first)) || page.url().includes(first));
		assert.deepEqual(faults, []);
		await close();
	},

	async "a mistake is said at the field, in the reader's language"(browser, hub) {
		await exported(hub);
		const { page, close } = await signedIn(browser, hub, `flow?${ALL}`);
		const field = page.locator(".flow-filter input");
		await field.fill("proto tcq");
		await field.press("Enter");
		await page.waitForSelector(".flow-filter .error");
		assert.match(await page.locator(".flow-filter .error").innerText(), /"tcq" at 7/);
		assert.equal(await field.getAttribute("aria-invalid"), "true");
		await field.fill("proto udp");
		await field.press("Enter");
		await until("none of that", async () => /No flow/.test(await page.locator("main .state-title").innerText().catch(() => "")));
		await page.locator(".flow-filter button", { hasText: "Clear" }).click();
		await page.waitForSelector(".flow-groups tbody tr");
		assert.equal(await field.inputValue(), "");
		await close();
	},

	async "exporters show how they do; who may not look is told"(browser, hub) {
		await exported(hub);
		const { page, faults, close } = await signedIn(browser, hub, "flow/exporters");
		const line = page.locator("table.exporters tbody tr").first();
		const [exporter] = (await flow(hub)).collector.exporters;
		assert.match(await line.innerText(), /127\.0\.0\.1/);
		assert.match(await line.innerText(), /NetFlow v9/);
		assert.match(await line.innerText(), /clock off/);
		assert.ok(exporter.skew_seconds < -86400 && /d behind/.test(await line.innerText()), await line.innerText());
		assert.match(await page.locator("tr.why").first().innerText(), /NTP/);
		assert.match(await page.locator(".figures").innerText(), /1 need a look/);
		assert.deepEqual(faults, []);
		await close();
		const viewer = await signedIn(browser, hub, "flow", {}, "viewer");
		await until("a viewer is told", async () => /may not|not allowed|right|許/i.test(await viewer.page.locator("main .state-title").innerText()));
		assert.equal(await viewer.page.locator(".tabs a", { hasText: "Traffic" }).count(), 0);
		await viewer.close();
	},

	async "in both languages, dark and light, wide and on a phone"(browser, hub) {
		await exported(hub);
		for (const [language, theme, width] of [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]])
			for (const place of [`flow?${ALL}`, `flow?${ALL}&by=list`, "flow/exporters"]) {
				const { page, faults, close } = await signedIn(browser, hub, place, { language, theme, width });
				const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(wide <= 1, `${place} at ${width}: ${wide} px too wide`);
				const text = await page.locator("main").innerText();
				assert.ok(!/undefined|NaN|\{\w+\}/.test(text), text);
				assert.equal(/[ぁ-ん]/.test(text), language === "ja-JP", text.slice(0, 200));
				assert.deepEqual(faults, []);
				await close();
			}
	},
}, () => (existsSync(CAPTURE) ? Hub.bare(["--flow-listen", `127.0.0.1:${PORT}`]) : (console.log("skipped: the captures are needed"), process.exit(77))));
