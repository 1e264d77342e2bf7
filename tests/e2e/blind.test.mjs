// Blind mode: the visitor decides first; nothing on the page gives the verdict away before.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const [first, second] = photos();

let server, app;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.page.getByTestId("blind").check();
  await app.drop([first, second]);
  await app.settled(basename(first));
  await app.settled(basename(second));
});
after(async () => {
  await app?.close();
  server?.stop();
});

test("no number stands on the page before the vote", async () => {
  for (const name of [basename(first), basename(second)]) {
    const card = app.card(name);
    assert.equal(await card.getByTestId("verdict").count(), 0);
    assert.equal(await card.getAttribute("data-look"), "busy", "its colour says nothing");
    assert.ok(await card.getByTestId("vote").isVisible());
  }
  assert.equal(await app.page.getByTestId("decision").count(), 0);
  const queue = await app.page.locator(".queue").innerText();
  assert.doesNotMatch(queue, /\d%/);
  assert.match(queue, /0 would be paid/);
  assert.match(await app.page.getByTestId("announcer").innerText(), /your vote opens the verdict/);
});

test("a vote opens its own verdict and no other", async () => {
  await app.card(basename(first)).getByTestId("vote-refuse").click();
  const card = app.card(basename(first));
  assert.ok(await card.getByTestId("verdict").isVisible());
  assert.match(await card.getByTestId("vote-cast").innerText(), /would not pay/);
  assert.equal(await app.card(basename(second)).getByTestId("verdict").count(), 0);
});

test("agreement is counted against the verdicts", async () => {
  await app.card(basename(second)).getByTestId("vote-pay").click();
  const pays = [await app.verdict(basename(first)), await app.verdict(basename(second))].map(({ pay }) => pay);
  const agree = Number(pays[0] === false) + Number(pays[1] === true);
  const words = await app.page.getByTestId("agreement").innerText();
  assert.match(words, new RegExp(`agree on ${agree} of 2 \\(${agree * 50}%\\)`));
  assert.match(words, /kappa/);
});

test("votes are exported as upstream's result rows", async () => {
  const saved = app.page.waitForEvent("download");
  await app.page.getByTestId("export-votes").click();
  const download = await saved;
  assert.match(download.suggestedFilename(), /_annotations\.jsonl$/);
  const rows = await app.downloadedRows(download);
  assert.deepEqual(rows.map(({ label }) => label), [0, 1]);
  const keys = ["model", "task_id", "category", "notes", "timestamp", "subtask_idx", "subtask_name", "label"];
  assert.deepEqual(Object.keys(rows[0]).slice(0, keys.length), keys);
  assert.match(rows[0].timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
});

test("nothing of this needs the network or logs an error", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
