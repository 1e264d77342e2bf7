// The verdict in full: how far a probability can be believed, where the line is drawn, and what follows in
// dollars; the checklist of the brief.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const [first, second] = photos();

let server, app, verdicts;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.drop([first, second]);
  verdicts = [await app.verdict(basename(first)), await app.verdict(basename(second))];
});
after(async () => {
  await app?.close();
  server?.stop();
});

const net = async () => Number(await app.page.getByTestId("net").getAttribute("data-value"));

/** Expected dollars, written down a second time. */
function expectedNet(threshold, wrongAccept, wrongReject) {
  const each = ({ p_pay: p, price_usd: price }) =>
    p >= threshold ? p * price - (1 - p) * wrongAccept : -p * wrongReject;
  return verdicts.map(each).reduce((sum, usd) => sum + usd);
}

async function draw(percent) {
  await app.page.getByTestId("threshold").fill(String(percent));
}

test("a probability says how examples like it came out", async () => {
  const words = await app.card(basename(first)).getByTestId("band").innerText();
  assert.match(words, /Of \d+ held-out examples .* \d+% were accepted \(95 %: \d+% to \d+%\)/);
});

test("the dollars follow the threshold and both costs", async () => {
  assert.ok(Math.abs((await net()) - expectedNet(verdicts[0].threshold, 0, 0)) < 1e-6);
  await app.page.getByTestId("cost-accept").fill("12.5");
  await app.page.getByTestId("cost-reject").fill("3");
  for (const percent of [0, 60, 100]) {
    await draw(percent);
    const expected = expectedNet(percent / 100, 12.5, 3);
    assert.ok(Math.abs((await net()) - expected) < 1e-6, `${await net()} at ${percent} %, ${expected} expected`);
  }
});

test("the threshold changes the stamp and what is exported", async () => {
  await draw(100);
  const card = app.card(basename(first));
  assert.equal(await card.getByTestId("verdict").getAttribute("data-pay"), "false");
  assert.equal(await card.getAttribute("data-look"), "refuse");
  const exported = await app.verdict(basename(first));
  assert.deepEqual([exported.pay, exported.threshold], [false, 1]);
  await draw(0);
  assert.equal(await card.getByTestId("verdict").getAttribute("data-pay"), "true");
});

test("the slider moves by the arrow keys", async () => {
  await draw(50);
  await app.page.getByTestId("threshold").press("ArrowRight");
  assert.equal((await app.verdict(basename(first))).threshold, 0.51);
});

test("the best threshold earns no less than any other", async () => {
  await draw(100);
  await app.page.getByTestId("take-best").click();
  const best = await net();
  for (let percent = 0; percent <= 100; percent += 1) {
    assert.ok(best >= expectedNet(percent / 100, 12.5, 3) - 1e-6, `${best} at the best, more at ${percent} %`);
  }
  await app.page.getByTestId("take-pack").click();
  assert.equal((await app.verdict(basename(first))).threshold, verdicts[0].threshold);
});

test("what weighed is shown over the picture on demand, and said in words", async () => {
  const card = app.card(basename(first));
  const toggle = card.getByTestId("heat-toggle");
  assert.equal(await card.getByTestId("heat").count(), 0);
  await toggle.press("Enter");
  assert.equal(await toggle.getAttribute("aria-pressed"), "true");
  const { columns, weights, share } = verdicts[0].attention;
  const [heat, picture] = [await card.getByTestId("heat").boundingBox(), await card.locator(".thumb img").boundingBox()];
  for (const side of ["x", "y", "width", "height"]) assert.ok(Math.abs(heat[side] - picture[side]) < 1, `${side}: ${heat[side]} over ${picture[side]}`);
  const cells = await card.getByTestId("heat").locator("rect").evaluateAll((all) =>
    all.map((one) => [one, "x", "y", "fill-opacity"].slice(1).map((name) => Number(one.getAttribute(name)))));
  const most = Math.max(...weights);
  assert.deepEqual(cells.map(([x, y]) => y * columns + x), weights.map((_, idx) => idx));
  for (const [idx, [, , dark]] of cells.entries()) assert.ok(Math.abs(dark - 0.82 * (1 - weights[idx] / most)) < 0.006, `cell ${idx}: ${dark}`);
  const legend = await card.getByTestId("heat-legend").innerText();
  assert.ok(legend.includes(`${(share * 100).toFixed(1)}% of all weight lies on this picture`), legend);
  assert.equal(/Almost even/.test(legend), most * weights.length < 1.5, "an even spread is called one");
  assert.match(legend, /not why it judged so/);
  const heaviest = weights.indexOf(most);
  const row = ["top", "middle", "bottom"][Math.floor((Math.floor(heaviest / columns) + 0.5) / (weights.length / columns) * 3)];
  const column = ["left", "centre", "right"][Math.floor(((heaviest % columns) + 0.5) / columns * 3)];
  assert.ok(legend.includes(`${row} ${column}`), legend);
  await toggle.click();
  assert.equal(await card.getByTestId("heat").count(), 0);
});

test("an image below the line says which concept is lowest, one above it does not", async () => {
  await draw(100);
  const rise = app.card(basename(first)).getByTestId("rise");
  const scores = Object.values(verdicts[0].concepts).filter(({ applicable }) => applicable).map(({ score }) => score);
  assert.ok((await rise.innerText()).includes(`at ${Math.min(...scores).toFixed(1)} of 5`), await rise.innerText());
  await draw(0);
  assert.equal(await rise.count(), 0);
});

test("a tick of the checklist is counted and goes into the export", async () => {
  const card = app.card(basename(first));
  const list = card.getByTestId("checklist");
  await list.locator("summary").click();
  await list.locator("input").nth(1).check();
  assert.match(await list.locator("summary").innerText(), /: 1 of \d+ ticked/);
  const saved = app.page.waitForEvent("download");
  await app.page.getByTestId("export-jsonl").click();
  const rows = await app.downloadedRows(await saved);
  assert.deepEqual(rows[0].checklist.slice(0, 3), [false, true, false]);
});

test("nothing of this needs the network or logs an error", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
