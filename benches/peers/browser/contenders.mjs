// Who is measured, and with what its page is opened.

import { cpus } from "node:os";

const ort = (bundle, provider, graph, more = {}) => ({ page: "ort", bundle: `ort.${bundle}.bundle.min.mjs`, provider, graph, threads: 1, ...more });

/**
 * Groups whose members share a browser and take turns; ours comes first in each, the others are held against it. `ways` are what
 * one evaluation may be for ours: `whole` is a new brief a picture, as everything is to the others; `further` the next picture under
 * the same brief; `photo` the same with a photograph to decode instead of raw pixels of the network's own size.
 */
export const groups = {
  cpu: [
    { name: "ours", page: "ours", device: "cpu", ways: ["whole", "further", "photo"] },
    { name: "onnxruntime-web wasm, f16", ...ort("wasm", "wasm", "f16") },
    { name: "onnxruntime-web wasm, f16, fused attention", ...ort("wasm", "wasm", "fused") },
    { name: "onnxruntime-web wasm, q4", ...ort("wasm", "wasm", "q4") },
    { name: "transformers.js wasm", page: "transformers", device: "wasm" },
  ],
  threads: [
    { name: "ours", page: "ours", device: "cpu", ways: ["whole"] },
    { name: "onnxruntime-web wasm, threads, f16", ...ort("wasm", "wasm", "f16", { threads: cpus().length, isolated: true }) },
  ],
  webgpu: [
    { name: "ours", page: "ours", device: "gpu", ways: ["whole", "further", "photo"] },
    { name: "onnxruntime-web WebGPU, f16", ...ort("webgpu", "webgpu", "f16") },
    { name: "onnxruntime-web WebGPU, q4", ...ort("webgpu", "webgpu", "q4") },
    { name: "transformers.js WebGPU", page: "transformers", device: "webgpu" },
  ],
};

/** The page's address; `prompts` are fetched only after the contender is ready. */
export function addressOf(contender, url) {
  const { page, bundle, provider, graph, threads, device } = contender;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ page, bundle, provider, graph, threads, device })) {
    if (value !== undefined) query.set(name, value);
  }
  return `${url}/page/index.html?${query}`;
}
