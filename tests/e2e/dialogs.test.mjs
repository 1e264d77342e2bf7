// The model card and the keys: there without a request, and the keys can be turned off.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { nanoPack } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

let server, app;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
});
after(async () => {
  await app?.close();
  server?.stop();
});

const dialog = () => app.page.getByTestId("dialog");

test("the model card says all that the pack's own says, tables included", async () => {
  await app.page.getByTestId("open-model-card").click();
  const shown = (await app.page.getByTestId("model-card").innerText()).replace(/[\s–•]+/g, "");
  const card = readFileSync(join(nanoPack, "README.md"), "utf8");
  for (const line of card.split("\n").filter((line) => /^[A-Za-z]/.test(line))) {
    const words = line.replace(/[`*]|\[([^\]]+)\]\([^)]+\)/g, "$1").replace(/[\s–•]+/g, "");
    assert.ok(shown.includes(words), line);
  }
  assert.ok((await app.page.getByTestId("model-card").locator("table tr").count()) > 5);
  await app.page.keyboard.press("Escape");
  await dialog().waitFor({ state: "hidden" });
});

test("single keys open the sheet and lead to the search, unless somebody types", async () => {
  await app.page.keyboard.press("?");
  await dialog().waitFor();
  await app.page.getByTestId("dialog-close").click();
  await app.page.keyboard.press("/");
  await app.page.keyboard.type("w?");
  assert.equal(await app.page.getByTestId("task-search").inputValue(), "w?");
  assert.equal(await dialog().isVisible(), false);
});

test("keys that are turned off stay off", async () => {
  await app.page.getByTestId("open-keys").click();
  await app.page.getByTestId("keys-on").uncheck();
  await app.page.keyboard.press("Escape");
  await app.page.reload();
  await app.ready();
  await app.page.keyboard.press("?");
  assert.equal(await dialog().isVisible(), false);
  await app.page.getByTestId("open-keys").click();
  await app.page.getByTestId("keys-on").check();
  await app.page.keyboard.press("Escape");
  await dialog().waitFor({ state: "hidden" });
  await app.page.keyboard.press("?");
  await dialog().waitFor();
});

test("none of this made a request", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
