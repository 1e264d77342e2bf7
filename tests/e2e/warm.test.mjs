// What is slow once happens behind the loading bar: the first image compiles nothing, and each image waits for the GPU once.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";
import { countGpuWork } from "./lib/tap.mjs";

let server, app, said;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "swiftshader", query: "?device=gpu", inWorker: countGpuWork });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.prepared();
  for (const path of copiesOf(photos()[0], 3, "one-by-one")) {
    await app.drop([path]);
    await app.verdict(basename(path));
  }
  said = await app.page.workers()[0].evaluate(() => said);
});
after(async () => {
  await app?.close();
  server?.stop();
});

const first = (kind, phase) => said.find((message) => message.kind === kind && (!phase || message.phase === phase));

test("the way of an image is walked before the first one comes", () => {
  // The self-test's own second pass is one; what comes on top of it is a rehearsal.
  const behindSelfTest = first("ready").readbacks - first("load_progress", "self_test").readbacks;
  assert.ok(behindSelfTest >= 2, `the network ran ${behindSelfTest} times between the self-test and ready`);
});

test("no image compiles a shader", () => {
  const last = said.findLast(({ kind }) => kind === "job_done");
  assert.ok(first("ready").shaders > 0);
  assert.equal(last.shaders, first("ready").shaders);
});

test("one result is read back for each image", () => {
  const done = said.filter(({ kind }) => kind === "job_done");
  assert.equal(done.length, 3);
  const between = done.slice(1).map(({ readbacks }, i) => readbacks - done[i].readbacks);
  assert.deepEqual(between, [1, 1]);
});
