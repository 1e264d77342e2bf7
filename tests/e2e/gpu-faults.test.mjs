// What a GPU can do to its user: go away, crash with its process, run out of memory, refuse a shader. No image is lost, no
// number is made up, and the page says what happened.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";
import { keepDevices } from "./lib/tap.mjs";

/** Makes every shader that multiplies matrices one that no browser takes. */
const refuseShaders = `
const createShaderModule = GPUDevice.prototype.createShaderModule;
GPUDevice.prototype.createShaderModule = function (shader) {
  const isProduct = shader.code.includes("fn dequantized4");
  return createShaderModule.call(this, isProduct ? { ...shader, code: shader.code + " fn" } : shader);
};
`;

let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

async function openOnGpu(context, inWorker) {
  const app = await openApp(server, { webgpu: "swiftshader", query: "?device=gpu", inWorker });
  context.after(() => app.close());
  return app;
}

/** Does harm while images are judged: all of them get the verdict that the first got before. */
async function survives(context, harm) {
  const app = await openOnGpu(context, keepDevices);
  await app.ready();
  await app.chooseTask("starter-product-001");
  const [before, ...paths] = copiesOf(photos()[0], 3, "survivor");
  await app.drop([before]);
  const expected = await app.verdict(basename(before));
  const [worker] = app.page.workers();
  await app.drop(paths);
  await app.page.locator('[data-testid="queue-card"][data-state="scoring"]').first().waitFor();
  await harm(app, worker);
  await app.page.getByTestId("notice").filter({ hasText: "stopped unexpectedly" }).waitFor();
  for (const path of paths) {
    const { p_pay, provenance } = await app.verdict(basename(path));
    assert.ok(Math.abs(p_pay - expected.p_pay) < 1e-6, `${p_pay} is not ${expected.p_pay}`);
    assert.equal(provenance.device, expected.provenance.device);
  }
  assert.ok(!app.page.workers().includes(worker), "the worker whose GPU is gone is gone too");
}

test("a GPU that goes away while images are judged is opened anew, and the queue goes on", (context) =>
  survives(context, (_, worker) => worker.evaluate(() => devices.at(-1).destroy())));

test("so is one whose process crashed", (context) =>
  survives(context, async (app) => {
    const session = await app.browser.newBrowserCDPSession();
    // Nothing answers: what should is gone.
    session.send("Browser.crashGpuProcess").catch(() => {});
  }));

test("and one that ran out of memory", (context) =>
  survives(context, (_, worker) =>
    worker.evaluate(() => {
      const error = new GPUOutOfMemoryError("no memory left, on purpose");
      devices.at(-1).dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
    }),
  ));

test("a GPU that goes away while nothing is to do is opened anew for the next image", async (context) => {
  const app = await openOnGpu(context, keepDevices);
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.prepared();
  const [worker] = app.page.workers();
  await worker.evaluate(() => devices.at(-1).destroy());
  await app.drop([photos()[0]]);
  assert.ok((await app.verdict(basename(photos()[0]))).p_pay > 0);
});

test("a shader that the browser refuses ends in a sentence, never in a verdict", async (context) => {
  const app = await openOnGpu(context, refuseShaders);
  assert.equal(await app.modelState(), "failed");
  const sentence = await app.modelSentence();
  context.diagnostic(sentence);
  assert.match(sentence, /wgpu error|self-test/i);
  await app.drop([photos()[0]]);
  await app.page.locator('[data-testid="queue-card"][data-state="waiting"]').waitFor();
  assert.equal(await app.page.locator('[data-testid="queue-card"][data-state="done"]').count(), 0);
});
