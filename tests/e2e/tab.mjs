// Packs in a tab of a Chromium on a real GPU: `node tab.mjs hardware PACK...`; run by `cargo xtask bench tab`.

import { basename } from "node:path";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";
import { countMemory, memoryOf } from "./lib/tap.mjs";

const [webgpu, ...packs] = process.argv.slice(2);
const N_WARM = 12;

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
const millis = (value) => value.toFixed(value < 100 ? 1 : 0);

function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return `${millis(at(0.5))} (${millis(at(0.25))} to ${millis(at(0.75))})`;
}

/** One at a time: an image's own time, not a share of a batch's. */
async function times(app, stem, count) {
  const found = [];
  for (const path of copiesOf(photos()[0], count, stem)) {
    await app.drop([path]);
    found.push(await app.workMillis(basename(path)));
  }
  return found;
}

/** Milliseconds an image of many that are dropped together, from the drop to the last verdict. */
async function together(app, count) {
  const paths = copiesOf(photos()[0], count, "together");
  const start = performance.now();
  await app.drop(paths);
  await app.judged(1 + N_WARM + count);
  return (performance.now() - start) / count;
}

async function measure(server, path) {
  const app = await openApp(server, { webgpu, query: `?pack=${path}&device=gpu`, inWorker: countMemory, exposesGc: true });
  try {
    await app.ready();
    const readySeconds = (performance.now() - app.openedAt) / 1000;
    const [worker] = app.page.workers();
    const loaded = await memoryOf(worker);
    await app.chooseTask("starter-product-001");
    await app.prepared();
    const [first, ...warm] = await times(app, "one", 1 + N_WARM);
    const each = await together(app, 32);
    const { gpu } = await memoryOf(worker);
    const cells = [`${readySeconds.toFixed(1)} s`, `${millis(first)} ms`, `${quartiles(warm)} ms`, `${millis(each)} ms`];
    return [await app.deviceLabel(), ...cells, megabytes(await app.heapBytes()), megabytes(loaded.gpu), megabytes(gpu)];
  } finally {
    await app.close();
  }
}

const server = await startServer({ packs });
const rows = [];
for (const path of ["/models/nano/", ...packs.map((pack) => `/models/${basename(pack)}/`)]) {
  const cells = await measure(server, path).catch((error) => [`failed: ${error.message.split("\n")[0]}`]);
  rows.push(`| ${path.split("/").at(-2)} | ${cells.join(" | ")} |`);
  console.error(rows.at(-1));
}
server.stop();
console.log("| pack | device | ready after | first image | warm | of 32 dropped together, drop to last verdict | wasm heap | GPU buffers, loaded | working |");
console.log("|---|---|---:|---:|---:|---:|---:|---:|---:|");
console.log(rows.join("\n"));
