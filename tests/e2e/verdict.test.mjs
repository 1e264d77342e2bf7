// Promise 2: the verdict in the browser, on the GPU or without one, is the verdict of the command line.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, describe, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { nativeVerdict } from "./lib/native.mjs";
import { nanoPack } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

const task = "starter-product-001";

/** f32 sums in another order differ by far less; a wrong pixel, token or rule by more. */
const P_PAY_TOLERANCE = 1e-3;

const photo = photos()[0];
const name = basename(photo);

let server, native;
before(async () => {
  server = await startServer();
  native = await nativeVerdict({ pack: nanoPack, task, image: photo });
});
after(() => server?.stop());

for (const webgpu of ["swiftshader", "no-adapter", "absent"]) {
  const isGpu = webgpu === "swiftshader";
  describe(`with WebGPU: ${webgpu}`, () => {
    let app;
    before(async () => {
      app = await openApp(server, { webgpu });
      await app.ready();
      await app.chooseTask(task);
      await app.drop([photo]);
    });
    after(() => app?.close());

    test("the page says truly which device it runs on", async () => {
      assert.equal(await app.webgpu(), isGpu ? "adapter" : webgpu, "the browser's own answer");
      const said = await app.page.getByTestId("device-label").getAttribute("data-gpu");
      assert.equal(said, String(isGpu), await app.deviceLabel());
    });

    test("a dropped photo gets the verdict of the command line", async () => {
      const verdict = await app.verdict(name);
      const difference = Math.abs(verdict.p_pay - native.p_pay);
      assert.ok(difference <= P_PAY_TOLERANCE, `${verdict.p_pay} here, ${native.p_pay} natively`);
      assert.equal(verdict.pay, native.pay);
      assert.equal(verdict.task_id, task);
      assert.deepEqual(verdict.rules, native.rules);
      assert.equal(verdict.attention.columns, native.attention.columns);
      assert.equal(verdict.attention.weights.length, native.attention.weights.length);
      const apart = verdict.attention.weights.map((weight, idx) => Math.abs(weight - native.attention.weights[idx]));
      assert.ok(Math.max(...apart) <= 1e-3, `the map of weights: ${apart}`);
      for (const [concept, expected] of Object.entries(native.concepts)) {
        const found = verdict.concepts[concept];
        assert.equal(found.applicable, expected.applicable, concept);
        if (expected.applicable) assert.ok(Math.abs(found.score - expected.score) <= 5e-3, concept);
      }
      // In the page's own words, not in the engine's.
      assert.match(await app.card(name).innerText(), /the client wants a single image/);
    });

    test("the card shows the verdict that is exported, and what made it", async () => {
      const verdict = await app.verdict(name);
      assert.ok(Math.abs((await app.shownPay(name)) - verdict.p_pay) <= 1e-6);
      for (const field of ["pack_sha256", "quant", "calibration", "task_version"]) {
        assert.equal(verdict.provenance[field], native.provenance[field], field);
      }
      assert.equal(verdict.provenance.quant, "q4", "the shipped pack is quantized");
      assert.match(verdict.provenance.device, isGpu ? /gpu/i : /cpu/i);
    });

    test("the console shows no error", () => {
      assert.deepEqual(app.watched.errors, []);
    });
  });
}
