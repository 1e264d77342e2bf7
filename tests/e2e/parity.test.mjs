// The network in the browser against the reference implementation: a golden checkpoint, converted here,
// carries the reference's outputs as its self-test.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { goldenPack } from "./lib/native.mjs";
import { startServer } from "./lib/server.mjs";

/** The browser computes in f32, in other orders of summation and with the GPU's own `exp`. */
const TOLERANCE = 1e-3;

let server;
before(async () => {
  server = await startServer({ packs: [await goldenPack("a")] });
});
after(() => server?.stop());

test("f16 activations are refused where the GPU has no f16, and the page says so", async (context) => {
  const app = await openApp(server, { webgpu: "swiftshader", query: "?pack=/models/golden-a/&device=gpu-f16" });
  context.after(() => app.close());
  assert.equal(await app.modelState(), "failed");
  assert.match(await app.modelSentence(), /f16 activations need a GPU with shader-f16/);
});

for (const [device, webgpu] of [["gpu", "swiftshader"], ["cpu", "no-adapter"]]) {
  test(`the golden network is reproduced on the ${device}`, async (context) => {
    const app = await openApp(server, { webgpu, query: `?pack=/models/golden-a/&device=${device}` });
    context.after(() => app.close());
    await app.ready();
    const report = await app.selfTest();
    const tensors = report.rows.map((row) => row.tensor);
    for (const tensor of ["stage1.hidden_states", "stage1.brf", "stage2.hidden_states", "stage2.pay_logits"]) {
      assert.ok(tensors.includes(tensor), `${tensor} is compared: ${tensors}`);
    }
    for (const row of report.rows) {
      context.diagnostic(`${row.tensor}: ${row.max_relative_error.toExponential(1)}`);
      assert.ok(row.max_relative_error <= TOLERANCE, `${row.tensor}: ${row.max_relative_error}`);
    }
    assert.ok(report.passed);
    const isGpu = await app.page.getByTestId("device-label").getAttribute("data-gpu");
    assert.equal(isGpu, String(device === "gpu"));
    assert.deepEqual(app.watched.errors, []);
  });
}
