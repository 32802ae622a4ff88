#!/usr/bin/env node
// The sharing page as those meet it who use it: an analyst proposes, an operator looks and releases, a member's people see what
// is theirs; groups are drawn, made and changed. In both languages, dark and light, wide and on a phone.

import assert from "node:assert/strict";
import { Hub, colours, main, open, settled, until } from "./house.mjs";

const PASSWORD = "correct horse battery";
let cookie = "";

async function api(hub, method, path, body, own = cookie) {
	const answer = await fetch(`${hub.address}/api/v1${path}`, { method, headers: { "Content-Type": "application/json", "X-Yagura": "1", Cookie: own }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
	const text = await answer.text();
	if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
	return text ? JSON.parse(text) : undefined;
}

async function session(hub, name) {
	const answer = await fetch(`${hub.address}/api/v1/session`, { method: "POST", headers: { "Content-Type": "application/json", "X-Yagura": "1" }, body: JSON.stringify({ name, password: PASSWORD }) });
	assert.equal(answer.status, 200);
	return answer.headers.get("set-cookie").split(";")[0];
}

const MEMBERS = [
	["power", "電力分野", "sector"], ["rail", "鉄道分野", "sector"], ["towns", "自治体連絡会", "sector"],
	["kita-den", "北電力", "provider", "power"], ["minami-den", "南電力", "provider", "power"], ["nishi-den", "西電力", "provider", "power"], ["grid", "全国送配電", "provider", "power"],
	["shinano-rail", "信濃鉄道", "provider", "rail"], ["coast-rail", "海岸鉄道", "provider", "rail"],
	["aoba", "青葉市", "municipality", "towns"], ["wakaba", "若葉町", "municipality", "towns"], ["midori", "緑村", "municipality", "towns"],
	["jpcert", "調整センター", "other"],
];

async function seeded(hub) {
	if (cookie) return;
	const token = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	const redeemed = await fetch(`${hub.address}/api/v1/session/redeem`, { method: "POST", headers: { "Content-Type": "application/json", "X-Yagura": "1" }, body: JSON.stringify({ token }) });
	assert.equal(redeemed.status, 200);
	cookie = redeemed.headers.get("set-cookie").split(";")[0];
	await api(hub, "POST", "/members/import", MEMBERS.map(([key, name, kind, parent]) => ({ key, name, kind, parent: parent ?? null, clearance: "red" })));
	for (const [name, role, member] of [["hanako", "operator"], ["taro", "analyst"], ["kita-soc", "member", "kita-den"], ["aoba-soc", "member", "aoba"]]) await api(hub, "POST", "/users", { name, role, password: PASSWORD, ...(member ? { member } : {}) });
	const group = (key, name, name_en, members, groups, confidential = false, purpose = "") => api(hub, "PUT", `/groups/${key}`, { name, name_en, members, groups, confidential, purpose });
	await group("power", "電力 ISAC", "Power ISAC", ["kita-den", "minami-den", "nishi-den"], []);
	await group("hunt", "合同調査班", "Joint hunt", ["grid", "jpcert"], [], true, "進行中の事案の調査");
	await group("rail", "鉄道 ISAC", "Rail ISAC", ["shinano-rail", "coast-rail"], []);
	await group("infra", "重要インフラ", "Critical infrastructure", ["jpcert"], ["power", "rail", "hunt"], false, "重要インフラの事業者が、攻撃元と手口を早く分け合うための場です。");
	await group("towns", "自治体の輪", "Circle of towns", ["aoba", "wakaba", "midori"], []);
	const staff = await session(hub, "taro");
	for (const [value, groups, tlp, title] of [["45.66.77.45", ["power"], "green", "Mirai の配布元"], ["login-aoba.example", ["infra", "towns"], "amber", "自治体をかたる偽サイト"]]) {
		const { id } = await api(hub, "POST", "/releases", { value, groups, tlp, title }, staff);
		const { preview } = await api(hub, "GET", `/releases/${id}`);
		await api(hub, "POST", `/releases/${id}/decide`, { decision: "released", preview: preview.digest, acknowledged: true });
	}
	await api(hub, "POST", "/releases", { value: "45.66.78.77", groups: ["infra"], tlp: "amber", anonymous: true, title: "VPN 装置への総当たり", note: "当社の装置で確認しました" }, await session(hub, "kita-soc"));
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

await main({
	async "groups lie within groups, as far as one may know"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "hanako", "sharing/groups");
		const infra = page.locator(".frames.outermost > .frame", { hasText: "Critical infrastructure" });
		assert.equal(await infra.locator(".frames .frame").count(), 3);
		assert.equal(await infra.locator(".frame.confidential").count(), 1);
		await infra.locator(".frame-head", { hasText: "Critical infrastructure" }).click();
		const panel = page.locator("section.group");
		await until("its participants", async () => /through Power ISAC/.test(await panel.innerText()) && /named here/.test(await panel.innerText()));
		assert.deepEqual(faults, []);
		await close();
		const member = await signedIn(browser, hub, "kita-soc", "sharing/groups?group=infra", { language: "ja-JP" });
		const text = await member.page.locator("main").innerText();
		assert.ok(/電力 ISAC/.test(text) && /参加中/.test(text) && /北電力/.test(text), text);
		assert.ok(!/合同調査班|全国送配電|グループを作る/.test(text), text);
		await member.close();
		const outside = await signedIn(browser, hub, "aoba-soc", "sharing/groups?group=infra");
		assert.match(await outside.page.locator("section.group").innerText(), /others are not told who they are/);
		await outside.close();
	},

	async "a group is made, changed and refused"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "hanako", "sharing/groups");
		await page.getByRole("button", { name: "New group" }).click();
		await page.getByLabel("Key").fill("winter");
		await page.getByLabel("Name", { exact: true }).fill("冬の演習");
		await page.getByLabel("Members named in it").fill("青葉");
		await page.locator(".picker-found button", { hasText: "青葉市" }).click();
		await page.locator("fieldset .chip", { hasText: "Rail ISAC" }).click();
		await page.getByRole("button", { name: "Save" }).click();
		await until("it is drawn", async () => (await page.locator('.frame:has(> .frame-head:has-text("冬の演習"))').locator(".frame", { hasText: "Rail ISAC" }).count()) === 1);
		assert.match(await page.locator("section.group").innerText(), /青葉市/);
		await page.getByRole("button", { name: "Change" }).click();
		assert.equal(await page.locator("fieldset .chip", { hasText: "冬の演習" }).count(), 0, "it is not offered to lie in itself");
		await page.locator("form.group-form input[type=checkbox]").check();
		await page.getByRole("button", { name: "Save" }).click();
		await until("it is confidential", async () => (await page.locator('.frame.confidential:has(> .frame-head:has-text("冬の演習"))').count()) === 1);
		page.on("dialog", (dialog) => dialog.accept());
		await page.getByRole("button", { name: "Delete" }).click();
		await until("it is gone", async () => (await page.locator('.frame:has(> .frame-head:has-text("冬の演習"))').count()) === 0);
		await close();
	},

	async "an analyst proposes, an operator looks twice and releases"(browser, hub) {
		const taro = await signedIn(browser, hub, "taro", "sharing/releases?propose=1&value=45.66.79.18");
		assert.equal(await taro.page.locator("form .chip", { hasText: "Joint hunt" }).count(), 0);
		await taro.page.locator("form .chip", { hasText: "Circle of towns" }).click();
		await taro.page.locator(".tlp-choice label", { hasText: "TLP:RED" }).click();
		await taro.page.getByLabel("Title").fill("scans for cameras");
		await taro.page.getByRole("button", { name: "Propose", exact: true }).click();
		await until("it waits", async () => /An operator decides|second person/.test(await taro.page.locator("section.release").innerText().catch(() => "")));
		assert.equal(await taro.page.locator(".decision").count(), 0);
		await taro.close();
		const { page, faults, close } = await signedIn(browser, hub, "hanako", "sharing/releases?state=proposed");
		await page.locator(".release-list a", { hasText: "45.66.79.18" }).click();
		const detail = page.locator("section.release");
		await until("whom it reaches", async () => /3 members/.test((await detail.innerText()).replace(/\s+/g, " ")) && /Look twice/.test(await detail.innerText()));
		const release = page.getByRole("button", { name: "Release to 3" });
		assert.ok(await release.isDisabled());
		await page.getByText("This audience is meant").click();
		await release.click();
		await until("it is released", async () => /Released/.test(await detail.innerText()) && /hanako/.test(await detail.innerText()));
		assert.deepEqual(faults, []);
		await close();
		const aoba = await signedIn(browser, hub, "aoba-soc", "sharing/releases");
		assert.match(await aoba.page.locator("main").innerText(), /45\.66\.79\.18/);
		await aoba.close();
	},

	async "nobody releases alone, and who is unnamed stays so"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "hanako", "sharing/releases?propose=1&value=45.66.79.19");
		await page.locator("form .chip", { hasText: "Circle of towns" }).click();
		await page.getByRole("button", { name: "Propose", exact: true }).click();
		await until("a second one is asked for", async () => /A second person looks at it/.test(await page.locator("section.release").innerText().catch(() => "")));
		assert.equal(await page.getByRole("button", { name: /^Release to/ }).count(), 0);
		await page.goto(`${hub.address}/#/sharing/releases?state=proposed`);
		await page.locator(".release-list a", { hasText: "45.66.78.77" }).click();
		await until("the operator knows who brought it", async () => /北電力/.test(await page.locator("section.release").innerText()));
		await page.getByText("This audience is meant").click();
		await page.getByRole("button", { name: /^Release to/ }).click();
		await until("released", async () => /Withdraw/.test(await page.locator("section.release").innerText()));
		await close();
		const other = await signedIn(browser, hub, "taro", "sharing/releases?state=released");
		await other.page.locator(".release-list a", { hasText: "45.66.78.77" }).click();
		await until("it is shown without", async () => /somebody who stays unnamed/.test(await other.page.locator("section.release").innerText()));
		assert.ok(!/北電力|kita/.test(await other.page.locator("main").innerText()));
		await other.close();
	},

	async "what was given stands in receipts"(browser, hub) {
		await seeded(hub);
		const { token } = await api(hub, "POST", "/tokens", { name: "kita-firewall", role: "member", member: "kita-den" });
		const { collection } = await api(hub, "GET", "/groups/power");
		assert.match(await (await fetch(`${hub.address}/feeds/${collection}/list.txt`, { headers: { Authorization: `Bearer ${token}` } })).text(), /45\.66\.77\.45/);
		const { page, faults, close } = await signedIn(browser, hub, "hanako", "sharing/receipts");
		const row = page.locator("table.receipts tbody tr").first();
		assert.match(await row.innerText(), /北電力/);
		assert.match(await row.innerText(), /kita-firewall/);
		assert.deepEqual(faults, []);
		await close();
		const own = await signedIn(browser, hub, "kita-soc", "sharing/receipts", { language: "ja-JP" });
		assert.equal(await own.page.locator("table.receipts tbody tr").count(), 1);
		await own.close();
		const taro = await signedIn(browser, hub, "taro", "sharing/groups");
		assert.equal(await taro.page.locator(".sharing-tabs a").count(), 2);
		await taro.close();
	},

	async "whoever may not is told"(browser, hub) {
		await seeded(hub);
		const { page, close } = await open(browser, `${hub.address}/#/sharing/groups`);
		await until("the way in", async () => (await page.locator("main a", { hasText: "Sign in" }).count()) > 0);
		await close();
	},

	async "it holds in both languages, dark and light, wide and narrow"(browser, hub) {
		for (const [language, theme, width] of [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]])
			for (const place of ["sharing/groups?group=infra", "sharing/releases", "sharing/releases?propose=1", "sharing/receipts"]) {
				const { page, faults, close } = await signedIn(browser, hub, "hanako", place, { language, theme, width, height: 900 });
				const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(wide <= 1, `${place} at ${width}: ${wide} px too wide`);
				assert.ok((await colours(page, page.locator("main"))) > 20);
				assert.deepEqual(faults, []);
				if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${place.replace(/\W+/g, "-")}-${language}-${theme}-${width}.png`, fullPage: true });
				await close();
			}
	},

	async "it is worked by keyboard"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "hanako", "sharing/groups");
		await page.locator(".frame-head", { hasText: "Rail ISAC" }).first().focus();
		await page.keyboard.press("Enter");
		await until("the group beside it", async () => /Rail ISAC/.test(await page.locator("section.group h2").innerText()));
		await page.locator(".sharing-tabs a", { hasText: "Releases" }).focus();
		await page.keyboard.press("Enter");
		await until("the queue", async () => (await page.locator(".release-list").count()) === 1);
		await close();
	},
});
