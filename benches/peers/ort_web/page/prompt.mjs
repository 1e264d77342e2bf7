// A prompt file of `nano_to_onnx.py` (inputs and expected outputs of one evaluation), and the runs that are timed.

const arrays = { float32: Float32Array, int32: Int32Array };

function unpack({ type, dims, data }) {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  return { type, dims, values: new arrays[type](bytes.buffer) };
}

const unpackAll = (tensors) =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, unpack(tensor)]));

/** The prompt with its tensors as `{type, dims, values}`. */
export async function fetchPrompt(url) {
  const prompt = await fetch(url).then((answer) => answer.json());
  return { ...prompt, inputs: unpackAll(prompt.inputs), expected: unpackAll(prompt.expected) };
}

const LEAST_WARM = 10;

/** Milliseconds of the first run and of `warm` further ones, and the last one's outputs; see `run.mjs` for `budget`. */
export async function runs(run, query) {
  const nWarm = Number(query.get("warm"));
  const budgetMillis = Number(query.get("budget")) * 1000;
  let last = await run();
  const first = last.millis;
  const warm = [];
  for (let spent = 0; warm.length < nWarm && (warm.length < LEAST_WARM || spent < budgetMillis); spent += last.millis) {
    last = await run();
    warm.push(last.millis);
  }
  return { first, warm, last };
}

/** `max |found - expected| / max |expected|` of each output, as in the pack's self-test. */
export function relativeErrors(outputs, expected) {
  return Object.fromEntries(
    Object.entries(expected).map(([name, { values }]) => [name, relativeError(outputs[name].data, values)]),
  );
}

function relativeError(found, expected) {
  if (found.length !== expected.length) return `${found.length} values, expected ${expected.length}`;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(found[i])) return "NaN";
    difference = Math.max(difference, Math.abs(found[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference / largest;
}
