// Loads one graph with one back end, runs one prompt, leaves the figures in `globalThis.result`.
//
// Milliseconds are counted from the start of the navigation. `ready` is a session that could run; its first
// run compiles what is left to compile.

import { fetchPrompt, relativeErrors, runs } from "/shared/prompt.mjs";

const query = new URLSearchParams(location.search);
const bundle = query.get("bundle");
const provider = query.get("provider");
const nThreads = Number(query.get("threads"));

async function measure() {
  const ort = await import(`/ort/${bundle}`);
  ort.env.wasm.numThreads = nThreads;
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.logLevel = "error";
  const imported = performance.now();
  const model = await fetch(`/onnx/${query.get("graph")}.onnx`).then((answer) => answer.arrayBuffer());
  const fetched = performance.now();
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider] });
  const ready = performance.now();

  const prompt = await fetchPrompt(`/onnx/prompt-${query.get("prompt")}.json`);
  const feeds = {};
  for (const [name, { type, values, dims }] of Object.entries(prompt.inputs)) {
    feeds[name] = new ort.Tensor(type, values, dims);
  }
  const run = async () => {
    const start = performance.now();
    const outputs = await session.run(feeds);
    return { outputs, millis: performance.now() - start };
  };
  const { first, warm, last } = await runs(run, query);
  return {
    runtime: ort.env.versions.web,
    threads: ort.env.wasm.numThreads,
    crossOriginIsolated,
    imported_millis: imported,
    fetched_millis: fetched,
    ready_millis: ready,
    first_millis: first,
    warm_millis: warm,
    relative_error: relativeErrors(last.outputs, prompt.expected),
  };
}

globalThis.result = measure().catch((error) => ({ error: String(error?.message ?? error) }));
