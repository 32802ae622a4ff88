// What the browser tests share: a hub of their own, Chromium, and how one looks at a picture.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const YAGURA = process.env.YAGURA ?? join(ROOT, "build/src/cli/yagura");
const { chromium } = await import(join(ROOT, "web/node_modules/playwright-core/index.mjs"));

export const sleep = (ms) => new Promise((then) => setTimeout(then, ms));

export async function until(what, condition, ms = 30_000) {
	const end = Date.now() + ms;
	for (;;) {
		const got = await condition();
		if (got) return got;
		if (Date.now() > end) throw new Error(`after ${ms} ms still not: ${what}`);
		await sleep(100);
	}
}

function freePort() {
	return new Promise((then) => {
		const server = createServer();
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => then(port));
		});
	});
}

/** A hub with a simulated country and an hour of its past, as `./run` starts it. */
export class Hub {
	static async begin(history = "1h", options = []) {
		const hub = new Hub();
		hub.options = options;
		hub.history = history;
		hub.data = mkdtempSync(join(tmpdir(), "yagura-browser-"));
		hub.port = await freePort();
		hub.address = `http://127.0.0.1:${hub.port}`;
		await hub.run();
		return hub;
	}

	/** One that observes nothing: for pages that need no packets. */
	static bare(options) {
		return Hub.begin("", options);
	}

	static async start(options) {
		const hub = await Hub.begin("1h", options);
		await until("the hour is stored", async () => {
			const { store } = await hub.get("/status");
			return store.kinds.tuple.rows > 10_000 && store.state === "ok" && (await hub.get("/findings?from=-24h&to=now&limit=1")).findings.length > 0;
		}, 120_000);
		return hub;
	}

	async run() {
		this.log = "";
		this.process = spawn(YAGURA, [
			"hub", "--data", this.data, "--listen", `127.0.0.1:${this.port}`, "--web", join(ROOT, "web/dist"), "--deps", join(ROOT, "deps"), "--guest-role", "viewer",
			...(this.history ? ["--simulate", "--simulation-data", join(ROOT, "data"), "--simulation-deps", join(ROOT, "deps"), "--simulation-rate", "400", "--simulation-history", this.history, "--raw"] : []),
			...this.options,
		], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
		for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (text) => { this.log += text; });
		this.ended = new Promise((then) => this.process.on("exit", then));
		await until("the hub answers", async () => {
			if (this.process.exitCode !== null) throw new Error(`the hub ended:\n${this.log}`);
			return fetch(`${this.address}/api/v1/session`).then((answer) => answer.ok, () => false);
		});
	}

	get link() {
		return /http\S+#\/welcome\?token=\S+/.exec(this.log)?.[0].replace(/["}].*$/, "");
	}

	async get(path) {
		return (await fetch(`${this.address}/api/v1${path}`)).json();
	}

	async stop() {
		this.process.kill("SIGTERM");
		await this.ended;
	}

	async end() {
		if (this.process.exitCode === null) await this.stop();
		rmSync(this.data, { recursive: true, force: true });
	}
}

/** A window of its own. `faults` gathers what the page complains of; a test that expects none looks at it. */
export async function open(browser, address, { language = "en-GB", theme = "dark", width = 1440, height = 900, motion = "no-preference" } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, locale: language, colorScheme: theme, reducedMotion: motion, acceptDownloads: true });
	const page = await context.newPage();
	const faults = [];
	page.on("pageerror", (fault) => faults.push(`error: ${fault.message}`));
	page.on("console", (message) => { if (message.type() === "error") faults.push(`console: ${message.text()}`); });
	page.on("response", (answer) => { if (answer.status() >= 400) faults.push(`${answer.status()} ${answer.url()}`); });
	await page.addInitScript(countRequests);
	if (process.env.YAGURA_SLOW) await slow(page, Number(process.env.YAGURA_SLOW));
	await page.goto(address);
	return { page, faults, close: () => context.close() };
}

/** In the page: how many answers are waited for, to the last byte. */
function countRequests() {
	const ask = globalThis.fetch;
	globalThis.underWay = 0;
	globalThis.fetch = async (...what) => {
		globalThis.underWay++;
		try {
			const answer = await ask(...what);
			if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) await answer.clone().arrayBuffer();
			return answer;
		} finally {
			globalThis.underWay--;
		}
	};
}

/** A processor `times` as slow and a far network: what a test takes for granted about order shows here. */
async function slow(page, times) {
	const wire = await page.context().newCDPSession(page);
	await wire.send("Emulation.setCPUThrottlingRate", { rate: times });
	await wire.send("Network.enable");
	await wire.send("Network.emulateNetworkConditions", { offline: false, latency: 50 * times, downloadThroughput: -1, uploadThroughput: -1 });
}

/** The page has come to rest: what was done is drawn, nothing is asked for, nothing says that it is busy. */
export async function settled(page, shows = "main h1, main canvas") {
	await page.waitForSelector(shows, { timeout: 30_000 });
	let calm = 0;
	await until(`at rest: ${page.url()}`, async () => {
		const busy = await page.evaluate(async () => {
			await new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));
			return globalThis.underWay > 0 || document.querySelector("[aria-busy=true], .busy") !== null;
		});
		return (calm = busy ? 0 : calm + 1) === 2;
	});
	await page.waitForSelector(shows, { timeout: 30_000 });
}

export function launch() {
	return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
}

/** How many different colours an element shows: a blank picture has one or two. */
export async function colours(page, locator) {
	const picture = (await locator.screenshot()).toString("base64");
	return page.evaluate(async (data) => {
		const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
		const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
		const canvas = new OffscreenCanvas(image.width, image.height);
		const context = canvas.getContext("2d");
		context.drawImage(image, 0, 0);
		return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size;
	}, picture);
}

export async function saved(page, click) {
	const [download] = await Promise.all([page.waitForEvent("download"), click()]);
	return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Runs tests in turn, those whose name holds the first argument when there is one; closes with "N passed, N failed". */
export async function main(tests, start = Hub.start) {
	let passed = 0, failed = 0;
	const hub = await start();
	const browser = await launch();
	try {
		for (const [name, test] of Object.entries(tests).filter(([name]) => name.includes(process.argv[2] ?? ""))) {
			const begun = Date.now();
			try {
				await test(browser, hub);
				passed++;
				console.log(`ok   ${name} (${Date.now() - begun} ms)`);
			} catch (fault) {
				failed++;
				console.log(`FAIL ${name}\n${fault.stack}`);
			}
			for (const context of browser.contexts()) await context.close();
		}
	} finally {
		await browser.close();
		await hub.end();
	}
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed ? 1 : 0);
}
