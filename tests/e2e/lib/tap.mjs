// Scripts that the worker runs before its own (`inWorker` of `openApp`): they keep within a test's reach what it could not see.

/** `devices`: the GPU devices that the worker opened. */
export const keepDevices = `
self.devices = [];
const requestDevice = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...wanted) {
  const device = await requestDevice.apply(this, wanted);
  self.devices.push(device);
  return device;
};
`;

/**
 * `memory()`: bytes of the worker's WebAssembly memory, and of all GPU buffers that were made and neither destroyed nor collected.
 * Ask for collection first (`collect`).
 */
export const countMemory = `
let gpuBytes = 0;
const alive = new Map();
const end = (key) => {
  gpuBytes -= alive.get(key) ?? 0;
  alive.delete(key);
};
const collected = new FinalizationRegistry(end);
if (self.GPUDevice) {
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (wanted) {
    const buffer = createBuffer.call(this, wanted);
    buffer.key = Symbol();
    alive.set(buffer.key, wanted.size);
    gpuBytes += wanted.size;
    collected.register(buffer, buffer.key);
    return buffer;
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    end(this.key);
    return destroy.call(this);
  };
}
for (const name of ["instantiate", "instantiateStreaming"]) {
  const instantiate = WebAssembly[name];
  WebAssembly[name] = async function (...given) {
    const made = await instantiate.apply(this, given);
    self.wasm = (made.instance ?? made).exports.memory;
    return made;
  };
}
self.memory = () => ({ heap: wasm.buffer.byteLength, gpu: gpuBytes });
`;

/** What the worker holds now, in bytes: `{heap, gpu}`; garbage is collected first (the browser needs `exposesGc`). */
export async function memoryOf(worker) {
  for (let round = 0; round < 2; round++) {
    await worker.evaluate(() => gc());
    await worker.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  }
  return worker.evaluate(() => memory());
}

/** `said`: each message to the page as `{kind, phase, shaders, readbacks}`, with the shaders that were compiled and the results read back until then. */
export const countGpuWork = `
const counts = { shaders: 0, readbacks: 0 };
self.said = [];
const count = (prototype, name, what) => {
  const call = prototype[name];
  prototype[name] = function (...given) {
    counts[what] += 1;
    return call.apply(this, given);
  };
};
count(GPUDevice.prototype, "createShaderModule", "shaders");
count(GPUBuffer.prototype, "mapAsync", "readbacks");
const { postMessage } = self;
self.postMessage = function (message, ...rest) {
  const [kind, fields] = typeof message === "string" ? [message] : Object.entries(message)[0];
  said.push({ kind, phase: fields?.phase, ...counts });
  return postMessage.call(self, message, ...rest);
};
`;
