// onnxruntime-web: one graph with one back end.

import { fetchPrompt, relativeError } from "./prompt.mjs";

export async function load(query) {
  const ort = await import(`/ort/${query.get("bundle")}`);
  ort.env.wasm.numThreads = Number(query.get("threads"));
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.logLevel = "error";
  const model = await fetch(`/models/onnx/${query.get("graph")}.onnx`).then((answer) => answer.arrayBuffer());
  const session = await ort.InferenceSession.create(model, { executionProviders: [query.get("provider")] });
  let prompt;
  const evaluate = async () => {
    prompt ??= await fetchPrompt(`/models/onnx/prompt-${query.get("prompt")}.json`);
    const entries = Object.entries(prompt.inputs);
    const feeds = Object.fromEntries(entries.map(([name, { type, values, dims }]) => [name, new ort.Tensor(type, values, dims)]));
    const start = performance.now();
    const outputs = await session.run(feeds);
    return { millis: performance.now() - start, check: relativeError(outputs, prompt.expected) };
  };
  return { evaluate, runtime: `onnxruntime-web ${ort.env.versions.web}` };
}
