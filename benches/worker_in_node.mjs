// The page's worker under node, without a page and without a browser: what an image costs in V8, and where the time goes.
//
//   node benches/worker_in_node.mjs [--dist dist] [--image public/samples/bottle.jpg] [--runs 40] [--profile]
//
// Scores one image again and again on the CPU. Prints JSON: milliseconds until the pack is ready, of the first images, and of
// the later half. --profile adds the functions that the later half spends its time in; they have names where the bundle
// keeps them (`strip = "none"` in the profile `wasm`, no wasm-opt).

import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const { values } = parseArgs({
  options: {
    dist: { type: "string", default: join(root, "dist") },
    image: { type: "string", default: join(root, "public/samples/bottle.jpg") },
    runs: { type: "string", default: "40" },
    profile: { type: "boolean", default: false },
  },
});
const ORIGIN = "http://page/";

/** The worker's global scope as far as it is used: messages, fetch from `public/`, no adapter. */
function worker() {
  const posted = [];
  let wake = () => {};
  globalThis.self = globalThis;
  globalThis.postMessage = (message) => {
    const [kind, fields] = typeof message === "string" ? [message] : Object.entries(message)[0];
    posted.push({ kind, ...fields });
    wake();
  };
  globalThis.fetch = async ({ url, headers }) => {
    const bytes = readFileSync(join(root, "public", url.slice(ORIGIN.length)));
    const range = headers.get("range")?.match(/\d+/g).map(Number);
    return range
      ? new Response(bytes.subarray(range[0], range[1] + 1), { status: 206 })
      : new Response(bytes);
  };
  return {
    send: (data) => globalThis.onmessage({ data }),
    /** The next message of one of these kinds. */
    async next(...kinds) {
      for (;;) {
        const found = posted.splice(0).find(({ kind }) => kinds.includes(kind));
        if (found) return found;
        await new Promise((resolve) => (wake = resolve));
      }
    },
  };
}

/** Milliseconds an image by function, most first. */
function functions({ nodes, samples, timeDeltas }, runs) {
  const name = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  const sums = new Map();
  samples.forEach((id, i) => sums.set(name.get(id), (sums.get(name.get(id)) ?? 0) + timeDeltas[i]));
  const sorted = [...sums].sort(([, a], [, b]) => b - a).slice(0, 25);
  return Object.fromEntries(sorted.map(([name, micros]) => [name, Number((micros / 1000 / runs).toFixed(2))]));
}

const page = worker();
// Nothing else keeps node alive while the worker waits.
const alive = setInterval(() => {}, 1000);
const bundle = join(values.dist, "servimage-worker");
const { default: init } = await import(pathToFileURL(`${bundle}.js`));
await init({ module_or_path: readFileSync(`${bundle}_bg.wasm`) });
await page.next("started");

let since = performance.now();
page.send({ kind: "load", pack_url: `${ORIGIN}models/nano/`, device: "cpu" });
const ready = await page.next("ready", "load_failed");
if (ready.kind !== "ready") throw new Error(JSON.stringify(ready.error));
const readyMillis = performance.now() - since;

const tasks = JSON.parse(readFileSync(join(root, "crates/servimage-bench/data/starter.json")));
const task_json = JSON.stringify(tasks.find(({ task_id }) => task_id === "starter-product-001"));
const image = new Blob([readFileSync(values.image)]);
const runs = Number(values.runs);
const millis = [];
const session = new Session();
session.connect();
for (let job_id = 1; job_id <= runs; job_id++) {
  if (values.profile && job_id === Math.floor(runs / 2) + 1) {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 100 });
    await session.post("Profiler.start");
  }
  since = performance.now();
  page.send({ kind: "score", job_id, task_json, deliverable: 1, image_name: "image", threshold: null, files: { image } });
  const answer = await page.next("job_done", "job_failed");
  if (answer.kind !== "job_done") throw new Error(JSON.stringify(answer.error));
  millis.push(performance.now() - since);
}
const profile = values.profile ? (await session.post("Profiler.stop")).profile : undefined;
clearInterval(alive);

const round = (value) => Number(value.toFixed(1));
const later = millis.slice(Math.floor(runs / 2)).sort((a, b) => a - b);
const report = {
  ready_millis: round(readyMillis),
  first_millis: millis.slice(0, 5).map(round),
  warm_millis: { n: later.length, median: round(later[later.length >> 1]), min: round(later[0]), max: round(later.at(-1)) },
};
if (profile) report.functions = functions(profile, later.length);
console.log(JSON.stringify(report, null, 2));
