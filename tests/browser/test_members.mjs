#!/usr/bin/env node
// Members as an operator keeps them, and what an organisation's own people see of themselves: a file is compared before it is
// applied, one member is added, mended and removed, and an alert is read, understood and answered. In both languages, dark and
// light, wide and on a phone.

import assert from "node:assert/strict";
import { Hub, colours, main, open, settled, until } from "./house.mjs";

const PASSWORD = "correct horse battery";
const sessions = new Map();

const once = (hub, method, path, body, cookie, headers) =>
	fetch(`${hub.address}/api/v1${path}`, { method, headers: { "X-Yagura": "1", "Content-Type": "application/json", ...(cookie ? { Cookie: cookie } : {}), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

/** A hub that still takes its past in may say "in a moment" (503). */
async function call(hub, method, path, body, cookie = sessions.get("admin"), headers = {}) {
	return until(`${method} ${path} is answered`, async () => { const answer = await once(hub, method, path, body, cookie, headers); return answer.status !== 503 && answer; });
}

const json = async (answer) => (await answer).json();
const cookieOf = (answer) => answer.headers.get("set-cookie").split(";")[0];

/** An administrator, one of each role, and somebody of the member that has the most open notices. */
async function seeded(hub) {
	if (hub.member) return;
	const token = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	sessions.set("admin", cookieOf(await call(hub, "POST", "/session/redeem", { token }, "")));
	sessions.set("admin", cookieOf(await call(hub, "PUT", "/users/admin", { password: PASSWORD })));
	const { notices } = await until("there are notices", async () => { const told = await json(call(hub, "GET", "/notices?limit=1000")); return told.notices.length > 3 && told; }, 60_000);
	const counts = new Map();
	for (const { member_key: key } of notices) counts.set(key, (counts.get(key) ?? 0) + 1);
	const [member] = [...counts].sort((a, b) => b[1] - a[1])[0];
	for (const [name, role] of [["yuki", "operator"], ["taro", "analyst"], ["mika", "viewer"], ["own", "member"]]) {
		assert.equal((await call(hub, "POST", "/users", { name, role, password: PASSWORD, ...(role === "member" ? { member } : {}) })).status, 201, name);
		sessions.set(name, cookieOf(await call(hub, "POST", "/session", { name, password: PASSWORD }, "")));
	}
	hub.member = member;
}

async function as(who, browser, hub, place, options = {}) {
	await seeded(hub);
	const window = await open(browser, "about:blank", options);
	const [name, value] = sessions.get(who).split("=");
	await window.page.context().addCookies([{ name, value, url: hub.address }]);
	await window.page.goto(`${hub.address}/#/${place}`);
	await settled(window.page);
	window.faults.length = 0;
	return window;
}

const names = (page) => page.locator("table.members tbody th a").allInnerTexts();
const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

async function fits(page) {
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than the window");
}

await main({
	async "the list is searched by name and address, sorted, and sent by its address"(browser, hub) {
		const { page, faults, close } = await as("taro", browser, hub, "members");
		const all = await names(page);
		assert.ok(all.length > 100, `${all.length} members`);
		assert.deepEqual(all, [...all].sort(new Intl.Collator("en", { numeric: true }).compare));
		await page.locator(".sift input").fill("100.72.1.2");
		await until("one holds the address", async () => (await page.locator("table.members tbody th .sub").allInnerTexts()).join() === "isp-aozora");
		assert.match(page.url(), /text=100\.72\.1\.2/);
		await page.locator(".sift input").fill("nobody has this name");
		await page.waitForSelector("main .state-title");
		await page.locator(".state a.button").click();
		await page.locator(".segments a", { hasText: "Ministry" }).click();
		await until("only ministries", async () => (await names(page)).length === 8);
		await page.locator("thead a", { hasText: "IPv4" }).click();
		await until("sorted by size", async () => {
			const sizes = await page.locator("table.members tbody td:nth-child(3)").evaluateAll((cells) => cells.map((cell) => Number((cell.firstChild?.textContent ?? "0").replaceAll(",", ""))));
			return sizes.length === 8 && sizes.every((size, i) => i === 0 || size <= sizes[i - 1]);
		});
		await page.waitForSelector("thead th[aria-sort=descending]");
		assert.equal(await page.locator("a.button", { hasText: "Import" }).count(), 0, "an analyst is offered what only operators may");
		assert.deepEqual(faults, []);
		await close();
	},

	async "one member shows what is theirs, whom to tell, what is the matter, and who looked"(browser, hub) {
		const { page, faults, close } = await as("admin", browser, hub, "members");
		await page.locator(".sift input").fill(hub.member);
		await until("it is found", async () => (await names(page)).length === 1);
		await page.locator("table.members tbody th a").click();
		await settled(page);
		const told = await json(call(hub, "GET", `/members/${hub.member}`));
		const text = await page.locator("main").innerText();
		for (const part of [...told.prefixes, ...told.domains, told.contacts[0].mail, told.contacts[0].name, "added", "simulation"]) assert.ok(text.includes(part), part);
		assert.ok((await page.locator(".feed li").count()) > 0, "no alert is shown");
		await call(hub, "GET", `/members/${hub.member}`, undefined, sessions.get("taro"));
		await page.reload();
		await settled(page);
		assert.match(await page.locator("table.looks").innerText(), /taro\s+The organisation and its contacts/);
		assert.deepEqual(faults, []);
		await close();
	},

	async "the one search box finds a member by name and by address"(browser, hub) {
		const { page, close } = await as("mika", browser, hub, "observe/overview");
		for (const words of ["aozora", "100.72.9.9"]) {
			await page.keyboard.press("/");
			await page.keyboard.type(words);
			const hit = page.locator("#hits li", { hasText: "member" });
			await hit.waitFor();
			await hit.click();
			await until("the member is shown", async () => /#\/members\/isp-aozora/.test(page.url()));
			await settled(page);
		}
		await close();
	},

	async "what a role may not see is said, and nothing breaks"(browser, hub) {
		const viewer = await as("mika", browser, hub, `members/${hub.member}`);
		assert.match(await viewer.page.locator("main").innerText(), /Contacts are shown to analysts/);
		assert.equal(await viewer.page.locator(".page-tools", { hasText: "Edit" }).count(), 0);
		await viewer.page.goto(`${hub.address}/#/members/import`);
		await viewer.page.waitForSelector("main .state-title:has-text('operators and administrators')");
		await viewer.page.goto(`${hub.address}/#/members/no-such-member`);
		await viewer.page.waitForSelector("main .state-title:has-text('no-such-member')");
		const guest = await open(browser, `${hub.address}/#/members`);
		await guest.page.waitForSelector("main .state a[href='#/sign-in']");
		assert.equal(await guest.page.locator(".rail a[href^='#/members']").count(), 0);
		const own = await as("own", browser, hub, "members");
		assert.equal(await own.page.locator("main .state a").getAttribute("href"), "#/portal");
		for (const window of [viewer, guest, own]) await window.close();
	},

	async "a file is compared first, its faults are shown by line, and it is applied"(browser, hub) {
		const { page, close } = await as("yuki", browser, hub, "members/import");
		const before = await json(call(hub, "GET", "/members/isp-aozora"));
		const rows = ["key,name,kind,prefixes", "isp-aozora,Aozora Renamed,provider,100.72.0.0/13 2001:db8:4100::/40", "new-city,New City,municipality,100.127.0.0/24", "worse,Worse,nothing,300.1.1.1/99"];
		await page.setInputFiles("input[type=file]", file("mixed.csv", rows.join("\n")));
		await page.waitForSelector(".tally");
		assert.match(await page.locator(".tally").innerText(), /Added\s+1\s+Changed\s+1\s+Removed\s+0\s+As before\s+0\s+Refused\s+1/);
		assert.match(await page.locator(".refused").innerText(), /4\s+worse\s+Kind\s+'nothing'[^]*4\s+worse\s+Address blocks\s+'300\.1\.1\.1\/99'/);
		const change = page.locator(".changes li.change");
		assert.deepEqual([await change.locator("del").allInnerTexts(), await change.locator("ins").allInnerTexts()], [[before.name], ["Aozora Renamed"]]);
		assert.ok(await page.locator(".apply button.main").isDisabled(), "a file with faults can be applied");
		assert.equal((await json(call(hub, "GET", "/members/isp-aozora"))).name, before.name, "a preview changed something");
		await page.locator(".choices input").first().check();
		await until("it can be applied", () => page.locator(".apply button.main").isEnabled());
		await page.locator(".apply button.main").click();
		await until("it is done", async () => /1 added, 1 changed, 0 removed/.test(await page.locator(".saying.good").innerText()));
		assert.equal((await json(call(hub, "GET", "/members/isp-aozora"))).name, "Aozora Renamed");
		await page.setInputFiles("input[type=file]", file("same.csv", rows.slice(0, 3).join("\n")));
		await page.waitForSelector(".apply:has-text('changes nothing')");
		await close();
	},

	async "who is absent from a file is removed only after a question"(browser, hub) {
		const { page, close } = await as("yuki", browser, hub, "members/import");
		const text = await (await call(hub, "GET", "/members/export?format=csv")).text();
		await page.setInputFiles("input[type=file]", file("less.csv", text.split("\n").filter((line) => !line.startsWith("new-city,")).join("\n")));
		await page.waitForSelector(".apply:has-text('changes nothing')");
		await page.locator(".choices input").last().check();
		await page.waitForSelector(".changes li.remove:has-text('New City')");
		await page.locator(".apply button.main").click();
		const sure = page.locator("[role=alertdialog]");
		await sure.waitFor();
		await page.keyboard.press("Escape");
		assert.equal((await call(hub, "GET", "/members/new-city")).status, 200);
		await page.locator(".apply button.main").click();
		await sure.locator("button.grave").click();
		await until("it is removed", async () => (await call(hub, "GET", "/members/new-city")).status === 404);
		await close();
	},

	async "a file that is none is refused in words"(browser, hub) {
		const { page, close } = await as("yuki", browser, hub, "members/import", { language: "ja-JP" });
		await page.setInputFiles("input[type=file]", file("odd.csv", "colour,size\nred,9\n"));
		await until("it is refused", async () => (await page.locator(".saying.bad, .refused").count()) > 0);
		assert.match(await page.locator("main").innerText(), /colour/);
		await close();
	},

	async "one is added by hand, refused where it is wrong, mended and removed"(browser, hub) {
		const { page, close } = await as("yuki", browser, hub, "members");
		await page.locator("a.button", { hasText: "Add a member" }).click();
		await page.fill("[name=key]", "hill-town");
		await page.fill("[name=name]", "丘町");
		await page.fill("[name=prefixes]", "100.127.4.0/24\n300.0.0.0/8");
		await page.locator(".contact-fields input[type=email]").fill("soc@hill.example");
		await page.locator(".member-form button[type=submit]").click();
		await page.waitForSelector(".fault:has-text('300.0.0.0/8')");
		await page.fill("[name=prefixes]", "100.127.4.0/24");
		await page.locator(".member-form button[type=submit]").click();
		await page.waitForSelector("main h1:has-text('丘町')");
		const made = await json(call(hub, "GET", "/members/hill-town"));
		assert.deepEqual([made.prefixes, made.contacts[0].mail], [["100.127.4.0/24"], "soc@hill.example"]);
		await page.locator(".page-tools a", { hasText: "Edit" }).click();
		await settled(page);
		assert.equal(await page.inputValue("[name=prefixes]"), "100.127.4.0/24");
		await page.fill("[name=name_en]", "Hill Town");
		await page.fill("[name=parent]", "isp-aozora");
		await page.fill("[name=valid_until]", "2020-01-31");
		await page.locator(".member-form button[type=submit]").click();
		await page.waitForSelector("main h1:has-text('Hill Town')");
		await page.waitForSelector(".note:has-text('time is over')");
		assert.match(await page.locator(".history").innerText(), /changed · yuki[^]*English name\s+Hill Town/);
		assert.deepEqual((({ name, contacts, parent }) => [name, contacts.length, parent])(await json(call(hub, "GET", "/members/hill-town"))), ["丘町", 1, "isp-aozora"]);
		await page.locator(".page-tools button.grave").click();
		await page.locator("[role=alertdialog] button.grave").click();
		await until("it is gone", async () => (await call(hub, "GET", "/members/hill-town")).status === 404);
		await until("the list is shown", async () => /#\/members$/.test(page.url()));
		await close();
	},

	async "two who change the same are told apart"(browser, hub) {
		const { page, close } = await as("yuki", browser, hub, "members/isp-kumo/edit");
		const now = await json(call(hub, "GET", "/members/isp-kumo"));
		assert.equal((await call(hub, "PUT", "/members/isp-kumo", { ...now, id: undefined, changed: undefined, notes: "by another" })).status, 200);
		await page.fill("[name=notes]", "by me");
		await page.locator(".member-form button[type=submit]").click();
		await page.waitForSelector(".saying.bad");
		assert.equal((await json(call(hub, "GET", "/members/isp-kumo"))).notes, "by another");
		await close();
	},

	async "an organisation's people come in at what is theirs, read what to do, and answer"(browser, hub) {
		await seeded(hub);
		const theirs = async () => (await json(call(hub, "GET", "/notices?state=open&limit=1000", undefined, sessions.get("own")))).notices.filter((one) => one.state !== "ended");
		const { page, faults, close } = await open(browser, `${hub.address}/#/sign-in`);
		await page.fill("[name=name]", "own");
		await page.fill("[name=password]", PASSWORD);
		await page.locator("main button.main").click();
		await page.waitForSelector(".now.open");
		assert.match(page.url(), /#\/portal$/);
		await until("every alert is there", async () => (await page.locator(".matter").count()) === (await theirs()).length, 60_000);
		const card = page.locator(".matter").first();
		const subject = await card.locator("header .mono").innerText();
		await card.locator(".steps li").first().waitFor();
		const notice = (await theirs()).find((one) => one.subject === subject);
		const { advice } = await json(call(hub, "GET", `/notices/${notice.id}?language=en`));
		assert.deepEqual((await card.locator(".steps li").allInnerTexts()).map((step, i) => `${i + 1}. ${step}`), advice.steps.split("\n"));
		for (const part of [advice.what, advice.over, advice.call]) assert.ok((await card.innerText()).includes(part.trim()), part);
		await card.locator("input[value=fixed]").check();
		await card.locator("[name=reference]").fill("INC-7");
		await card.locator("[name=note]").fill("reset and updated");
		await card.locator("button[type=submit]").click();
		await page.waitForSelector(".answered:has-text('It is fixed (your number: INC-7)')");
		const answered = await json(call(hub, "GET", `/notices/${notice.id}`));
		assert.deepEqual([answered.answer, answered.reference, !!answered.acknowledged], ["fixed", "INC-7", true]);
		await until("every alert is answered", async () => {
			for (const { id } of (await theirs()).filter((one) => !one.acknowledged)) await call(hub, "POST", `/notices/${id}/acknowledge`, {}, sessions.get("own"));
			await page.reload();
			await page.waitForSelector(".now");
			return page.locator(".now.answered").count();
		});
		assert.deepEqual(faults, []);
		await close();
	},

	async "the portal shows its own and nothing else, and who looked"(browser, hub) {
		await seeded(hub);
		assert.equal((await call(hub, "GET", `/members/${hub.member}`, undefined, sessions.get("taro"))).status, 200);
		const { page, faults, close } = await as("own", browser, hub, "portal");
		const text = await page.locator("body").innerText(), { members } = await json(call(hub, "GET", "/members?limit=1000"));
		const own = members.find((one) => one.key === hub.member), others = members.filter((one) => one.key !== hub.member);
		for (const part of [own.name_en, ...own.prefixes, ...own.domains]) assert.ok(text.includes(part), part);
		const leaked = others.flatMap((one) => [one.key, one.name, one.name_en]).filter((name) => name && text.includes(name) && !own.name_en.includes(name) && !own.key.includes(name) && !own.domains.join().includes(name));
		assert.deepEqual(leaked, []);
		assert.match(await page.locator("table.looks").innerText(), /taro\s+The organisation and its contacts/);
		assert.ok((await page.locator(".rail a[href^='#/portal']").count()) === 1 && (await page.locator("a[href^='#/members']").count()) === 0);
		const toggle = page.locator(".matter header button").first();
		const before = await toggle.getAttribute("aria-expanded");
		await toggle.focus();
		await page.keyboard.press("Enter");
		assert.notEqual(await toggle.getAttribute("aria-expanded"), before);
		assert.deepEqual(faults, []);
		await close();
	},

	async "who has no alert is told so; others are told whose page it is"(browser, hub) {
		await seeded(hub);
		assert.equal((await call(hub, "PUT", "/members/calm-town", { name: "静町", kind: "municipality", prefixes: ["100.127.9.0/24"] })).status, 201);
		assert.equal((await call(hub, "POST", "/users", { name: "calm", role: "member", member: "calm-town", password: PASSWORD })).status, 201);
		sessions.set("calm", cookieOf(await call(hub, "POST", "/session", { name: "calm", password: PASSWORD }, "")));
		const calm = await as("calm", browser, hub, "portal", { language: "ja-JP" });
		await calm.page.waitForSelector(".now.quiet:has-text('気になる動きはありません')");
		assert.equal(await calm.page.locator(".matter").count(), 0);
		assert.match(await calm.page.locator("main").innerText(), /連絡先がありません/);
		const admin = await as("admin", browser, hub, "portal");
		assert.equal(await admin.page.locator("main .state a").getAttribute("href"), "#/members");
		const guest = await open(browser, `${hub.address}/#/portal`);
		await guest.page.waitForSelector("main .state a[href='#/sign-in']");
		for (const window of [calm, admin, guest]) await window.close();
	},

	async "a portal whose hub goes away says so, and goes on by itself"(browser, hub) {
		const { page, close } = await as("own", browser, hub, "portal");
		await page.route("**/api/v1/notices**", (route) => route.abort());
		await page.reload();
		await page.waitForSelector(".trouble:has-text('does not answer')");
		await page.unroute("**/api/v1/notices**");
		await page.waitForSelector(".now");
		assert.equal(await page.locator(".trouble").count(), 0);
		await close();
	},

	async "every page in both languages, dark and light, wide and on a phone"(browser, hub) {
		await seeded(hub);
		for (const [language, theme, width] of [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]])
			for (const [who, place] of [["yuki", "members"], ["yuki", `members/${hub.member}`], ["yuki", `members/${hub.member}/edit`], ["yuki", "members/import"], ["own", "portal"]]) {
				const { page, faults, close } = await as(who, browser, hub, place, { language, theme, width });
				await fits(page);
				assert.ok((await colours(page, page.locator("main"))) > 20, `${place}: nothing is drawn`);
				const hint = await page.locator("main .page-head .hint").first().innerText();
				assert.equal(/[ぁ-ん]|自治体/.test(hint), language === "ja-JP", hint);
				assert.deepEqual(faults, [], `${place} ${language} ${width}`);
				await close();
			}
	},
});
