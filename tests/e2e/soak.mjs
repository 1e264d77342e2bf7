// A thousand images through one worker, and what it holds meanwhile; run by `cargo xtask bench soak`.

import { cpus } from "node:os";
import { basename } from "node:path";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";
import { countMemory, memoryOf } from "./lib/tap.mjs";

const [nImages = 1000, perDrop = 100] = process.argv.slice(2, 4).map(Number);
const gpu = process.argv[4] ?? "swiftshader";

/** Least-squares slope of y over x. */
function slope(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, x, i) => sum + (x - x0) * (ys[i] - y0), 0);
  return over / xs.reduce((sum, x) => sum + (x - x0) ** 2, 0);
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

async function soak(server, device, webgpu) {
  const app = await openApp(server, { webgpu, query: `?device=${device}`, inWorker: countMemory, exposesGc: true });
  await app.ready();
  await app.chooseTask("starter-product-001");
  const [worker] = app.page.workers();
  const samples = [];
  const start = performance.now();
  for (let done = 0; done < nImages; done += perDrop) {
    const paths = copiesOf(photos()[0], perDrop, `soak-${done}`);
    await app.drop(paths);
    await app.judged(done + perDrop);
    const page = await app.page.evaluate(() => (gc(), performance.memory.usedJSHeapSize));
    samples.push({ done: done + perDrop, ...(await memoryOf(worker)), page });
  }
  const seconds = (performance.now() - start) / 1000;
  if (!app.page.workers().includes(worker)) throw new Error("the worker was replaced on the way");
  const label = await app.deviceLabel();
  await app.close();
  // The first hundred fill caches.
  const settled = samples.slice(1);
  const perImage = (key) => slope(settled.map(({ done }) => done), settled.map((sample) => sample[key]));
  const cells = ["heap", "gpu", "page"].map((key) => `${megabytes(samples[0][key])} | ${megabytes(samples.at(-1)[key])} | ${perImage(key).toFixed(0)}`);
  return `| ${label} | ${nImages} | ${seconds.toFixed(0)} s | ${cells.join(" | ")} |`;
}

const server = await startServer();
const rows = [];
for (const [device, webgpu] of [["cpu", "no-adapter"], ["gpu", gpu]]) rows.push(await soak(server, device, webgpu));
server.stop();
console.log(`${cpus().length} x ${cpus()[0].model.trim()}, ${new Date().toISOString().slice(0, 10)}; MB behind the first ${perDrop} images and behind the last, slope in bytes an image\n`);
console.log("| device | images | took | worker's heap, first | last | slope | GPU buffers, first | last | slope | page's JavaScript, first | last | slope |");
console.log("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
console.log(rows.join("\n"));
