// Times the nano network under onnxruntime-web in headless Chromium: one fresh browser a run, one run at a time.
//
//   node run.mjs --onnx DIR [--graphs f32,q4] [--backends wasm,wasm-threads,webgpu,webgpu-jspi]
//                [--prompts self_test,realistic] [--warm 20] [--budget 30] [--adapter swiftshader|gpu]
//
// DIR is what `nano_to_onnx.py` wrote. A slow back end stops after BUDGET seconds of warm runs, but not before 10 of them.
// Progress to stderr, JSON to stdout. SERVIMAGE_CHROMIUM names the browser.

import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, peakMemory } from "./browser.mjs";
import { machine, sentence, spread } from "./figures.mjs";
import { fetchedBytes, serve } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PATIENCE_MILLIS = 10 * 60_000;

/** What a page loads for each back end; threads need a page that is isolated by two headers. */
const backends = {
  wasm: { bundle: "ort.wasm.bundle.min.mjs", provider: "wasm", threads: 1, isolated: false },
  "wasm-threads": { bundle: "ort.wasm.bundle.min.mjs", provider: "wasm", threads: cpus().length, isolated: true },
  webgpu: { bundle: "ort.webgpu.bundle.min.mjs", provider: "webgpu", threads: 1, isolated: false },
  "webgpu-jspi": { bundle: "ort.jspi.bundle.min.mjs", provider: "webgpu", threads: 1, isolated: false },
};

const list = (text) => text.split(",").filter(Boolean);

function options() {
  const { values } = parseArgs({
    options: {
      onnx: { type: "string", default: join(here, "../../../target/bench/onnx") },
      graphs: { type: "string", default: "f32,f16w,contrib_f16w,q4" },
      backends: { type: "string", default: Object.keys(backends).join(",") },
      prompts: { type: "string", default: "self_test,realistic" },
      warm: { type: "string", default: "20" },
    budget: { type: "string", default: "30" },
      adapter: { type: "string", default: "swiftshader" },
    },
  });
  const unknown = list(values.backends).filter((name) => !(name in backends));
  if (unknown.length > 0) throw new Error(`unknown back ends: ${unknown}; known: ${Object.keys(backends)}`);
  return values;
}

/** One graph, one back end, one prompt, in a browser of its own. */
async function measure({ onnx, warm, budget, adapter }, { backend, graph, prompt }) {
  const { bundle, provider, threads, isolated } = backends[backend];
  const ort = join(here, "node_modules/onnxruntime-web/dist");
  const pages = join(here, "page");
  const folders = { "/ort/": ort, "/onnx/": resolve(onnx), "/page/": pages, "/shared/": pages };
  const server = await serve(folders, { isolated });
  const chromium = await launch(adapter);
  try {
    const page = await chromium.browser.newPage();
    page.setDefaultTimeout(PATIENCE_MILLIS);
    const query = new URLSearchParams({ bundle, provider, threads, warm, budget, graph, prompt });
    await page.goto(`${server.url}/page/index.html?${query}`);
    await page.waitForFunction(() => globalThis.result);
    const result = await page.evaluate(() => globalThis.result);
    const memory = peakMemory(chromium.pid);
    const figures = result.error ? result : { ...result, warm_millis: spread(result.warm_millis) };
    return { backend, graph, prompt, ...figures, memory, fetched: fetchedBytes(server.sent()) };
  } catch (error) {
    return { backend, graph, prompt, error: String(error.message) };
  } finally {
    await chromium.close();
    await server.stop();
  }
}

async function main() {
  const values = options();
  const probe = await launch(values.adapter);
  const version = probe.browser.version();
  await probe.close();
  const runs = [];
  for (const backend of list(values.backends)) {
    for (const graph of list(values.graphs)) {
      for (const prompt of list(values.prompts)) {
        const run = await measure(values, { backend, graph, prompt });
        console.error(`${backend} ${graph} ${prompt}: ${sentence(run)}`);
        runs.push(run);
      }
    }
  }
  const report = { date: new Date().toISOString(), machine: machine(), chromium: version, adapter: values.adapter, runs };
  console.log(JSON.stringify(report, null, 1));
}

await main();
