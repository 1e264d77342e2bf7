// Loads one graph with one back end, runs one prompt, leaves the figures in `globalThis.result`.
//
// Milliseconds are counted from the start of the navigation. `ready` is a session that could run; its first
// run compiles what is left to compile.

const query = new URLSearchParams(location.search);
const bundle = query.get("bundle");
const provider = query.get("provider");
const nThreads = Number(query.get("threads"));
const nWarm = Number(query.get("warm"));

const arrays = { float32: Float32Array, int32: Int32Array };

/** Raw values of a tensor of the prompt file. */
function values({ type, data }) {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  return new arrays[type](bytes.buffer);
}

/** `max |found - expected| / max |expected|`, as in the pack's self-test. */
function relativeError(found, expected) {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(found[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
    if (Number.isNaN(found[i])) return "NaN";
  }
  return difference / largest;
}

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

  const prompt = await fetch(`/onnx/prompt-${query.get("prompt")}.json`).then((answer) => answer.json());
  const feeds = {};
  for (const [name, tensor] of Object.entries(prompt.inputs)) {
    feeds[name] = new ort.Tensor(tensor.type, values(tensor), tensor.dims);
  }
  const run = async () => {
    const start = performance.now();
    const outputs = await session.run(feeds);
    return { outputs, millis: performance.now() - start };
  };
  const first = await run();
  const warm = [];
  let last = first;
  for (let i = 0; i < nWarm; i++) {
    last = await run();
    warm.push(last.millis);
  }
  const errors = {};
  for (const [name, tensor] of Object.entries(prompt.expected)) {
    errors[name] = relativeError(last.outputs[name].data, values(tensor));
  }
  return {
    runtime: ort.env.versions.web,
    threads: ort.env.wasm.numThreads,
    crossOriginIsolated,
    imported_millis: imported,
    fetched_millis: fetched,
    ready_millis: ready,
    first_millis: first.millis,
    warm_millis: warm,
    relative_error: errors,
  };
}

globalThis.result = measure().catch((error) => ({ error: String(error?.message ?? error) }));
