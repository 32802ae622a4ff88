#!/usr/bin/env node
// Accounts, tokens and the audit log as an administrator meets them: somebody is invited, comes in, is given another role and
// leaves; a token works until it is revoked; all of it stands in the log, whose chain is checked. In both languages, dark and
// light, wide and on a phone.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Hub, YAGURA, colours, main, open, saved, settled, until } from "./house.mjs";

const PASSWORD = "correct horse battery";
const MEMBERS = [["aoba", "青葉市", "Aoba City", "municipality"], ["kita-isp", "北プロバイダー", "Kita ISP", "provider"]];
let cookie = "";

const call = (hub, method, path, body, headers = { Cookie: cookie }) =>
	fetch(`${hub.address}/api/v1${path}`, { method, headers: { "Content-Type": "application/json", "X-Yagura": "1", ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

const cookieOf = (answer) => answer.headers.get("set-cookie").split(";")[0];

/** An administrator, two organisations, and people in every state that an account can be in. */
async function seeded(hub) {
	if (cookie) return;
	const token = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	cookie = cookieOf(await call(hub, "POST", "/session/redeem", { token }, {}));
	cookie = cookieOf(await call(hub, "PUT", "/users/admin", { password: PASSWORD }));
	assert.equal((await call(hub, "POST", "/members/import", MEMBERS.map(([key, name, name_en, kind]) => ({ key, name, name_en, kind })))).status, 200);
	for (const [name, role, more] of [["taro", "analyst", { password: PASSWORD }], ["yuki", "operator", { password: PASSWORD }], ["aoba-soc", "member", { member: "aoba" }], ["mika", "viewer", {}]])
		assert.equal((await call(hub, "POST", "/users", { name, role, ...more })).status, 201, name);
	await call(hub, "POST", "/session", { name: "taro", password: PASSWORD }, {});
}

async function signedIn(browser, hub, place, options = {}, own = undefined) {
	await seeded(hub);
	const window = await open(browser, `${hub.address}/#/about`, options);
	const [key, value] = (own ?? cookie).split("=");
	await window.page.context().addCookies([{ name: key, value, url: hub.address }]);
	await window.page.goto(`${hub.address}/#/${place}`);
	await window.page.reload();
	await settled(window.page);
	window.faults.length = 0;
	return window;
}

const row = (page, name) => page.locator("table.people tr", { has: page.locator(`th .who:text-is("${name}")`) });

async function edit(page, name) {
	await row(page, name).locator("button").click();
	return page.locator("tr.edit");
}

const VIEWS = [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]];

/** Nothing is wider than the window, and something is drawn; SHOTS keeps the picture. */
async function fits(page, name, language, theme, width) {
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	assert.ok(wide <= 1, `${name} at ${width}: ${wide} px too wide`);
	assert.ok((await colours(page, page.locator("main"))) > 20);
	if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name.replace(/\W+/g, "-")}-${language}-${theme}-${width}.png`, fullPage: true });
}

const logged = async (hub, query) => (await (await call(hub, "GET", `/audit?${query}`)).json()).entries;

await main({
	async "somebody is invited, opens the link, and comes in with a password of their own"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "people");
		await page.locator(".page-tools button", { hasText: "Invite" }).click();
		const form = page.locator("form[aria-label='Invite somebody']");
		assert.ok(await form.locator("[name=name]").evaluate((field) => field === document.activeElement), "the cursor is not in the form");
		await form.locator("[name=name]").fill("hanako");
		await form.locator("[name=role]").selectOption("analyst");
		assert.match(await form.locator(".may").innerText(), /closing findings/);
		await form.locator("button[type=submit]").click();
		const link = await page.locator(".secret .command").innerText();
		assert.match(link, /#\/welcome\?token=[\w-]{43}$/);
		assert.match(decodeURIComponent(await page.locator(".secret a.button").getAttribute("href")), new RegExp(`^mailto:[^]*hanako[^]*${link.slice(-43)}`));
		await until("hanako is invited", async () => /Invited, until/.test(await row(page, "hanako").innerText()));
		const guest = await open(browser, link);
		await guest.page.fill("input[type=password]", "a password of hanako");
		await guest.page.locator("main button.main").click();
		await until("hanako is in", async () => /overview/.test(guest.page.url()) && (await guest.page.locator(".account summary", { hasText: "hanako" }).count()));
		await page.reload();
		await until("hanako has a password", async () => /Has a password/.test(await row(page, "hanako").innerText()));
		assert.match(await row(page, "hanako").innerText(), /ago|now/, "a sign-in by link is none");
		const again = await open(browser, link);
		await again.page.waitForSelector("[role=alert]");
		assert.deepEqual(faults, []);
		await close();
	},

	async "what the hub refuses is said in the form, in the reader's language"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "people", { language: "ja-JP" });
		await page.locator(".page-tools button", { hasText: "招待" }).click();
		const form = page.locator("form[aria-label='招待する']");
		await form.locator("[name=name]").fill("taro");
		await form.locator("button[type=submit]").click();
		assert.match(await form.locator("[role=alert]").innerText(), /taro/);
		await form.locator("[name=name]").fill("Taro Yamada");
		await form.locator("button[type=submit]").click();
		assert.ok(await form.locator("[name=name]").evaluate((field) => !field.validity.valid), "a name with capitals was sent");
		await page.keyboard.press("Escape");
		assert.equal(await form.count(), 0);
		await close();
	},

	async "a role is changed, one is bound to an organisation, and the only administrator stays"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "people");
		let form = await edit(page, "mika");
		await form.locator("[name=role]").selectOption("member");
		await form.locator("[name=member]").fill("kita-ips");
		await form.locator("button[type=submit]").click();
		assert.match(await form.locator("[role=alert]").innerText(), /kita-ips/);
		assert.equal(await form.locator("datalist option[value=kita-isp]").textContent(), "Kita ISP");
		await form.locator("[name=member]").fill("kita-isp");
		assert.match(await form.locator(".may").innerText(), /^Kita ISP/);
		await form.locator("button[type=submit]").click();
		await until("mika is of Kita ISP", async () => /organisation's staff[^]*Kita ISP/.test(await row(page, "mika").innerText()));
		assert.match(await page.locator(".saying.good").innerText(), /mika has the role “organisation's staff”/);
		assert.equal(await row(page, "mika").locator("a").getAttribute("href"), "#/members/kita-isp");
		const users = (await (await call(hub, "GET", "/users")).json()).users;
		assert.deepEqual(users.filter(({ name }) => name === "mika").map(({ role, member }) => [role, member]), [["member", "kita-isp"]]);
		form = await edit(page, "admin");
		assert.equal(await form.locator("button", { hasText: "Close account" }).count(), 0, "one's own account can be closed");
		await form.locator("[name=role]").selectOption("viewer");
		await form.locator("button[type=submit]").click();
		assert.match(await form.locator("[role=alert]").innerText(), /only administrator/);
		await close();
	},

	async "a new link signs in whoever forgot the password"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "people");
		const form = await edit(page, "yuki");
		await form.locator("button", { hasText: "New one-time link" }).click();
		const link = await page.locator(".secret .command").innerText();
		await until("the link is told", async () => /A new link, until/.test(await row(page, "yuki").innerText()));
		const guest = await open(browser, link);
		await until("yuki is in", () => guest.page.locator(".account summary", { hasText: "yuki" }).count());
		await page.locator(".secret button", { hasText: "Done" }).click();
		assert.equal(await page.locator(".secret").count(), 0);
		await close();
	},

	async "an account is closed after a question, and its session ends"(browser, hub) {
		await seeded(hub);
		const theirs = cookieOf(await call(hub, "POST", "/session", { name: "taro", password: PASSWORD }, {}));
		assert.equal((await call(hub, "GET", "/members", undefined, { Cookie: theirs })).status, 200);
		const { page, close } = await signedIn(browser, hub, "people");
		const form = await edit(page, "taro");
		await form.locator("button", { hasText: "Close account" }).click();
		const sure = page.locator("[role=alertdialog]");
		assert.ok(await sure.locator("button", { hasText: "Keep it" }).evaluate((button) => button === document.activeElement), "what undoes nothing has the focus");
		await page.keyboard.press("Escape");
		assert.equal(await row(page, "taro").count(), 1);
		await page.locator("tr.edit button", { hasText: "Close account" }).click();
		await sure.locator("button", { hasText: "Close it" }).click();
		await until("taro is gone", async () => (await row(page, "taro").count()) === 0);
		assert.equal((await call(hub, "GET", "/members", undefined, { Cookie: theirs })).status, 401);
		await close();
	},

	async "people are sifted by words and by role, and the address says so"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "people");
		await page.locator(".sift input").fill("AOBA city");
		await until("one is left", async () => (await page.locator("table.people tbody tr").count()) === 1);
		assert.match(page.url(), /find=AOBA/);
		await page.locator(".sift input").fill("");
		await page.locator(".sift a", { hasText: "operator" }).click();
		await until("only operators", async () => (await page.locator("table.people tbody tr").allInnerTexts()).every((text) => /operator/.test(text)));
		await page.locator(".sift input").fill("nobody of that name");
		await page.waitForSelector(".state-title:text-is('Nobody matches')");
		await close();
	},

	async "a token is shown once, works, and is refused after it was revoked"(browser, hub) {
		const { page, faults, close } = await signedIn(browser, hub, "people?view=tokens");
		await page.waitForSelector(".state-title:text-is('There is no token yet')");
		await page.locator(".page-tools button", { hasText: "New token" }).click();
		const form = page.locator("form[aria-label='New token']");
		await form.locator("[name=name]").fill("script");
		await form.locator("[name=role]").selectOption("analyst");
		await form.locator("button[type=submit]").click();
		const secret = await page.locator(".secret .command").innerText();
		const bearer = { Authorization: `Bearer ${secret}` };
		assert.equal((await call(hub, "GET", "/members", undefined, bearer)).status, 200);
		assert.equal((await call(hub, "GET", "/users", undefined, bearer)).status, 403);
		assert.match(await page.locator(".command").nth(1).innerText(), new RegExp(`^curl .*${secret}.*/api/v1/status$`));
		await page.reload();
		await settled(page);
		assert.equal(await page.locator(".secret").count(), 0, "a token is shown twice");
		await row(page, "script").locator("button").click();
		await page.locator("[role=alertdialog] button", { hasText: "Revoke it" }).click();
		await page.waitForSelector(".state-title:text-is('There is no token yet')");
		assert.equal((await call(hub, "GET", "/members", undefined, bearer)).status, 401);
		assert.deepEqual(faults, []);
		await close();
	},

	async "who is no administrator is told whom to ask, and nothing is asked of the hub"(browser, hub) {
		await seeded(hub);
		const own = cookieOf(await call(hub, "POST", "/session", { name: "yuki", password: PASSWORD }, {}));
		for (const place of ["people", "audit"]) {
			const guest = await open(browser, `${hub.address}/#/${place}`);
			await settled(guest.page);
			assert.equal(await guest.page.locator("main a.button", { hasText: "Sign in" }).count(), 1);
			assert.deepEqual(guest.faults, []);
			await guest.close();
			const operator = await signedIn(browser, hub, place, {}, own);
			assert.match(await operator.page.locator(".state").innerText(), /Ask an administrator/);
			assert.equal(await operator.page.locator(".tabs a", { hasText: /People|Audit/ }).count(), 0);
			assert.deepEqual(operator.faults, []);
			await operator.close();
		}
	},

	async "a hub that goes away is said, and what was there stays"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "people");
		await page.route("**/api/v1/users", (route) => route.abort());
		const form = await edit(page, "yuki");
		await form.locator("[name=role]").selectOption("analyst");
		await form.locator("button[type=submit]").click();
		await page.waitForSelector(".trouble");
		assert.ok((await page.locator("table.people tbody tr").count()) > 2, "what was there is gone");
		await page.unroute("**/api/v1/users");
		await until("the page recovered", async () => (await page.locator(".trouble").count()) === 0);
		await close();
	},

	async "it holds in both languages, dark and light, wide and narrow"(browser, hub) {
		for (const [language, theme, width] of VIEWS)
			for (const place of ["people", "people?view=tokens"]) {
				const { page, faults, close } = await signedIn(browser, hub, place, { language, theme, width });
				await fits(page, `${place} list`, language, theme, width);
				await page.locator(".page-tools button").click();
				await page.waitForSelector("form.asking");
				if (place === "people") await edit(page, "aoba-soc");
				await fits(page, `${place} open`, language, theme, width);
				assert.deepEqual(faults, []);
				await close();
			}
	},

	async "it is worked by keyboard"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "people");
		await row(page, "yuki").locator("button").focus();
		await page.keyboard.press("Enter");
		await until("the form", async () => (await page.locator("tr.edit form").count()) === 1);
		await page.keyboard.press("Tab");
		assert.ok(await page.locator("tr.edit [name=role]").evaluate((field) => field === document.activeElement));
		await page.keyboard.press("Escape");
		assert.equal(await page.locator("tr.edit").count(), 0);
		await close();
	},

	async "what was done stands in the log, from an account's own page, and opens to its hash"(browser, hub) {
		await seeded(hub);
		assert.equal((await call(hub, "POST", "/users/yuki/link")).status, 201);
		assert.equal((await call(hub, "PUT", "/users/yuki", { role: "operator" })).status, 200);
		const { page, faults, close } = await signedIn(browser, hub, "people");
		await (await edit(page, "admin")).locator("a", { hasText: "What they did" }).click();
		await page.waitForSelector("li.entry");
		assert.match(page.url(), /#\/audit\?actor=admin/);
		const told = (await page.locator("li.entry .what").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
		for (const wanted of [/^made an account taro as analyst/, /^made an account aoba-soc as organisation's staff · of aoba/, /^set the password admin/, /^made a one-time link yuki/, /^changed an account yuki as operator/, /^imported organisations/])
			assert.ok(told.some((text) => wanted.test(text)), `${wanted} is not in ${told.join(" | ")}`);
		const newest = await logged(hub, "actor=admin&limit=1");
		await page.locator("li.entry summary").first().click();
		assert.equal(await page.locator(".all .whole-hash").first().innerText(), newest[0].hash);
		assert.deepEqual(faults, []);
		await close();
	},

	async "the log is asked by person, action, object, sort and time"(browser, hub) {
		await seeded(hub);
		const yuki = cookieOf(await call(hub, "POST", "/session", { name: "yuki", password: PASSWORD }, {}));
		assert.equal((await call(hub, "GET", "/members/aoba", undefined, { Cookie: yuki })).status, 200);
		assert.equal((await call(hub, "DELETE", "/members/nowhere", undefined, { Cookie: yuki })).status, 404);
		const { page, close } = await signedIn(browser, hub, "audit");
		const shown = () => page.locator("li.entry").evaluateAll((list) => list.map((one) => one.innerText.replace(/\s+/g, " ")));
		const settles = (what, condition) => until(what, async () => { const list = await shown(); return list.length > 0 && condition(list); });
		const everything = (await shown()).length;
		await page.locator(".filters [name=actor]").fill("yuki");
		await page.keyboard.press("Enter");
		await settles("only what yuki did", (list) => list.length < everything && list.every((text) => /yuki/.test(text)));
		await page.locator(".filters a", { hasText: "Looks at data" }).click();
		await settles("the look alone", (list) => list.length === 1 && /looked at an organisation aoba · Aoba City/.test(list[0]));
		await page.locator(".filters a", { hasText: "Refused" }).click();
		await settles("the attempt and its refusal", (list) => list.length === 2 && /removed an organisation nowhere refused \(404\)/.test(list[0]) && /removed an organisation nowhere not done/.test(list[1]));
		await page.locator(".filters a", { hasText: "Changes" }).click();
		await page.waitForSelector(".state-title:text-is('Nothing was written down in this range')");
		await page.locator(".filters a", { hasText: "Take the filters away" }).click();
		await page.locator(".filters [name=action]").selectOption("POST /users");
		await settles("accounts made", (list) => list.every((text) => /made an account/.test(text)));
		await page.locator(".filters [name=subject]").fill("OBA-s");
		await settles("one account made", (list) => list.length === 1 && /aoba-soc/.test(list[0]));
		assert.match(page.url(), /subject=OBA-s/);
		await page.locator(".count summary").click();
		const command = await page.locator(".count .command").innerText();
		assert.match(command, /^yagura audit list --from -24h --action 'POST \/users' --subject '\*OBA-s\*'/);
		const printed = JSON.parse(execFileSync("sh", ["-c", `${command.replace(/^yagura/, '"$0"')} --json --data "$1"`, YAGURA, hub.data]).toString());
		assert.deepEqual(printed.map(({ subject }) => subject), ["aoba-soc"]);
		await page.goto(`${hub.address}/#/audit?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z`);
		await page.waitForSelector(".state-title:text-is('Nothing was written down in this range')");
		await close();
	},

	async "older entries follow, none twice and none left out"(browser, hub) {
		await seeded(hub);
		for (let i = 0; i < 120; i++) await call(hub, "DELETE", "/tokens/0");
		const { page, close } = await signedIn(browser, hub, "audit");
		assert.equal(await page.locator("li.entry").count(), 100);
		for (let more = page.locator(".log > button"); await more.count(); ) {
			const before = await page.locator("li.entry").count();
			await more.click();
			await until("more entries", async () => (await page.locator("li.entry").count()) > before);
		}
		const hashes = await page.locator("li.entry .hash").allInnerTexts();
		assert.deepEqual(hashes, (await logged(hub, "limit=1000")).map(({ hash }) => hash.slice(0, 8)));
		await close();
	},

	async "what is filtered leaves as CSV and as JSON, and that is written down"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "audit?action=POST+/users&from=-24h");
		const wanted = await logged(hub, "action=POST+/users&limit=1000");
		const sheet = await saved(page, () => page.locator(".page-tools a", { hasText: "CSV" }).click());
		assert.equal(sheet.name, "audit.csv");
		const lines = sheet.bytes.toString("utf8").trim().split("\r\n");
		assert.equal(sheet.bytes.subarray(0, 3).toString("hex"), "efbbbf");
		assert.equal(lines[0], "id,time,actor,peer,action,subject,member,detail,undone,hash");
		assert.equal(lines.length - 1, wanted.length);
		const file = await saved(page, () => page.locator(".page-tools a", { hasText: "JSON" }).click());
		assert.deepEqual(JSON.parse(file.bytes.toString("utf8")), wanted);
		assert.equal((await logged(hub, "action=GET+/audit/export")).length, 2);
		await close();
	},

	async "the chain is checked, also against a head that was noted"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "audit");
		const newest = (await logged(hub, "limit=1"))[0], early = (await logged(hub, "before=4&limit=1"))[0];
		await page.locator(".chain button.main").click();
		await page.waitForSelector(".verdict.good");
		assert.match(await page.locator(".verdict").innerText(), new RegExp(`The log is whole[^]*${newest.id} entries`));
		assert.equal((await page.locator(".head code").innerText()).replace(/\s/g, ""), newest.hash);
		await page.locator(".chain summary").click();
		await page.locator(".chain [name=noted]").fill(early.hash.toUpperCase());
		await page.locator(".chain button.main").click();
		await until("the noted head is found", async () => /noted head is entry 3/.test(await page.locator(".verdict.good").innerText()));
		await page.locator(".chain [name=noted]").fill("0".repeat(64));
		await page.locator(".chain button.main").click();
		assert.match(await page.locator(".verdict.bad").innerText(), /noted head is not in the log/);
		assert.match(await page.locator(".chain .command").innerText(), /^yagura audit verify --head 0{64}$/);
		assert.equal(await page.locator(".head").count(), 0, "a head is offered to be noted that proves nothing");
		await page.locator(".chain [name=noted]").fill("12ab");
		assert.ok(await page.locator(".chain [name=noted]").evaluate((field) => !field.validity.valid));
		await close();
	},

	async "the log is read by keyboard"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "audit");
		await page.locator("li.entry summary").first().focus();
		await page.keyboard.press("ArrowDown");
		await page.keyboard.press("Enter");
		assert.ok(await page.locator("li.entry details").nth(1).evaluate((one) => one.open));
		await page.keyboard.press("ArrowUp");
		assert.ok(await page.locator("li.entry summary").first().evaluate((one) => one === document.activeElement));
		await close();
	},

	async "the log holds in both languages, dark and light, wide and narrow"(browser, hub) {
		for (const [language, theme, width] of VIEWS) {
			const { page, faults, close } = await signedIn(browser, hub, "audit?action=*user*", { language, theme, width });
			await page.locator(".chain button.main").click();
			await page.waitForSelector(".verdict.good");
			await page.locator("li.entry summary").nth(1).click();
			await fits(page, "audit", language, theme, width);
			assert.deepEqual(faults, []);
			await close();
		}
	},

	async "whoever changes the log is found out, and the page shows where"(browser, hub) {
		await seeded(hub);
		await hub.stop();
		execFileSync("python3", ["-c", "import sqlite3, sys; base = sqlite3.connect(sys.argv[1]); base.executescript(\"DROP TRIGGER audit_stays; UPDATE audit SET actor = 'nobody' WHERE id = 5\")", `${hub.data}/registry.sqlite`]);
		await hub.run();
		for (const [language, theme, width] of VIEWS) {
			const { page, close } = await signedIn(browser, hub, "audit", { language, theme, width });
			await page.locator(".chain button.main").click();
			await page.waitForSelector(".verdict.bad[role=alert]");
			if (language === "en-GB") assert.match(await page.locator(".verdict").innerText(), /broken at entry 5[^]*words of the entry[^]*4 entries before it are sound/);
			await page.locator(".verdict a").click();
			await until("the entry and those before it", async () => (await page.locator("li.entry").count()) === 5);
			assert.equal(await page.locator("li.entry.broken").count(), 1);
			assert.match(await page.locator("li.entry").first().getAttribute("class"), /broken/);
			await fits(page, "audit-broken", language, theme, width);
			await close();
		}
	},
}, Hub.bare);
