// A prompt file of `nano_to_onnx.py`: inputs and expected outputs of one evaluation.

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

/** Largest `max |found - expected| / max |expected|` of the outputs, as in the pack's self-test. */
export function relativeError(outputs, expected) {
  const errors = Object.entries(expected).map(([name, { values }]) => errorOf(outputs[name].data, values));
  return Math.max(...errors);
}

function errorOf(found, expected) {
  if (found.length !== expected.length) throw new Error(`${found.length} values, expected ${expected.length}`);
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(found[i])) throw new Error("the output is not a number");
    difference = Math.max(difference, Math.abs(found[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference / largest;
}
