// transformers.js: the three graphs as it loads them, its own `forward`.
//
// What `forward` adds to the graphs (positions, merging the visual rows into the embeddings) is inside the times, as it is for its users.

import { fetchPrompt, relativeError } from "./prompt.mjs";

export async function load(query) {
  const { AutoModelForImageTextToText, Tensor, env } = await import("/transformers/transformers.min.js");
  const local = { allowRemoteModels: false, allowLocalModels: true, localModelPath: "/models/transformers/", useBrowserCache: false };
  Object.assign(env, local);
  env.backends.onnx.wasm.wasmPaths = "/transformers/ort/";
  env.backends.onnx.wasm.numThreads = 1;
  const model = await AutoModelForImageTextToText.from_pretrained("nano", { device: query.get("device"), dtype: "fp32" });
  const int64 = (values, dims) => new Tensor("int64", BigInt64Array.from(values, BigInt), dims);
  let prompt;
  const evaluate = async () => {
    prompt ??= await fetchPrompt(`/models/transformers/prompt-${query.get("prompt")}.json`);
    const { input_ids: ids, pixel_values: pixels } = prompt.inputs;
    const feeds = {
      input_ids: int64(ids.values, [1, ids.dims[0]]),
      attention_mask: int64(new Array(ids.dims[0]).fill(1), [1, ids.dims[0]]),
      pixel_values: new Tensor("float32", pixels.values, pixels.dims),
      image_grid_thw: int64(prompt.grids.flat(), [prompt.grids.length, 3]),
    };
    const start = performance.now();
    const outputs = await model(feeds);
    return { millis: performance.now() - start, check: relativeError(outputs, prompt.expected) };
  };
  return { evaluate, runtime: `transformers.js ${env.version}` };
}
