// Bundles every test of this folder with the sources it tests and runs it under node: what needs no browser is tested without one.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(here, "..", "node_modules", ".test-"));
try {
	const tests = readdirSync(here).filter((name) => name.endsWith(".test.ts"));
	await build({ entryPoints: tests.map((name) => join(here, name)), outdir: out, bundle: true, platform: "node", format: "esm", outExtension: { ".js": ".mjs" }, jsx: "automatic", jsxImportSource: "preact", define: { "import.meta.dirname": JSON.stringify(here) }, logLevel: "warning" });
	const done = spawnSync(process.execPath, ["--test", ...tests.map((name) => join(out, name.replace(/\.ts$/, ".mjs")))], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
	const count = (word) => Number(new RegExp(`^(?:# |ℹ )${word} (\\d+)$`, "m").exec(done.stdout)?.[1] ?? 0);
	if (done.status !== 0) process.stdout.write(done.stdout);
	process.stdout.write(`${count("pass")} passed, ${count("fail")} failed\n`);
	process.exitCode = done.status ?? 1;
} finally {
	rmSync(out, { recursive: true, force: true });
}
