// Nothing on the page moves by itself: from the first paint to the verdict, on a screen and on a phone.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";
import { layoutShift, watchShifts } from "./lib/smooth.mjs";

/** Of a screen; a line of text that moves by its own height is more. */
const MAX_SHIFT = 0.001;
/** Verdicts of two kinds differ by a line of text; without the height that is kept for them it is 0.28. */
const MAX_SHIFT_BELOW = 0.01;

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

for (const [screen, viewport] of [["a screen", { width: 1280, height: 900 }], ["a phone", { width: 360, height: 740 }]]) {
  test(`on ${screen} nothing moves while the model loads, or while an image is judged`, async (context) => {
    const app = await openApp(server, { webgpu: "no-adapter", viewport });
    context.after(() => app.close());
    await watchShifts(app.page);
    await app.ready();
    const path = photos()[0];
    await app.drop([path]);
    await app.card(basename(path)).scrollIntoViewIfNeeded();
    await app.verdict(basename(path));
    await app.page.waitForTimeout(300);
    const { sum, words } = await layoutShift(app.page);
    context.diagnostic(`layout shift ${sum.toFixed(5)}`);
    assert.ok(sum < MAX_SHIFT, `${sum}:\n${words}`);
  });
}

test("the cards below an image stay where they are while it is judged", async (context) => {
  const app = await openApp(server, { webgpu: "no-adapter" });
  const { page } = app;
  context.after(() => app.close());
  // The model comes when the cards are on the screen, so that no verdict is there before anybody looks.
  let letGo = () => {};
  await page.route("**/models/nano/shard-*", (route) => new Promise((resolve) => (letGo = resolve)).then(() => route.continue()));
  await page.goto(server.url);
  await page.locator('.steps [data-step="now"]').waitFor();
  await watchShifts(page);
  const paths = photos().slice(0, 3);
  await app.drop(paths);
  await app.card(basename(paths[2])).waitFor();
  // At its top, so that the browser has nothing above to hold the page by.
  await app.card(basename(paths[0])).evaluate((card) => card.scrollIntoView({ block: "start" }));
  await page.waitForTimeout(300);
  const before = (await layoutShift(page)).sum;
  letGo();
  for (const path of paths) await app.verdict(basename(path));
  await page.waitForTimeout(300);
  const { sum: all, words } = await layoutShift(page);
  const sum = all - before;
  context.diagnostic(`layout shift ${sum.toFixed(5)}`);
  assert.ok(sum < MAX_SHIFT_BELOW, `${sum}:\n${words}`);
});
