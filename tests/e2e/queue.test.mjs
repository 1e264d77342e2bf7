// A folder of many images: smooth, paused, walked by keys, and still there after a reload.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { scratch } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";
import { longestTask } from "./lib/smooth.mjs";

const N_IMAGES = 500;
const N_JUDGED = 14;
/** Processor time: what else runs on the machine does not count. */
const LONG_TASK_MILLIS = 100;

/** Real photos under many names. */
function manyFiles() {
  const folder = join(scratch, "many");
  mkdirSync(folder, { recursive: true });
  const sources = photos();
  return Array.from({ length: N_IMAGES }, (_, idx) => {
    const path = join(folder, `image-${String(idx + 1).padStart(3, "0")}.jpg`);
    copyFileSync(sources[idx % sources.length], path);
    return path;
  });
}

let server, app, paths;
before(async () => {
  paths = manyFiles();
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
});
after(async () => {
  await app?.close();
  server?.stop();
});

const counts = async () => {
  const words = await app.page.getByTestId("queue-counts").innerText();
  const [, done, total] = words.match(/^([\d,]+) of ([\d,]+) judged/);
  return { done: Number(done), total: Number(total) };
};

/** Does something, during which no task may hold the page up. */
async function staysAwake(context, work) {
  const { cpu, wall } = await longestTask(app, work);
  context.diagnostic(`longest task ${cpu} ms, ${wall} ms with what else ran on the machine`);
  assert.ok(cpu <= LONG_TASK_MILLIS, `a task of ${cpu} ms`);
}

/** Judged images once their number stands still: what the worker has when the queue is paused, it finishes. */
async function countAtRest() {
  for (let last = -1; ; ) {
    const { done } = await counts();
    if (done === last) return done;
    last = done;
    await app.page.waitForTimeout(2000);
  }
}

test(`${N_IMAGES} images are queued without holding the page up, and only those in sight are drawn`, async (context) => {
  await staysAwake(context, async () => {
    await app.drop(paths);
    await app.page.getByTestId("queue-list").waitFor();
    await app.page.waitForTimeout(500);
  });
  assert.equal((await counts()).total, N_IMAGES);
  const drawn = await app.page.getByTestId("queue-row").count();
  assert.ok(drawn > 0 && drawn < 30, `${drawn} rows are drawn`);
});

test("the list is walked by keys to its end while images are judged, the open card follows", async (context) => staysAwake(context, async () => {
  const list = app.page.getByTestId("queue-list");
  await list.press("ArrowDown");
  await app.card("image-002.jpg").waitFor();
  await list.press("End");
  await app.card(`image-${N_IMAGES}.jpg`).waitFor();
  const active = await list.getAttribute("aria-activedescendant");
  assert.equal(await app.page.locator(`#${active}`).getAttribute("aria-selected"), "true");
  await list.press("Home");
  await app.card("image-001.jpg").waitFor();
}));

test("verdicts come in, and the time that is left is told", async () => {
  await app.page.waitForFunction((least) => {
    const words = document.querySelector('[data-testid="queue-counts"]').innerText;
    return Number(words.split(" ")[0]) >= least;
  }, N_JUDGED);
  assert.match(await app.page.getByTestId("eta").innerText(), /about \d+ (s|min) left/);
});

test("a paused queue stands still and goes on", async () => {
  await app.page.getByTestId("pause").click();
  const before = await countAtRest();
  assert.ok(before < N_IMAGES, "it was paused before its end");
  await app.page.getByTestId("pause").click();
  await app.page.waitForFunction((than) => {
    const words = document.querySelector('[data-testid="queue-counts"]').innerText;
    return Number(words.split(" ")[0]) > than;
  }, before);
  await app.page.getByTestId("pause").click();
});

test("the likeliest to be paid is put first", async () => {
  await app.page.getByTestId("order").selectOption("likeliest");
  const percents = await app.page.getByTestId("queue-row").evaluateAll((rows) =>
    rows.slice(0, 5).map((row) => Number(row.querySelector("strong").innerText.replace("%", ""))));
  assert.deepEqual(percents, percents.toSorted((one, other) => other - one));
});

test("a reload keeps the finished verdicts", async () => {
  const done = await countAtRest();
  await app.page.reload();
  await app.page.getByTestId("queue-counts").waitFor();
  // They come back in pieces.
  await app.page.waitForFunction((words) => document.querySelector('[data-testid="queue-counts"]').innerText.startsWith(words), `${done} of ${done} judged`);
  await app.ready();
  await app.page.evaluate((wanted) => {
    const kept = Object.keys(localStorage).filter((key) => key.startsWith("card-")).map((key) => localStorage.getItem(key));
    for (let id = 1; id <= wanted; id += 1) localStorage.setItem(`card-${id}`, kept[id % kept.length]);
  }, N_IMAGES);
});

test(`${N_IMAGES} verdicts come back, and become a report, without holding the page up`, async (context) => {
  await staysAwake(context, async () => {
    await app.page.reload();
    await app.ready();
    await app.judged(N_IMAGES);
  });
  await staysAwake(context, async () => {
    const saved = app.page.waitForEvent("download");
    await app.page.getByTestId("export-report").click();
    const report = readFileSync(await (await saved).path(), "utf8");
    assert.equal(report.match(/<article/g).length, N_IMAGES);
  });
});

test("clearing forgets the verdicts", async () => {
  await app.page.getByTestId("clear").click();
  await app.page.reload();
  await app.ready();
  assert.equal(await app.page.getByTestId("queue-counts").count(), 0);
  assert.deepEqual(app.watched.errors, []);
});
