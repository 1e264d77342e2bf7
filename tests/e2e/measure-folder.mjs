// A folder of images, from the first paint to the report: prints what a visitor waits for as Markdown; run by `cargo xtask bench`.
//
// The images come from SERVIMAGE_IMAGES (a folder, walked), from the benchmark's images beside the repository, or, where there
// are none, are our own rendered scenes many times. On the CPU, so that the figures are those of any machine.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { extname, join } from "node:path";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { scratch, shared } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";
import { layoutShift, longestTask, watchShifts } from "./lib/smooth.mjs";

const N_IMAGES = Number(process.argv[2] ?? 200);
/** A queue that gives no verdict for this long has stalled. */
const STALL_MILLIS = 60_000;

/** Images below a folder, evenly over all of them. */
function imagesBelow(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort();
  const step = Math.max(1, names.length / N_IMAGES);
  return Array.from({ length: Math.min(N_IMAGES, names.length) }, (_, idx) => join(folder, names[Math.floor(idx * step)]));
}

/** A folder of 200 files, and where they come from. */
function folderOfImages() {
  const own = imagesBelow(process.env.SERVIMAGE_IMAGES ?? join(shared, "bench"));
  const sources = own.length > 0 ? own : photos();
  const folder = join(scratch, "folder");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let idx = 0; idx < N_IMAGES; idx += 1) {
    const source = sources[idx % sources.length];
    copyFileSync(source, join(folder, `image-${String(idx + 1).padStart(3, "0")}${extname(source)}`));
  }
  return { folder, origin: own.length > 0 ? `${own.length} images of the benchmark` : `${sources.length} scenes of ours, repeated` };
}

const { folder, origin } = folderOfImages();
const server = await startServer();
const app = await openApp(server, { webgpu: "no-adapter" });
const { page } = app;
const version = app.browser.version();
await app.ready();
const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
// Once more, now with the browser's own clock on every task.
const opening = await longestTask(app, async () => {
  await page.reload();
  await watchShifts(page);
  await app.ready();
});
await app.chooseTask("starter-product-001");
const { sum: byChoice } = await layoutShift(page);
// When each image came out, for a test of the time that is left.
await page.evaluate(() => {
  globalThis.settled = [];
  let known = 0;
  const look = () => {
    const words = document.querySelector('[data-testid="queue-counts"]')?.innerText;
    const [done, , , failed] = words?.match(/\d+/g)?.map(Number) ?? [0, 0, 0, 0];
    for (; known < done + failed; known += 1) globalThis.settled.push(Math.round(performance.now()));
  };
  new MutationObserver(look).observe(document.querySelector(".queue"), { subtree: true, childList: true, characterData: true });
});
const started = performance.now();
const began = await page.evaluate(() => Math.round(performance.now()));
const bringing = await longestTask(app, async () => {
  await page.getByTestId("bench-input").setInputFiles(folder);
  await page.getByTestId("queue-list").waitFor();
  await page.waitForTimeout(500);
});

const etas = [];
let slowest = 0;
/** Waits for the last verdict and notes what the page says meanwhile; what it said at the end. */
async function judge() {
  let last = { done: -1, at: performance.now() };
  for (;;) {
    const words = await page.getByTestId("queue-counts").innerText();
    const [done, total, failed] = words.match(/[\d,]+/g).map(Number).filter((_, idx) => idx !== 2);
    const now = performance.now();
    if (done + failed !== last.done) {
      slowest = Math.max(slowest, last.done < 0 ? 0 : now - last.at);
      last = { done: done + failed, at: now };
    }
    if (done + failed === total) return words;
    assert.ok(now - last.at < STALL_MILLIS, `no verdict for ${STALL_MILLIS} ms: ${words}`);
    const eta = page.getByTestId("eta");
    if (await eta.count()) {
      const [, amount, unit] = (await eta.innerText().catch(() => "")).match(/about ([\d.]+) (s|min)/) ?? [];
      if (amount) etas.push({ at: now, millis: Number(amount) * (unit === "min" ? 60_000 : 1000) });
    }
    await page.waitForTimeout(500);
  }
}
let words, judged, reported, report;
const judging = await longestTask(app, async () => {
  words = await judge();
  judged = performance.now();
});
const asked = performance.now();
const writing = await longestTask(app, async () => {
  const download = page.waitForEvent("download");
  await page.getByTestId("export-report").click();
  report = readFileSync(await (await download).path(), "utf8");
  reported = performance.now();
});
const shift = await layoutShift(page);
const settled = await page.evaluate(() => globalThis.settled);
writeFileSync(join(scratch, "settled.json"), JSON.stringify(settled.map((at) => at - began)));
await app.close();
server.stop();

// Said in the second quarter of the run: early enough to matter, late enough to know the pace.
const early = etas.filter(({ at }) => (at - started) / (judged - started) > 0.25 && (at - started) / (judged - started) < 0.5);
const errors = early.map(({ at, millis }) => Math.abs(at + millis - judged) / (judged - started));
const worst = errors.length > 0 ? `${(100 * Math.max(...errors)).toFixed(0)} %` : "none was told";
const seconds = (millis) => `${(millis / 1000).toFixed(2)} s`;

console.log(`\nChromium ${version}, ${cpus().length} x ${cpus()[0].model.trim()}, ${new Date().toISOString().slice(0, 10)}; ${origin}\n`);
console.log(`| a folder of ${N_IMAGES} images, on the CPU | |\n|---|---:|`);
const row = (name, value) => console.log(`| ${name} | ${value} |`);
row("first paint", seconds(paint));
row("layout shift, from opening to the report (of it, when the task is chosen)", `${shift.sum.toFixed(4)} (${byChoice.toFixed(4)})`);
row("folder chosen to last verdict", seconds(judged - started));
row("longest time without a verdict", seconds(slowest));
row("error of the time left, of the whole, told between 25 % and 50 %, at most", worst);
row("report saved after", seconds(reported - asked));
row("the report", `${(Buffer.byteLength(report) / 1e6).toFixed(1)} MB, ${report.match(/<article/g)?.length ?? 0} images`);
const task = ({ cpu, wall }) => `${cpu} ms (${wall} ms)`;
row("longest task of the page's thread, by the processor (by the clock): opening", task(opening));
row(`bringing ${N_IMAGES} files`, task(bringing));
row("judging", task(judging));
row("writing the report", task(writing));
console.log(`\nAt the end the page says: ${words}`);
if (shift.words) console.error(`what moved:\n${shift.words}`);
