// Loading tells where it is: each phase in its order, with bytes that rise.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { App } from "./lib/app.mjs";
import { launch } from "./lib/browser.mjs";
import { heavyPack, startFaultyServer } from "./lib/faulty.mjs";
import { watch } from "./lib/watch.mjs";

const QUERY = "?device=cpu&pack=/models/heavy/";
const STEPS = ["Device", "Download", "Weights", "Compile", "Self-test"];

let browser, server, seen;
before(async () => {
  browser = await launch({ webgpu: "no-adapter" });
  server = await startFaultyServer(heavyPack());
  server.fault = ({ file }) => (file.startsWith("ballast") ? { bytesPerSecond: 12e6 } : undefined);
  const page = await browser.newPage({ locale: "en-US", serviceWorkers: "block" });
  page.setDefaultTimeout(120_000);
  await page.addInitScript(() => {
    globalThis.seen = [];
    const look = () => {
      const now = document.querySelector('.steps [data-step="now"]');
      if (!now) return;
      const done = [...document.querySelectorAll('.steps [data-step="done"]')].map((one) => one.textContent);
      const { position, ariaLabel } = document.querySelector("progress.load");
      const entry = { step: now.textContent, done, position, ariaLabel, words: document.querySelector(".model-line").innerText };
      globalThis.seen.push(entry);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await page.goto(server.url + QUERY);
  const app = new App(page, watch(page), browser);
  await app.ready();
  seen = await page.evaluate(() => globalThis.seen);
});
after(async () => {
  await browser?.close();
  server?.stop();
});

test("every phase is shown, none twice, in their order", () => {
  const steps = seen.map(({ step }) => step).filter((step, idx, all) => step !== all[idx - 1]);
  assert.deepEqual(steps, STEPS);
});

test("phases that are over are ticked", () => {
  for (const { step, done } of seen) assert.deepEqual(done, STEPS.slice(0, STEPS.indexOf(step)), step);
});

test("a download tells its bytes, which rise to all of them", () => {
  const download = seen.filter(({ step, position }) => step === "Download" && position >= 0).map(({ position }) => position);
  assert.ok(new Set(download).size > 3, `${download}`);
  assert.deepEqual(download, download.toSorted((one, other) => one - other));
  assert.ok(download.at(-1) > 0.9, `${download.at(-1)}`);
  const words = seen.find(({ step, position }) => step === "Download" && position > 0).words;
  assert.match(words, /[\d.]+ [kM]B of [\d.]+ MB/);
});

test("a phase without a size pretends no progress, and the bar says what it is of", () => {
  const compiling = seen.filter(({ step }) => step === "Compile");
  assert.ok(compiling.length > 0 && compiling.every(({ position }) => position < 0));
  assert.ok(seen.every(({ ariaLabel, words }) => ariaLabel && words.startsWith(ariaLabel)));
});
