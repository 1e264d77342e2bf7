// What a visitor takes away: tables, a report that opens with the network off, a picture, an address.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { brokenFiles, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const [first, second] = photos();
const broken = brokenFiles()[0];

let server, app, verdict;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter", permissions: ["clipboard-read", "clipboard-write"] });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.drop([first, second, broken]);
  verdict = await app.verdict(basename(first));
  await app.verdict(basename(second));
  await app.settled(basename(broken));
});
after(async () => {
  await app?.close();
  server?.stop();
});

async function saved(button, where = app.page) {
  const download = app.page.waitForEvent("download");
  await where.getByTestId(button).click();
  return download;
}

test("JSON Lines give back every image, the failed one with its reason", async () => {
  const rows = await app.downloadedRows(await saved("export-jsonl"));
  assert.equal(rows.length, 3);
  assert.deepEqual(rows.find((row) => row.image === basename(first)), verdict);
  assert.ok(rows.find((row) => row.image === basename(broken)).error.code);
});

test("the table has a row an image under its header", async () => {
  const path = await (await saved("export-csv")).path();
  const lines = readFileSync(path, "utf8").trim().split("\r\n");
  assert.equal(lines.length, 4);
  assert.match(lines[0], /^image,task_id,deliverable,pay,p_pay,threshold/);
  const judged = lines.filter((line) => /,passed: \d\.\de-\d+ of \de-\d+ allowed,/.test(line));
  assert.equal(judged.length, 2, "the self-test stands in the row of each verdict");
});

test("the report opens with the network off, with pictures, and prints", async () => {
  const download = await saved("export-report");
  const path = `${await download.path()}.html`;
  await download.saveAs(path);
  const context = await app.browser.newContext({ offline: true });
  const report = await context.newPage();
  const requests = [];
  const errors = [];
  report.on("request", (request) => requests.push(request.url()));
  report.on("pageerror", (error) => errors.push(error.message));
  report.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await report.goto(pathToFileURL(path).href);
  const text = await report.locator("body").innerText();
  for (const words of [basename(first), basename(second), basename(broken)]) assert.ok(text.includes(words), words);
  assert.ok(text.includes(verdict.provenance.labels), "what the numbers are worth");
  assert.ok(text.includes(verdict.provenance.self_test), "that the device was tested");
  assert.equal(await report.locator("article img").count(), 2);
  for (const image of await report.locator("article img").all()) {
    assert.ok(await image.evaluate((image) => image.naturalWidth > 0));
  }
  const pdf = await report.pdf();
  assert.equal(pdf.subarray(0, 4).toString(), "%PDF");
  assert.deepEqual(requests.filter((url) => !/^(file|data):/.test(url)), []);
  assert.deepEqual(errors, []);
  await context.close();
});

test("a verdict is saved as a picture of 1200 by 630", async () => {
  const download = await saved("save-poster", app.card(basename(first)));
  assert.match(download.suggestedFilename(), /\.verdict\.png$/);
  const png = readFileSync(await download.path());
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1200, 630]);
  assert.ok(png.length > 50_000, "the photo is in it");
});

test("a copied address brings task, threshold and scores back, and no picture", async () => {
  await app.page.getByTestId("threshold").fill("66");
  await app.page.getByTestId("copy-link").click();
  await app.page.getByTestId("notice").waitFor();
  const link = await app.page.evaluate(() => navigator.clipboard.readText());
  assert.ok(link.includes("#v=1&task=starter-product-001&deliverable=1&threshold=0.66&score="), link);
  const nBefore = server.requests.length;
  const other = await openApp(server, { webgpu: "no-adapter", query: link.slice(server.url.length) });
  await other.page.getByTestId("shared").waitFor();
  const shown = await other.page.getByTestId("shared").innerText();
  assert.ok(shown.includes(basename(first)) && shown.includes(`${Math.round(verdict.p_pay * 100)}%`));
  assert.equal(await other.page.getByTestId("task-select").inputValue(), "starter-product-001");
  await other.ready();
  await other.drop([first]);
  assert.equal((await other.verdict(basename(first))).threshold, 0.66);
  assert.ok(server.requests.slice(nBefore).every(({ path }) => !path.includes("score=")), "a fragment is not sent");
  await other.page.getByTestId("dismiss-shared").click();
  assert.equal(await other.page.getByTestId("shared").count(), 0);
  await other.close();
});

test("nothing of this needs the network or logs an error", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
