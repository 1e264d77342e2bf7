// Times the page as a visitor meets it and prints Markdown tables; run by `cargo xtask bench`.
//
// First against warm: model ready, task chosen, then one image after the other, each dropped alone; `work` is the worker's share
// of that, the rest is the page, the browser and the test's own clicks. Then many in one drop, in batches of several sizes.

import { cpus } from "node:os";
import { basename } from "node:path";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const N_WARM = 6;
const N_TOGETHER = 9;
// The page gives the worker 8 images at once, and the first goes alone.
const BATCHES = [1, 2, 4, 7];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Drop many at once; milliseconds an image, from the drop to the last verdict, and the median of the worker's share. */
async function together(app, stem) {
  const many = copiesOf(photos()[0], N_TOGETHER, stem);
  const start = performance.now();
  await app.drop(many);
  for (const path of many) await app.settled(basename(path));
  const total = (performance.now() - start) / N_TOGETHER;
  const shares = [];
  for (const path of many) shares.push(await app.workMillis(basename(path)));
  return { total, work: median(shares) };
}

/**
 * The same on a page of its own, with batches of at most this many or as the engine has them: above twelve cards the page draws one
 * only, and the others could be waited for in vain.
 */
async function batched(server, webgpu, batch) {
  const app = await openApp(server, { webgpu, ...(batch && { query: `?batch=${batch}` }) });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.prepared();
  await one(app, photos()[0]);
  const result = await together(app, `batch-${batch ?? "own"}`);
  await app.close();
  return result;
}

/** Drop one image; milliseconds to its verdict and the worker's share of them. */
async function one(app, path) {
  const start = performance.now();
  await app.drop([path]);
  await app.settled(basename(path));
  const total = performance.now() - start;
  return { total, work: await app.workMillis(basename(path)) };
}

async function measure(server, webgpu) {
  const app = await openApp(server, { webgpu });
  await app.ready();
  const ready = performance.now() - app.openedAt;
  await app.chooseTask("starter-product-001");
  await app.prepared();
  const first = await one(app, photos()[0]);
  const warm = [];
  for (const path of copiesOf(photos()[0], N_WARM)) warm.push(await one(app, path));
  const row = {
    device: await app.deviceLabel(),
    version: app.browser.version(),
    ready,
    first,
    warm: { total: median(warm.map(({ total }) => total)), work: median(warm.map(({ work }) => work)) },
  };
  await app.close();
  return { ...row, together: await batched(server, webgpu) };
}

const seconds = (millis) => `${(millis / 1000).toFixed(2)} s`;
const both = ({ total, work }) => `${total.toFixed(0)} (${work.toFixed(0)})`;
const ratio = (first, warm) => (first / warm).toFixed(2);

const server = await startServer();
const rows = [];
const batches = [];
for (const webgpu of ["swiftshader", "no-adapter"]) {
  rows.push(await measure(server, webgpu));
  const row = [];
  for (const batch of BATCHES) row.push(await batched(server, webgpu, batch));
  batches.push(row);
}
server.stop();
const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
console.log(`\nChromium ${rows[0].version}, ${machine}, ${new Date().toISOString().slice(0, 10)}`);
console.log(`Milliseconds from drop to verdict (of these the worker's), ${N_WARM} warm images, ${N_TOGETHER} in one drop\n`);
console.log("| device | open to ready | first image | a warm one | first / warm | each of one drop |");
console.log("|---|---:|---:|---:|---:|---:|");
for (const { device, ready, first, warm, together } of rows) {
  const ratios = `${ratio(first.total, warm.total)} (${ratio(first.work, warm.work)})`;
  console.log(`| ${device} | ${seconds(ready)} | ${both(first)} | ${both(warm)} | ${ratios} | ${both(together)} |`);
}
console.log(`\nThe same of ${N_TOGETHER} images in one drop, by images in one pass at most\n`);
console.log(`| device | ${BATCHES.join(" | ")} |`);
console.log(`|---|${BATCHES.map(() => "---:|").join("")}`);
rows.forEach(({ device }, index) => console.log(`| ${device} | ${batches[index].map(both).join(" | ")} |`));
