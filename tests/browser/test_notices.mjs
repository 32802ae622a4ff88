#!/usr/bin/env node
// Notices as those meet it who use them: an operator follows, answers, tells again, closes and tests; somebody in a town hall
// opens the link of a mail. A mail server of Debian takes the mails.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Hub, ROOT, main, open, settled, sleep, until } from "./house.mjs";

if (!existsSync("/usr/sbin/exim4") || process.getuid() !== 0) {
	console.log("skipped: exim4 and root are needed");
	process.exit(77);
}

const server = spawn("python3", [join(ROOT, "tests/system/mail_server.py")], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
const line = async () => JSON.parse((await lines.next()).value);
const { url, ca } = await line();
process.on("exit", () => server.kill("SIGTERM"));
async function mails() {
	server.stdin.write("mails\n");
	return line();
}

const PASSWORD = "correct horse battery";
let cookie = "";

async function api(hub, method, path, body) {
	const answer = await fetch(`${hub.address}/api/v1${path}`, { method, headers: { "Content-Type": "application/json", "X-Yagura": "1", Cookie: cookie }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
	const text = await answer.text();
	if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
	return text ? JSON.parse(text) : undefined;
}

async function session(hub, path, body) {
	const answer = await fetch(`${hub.address}/api/v1${path}`, { method: "POST", headers: { "Content-Type": "application/json", "X-Yagura": "1" }, body: JSON.stringify(body) });
	assert.equal(answer.status, 200);
	return answer.headers.get("set-cookie").split(";")[0];
}

async function seeded(hub) {
	if (cookie) return;
	cookie = await session(hub, "/session/redeem", { token: new URL(hub.link.replace("#/welcome", "")).searchParams.get("token") });
	await api(hub, "POST", "/users", { name: "hanako", role: "operator", password: PASSWORD });
	cookie = await session(hub, "/session", { name: "hanako", password: PASSWORD });
	await until("members were told", async () => (await api(hub, "GET", "/notices?limit=50")).notices.filter((one) => one.told).length >= 4, 120_000);
}

async function signedIn(browser, hub, place, options = {}) {
	await seeded(hub);
	const window = await open(browser, `${hub.address}/#/about`, options);
	const [key, value] = cookie.split("=");
	await window.page.context().addCookies([{ name: key, value, url: hub.address }]);
	await window.page.goto(`${hub.address}/${place}`);
	await window.page.reload();
	return window;
}

const narrow = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

await main({
	async the_list_and_the_life_of_one(browser, hub) {
		const { page, faults } = await signedIn(browser, hub, "#/notices");
		await page.locator(".notice-list li").nth(2).waitFor();
		await page.locator(".life li").first().waitFor();
		const figures = await page.locator(".figures").innerText();
		assert.match(figures, /median of \d+/, figures);
		await page.keyboard.press("j");
		await page.waitForURL(/#\/notices\/\d+/);
		const first = page.url();
		await until("j leads to the next", async () => {
			await page.keyboard.press("j");
			await sleep(1000);
			return page.url() !== first;
		});
		await settled(page);
		await until("it is shown", async () => page.url().includes(/\d+/.exec(await page.locator(".chips .hint").first().innerText())[0]));
		assert.match(await page.locator(".life").innerText(), /Found/);
		assert.deepEqual(faults, []);
	},

	async it_is_answered_told_again_and_closed(browser, hub) {
		await seeded(hub);
		const { notices } = await api(hub, "GET", "/notices?state=open&unacknowledged=1&limit=50");
		const notice = notices.find((one) => one.told);
		const { page, faults } = await signedIn(browser, hub, `#/notices/${notice.id}`);
		page.on("dialog", (dialog) => dialog.accept());
		await page.getByLabel("Passed on to those who look after it").check();
		await page.getByLabel("Your own number for it").fill("INC-42");
		await page.getByRole("button", { name: "Send the answer" }).click();
		await page.locator(".life li.good", { hasText: "Answered: passed on" }).waitFor();
		assert.match(await page.locator(".life").innerText(), /INC-42/);
		const before = (await api(hub, "GET", `/notices/${notice.id}`)).messages.length;
		await page.getByRole("button", { name: "Tell again now" }).click();
		await until("another message", async () => (await api(hub, "GET", `/notices/${notice.id}`)).messages.length > before);
		await page.getByRole("button", { name: "Close by hand" }).click();
		await page.getByLabel("Why is it closed?").fill("reinstalled");
		await page.locator(".notice-act form.row button.main").click();
		await page.locator(".state-chip.closed").waitFor();
		await page.locator(".life li", { hasText: "reinstalled" }).waitFor();
		await page.getByRole("link", { name: "Closed", exact: true }).click();
		await page.locator(".notice-list li", { hasText: notice.subject }).first().waitFor();
		assert.deepEqual(faults, []);
	},

	async a_test_goes_out(browser, hub) {
		await seeded(hub);
		const { members } = await api(hub, "GET", "/members?limit=100");
		const { notices } = await api(hub, "GET", "/notices?limit=50");
		const member = members.find((one) => one.key === notices.find((notice) => notice.told).member_key);
		const { page } = await signedIn(browser, hub, "#/notices");
		await page.getByRole("button", { name: "Send a test" }).click();
		await page.getByLabel("Key of the member").fill("nobody-of-this-name");
		await page.getByRole("button", { name: "Send a test" }).click();
		await page.locator(".error").waitFor();
		await page.getByLabel("Key of the member").fill(member.key);
		await page.getByRole("button", { name: "Send a test" }).click();
		await page.waitForURL(/#\/notices\/\d+/);
		await page.locator(".message-state.sent").first().waitFor();
	},

	async the_link_of_a_mail_needs_no_account(browser, hub) {
		await seeded(hub);
		const text = (await until("mails", async () => { const all = await mails(); return all.length >= 3 && all; })).map((mail) => mail.text).find((one) => /acknowledge\?message=/.test(one));
		const link = /http\S+#\/acknowledge\?message=\d+&token=[\w-]+/.exec(text)[0];
		const { page } = await open(browser, link, { language: "ja-JP", theme: "light", width: 390, height: 844 });
		await page.getByRole("button", { name: "通知を確認しました" }).waitFor();
		assert.ok(await narrow(page));
		await page.getByText("詳しく回答する").click();
		await page.getByLabel("対処した").check();
		await page.getByRole("button", { name: "通知を確認しました" }).click();
		await page.getByText("ご回答を受け付けました").waitFor();
		const second = await open(browser, link);
		await second.page.getByRole("button", { name: "I have seen the notice" }).click();
		await second.page.getByText("This link was used before.").waitFor();
		const cut = await open(browser, link.slice(0, -5));
		await cut.page.getByRole("button", { name: "I have seen the notice" }).click();
		await cut.page.getByText("This link is not whole.").waitFor();
	},

	async in_japanese_on_a_phone_by_daylight(browser, hub) {
		const { page, faults } = await signedIn(browser, hub, "#/notices?show=any", { language: "ja-JP", theme: "light", width: 390, height: 844 });
		await page.getByRole("heading", { name: "通知", exact: true }).waitFor();
		await page.locator(".life li").first().waitFor();
		assert.ok(await narrow(page), "the page is wider than the phone");
		assert.doesNotMatch(await page.locator(".page").innerText(), /\b(event|state|answer)\.\w/);
		assert.deepEqual(faults, []);
	},

	async guests_see_none(browser, hub) {
		const { page } = await open(browser, `${hub.address}/#/notices`);
		await page.getByText("Sign in").first().waitFor();
		assert.equal(await page.locator(".notice-list li").count(), 0);
	},
}, () => Hub.start(["--mail-relay", url, "--mail-ca", ca, "--mail-from", "Yagura <watch@yagura.example>"]));
