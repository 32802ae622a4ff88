#!/usr/bin/env node
// Every STIX bundle there is, and thousands that were spoilt on purpose, judged here and by ajv with OASIS' own schemas:
// no verdict may differ. Also how fast both are. Needs npm (tests/ajv); without it the test is skipped.
//   test_stix_verdicts.mjs [--mutations N] [--seed N]
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.join(here, "../..");
const option = (name, fallback) => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : fallback);
const skip = (why) => {
  console.log(`skipped: ${why}`);
  process.exit(77);
};

const ajvFolder = path.join(top, "tests/ajv");
if (!existsSync(path.join(ajvFolder, "node_modules/ajv")))
  try {
    execFileSync("npm", ["ci", "--silent"], { cwd: ajvFolder, stdio: "ignore", timeout: 120000 });
  } catch {
    skip("npm ci in tests/ajv failed");
  }
const require = createRequire(path.join(ajvFolder, "package.json"));
const Ajv = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;

const judge = (() => {
  const ajv = new Ajv({ strict: false, unicodeRegExp: false, logger: false });
  addFormats(ajv);
  const ids = {};
  for (const folder of ["common", "sdos", "sros", "observables"])
    for (const file of readdirSync(path.join(top, "data/stix21", folder))) {
      const schema = JSON.parse(readFileSync(path.join(top, "data/stix21", folder, file)));
      ajv.addSchema(schema);
      ids[file.slice(0, -5)] = schema.$id;
    }
  const byType = new Map();
  for (const [name, id] of Object.entries(ids)) {
    const schema = ajv.getSchema(id);
    const kinds = [schema.schema, ...(schema.schema.allOf ?? [])].map((s) => s.properties?.type?.enum).find((e) => e?.length === 1);
    if (kinds && name !== "bundle") byType.set(kinds[0], schema);
  }
  const core = ajv.getSchema(ids.core), observable = ajv.getSchema(ids["cyber-observable-core"]), bundle = ajv.getSchema(ids.bundle);
  return {
    bundle: (value) => bundle(value),
    object: (value) => {
      const schema = byType.get(value?.type);
      return schema ? schema(value) : core(value) || observable(value);
    },
  };
})();

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(name);
    else if (name.endsWith(".json")) yield name;
  }
}

const program = process.env.STIX_VERDICTS ?? path.join(path.dirname(process.env.YAGURA ?? path.join(top, "build/src/cli/yagura")), "../../tests/system/stix_verdicts");
const ours = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
const answers = readline.createInterface({ input: ours.stdout })[Symbol.asyncIterator]();
const ask = async (letter, text) => {
  ours.stdin.write(`${letter} ${text}\n`);
  return (await answers.next()).value;
};

// What schemas cannot say, and yagura refuses all the same.
const beyond = /^0 \/\S*: (the object refers to itself|'[^]*' is no time that a calendar has|longer than 288 bytes)/;
let passed = 0, failed = 0, beyondCount = 0;
const compare = async (letter, value, what) => {
  const answer = await ask(letter, JSON.stringify(value));
  const expected = letter === "b" ? judge.bundle(value) : judge.object(value);
  if ((answer?.[0] === "1") === expected) return void passed++;
  if (expected && beyond.test(answer)) return void beyondCount++;
  failed++;
  if (failed <= 10) console.log(`DIFFERS: ${what}: ajv says ${expected}, yagura says ${answer}\n  ${JSON.stringify(value).slice(0, 400)}`);
};

// What can go wrong with a member, in the manner of those who write it wrong.
let state = BigInt(option("--seed", 1));
const random = (bound) => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(bound));
};
const wrong = [null, true, 0, -1, 1.5, 1e300, "", "x", "identity--00000000-0000-4000-8000-000000000000", "2020-02-30T00:00:00.000Z", "2020-13-01T00:00:00Z",
  [], [""], [null], {}, { a: 1 }, { MD5: "x" }, "http://[::1]/é", "http://example.com/a b", "AAAA", "é\u2028", [1, "a"], 1000000000, false];
const places = (value, into = []) => {
  for (const key of Object.keys(value)) {
    into.push([value, key]);
    if (value[key] && typeof value[key] === "object") places(value[key], into);
  }
  return into;
};
const spoil = (original) => {
  const value = structuredClone(original);
  for (let i = 0; i <= random(2); i++) {
    const all = places(value);
    if (all.length === 0) break;
    const [holder, key] = all[random(all.length)];
    const how = random(6);
    if (how === 0) Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key];
    else if (how === 1) holder[key] = wrong[random(wrong.length)];
    else if (how === 2 && typeof holder[key] === "string") {
      const at = random(holder[key].length + 1);
      holder[key] = holder[key].slice(0, at) + ["", "-", " ", "é", "0", "\n", "A"][random(7)] + holder[key].slice(at + random(2));
    } else if (how === 3 && !Array.isArray(holder)) holder[["x_a", "A", "ab", "name", "extensions", "x_bin", "id", "severity", "labels"][random(9)]] = wrong[random(wrong.length)];
    else {
      const [from, name] = all[random(all.length)];
      holder[key] = structuredClone(from[name]);
    }
    if (JSON.stringify(value).length > 500000) return structuredClone(original);
  }
  return value;
};

const scratch = mkdtempSync(path.join(tmpdir(), "yagura-stix-"));
const shared = path.join(top, "../shared/data/share");
const folders = [path.join(top, "tests/stix")].filter(existsSync);
if (existsSync(shared)) {
  for (const archive of ["stix21", "attack_ics_mobile_stix21", "misp_events_and_stix_pairs"])
    execFileSync("tar", ["-C", scratch, "-xf", path.join(shared, `${archive}.tar.xz`)]);
  folders.push(scratch);
}
const objects = [], bundles = [];
for (const folder of folders)
  for (const file of walk(folder)) {
    if (/\/(schemas|interop)\//.test(file)) continue;
    let value;
    try {
      value = JSON.parse(readFileSync(file));
    } catch {
      continue;
    }
    if (value?.type === "bundle") {
      bundles.push(value);
      objects.push(...(value.objects ?? []).map((object, i) => [object, `${file}: object ${i}`]));
      await compare("b", value, file);
    } else if (typeof value?.type === "string") objects.push([value, file]);
  }
for (const [object, what] of objects) await compare("o", object, what);
if (objects.length === 0) {
  console.log(`no STIX samples at ${shared}: skipped\n0 passed, 0 failed, 1 skipped`);
  ours.stdin.end();
  rmSync(scratch, { recursive: true });
  process.exit(0);
}
console.log(`${bundles.length} bundles, ${objects.length} objects as they are: ${failed} verdicts differ`);

const mutations = option("--mutations", 20000);
const before = failed;
let good = 0;
// As many of each type: the rare ones are those with rules of their own.
const types = [...Map.groupBy?.(objects, ([o]) => o.type)?.values() ?? [...new Set(objects.map(([o]) => o.type))].map((t) => objects.filter(([o]) => o.type === t))];
for (let i = 0; i < mutations; i++) {
  const pile = types[random(types.length)];
  const value = spoil(pile[random(pile.length)][0]);
  if (typeof value.type !== "string" || value.type === "bundle") continue;
  good += judge.object(value);
  await compare(i % 8 ? "o" : "b", i % 8 ? value : { type: "bundle", id: "bundle--00000000-0000-4000-8000-000000000000", objects: [value] }, `mutation ${i}`);
}
console.log(`${mutations} spoilt objects, of which ajv finds ${good} good: ${failed - before} verdicts differ, ${beyondCount} refused beyond the schemas`);

const speed = (await ask("t", "20")).split(" ");
const began = process.hrtime.bigint();
for (const [object] of objects) judge.object(object);
const parsed = objects.map(([object]) => JSON.stringify(object));
const start = process.hrtime.bigint();
for (let i = 0; i < 5; i++) for (const text of parsed) judge.object(JSON.parse(text));
console.log(`objects a second: yagura ${speed[0]}, ajv ${Math.round((5 * parsed.length * 1e9) / Number(process.hrtime.bigint() - start))} (after warming up ${((start - began) / 1000000n).toString()} ms)`);
ours.stdin.end();
rmSync(scratch, { recursive: true });
if (objects.length < 30 || good === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
