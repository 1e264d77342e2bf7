// The model manager: what is kept on the device, what of it goes, and how another pack is taken.

import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { App } from "./lib/app.mjs";
import { launch } from "./lib/browser.mjs";
import { heavyPack, sizeInWords, startFaultyServer } from "./lib/faulty.mjs";
import { photos } from "./lib/files.mjs";
import { nanoPack, scratch } from "./lib/paths.mjs";
import { watch } from "./lib/watch.mjs";

const HEAVY = "?device=cpu&pack=/models/heavy/";
const MB = 1e6;
const SHARD = "ballast-1.bin";
const first = heavyPack();
const SIZE = sizeInWords(first);

let browser, server, context;
before(async () => (browser = await launch({ webgpu: "no-adapter" })));
after(() => browser?.close());
beforeEach(async () => {
  server = await startFaultyServer(new Map(first));
  context = await browser.newContext({ locale: "en-US", serviceWorkers: "block" });
});
afterEach(async () => {
  await context?.close();
  server?.stop();
});

async function visit(query = HEAVY) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const app = new App(page, watch(page), browser);
  await page.goto(server.url + query);
  return app;
}

const ready = async (app) => assert.equal(await app.modelState(), "ready", await app.modelSentence());
const open = (app) => app.page.getByTestId("open-packs").click();
const close = (app) => app.page.getByTestId("dialog-close").click();
const rowOf = (app, url) => app.page.getByTestId("pack-row").filter({ hasText: url });
const shards = () => server.requests.filter(({ file }) => file !== "manifest.json");

/** Names and bytes of what lies in the browser's store of packs. */
const stored = (app) =>
  app.page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("packs").catch(() => null);
    const files = {};
    if (folder) for await (const file of folder.values()) files[file.name] = (await file.getFile()).size;
    return files;
  });
const storedBytes = async (app) => Object.values(await stored(app)).reduce((sum, bytes) => sum + bytes, 0);

async function judges(app) {
  await app.chooseTask("starter-product-001");
  await app.drop([photos()[0]]);
  assert.ok((await app.verdict(basename(photos()[0]))).p_pay > 0);
}

test("a kept pack is listed with its size; deleted, its bytes are gone and the loaded one works on", async () => {
  const app = await visit();
  await ready(app);
  await open(app);
  const row = rowOf(app, "/models/heavy/");
  assert.match(await row.innerText(), new RegExp(`nano\\s+q4\\s+${SIZE}.*in use.*Delete`, "s"));
  assert.equal(await row.getAttribute("data-whole"), "true");
  assert.match(await app.page.getByTestId("packs-total").innerText(), new RegExp(`^${SIZE} kept on this device`));
  await row.getByTestId("delete-pack").click();
  await row.waitFor({ state: "detached" });
  assert.deepEqual(await stored(app), {});
  assert.match(await app.page.getByTestId("packs-total").innerText(), /^0 B kept/);
  await close(app);
  assert.equal(await app.page.getByTestId("pack-kept").getAttribute("data-kept"), "false");
  await judges(app);
});

test("another pack is taken by its address, stays over a reload, and shares files with the first until both are gone", async () => {
  server.other = new Map(heavyPack({ nShards: 4 }));
  const app = await visit();
  await ready(app);
  const alone = await storedBytes(app);
  await open(app);
  await app.page.getByTestId("pack-url").fill("models/other");
  await app.page.getByTestId("pack-url").press("Enter");
  await rowOf(app, "/models/other/").getByText("in use").waitFor();
  await ready(app);
  assert.ok((await storedBytes(app)) < alone + 12.5 * MB, "one shard more is here, not four");
  assert.match(app.page.url(), /pack=.*models%2Fother/);
  await app.page.reload();
  await ready(app);
  await open(app);
  await rowOf(app, "/models/other/").getByText("in use").waitFor();
  const before = shards().length;
  await rowOf(app, "/models/other/").getByTestId("delete-pack").click();
  await rowOf(app, "/models/other/").waitFor({ state: "detached" });
  assert.equal(Math.round((await storedBytes(app)) / MB), Math.round(alone / MB), "what the first one needs is still here");
  await rowOf(app, "/models/heavy/").getByTestId("use-pack").click();
  await rowOf(app, "/models/heavy/").getByText("in use").waitFor();
  await close(app);
  await ready(app);
  assert.equal(shards().length, before, "no shard came again");
  await judges(app);
});

test("the built-in pack can be taken in the middle of a download, which goes on later where it was", async () => {
  server.fault = ({ file }) => (file === SHARD ? { bytesPerSecond: 2 * MB } : undefined);
  const app = await visit();
  await app.page.waitForFunction(() => document.querySelector("progress.load")?.value > 0.75);
  await open(app);
  await app.page.getByTestId("pack-row").filter({ hasText: "built in" }).getByTestId("use-pack").click();
  await ready(app);
  const row = rowOf(app, "/models/heavy/");
  assert.match(await row.innerText(), new RegExp(`[23]\\d\\.\\d MB of ${SIZE}`));
  assert.equal(await row.getAttribute("data-whole"), "false");
  assert.ok(!app.page.url().includes("pack="), app.page.url());
  server.fault = () => undefined;
  const came = shards().filter(({ file }) => file === SHARD).length;
  await row.getByTestId("use-pack").click();
  await row.getByText("in use").waitFor();
  await app.page.waitForSelector('[data-testid="pack-row"][data-name="nano"][data-whole="true"]');
  assert.ok(shards().filter(({ file }) => file === SHARD)[came].from > MB);
});

test("the files of a pack that changed on its server go when the new ones are here", async () => {
  const app = await visit();
  await ready(app);
  const [before, alone] = [await stored(app), await storedBytes(app)];
  server.files = heavyPack({ seed: 2 });
  await app.page.reload();
  await ready(app);
  const now = await stored(app);
  assert.ok((await storedBytes(app)) < alone + MB, "not both versions");
  const kept = Object.keys(before).filter((name) => name in now && before[name] > MB);
  // Nano's own shard is the same in both.
  assert.equal(kept.length, 1);
});

test("a pack that another tab deleted works on in this one, and comes again at the next visit", async () => {
  const app = await visit();
  await ready(app);
  const other = await visit();
  await ready(other);
  await open(other);
  await other.page.getByTestId("delete-packs").click();
  await rowOf(other, "/models/heavy/").waitFor({ state: "detached" });
  await judges(app);
  const before = shards().length;
  await app.page.reload();
  await ready(app);
  assert.ok(shards().length > before);
});

test("a pack is read from a folder of the visitor's, without a request; one that lacks a file is refused by its name", async () => {
  const app = await visit("?device=cpu");
  await ready(app);
  app.watched.markReady();
  const folder = join(scratch, "my-pack");
  rmSync(folder, { recursive: true, force: true });
  cpSync(nanoPack, folder, { recursive: true });
  await open(app);
  await app.page.getByTestId("pack-folder").setInputFiles(folder);
  await app.page.getByText("Read from a folder of yours").waitFor();
  await judges(app);
  assert.deepEqual(app.watched.afterReady(), []);
  rmSync(join(folder, "shard-0000.bin"));
  await open(app);
  await app.page.getByTestId("pack-folder").setInputFiles(folder);
  await app.page.waitForSelector('[data-testid="model-status"][data-state="failed"]');
  assert.match(await app.modelSentence(), /shard-0000\.bin/);
  // And back.
  await open(app);
  await app.page.getByTestId("pack-row").getByTestId("use-pack").click();
  await ready(app);
});
