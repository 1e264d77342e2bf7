// Times our linear layer against burn's in Chromium and prints a Markdown table; run by `cargo xtask kernels --bench`.

import { cpus } from "node:os";
import { startKernels } from "./lib/kernels.mjs";

/** Rows of x and `[d_in, d_out]`: the forms of the 2B's layers at a quarter of their width, for GPUs in software. */
const rows = [8, 64, 256];
const layers = { qkv: [512, 1024], gate_up: [512, 3072], down: [1536, 512] };

const RUNS = 5;

const kernels = await startKernels();
const asTheWorker = { withDefaultLimits: false };
let { page, contestants, errors } = await kernels.open(asTheWorker);
const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Times of one contestant; nothing where this build cannot run it, as burn's own kernels where their compiler is left out. */
async function time(index, sizes) {
  try {
    return await timed(index, sizes);
  } catch {
    await page.close();
    ({ page, errors } = await kernels.open(asTheWorker));
    return undefined;
  }
}

async function timed(index, sizes) {
  const times = await page.evaluate(
    async ([index, sizes, runs]) => {
      await kernelCases.prepare(index, ...sizes);
      await kernelCases.contend();
      const times = [];
      for (let run = 0; run < runs; run++) {
        const start = performance.now();
        await kernelCases.contend();
        times.push(performance.now() - start);
      }
      return times;
    },
    [index, sizes, RUNS],
  );
  return { middle: middle(times), fastest: Math.min(...times), slowest: Math.max(...times) };
}

const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
console.log(`\nChromium ${kernels.version}, ${machine}, ${new Date().toISOString().slice(0, 10)}; ms, median of ${RUNS} (fastest to slowest)\n`);
console.log(`| layer | rows | ${contestants.join(" | ")} |`);
console.log(`|---|---:|${contestants.map(() => "---:|").join("")}`);
for (const [layer, [dIn, dOut]] of Object.entries(layers)) {
  for (const nRows of rows) {
    const cells = [];
    for (const index of contestants.keys()) {
      const times = await time(index, [nRows, dIn, dOut]);
      cells.push(times === undefined ? "no" : `${times.middle.toFixed(0)} (${times.fastest.toFixed(0)} to ${times.slowest.toFixed(0)})`);
    }
    console.log(`| ${layer} ${dIn} x ${dOut} | ${nRows} | ${cells.join(" | ")} |`);
  }
}
await kernels.stop();
