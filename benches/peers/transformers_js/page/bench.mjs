// Loads the three graphs as transformers.js does, runs its own `forward`, leaves the figures in `globalThis.result`.
//
// Milliseconds as in `ort_web/page/bench.mjs`. What `forward` adds to the graphs (positions, merging the visual rows into the
// embeddings) is inside the times, as it is for its users.

import { fetchPrompt, relativeErrors, runs } from "/shared/prompt.mjs";

const query = new URLSearchParams(location.search);

async function measure() {
  const { AutoModelForImageTextToText, Tensor, env } = await import("/runtime/transformers.min.js");
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: "/models/", useBrowserCache: false });
  env.backends.onnx.wasm.wasmPaths = "/ort/";
  env.backends.onnx.wasm.numThreads = 1;
  const imported = performance.now();
  const model = await AutoModelForImageTextToText.from_pretrained("nano", { device: query.get("device"), dtype: "fp32" });
  const ready = performance.now();

  const prompt = await fetchPrompt("/models/prompt-realistic.json");
  const { input_ids: ids, pixel_values: pixels } = prompt.inputs;
  const int64 = (values, dims) => new Tensor("int64", BigInt64Array.from(values, BigInt), dims);
  const inputs = () => ({
    input_ids: int64(ids.values, [1, ids.dims[0]]),
    attention_mask: int64(new Array(ids.dims[0]).fill(1), [1, ids.dims[0]]),
    pixel_values: new Tensor("float32", pixels.values, pixels.dims),
    image_grid_thw: int64(prompt.grids.flat(), [prompt.grids.length, 3]),
  });
  const run = async () => {
    const feeds = inputs();
    const start = performance.now();
    const outputs = await model(feeds);
    return { outputs, millis: performance.now() - start };
  };
  const { first, warm, last } = await runs(run, query);
  return {
    runtime: env.version,
    imported_millis: imported,
    ready_millis: ready,
    first_millis: first,
    warm_millis: warm,
    relative_error: relativeErrors(last.outputs, prompt.expected),
  };
}

globalThis.result = measure().catch((error) => ({ error: String(error?.stack ?? error) }));
