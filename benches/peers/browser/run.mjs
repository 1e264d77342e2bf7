// Times the nano network in headless Chromium: ours, onnxruntime-web, transformers.js.
//
//   node run.mjs --onnx DIR --transformers DIR --inputs DIR --pack DIR --long-pack DIR [--photo FILE]
//                [--groups cpu,threads,webgpu] [--cold 3] [--seconds 12] [--group-seconds 200] [--adapter swiftshader|gpu] [--only-ours]
//
// Cold: a fresh browser a contender and round, contenders in turn: time to ready, first evaluation, memory, bytes. Warm: one browser a
// group with every contender's page open, one evaluation each in turn, for about SECONDS a prompt, 3 to 25 rounds. A group that has taken half
// of its GROUP-SECONDS begins no further cold round, and no further prompt when they are spent. Run by `cargo xtask bench browser`, which
// writes the folders. Progress to stderr, JSON to stdout. SERVIMAGE_CHROMIUM names the browser.

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, peakMemory } from "./chromium.mjs";
import { addressOf, groups } from "./contenders.mjs";
import { serve } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const modules = join(here, "../node_modules");
const PATIENCE_MILLIS = 3 * 60_000;
const ROUNDS = { least: 3, most: 25 };
/** Evaluations of a cold run behind the first one, so that memory has seen a few. */
const N_AFTER_FIRST = 2;

const { values: options } = parseArgs({
  options: {
    onnx: { type: "string" },
    transformers: { type: "string" },
    inputs: { type: "string" },
    pack: { type: "string" },
    "long-pack": { type: "string" },
    photo: { type: "string", default: join(root, "public/samples/bottle.jpg") },
    groups: { type: "string", default: Object.keys(groups).join(",") },
    cold: { type: "string", default: "3" },
    seconds: { type: "string", default: "12" },
    "group-seconds": { type: "string", default: "200" },
    adapter: { type: "string", default: "swiftshader" },
    "only-ours": { type: "boolean", default: false },
  },
});

const folders = {
  "/page/": join(here, "page"),
  "/ours/": join(root, "dist"),
  "/pack/page/": resolve(options.pack),
  "/pack/long/": resolve(options["long-pack"]),
  "/inputs/": resolve(options.inputs),
  "/photo/": dirname(resolve(options.photo)),
  "/ort/": join(modules, "onnxruntime-web/dist"),
  "/transformers/ort/": join(modules, "@huggingface/transformers/node_modules/onnxruntime-web/dist"),
  "/transformers/": join(modules, "@huggingface/transformers/dist"),
  "/models/onnx/": resolve(options.onnx),
  "/models/transformers/": resolve(options.transformers),
};
const photo = `/photo/${options.photo.split("/").at(-1)}`;

const log = (text) => console.error(text);

/** Opens the contender's page and waits until it could evaluate; `prompt` is the one that a pack of ours is loaded for. */
async function open(chromium, servers, contender, prompt) {
  const server = contender.isolated ? servers.isolated : servers.plain;
  const context = await chromium.browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MILLIS);
  await page.goto(`${addressOf(contender, server.url)}&prompt=${prompt}&photo=${encodeURIComponent(photo)}`);
  return { page, ready: await within(page.evaluate(() => globalThis.contender)) };
}

const evaluate = ({ page }, way) => within(page.evaluate((way) => globalThis.evaluate(way), way));

/** What a page answers; an error, or no answer for minutes, is an error here. */
async function within(answer) {
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MILLIS, new Error("the page gave no answer")).unref());
  const result = await Promise.race([answer, late]);
  if (result.error) throw new Error(result.error);
  return result;
}

/** Time to ready, first evaluation, memory and bytes of one contender in a browser of its own. */
async function cold(servers, contender) {
  const server = contender.isolated ? servers.isolated : servers.plain;
  server.forget();
  const chromium = await launch(options.adapter);
  try {
    const opened = await open(chromium, servers, contender, "page");
    const first = await evaluate(opened, "whole");
    for (let i = 0; i < N_AFTER_FIRST; i++) await evaluate(opened, "whole");
    const { ready_millis, runtime } = opened.ready;
    return { ready_millis, runtime, first_millis: first.millis, memory: peakMemory(chromium.pid), fetched: server.fetched() };
  } finally {
    await chromium.close();
  }
}

/** Rounds of one evaluation each, on one prompt; whoever fails is left out from then on. `add(contender, way, result, counts)`. */
async function warm(servers, contenders, prompt, add) {
  const chromium = await launch(options.adapter);
  let turns = [];
  const attempt = async (contender, way, work) => {
    try {
      await work();
    } catch (error) {
      add(contender, way, { error: String(error.message) });
      turns = turns.filter((turn) => turn.contender !== contender);
    }
  };
  try {
    for (const contender of contenders) {
      await attempt(contender, "whole", async () => {
        const opened = await open(chromium, servers, contender, prompt);
        for (const way of contender.ways ?? ["whole"]) {
          add(contender, way, await evaluate(opened, way), false);
          turns.push({ contender, opened, way });
        }
      });
    }
    const deadline = performance.now() + Number(options.seconds) * 1000;
    for (let round = 0; round < ROUNDS.least || (round < ROUNDS.most && performance.now() < deadline); round++) {
      for (const { contender, opened, way } of turns) {
        await attempt(contender, way, async () => add(contender, way, await evaluate(opened, way), true));
      }
    }
    return chromium.browser.version();
  } finally {
    await chromium.close();
  }
}

/** Everything about one group. */
async function measure(servers, group) {
  const contenders = groups[group].filter(({ page }) => page === "ours" || !options["only-ours"]);
  const rows = new Map();
  const row = (contender, way) => {
    const key = `${contender.name} ${way}`;
    if (!rows.has(key)) rows.set(key, { group, contender: contender.name, way, cold: [], warm: {}, check: {} });
    return rows.get(key);
  };
  const start = performance.now();
  const spent = () => (performance.now() - start) / 1000 / Number(options["group-seconds"]);
  for (let round = 0; round < Number(options.cold) && (round === 0 || spent() < 0.5); round++) {
    for (const contender of contenders) {
      const into = row(contender, "whole");
      if (into.error) continue;
      try {
        into.cold.push(await cold(servers, contender));
        const { ready_millis, first_millis } = into.cold.at(-1);
        log(`${group}, ${contender.name}: ready ${ready_millis.toFixed(0)}, first ${first_millis.toFixed(0)} ms`);
      } catch (error) {
        into.error = String(error.message);
        log(`${group}, ${contender.name}: ${into.error}`);
      }
    }
  }
  let chromium;
  for (const prompt of ["page", "long"]) {
    if (chromium && spent() > 1) break;
    const able = contenders.filter((contender) => !row(contender, "whole").error);
    chromium = await warm(servers, able, prompt, (contender, way, result, counts) => {
      const into = row(contender, way);
      if (result.error) return (into.error = result.error);
      into.check[prompt] = result.check;
      if (counts) (into.warm[prompt] ??= []).push(result.millis);
    });
    for (const { contender, way, warm } of rows.values()) {
      const millis = [...(warm[prompt] ?? [])].sort((a, b) => a - b);
      if (millis.length > 0) log(`${group}, ${contender} ${way}, ${prompt}: ${millis[millis.length >> 1].toFixed(1)} ms of ${millis.length}`);
    }
  }
  return { chromium, rows: [...rows.values()] };
}

const servers = { plain: await serve(folders), isolated: await serve(folders, { isolated: true }) };
const report = { adapter: options.adapter, chromium: null, rows: [] };
for (const group of options.groups.split(",")) {
  const { chromium, rows } = await measure(servers, group);
  report.chromium = chromium;
  report.rows.push(...rows);
}
servers.plain.stop();
servers.isolated.stop();
console.log(JSON.stringify(report, null, 1));
