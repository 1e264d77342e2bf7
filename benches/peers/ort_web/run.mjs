// Times the nano network under onnxruntime-web in headless Chromium: one fresh browser a run, one run at a time.
//
//   node run.mjs --onnx DIR [--graphs f32,q4] [--backends wasm,wasm-threads,webgpu,webgpu-jspi]
//                [--prompts self_test,realistic] [--warm 20] [--adapter swiftshader|gpu]
//
// DIR is what `nano_to_onnx.py` wrote. Progress to stderr, JSON to stdout. SERVIMAGE_CHROMIUM names the browser.

import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { launch, peakMemory } from "./browser.mjs";
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
      graphs: { type: "string", default: "f32,contrib,contrib_f16w,q8,q4" },
      backends: { type: "string", default: Object.keys(backends).join(",") },
      prompts: { type: "string", default: "self_test,realistic" },
      warm: { type: "string", default: "20" },
      adapter: { type: "string", default: "swiftshader" },
    },
  });
  const unknown = list(values.backends).filter((name) => !(name in backends));
  if (unknown.length > 0) throw new Error(`unknown back ends: ${unknown}; known: ${Object.keys(backends)}`);
  return values;
}

/** Median, least and most. */
function spread(millis) {
  const sorted = [...millis].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return { n: sorted.length, median, min: sorted[0], max: sorted.at(-1) };
}

/** One graph, one back end, one prompt, in a browser of its own. */
async function measure({ onnx, warm, adapter }, { backend, graph, prompt }) {
  const { bundle, provider, threads, isolated } = backends[backend];
  const ort = join(here, "node_modules/onnxruntime-web/dist");
  const server = await serve({ "/ort/": ort, "/onnx/": resolve(onnx), "/page/": join(here, "page") }, { isolated });
  const chromium = await launch(adapter);
  try {
    const page = await chromium.browser.newPage();
    page.setDefaultTimeout(PATIENCE_MILLIS);
    const query = new URLSearchParams({ bundle, provider, threads, warm, graph, prompt });
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
        const { error, ready_millis, first_millis, warm_millis } = run;
        const said = error ?? `ready ${ready_millis.toFixed(0)}, first ${first_millis.toFixed(0)}, warm ${warm_millis.median.toFixed(1)} ms`;
        console.error(`${backend} ${graph} ${prompt}: ${said} ${error ? "" : JSON.stringify(run.relative_error)}`);
        runs.push(run);
      }
    }
  }
  const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
  const report = { date: new Date().toISOString(), machine, chromium: version, adapter: values.adapter, runs };
  console.log(JSON.stringify(report, null, 1));
}

await main();
