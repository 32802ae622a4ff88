#!/usr/bin/env node
// The page of feeds as those meet it who take a collection into use: what is in it, and lines that are copied from the page and
// run as they are: curl, Unbound and Knot Resolver on loopback, nft in a network namespace, BIRD's and BIND's own judgement.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hub, YAGURA, colours, main, open, settled, until } from "./house.mjs";

const PASSWORD = "correct horse battery";
const HEADERS = { "Content-Type": "application/json", "X-Yagura": "1" };
const FOLDER = mkdtempSync(join(tmpdir(), "yagura-feeds-"));
process.on("exit", () => rmSync(FOLDER, { recursive: true, force: true }));
let cookie = "", token = "";

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

async function seeded(hub) {
	if (cookie) return;
	const link = new URL(hub.link.replace("#/welcome", "")).searchParams.get("token");
	const redeemed = await fetch(`${hub.address}/api/v1/session/redeem`, { method: "POST", headers: HEADERS, body: JSON.stringify({ token: link }) });
	assert.equal(redeemed.status, 200);
	cookie = redeemed.headers.get("set-cookie").split(";")[0];
	await api(hub, "POST", "/members/import", [{ key: "aoba", name: "青葉市", kind: "municipality", clearance: "red" }]);
	for (const [name, role, member] of [["hanako", "operator"], ["taro", "analyst"], ["yuki", "viewer"], ["aoba-soc", "member", "aoba"]]) await api(hub, "POST", "/users", { name, role, password: PASSWORD, ...(member ? { member } : {}) });
	execFileSync(YAGURA, ["share", "taxii", "green", "--data", hub.data, "--clearance", "green", "--automatic", "--readers", "firewall hanako taro", "--title", "すべての会員向け", "--description", "TLP:GREEN までの指標を、確認でき次第追加します。"]);
	await api(hub, "PUT", "/groups/towns", { name: "自治体の輪", name_en: "Circle of towns", members: ["aoba"], groups: [] });
	await api(hub, "POST", "/indicators/import?tlp=green&name=partner.txt", "45.66.77.45\n45.66.80.80\n45.66.81.0/24\n2a00:1450:4001:800::1\nevil-portal.example\nhttp://evil-portal.example/login\n8.8.8.8\n");
	({ token } = await api(hub, "POST", "/tokens", { name: "firewall", role: "viewer" }));
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

const card = (page, name) => page.locator("section.feed", { has: page.locator("h2", { hasText: name }) });

/** The line of a card, by way of the clipboard, as it is pasted. */
async function copied(page, name, who) {
	const section = card(page, name);
	await section.getByRole("button", { name: who, exact: true }).click();
	await section.locator(".feed-try").getByRole("button", { name: /^Cop/ }).click();
	await until("it is copied", async () => (await section.locator(".feed-try").getByRole("button", { name: "Copied" }).count()) === 1);
	const text = await page.evaluate(() => navigator.clipboard.readText());
	assert.equal(text, await section.locator("pre").innerText());
	return text;
}

const shell = (text, options = {}) => execFileSync("sh", ["-ec", text], { encoding: "utf8", cwd: FOLDER, ...options });

function freePort() {
	return new Promise((then) => {
		const server = createServer();
		server.listen(0, "127.0.0.1", () => { const { port } = server.address(); server.close(() => then(port)); });
	});
}

const dig = (port, name) => shell(`dig @127.0.0.1 -p ${port} +time=1 +tries=1 ${name} A || true`);

/** A resolver that runs while `inside` does. */
async function running(command, words, port, inside) {
	const resolver = spawn(command, words, { cwd: FOLDER, stdio: ["ignore", "pipe", "pipe"] });
	const gone = new Promise((then) => resolver.on("exit", then));
	let log = "";
	for (const stream of [resolver.stdout, resolver.stderr]) stream.on("data", (text) => { log += text; });
	try {
		await until(`${command} answers: ${log}`, () => /status: (NXDOMAIN|NOERROR|REFUSED|SERVFAIL)/.test(dig(port, "other-name.example")), 20_000).catch((fault) => { throw new Error(`${fault.message} ${log}`); });
		await inside();
	} finally {
		resolver.kill("SIGKILL");
		await gone;
	}
}

async function feeds(browser, hub, options = {}) {
	const window = await signedIn(browser, hub, "hanako", "feeds?collection=green", options);
	await window.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
	await window.page.getByLabel("Your API token").fill(token);
	return window;
}

await main({
	async "what a collection holds, in each form"(browser, hub) {
		const { page, faults, close } = await feeds(browser, hub);
		assert.match(await page.locator(".feed-list").innerText(), /すべての会員向け/);
		await until("figures", async () => (await page.locator(".feed-figures").count()) >= 6);
		assert.match(await card(page, "Plain list").innerText(), /6 values/);
		assert.match(await card(page, "DNS block list").innerText(), /serial \d{9,}/);
		assert.match(await card(page, "BGP").innerText(), /left out/);
		await page.locator(".feed-list a", { hasText: /towns|輪/ }).click();
		await until("the other one", async () => /a group's/.test(await page.locator(".feed-shown").innerText()));
		assert.deepEqual(faults, []);
		await close();
	},

	async "curl fetches what is pasted"(browser, hub) {
		const { page, close } = await feeds(browser, hub);
		assert.deepEqual(shell(await copied(page, "Plain list", "curl")).split("\n").filter(Boolean).sort(), ["2a00:1450:4001:800::1", "45.66.77.45", "45.66.80.80", "45.66.81.0/24", "evil-portal.example", "http://evil-portal.example/login"]);
		assert.deepEqual(shell(await copied(page, "Plain list", "curl, IPv4, score ≥ 50")).split("\n").filter(Boolean).sort(), ["45.66.77.45", "45.66.80.80", "45.66.81.0/24"]);
		assert.match(shell(await copied(page, "CSV", "curl")), /^timestamp,ip/);
		const { objects } = JSON.parse(shell(await copied(page, "TAXII 2.1", "curl")));
		assert.ok(objects.filter((one) => one.type === "indicator").length >= 7, `${objects.length} objects`);
		assert.ok(JSON.parse(shell(await copied(page, "TAXII 2.1", "curl, manifest"))).objects.length >= 7);
		assert.equal(Object.values(JSON.parse(shell(await copied(page, "MISP feed", "curl")))).length, 1);
		assert.match(await copied(page, "MISP feed", "MISP"), new RegExp(`Authorization: Bearer ${token}`));
		await page.reload();
		await settled(page);
		await until("who fetched it", async () => /firewall/.test(await page.locator(".feed-shown").innerText()));
		assert.ok(!(await page.locator("main").innerHTML()).includes(token), "the token is kept nowhere");
		await close();
	},

	async "Unbound blocks by what is pasted"(browser, hub) {
		const { page, close } = await feeds(browser, hub);
		const text = await copied(page, "DNS block list", "Unbound"), port = await freePort();
		assert.match(text, /unbound-checkconf && unbound-control reload$/);
		shell(text.replaceAll("/var/lib/unbound", FOLDER).replaceAll("/etc/unbound/unbound.conf.d", FOLDER).replace("unbound-checkconf && unbound-control reload", ""));
		writeFileSync(join(FOLDER, "unbound.conf"), `server:\n  directory: "${FOLDER}"\n  username: ""\n  chroot: ""\n  pidfile: ""\n  interface: 127.0.0.1@${port}\n  use-syslog: no\n  local-data: "other-name.example. A 192.0.2.1"\n  do-not-query-address: 0.0.0.0/0\n  do-not-query-address: ::/0\ninclude: "${FOLDER}/yagura.conf"\n`);
		shell(`unbound-checkconf ${FOLDER}/unbound.conf`);
		await running("unbound", ["-d", "-p", "-c", join(FOLDER, "unbound.conf")], port, async () => {
			for (const name of ["evil-portal.example", "www.evil-portal.example"]) assert.match(dig(port, name), /status: NXDOMAIN/);
			assert.match(dig(port, "other-name.example"), /status: NOERROR/);
			assert.match(dig(port, "not-listed.example"), /status: SERVFAIL/, "what is not listed is asked for, and nobody is there to answer");
		});
		await close();
	},

	async "Knot Resolver blocks by what is pasted"(browser, hub) {
		const { page, close } = await feeds(browser, hub);
		const text = await copied(page, "DNS block list", "Knot Resolver"), port = await freePort();
		writeFileSync(join(FOLDER, "kresd.conf"), `net.listen("127.0.0.1", ${port})\ntrust_anchors.remove(".")\npolicy.add(policy.suffix(policy.REFUSE, {todname("other-name.example")}))\n`);
		shell(text.replaceAll("/etc/knot-resolver", FOLDER).replace("systemctl restart kresd@1", ""));
		mkdirSync(join(FOLDER, "kresd"));
		await running("kresd", ["--noninteractive", "--config", join(FOLDER, "kresd.conf"), join(FOLDER, "kresd")], port, async () => {
			assert.match(dig(port, "evil-portal.example"), /status: NXDOMAIN/);
			assert.match(dig(port, "other-name.example"), /status: REFUSED/);
		});
		await close();
	},

	async "BIND, BIRD and FRR take what is pasted"(browser, hub) {
		const { page, close } = await feeds(browser, hub);
		const bind = (await copied(page, "DNS block list", "BIND")).replaceAll("/var/cache/bind", FOLDER).replaceAll("/etc/bind", FOLDER).replace("named-checkconf && rndc reconfig", "");
		writeFileSync(join(FOLDER, "named.conf.options"), `options {\n\tdirectory "${FOLDER}";\n};\n`);
		shell(bind);
		writeFileSync(join(FOLDER, "named.conf"), `include "${FOLDER}/named.conf.options";\ninclude "${FOLDER}/named.conf.local";\n`);
		assert.match(shell(`named-checkconf -p -z ${FOLDER}/named.conf`), /response-policy/);
		writeFileSync(join(FOLDER, "bird.conf"), "router id 192.0.2.1;\nprotocol device { }\n");
		for (let i = 0; i < 2; i++) shell((await copied(page, "BGP", "BIRD")).replaceAll("/etc/bird", FOLDER).replace("birdc configure", `bird -p -c ${FOLDER}/bird.conf`));
		assert.match(readFileSync(join(FOLDER, "yagura.conf"), "utf8"), /45\.66\.77\.45\/32 blackhole/);
		assert.equal(readFileSync(join(FOLDER, "bird.conf"), "utf8").match(/include/g).length, 1, "pasted twice, it is there once");
		shell((await copied(page, "BGP", "FRR")).replaceAll("/etc/frr", FOLDER).replace("vtysh -f", "vtysh -C -f"));
		await close();
	},

	async "a zone is transferred by what is pasted"(browser, hub) {
		const { page, close } = await feeds(browser, hub);
		const port = await freePort(), ours = async (who) => (await copied(page, "RPZ by zone transfer", who)).replaceAll("5353", String(port));
		const [keys, serve] = (await ours("Yagura")).split("\n"), question = await ours("dig");
		shell(keys);
		const secret = /secret "(.*)"/.exec(readFileSync(join(FOLDER, "rpz.key"), "utf8"))[1];
		const server = spawn(YAGURA, [...serve.split(" ").slice(1), "--data", hub.data], { cwd: FOLDER, stdio: "ignore" });
		const gone = new Promise((then) => server.on("exit", then));
		try {
			await until("the zone", () => /evil-portal\.example\.rpz\.yagura\.\s+\d+\s+IN\s+CNAME\s+\./.test(shell(`${question} +time=1 +tries=1 || true`)), 20_000);
		} finally {
			server.kill("SIGTERM");
			await gone;
		}
		writeFileSync(join(FOLDER, "secondary.conf"), `options { directory "${FOLDER}"; };\n${(await ours("BIND")).replaceAll("/etc/bind", FOLDER)}\n`);
		shell(`named-checkconf ${FOLDER}/secondary.conf`);
		writeFileSync(join(FOLDER, "knot.conf"), `${(await ours("Knot DNS")).replace("SECRET", secret)}\n`);
		shell(`knotc -c ${FOLDER}/knot.conf conf-check`);
		await close();
	},

	async "nft drops by what is pasted"(browser, hub) {
		const { page, close } = await feeds(browser, hub);
		const sets = await copied(page, "nftables", "nft"), drop = await copied(page, "nftables", "nft, drop");
		const [fetching, loading] = sets.split(" | ");
		const listed = shell(`${fetching} > sets.nft; unshare -n sh -ec "$RULES"`, { env: { ...process.env, RULES: `${loading} < sets.nft\n${drop}\n${loading} < sets.nft\nnft list ruleset` } });
		assert.match(listed, /ip saddr @yagura_v4 drop/);
		assert.match(listed, /45\.66\.77\.45/);
		await close();
	},

	async "who reads nothing is told"(browser, hub) {
		const yuki = await signedIn(browser, hub, "yuki", "feeds");
		assert.match(await yuki.page.locator(".state").innerText(), /no collection that you may read/);
		await yuki.close();
		const own = await signedIn(browser, hub, "aoba-soc", "feeds", { language: "ja-JP" });
		const text = await own.page.locator("main").innerText();
		assert.ok(/輪|towns/.test(text) && !/すべての会員向け/.test(text), text);
		await own.close();
	},

	async "it holds in both languages, dark and light, wide and narrow"(browser, hub) {
		for (const [language, theme, width] of [["ja-JP", "dark", 1440], ["en-GB", "light", 1440], ["ja-JP", "light", 390], ["en-GB", "dark", 390]]) {
			const { page, faults, close } = await signedIn(browser, hub, "hanako", "feeds?collection=green", { language, theme, width, height: 900 });
			await until("figures", async () => (await page.locator(".feed-figures").count()) >= 6);
			if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/feeds-${language}-${theme}-${width}.png`, fullPage: true });
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(wide <= 1, `at ${width}: ${wide} px too wide`);
			assert.ok((await colours(page, page.locator("main"))) > 20);
			assert.deepEqual(faults, []);
			await close();
		}
	},

	async "it is worked by keyboard"(browser, hub) {
		const { page, close } = await signedIn(browser, hub, "hanako", "feeds?collection=green");
		await card(page, "DNS block list").getByRole("button", { name: "BIND" }).focus();
		await page.keyboard.press("Enter");
		await until("its line", async () => /response-policy/.test(await card(page, "DNS block list").locator("pre").innerText()));
		await close();
	},
}, () => Hub.bare([]));
