// Times the nano network under transformers.js in headless Chromium: one fresh browser a run, one run at a time.
//
//   node run.mjs --model DIR [--devices wasm,webgpu] [--warm 20] [--budget 30] [--adapter swiftshader|gpu]
//
// DIR is what `nano_to_transformers_js.py` wrote. A slow back end stops after BUDGET seconds of warm runs, but not before 10 of them.
// Progress to stderr, JSON to stdout. SERVIMAGE_CHROMIUM names the browser.
// Needs the packages of `../ort_web` too.

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, peakMemory } from "../ort_web/browser.mjs";
import { machine, sentence, spread } from "../ort_web/figures.mjs";
import { fetchedBytes, serve } from "../ort_web/server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PATIENCE_MILLIS = 10 * 60_000;

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: join(here, "../../../target/bench/transformers_js") },
    devices: { type: "string", default: "wasm,webgpu" },
    warm: { type: "string", default: "20" },
    budget: { type: "string", default: "30" },
    adapter: { type: "string", default: "swiftshader" },
  },
});

const folders = {
  "/runtime/": join(here, "node_modules/@huggingface/transformers/dist"),
  "/ort/": join(here, "node_modules/onnxruntime-web/dist"),
  "/models/": resolve(options.model),
  "/page/": join(here, "page"),
  "/shared/": join(here, "../ort_web/page"),
};

/** One device in a browser of its own. */
async function measure(device) {
  const server = await serve(folders, { isolated: false });
  const chromium = await launch(options.adapter);
  try {
    const page = await chromium.browser.newPage();
    page.setDefaultTimeout(PATIENCE_MILLIS);
    await page.goto(`${server.url}/page/index.html?${new URLSearchParams({ device, warm: options.warm, budget: options.budget })}`);
    await page.waitForFunction(() => globalThis.result);
    const result = await page.evaluate(() => globalThis.result);
    const memory = peakMemory(chromium.pid);
    const figures = result.error ? result : { ...result, warm_millis: spread(result.warm_millis) };
    const fetched = fetchedBytes(server.sent());
    return { device, prompt: "realistic", chromium: chromium.browser.version(), ...figures, memory, fetched };
  } catch (error) {
    return { device, error: String(error.message) };
  } finally {
    await chromium.close();
    await server.stop();
  }
}

const runs = [];
for (const device of options.devices.split(",")) {
  const run = await measure(device);
  console.error(`transformers.js ${device}: ${sentence(run)}`);
  runs.push(run);
}
const report = { date: new Date().toISOString(), machine: machine(), adapter: options.adapter, runs };
console.log(JSON.stringify(report, null, 1));
