// A brief in the visitor's own words, and what a change of the words or the price does to a verdict.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const photo = photos()[0];
let server, app, first;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.drop([photo]);
  first = await app.verdict(basename(photo));
});
after(async () => {
  await app?.close();
  server?.stop();
});

const field = (name) => app.page.getByTestId(name);

test("what if the price were another: the image is judged again, and both numbers are shown", async () => {
  await app.card(basename(photo)).getByTestId("what-if").click();
  const price = Number(await field("own-price").inputValue());
  assert.ok(price > 0 && (await field("own-title").inputValue()) !== "", "the form holds the brief of the card");
  await field("own-price").fill(String(price * 10));
  await field("own-save").click();
  await app.card(basename(photo)).getByTestId("what-changed").waitFor();
  const again = await app.verdict(basename(photo));
  assert.equal(again.task_id, "own-1");
  assert.ok(Math.abs(again.price_usd - first.price_usd * 10) < 0.01, `${again.price_usd} for ${first.price_usd}`);
  assert.deepEqual(again.rules, first.rules, "the hard rules stay");
  const before = await app.card(basename(photo)).getByTestId("what-changed").getAttribute("data-before");
  assert.equal(Number(before), first.p_pay);
});

test("an own brief with two deliverables is marked as never measured, judged, and there after a reload", async () => {
  await field("own-open").click();
  await field("own-title").fill("茶馆海报");
  await field("own-brief").fill("一张带有标题文字的海报");
  await field("own-deliverables").fill("正面\n背面");
  await field("own-price").fill("90");
  await field("own-save").click();
  await field("out-of-distribution").waitFor();
  await field("deliverable-select").selectOption("2");
  await app.drop([photos()[1]]);
  const verdict = await app.verdict(basename(photos()[1]));
  assert.deepEqual([verdict.task_id, verdict.deliverable, verdict.price_usd], ["own-2", 2, 45]);
  await app.page.reload();
  await app.ready();
  const option = app.page.locator('[data-testid="task-select"] option[value="own-2"]');
  assert.match(await option.innerText(), /茶馆海报/);
  assert.equal(await option.getAttribute("lang"), "zh");
});

test("a forgotten brief is gone for good", async () => {
  await app.chooseTask("own-2");
  await field("own-forget").click();
  await app.page.reload();
  await app.ready();
  assert.equal(await app.page.locator('option[value="own-2"]').count(), 0);
  assert.deepEqual(app.watched.errors, []);
});
