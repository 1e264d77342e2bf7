// A large pack comes in pieces over a bad network: it ends in a working model or in a clear sentence, never in a poisoned store.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { App } from "./lib/app.mjs";
import { launch } from "./lib/browser.mjs";
import { heavyPack, sizeInWords, startFaultyServer } from "./lib/faulty.mjs";
import { photos } from "./lib/files.mjs";
import { watch } from "./lib/watch.mjs";
import { basename } from "node:path";

const QUERY = "?device=cpu&pack=/models/heavy/";
const MB = 1e6;
const SHARD = "ballast-1.bin";
const first = heavyPack();

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

/** A tab of this test's visitor: its storage is shared with the test's other tabs and with no other test. */
async function visit() {
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const app = new App(page, watch(page), browser);
  await page.goto(server.url + QUERY);
  return app;
}

async function works(app) {
  assert.equal(await app.modelState(), "ready", await app.modelSentence());
  return app.page.getByTestId("pack-kept").getAttribute("data-kept");
}

async function fails(app, pattern) {
  assert.equal(await app.modelState(), "failed");
  const sentence = await app.modelSentence();
  assert.match(sentence, pattern);
  return sentence;
}

/** Bytes that lie in the browser's store of packs. */
const keptBytes = (app) =>
  app.page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("packs");
    let bytes = 0;
    for await (const file of folder.values()) bytes += (await file.getFile()).size;
    return bytes;
  });

const shards = () => server.requests.filter(({ file }) => file !== "manifest.json");
const of = (file) => server.requests.filter((request) => request.file === file);
const nth = (file, count, fault) => (server.fault = (request) => (request.file === file && request.nth < count ? fault : undefined));

test("a pack is downloaded once, judges images, and is there at the next visit, even without its server", async () => {
  const app = await visit();
  assert.equal(await works(app), "true");
  await app.chooseTask("starter-product-001");
  await app.drop([photos()[0]]);
  assert.ok((await app.verdict(basename(photos()[0]))).p_pay > 0);
  const before = shards().length;
  await app.page.reload();
  assert.equal(await works(app), "true");
  server.fault = () => ({ status: 503 });
  await app.page.reload();
  assert.equal(await works(app), "true");
  assert.equal(shards().length, before, "no shard came a second time");
});

test("a connection that is cut goes on at the byte, with the version that it began with", async () => {
  nth(SHARD, 2, { cutAfter: 5 * MB });
  assert.equal(await works(await visit()), "true");
  const [begin, again, end] = of(SHARD);
  assert.equal(begin.from, 0);
  assert.ok(again.from > 0 && end.from > again.from, `${again.from}, ${end.from}`);
  assert.ok(again.ifRange && end.status === 206);
  assert.ok(server.sentOf(SHARD) < 12.5 * MB, `${server.sentOf(SHARD)} bytes for a file of 12 MB`);
});

test("a tab that is closed on the way goes on where it was at the next visit", async () => {
  server.fault = ({ file }) => (file === SHARD ? { bytesPerSecond: 2 * MB } : undefined);
  const app = await visit();
  await app.page.waitForFunction(() => document.querySelector("progress.load")?.value > 0.75);
  await app.page.close();
  server.fault = () => undefined;
  const came = of(SHARD).length;
  assert.equal(await works(await visit()), "true");
  assert.ok(of(SHARD)[came].from > MB, `it went on at ${of(SHARD)[came].from}`);
});

test("a server that is started anew on the way is found again, and goes on where it was", async () => {
  server.fault = ({ file }) => (file === SHARD ? { bytesPerSecond: 3 * MB } : undefined);
  const app = await visit();
  await app.page.waitForFunction(() => document.querySelector("progress.load")?.value > 0.75);
  server.fault = () => undefined;
  await server.restart(2000);
  assert.equal(await works(app), "true");
  assert.ok(of(SHARD).length > 1 && of(SHARD).at(-1).from > MB);
});

test("a server without ranges works, and one that stops sending is asked again", async () => {
  server.fault = ({ file, nth }) => ({ noRange: true, ...(file === SHARD && nth === 0 ? { stallAfter: 3 * MB } : {}) });
  assert.equal(await works(await visit()), "true");
  assert.ok(shards().every(({ status }) => status === 200) && of(SHARD).length === 2);
});

test("wrong bytes are thrown away and fetched once more; twice is told, and does not last", async () => {
  nth(SHARD, 1, { wrong: true });
  assert.equal(await works(await visit()), "true");
  await context.close();
  context = await browser.newContext({ locale: "en-US", serviceWorkers: "block" });
  nth(SHARD, 100, { wrong: true });
  const app = await visit();
  await fails(app, /ballast-1\.bin.*expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}, twice/);
  server.fault = () => undefined;
  await app.page.getByTestId("retry-load").click();
  assert.equal(await works(app), "true");
});

test("a pack that changed on the server is noticed at the next visit, and on the way", async () => {
  const app = await visit();
  await works(app);
  const second = heavyPack({ seed: 2 });
  server.files = second;
  nth(SHARD, 2, { cutAfter: 5 * MB });
  await app.page.reload();
  assert.equal(await works(app), "true");
  const came = of(SHARD);
  assert.equal(came.length, 3, "once the old version, twice the new one");
  assert.ok(came[2].from > 0 && came[2].status === 206);
  // The shard alone becomes another one in the middle of its download: its bytes are not those of the manifest.
  server.files = heavyPack({ seed: 3 });
  server.fault = ({ file, nth }) => {
    if (file !== SHARD) return undefined;
    if (nth > 3) server.files.set(SHARD, second.get(SHARD));
    return nth === 3 ? { cutAfter: 5 * MB } : undefined;
  };
  await app.page.reload();
  await fails(app, /ballast-1\.bin.*expected SHA-256/);
});

test("a missing file is named at once; a server in trouble is asked again, then named", async () => {
  nth(SHARD, 100, { status: 404 });
  const app = await visit();
  await fails(app, /ballast-1\.bin.*no such file \(status 404\)/);
  server.fault = ({ file }) => (file === SHARD && of(SHARD).length < 4 ? { status: 500 } : undefined);
  await app.page.getByTestId("retry-load").click();
  assert.equal(await works(app), "true");
  await context.close();
  context = await browser.newContext({ locale: "en-US", serviceWorkers: "block" });
  nth(SHARD, 1000, { status: 500 });
  await fails(await visit(), /ballast-1\.bin.*status 500, 6 times in a row/);
});

test("a server whose versions are only alike is asked for the rest without naming one, and the hash decides", async () => {
  const weak = ({ file, nth }) => (file === SHARD ? { weak: true, ...(nth === 0 ? { cutAfter: 5 * MB } : {}) } : undefined);
  server.fault = weak;
  assert.equal(await works(await visit()), "true");
  assert.deepEqual(of(SHARD).map(({ status, ifRange }) => [status, ifRange]), [[206, undefined], [206, undefined]]);
  await context.close();
  context = await browser.newContext({ locale: "en-US", serviceWorkers: "block" });
  // Its second half is that of another version: thrown away as a whole, and fetched once more.
  const [good, other] = [server.files.get(SHARD), heavyPack({ seed: 2 }).get(SHARD)];
  const before = of(SHARD).length;
  server.fault = (request) => {
    const nth = request.nth - before;
    if (request.file === SHARD) server.files.set(SHARD, nth === 1 ? other : good);
    return weak({ ...request, nth });
  };
  assert.equal(await works(await visit()), "true");
  assert.deepEqual(of(SHARD).slice(before).map(({ from }) => from > 0), [false, true, false]);
});

test("a server that no longer has so many bytes is asked for the whole file", async () => {
  server.fault = ({ file, nth }) => (file === SHARD ? [{ cutAfter: 5 * MB }, { status: 416 }][nth] : undefined);
  assert.equal(await works(await visit()), "true");
  assert.deepEqual(of(SHARD).map(({ from, status }) => [from > 0, status]), [[false, 206], [true, 416], [false, 206]]);
});

test("what a closed tab left behind counts where there is room for the rest only", async () => {
  server.fault = ({ file }) => (file === SHARD ? { bytesPerSecond: 2 * MB } : undefined);
  const app = await visit();
  await app.page.waitForFunction(() => document.querySelector("progress.load")?.value > 0.75);
  const session = await context.newCDPSession(app.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(server.url).origin, quotaSize: 40 * MB });
  await app.page.reload();
  server.fault = () => undefined;
  assert.equal(await works(app), "true");
  assert.ok(of(SHARD).at(-1).from > MB);
});

test("without room it runs from memory and says what was needed", async () => {
  const app = await visit();
  await works(app);
  await app.page.getByTestId("open-packs").click();
  await app.page.getByTestId("delete-packs").click();
  await app.page.waitForSelector('[data-testid="pack-kept"][data-kept="false"]');
  const session = await context.newCDPSession(app.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(server.url).origin, quotaSize: 20 * MB });
  await app.page.reload();
  assert.equal(await works(app), "false");
  // The browser itself promises more than it gives: what it says is free is told only where that is too little.
  assert.match(await app.page.getByTestId("pack-kept").innerText(), /storage is full \(3\d\.\d MB needed\)/);
  assert.ok((await keptBytes(app)) < MB, "a part of what does not fit takes no room");
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(server.url).origin });
  const before = shards().length;
  await app.page.reload();
  assert.equal(await works(app), "true");
  assert.ok(shards().length > before, "what was deleted came again");
});

test("two tabs download a pack once", async () => {
  server.fault = ({ file }) => (file === "manifest.json" ? undefined : { bytesPerSecond: 8 * MB });
  const apps = await Promise.all([visit(), visit()]);
  for (const app of apps) assert.equal(await works(app), "true");
  assert.equal(of(SHARD).length, 1);
});

/** The manifest speaks of layers that no device works off in a minute. */
function claimToBeHuge() {
  const manifest = JSON.parse(server.files.get("manifest.json"));
  Object.assign(manifest.text, { n_layers: 1024, d_hidden: 1 << 20 });
  server.files.set("manifest.json", Buffer.from(JSON.stringify(manifest)));
}

test("a pack that is too much for this device is asked about before any of it comes", async () => {
  claimToBeHuge();
  const app = await visit();
  await app.page.waitForSelector('[data-testid="model-status"][data-state="asking"]');
  assert.match(await app.modelSentence(), new RegExp(`too much for this device.*would take about \\d.*GFLOP/s.*${sizeInWords(server.files)} are missing`, "s"));
  assert.deepEqual(shards(), []);
  await app.page.getByTestId("load-anyway").click();
  // It is downloaded; that it lacks nearly all its layers is another matter.
  await fails(app, /layers/);
  assert.ok(of(SHARD).length > 0);
  // What is here already is not asked about again.
  await app.page.reload();
  await app.page.waitForSelector('[data-testid="model-status"][data-state="failed"]');
});

test("in place of such a pack the built-in one can be taken", async () => {
  claimToBeHuge();
  const app = await visit();
  await app.page.getByTestId("use-built-in").click();
  assert.equal(await app.modelState(), "ready");
  assert.ok(await app.page.getByTestId("open-model-card").isVisible());
  await app.chooseTask("starter-product-001");
  await app.drop([photos()[0]]);
  assert.ok((await app.verdict(basename(photos()[0]))).p_pay > 0);
  assert.deepEqual(shards(), []);
});
