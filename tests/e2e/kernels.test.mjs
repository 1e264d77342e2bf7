// Every kernel on the browser's GPU against its CPU twin, case by case: what a shader compiler breaks gets its name here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startKernels } from "./lib/kernels.mjs";

/** Within the limits that every WebGPU device has: the browser refuses a kernel that asks for more. */
const strict = { withDefaultLimits: true };

let kernels;
before(async () => {
  kernels = await startKernels();
});
after(() => kernels?.stop());

test("every kernel gives what its CPU twin gives", async (context) => {
  let { page, errors, cases: names } = await kernels.open(strict);
  for (const kernel of ["linear q4", "rms norm", "layer norm", "rotation", "attention", "gather", "add rows", "columns", "swiglu", "pooling"]) {
    assert.ok(names.some((name) => name.startsWith(kernel)), `${kernel} has cases: ${names}`);
  }
  for (const [index, name] of names.entries()) {
    await context.test(name, async (context) => {
      const result = await page.evaluate((index) => kernelCases.run(index), index).catch((error) => ({ difference: error.message }));
      const said = [result.difference, ...errors].filter(Boolean);
      // A module that panicked is spent: the next case gets a fresh one.
      if (said.length > 0) {
        await page.close();
        ({ page, errors } = await kernels.open(strict));
      }
      assert.deepEqual(said, []);
      context.diagnostic(`off by ${result.error.toExponential(1)} of the largest value`);
    });
  }
});
