// Two candidates over each other: by buttons, by keys, by dragging.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const [first, second] = photos();

let server, app, dialog, line;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.drop([first]);
  await app.verdict(basename(first));
  dialog = app.page.getByTestId("compare");
  line = app.page.getByTestId("compare-line");
});
after(async () => {
  await app?.close();
  server?.stop();
});

const at = async () => Number(await line.inputValue());

test("a lone image has nothing to compare with", async () => {
  assert.equal(await app.page.getByTestId("compare-open").count(), 0);
});

test("two candidates lie over each other, the card's own on the right", async () => {
  await app.drop([second]);
  await app.verdict(basename(second));
  await app.card(basename(second)).getByTestId("compare-open").click();
  assert.ok(await dialog.isVisible());
  const chosen = (name) => app.page.getByTestId(name).locator("option:checked").innerText();
  assert.match(await chosen("compare-left"), new RegExp(basename(first)));
  assert.match(await chosen("compare-right"), new RegExp(basename(second)));
  for (const image of await dialog.locator("img").all()) {
    await image.evaluate((image) => image.decode());
    assert.ok(await image.evaluate((image) => image.naturalWidth > 0), "the picture is drawn");
  }
});

test("buttons and arrow keys move the line", async () => {
  assert.equal(await at(), 50);
  await app.page.getByTestId("compare-more").click();
  assert.equal(await at(), 60);
  await app.page.getByTestId("compare-less").click();
  await app.page.getByTestId("compare-less").click();
  assert.equal(await at(), 40);
  await line.press("ArrowRight");
  assert.equal(await at(), 41);
  const clip = await dialog.locator("img.above").evaluate((image) => getComputedStyle(image).clipPath);
  assert.equal(clip, "inset(0px 59% 0px 0px)");
});

test("a drag moves the line", async () => {
  const box = await line.boundingBox();
  await app.page.mouse.click(box.x + box.width * 0.8, box.y + box.height / 2);
  assert.ok(Math.abs((await at()) - 80) <= 2, `${await at()}`);
});

test("sides are exchanged by choice, and Escape closes", async () => {
  const left = await app.page.getByTestId("compare-left").inputValue();
  await app.page.getByTestId("compare-right").selectOption(left);
  assert.equal(await app.page.getByTestId("compare-right").inputValue(), left);
  await app.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await app.card(basename(first)).getByTestId("compare-open").click();
  assert.ok(await dialog.isVisible(), "it opens again");
  await app.page.getByTestId("compare-close").click();
});

test("nothing of this needs the network or logs an error", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
