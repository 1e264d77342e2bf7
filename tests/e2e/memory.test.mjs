// What a worker has taken it takes once: neither images nor packs make it grow for as long as the tab lives.

import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { goldenPack } from "./lib/native.mjs";
import { OwnWorker } from "./lib/own-worker.mjs";
import { nanoPack } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";
import { countMemory, memoryOf } from "./lib/tap.mjs";

const KB = 1024;

let server, golden;
before(async () => {
  golden = await goldenPack("a");
  server = await startServer({ packs: [golden] });
});
after(() => {
  server?.stop();
  if (golden) rmSync(golden, { recursive: true, force: true });
});

async function open(context, device, webgpu) {
  const app = await openApp(server, { webgpu, query: `?device=${device}`, inWorker: countMemory, exposesGc: true });
  context.after(() => app.close());
  return app.ready();
}

/** Drops ten copies of a photo, `judged` in all with those before; what the worker holds behind them. */
async function after10(app, stem, judged) {
  await app.drop(copiesOf(photos()[0], 10, stem));
  await app.judged(judged);
  return memoryOf(app.page.workers()[0]);
}

for (const [device, webgpu] of [["cpu", "no-adapter"], ["gpu", "swiftshader"]]) {
  test(`images leave nothing behind (${device})`, async (context) => {
    const app = await open(context, device, webgpu);
    await app.chooseTask("starter-product-001");
    const first = await after10(app, "first", 10);
    const then = await after10(app, "then", 20);
    const last = await after10(app, "last", 30);
    context.diagnostic(JSON.stringify({ first, then, last }));
    assert.ok(first.heap > 10_000 * KB, "the memory is the worker's own");
    assert.equal(last.heap, then.heap, "the heap has its size");
    assert.ok(last.gpu <= then.gpu + 64 * KB, `${last.gpu} bytes on the GPU, ${then.gpu} before`);
    assert.equal(last.gpu > 0, device === "gpu");
  });
}

test("twelve packs in a row take the memory of one", async (context) => {
  const app = await open(context, "gpu", "swiftshader");
  const worker = await OwnWorker.start(app);
  const packs = ["nano", basename(golden)];
  const nano = readdirSync(nanoPack).reduce((sum, name) => sum + statSync(join(nanoPack, name)).size, 0);
  const held = [];
  for (let i = 0; i < 12; i++) {
    await worker.load(`/models/${packs[i % 2]}/`, "gpu");
    held.push(await memoryOf(worker.handle));
  }
  context.diagnostic(JSON.stringify(held));
  // Where what stays between packs finds its place depends on what is still on its way then: the heap grows once more now and
  // then, and a buffer of a last pass (114,432 bytes in one run of CI) may still be on the GPU. Between a pack and the same one six
  // later three nanos are loaded; were they kept, both would grow by all three, and by six times whatever else a pack left.
  for (const i of [10, 11]) {
    assert.ok(held[i].gpu <= held[i - 6].gpu + 384 * KB, `pack ${i + 1}: ${held[i].gpu} bytes on the GPU, ${held[i - 6].gpu} with the same before`);
    assert.ok(held[i].heap < held[i - 6].heap + 2 * nano, `pack ${i + 1}: a heap of ${held[i].heap}, ${held[i - 6].heap} before; a nano has ${nano}`);
  }
  assert.ok((await worker.score("./samples/bottle.jpg")).p_pay > 0, "and the last one works");
});
