// Images dropped together go through the network together, and each gets the verdict of the command line; one that is taken
// back or is none does not disturb the others. The brief is read before the first image comes.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, describe, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { brokenFiles, copiesOf, photos } from "./lib/files.mjs";
import { nativeVerdict } from "./lib/native.mjs";
import { nanoPack } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

const task = "starter-product-001";
const P_PAY_TOLERANCE = 1e-3;

const copies = copiesOf(photos()[0], 3);
const dropped = [...photos(), brokenFiles()[0], ...copies];

let server, natives;
before(async () => {
  server = await startServer();
  natives = await Promise.all(photos().map((image) => nativeVerdict({ pack: nanoPack, task, image })));
});
after(() => server?.stop());

for (const webgpu of ["swiftshader", "no-adapter"]) {
  describe(`with WebGPU: ${webgpu}`, () => {
    let app;
    before(async () => {
      app = await openApp(server, { webgpu });
      await app.ready();
      await app.chooseTask(task);
    });
    after(() => app?.close());

    test("the chosen brief is read before any image comes", async () => {
      await app.prepared();
      await app.chooseTask("starter-portrait-001");
      await app.prepared();
      await app.chooseTask(task);
      await app.prepared();
    });

    test("every one of several photos gets the verdict of the command line", async () => {
      await app.drop(dropped);
      for (const native of natives) {
        const { p_pay } = await app.verdict(native.image);
        assert.ok(Math.abs(p_pay - native.p_pay) <= P_PAY_TOLERANCE, `${native.image}: ${p_pay} here, ${native.p_pay} natively`);
      }
      const distinct = new Set(natives.map(({ p_pay }) => p_pay.toFixed(2)));
      assert.ok(distinct.size > 1, "the photos differ, so a mix-up would show");
    });

    test("copies of a photo get its verdict, and the file that is none fails alone", async () => {
      for (const copy of copies) {
        const { p_pay } = await app.verdict(basename(copy));
        assert.ok(Math.abs(p_pay - natives[0].p_pay) <= P_PAY_TOLERANCE, `${copy}: ${p_pay}`);
      }
      assert.match(await app.failure(basename(brokenFiles()[0])), /\w+ \w+ \w+/);
    });

    test("images that are taken back stay so, and the others are judged", async () => {
      // A page of its own: a queue of more than twelve is a list that shows one card.
      const fresh = await openApp(server, { webgpu });
      await fresh.ready();
      await fresh.chooseTask(task);
      const many = copiesOf(photos()[0], 12, "again");
      // One that the worker already has, in a batch behind the first; a fast device would be done with it before the click.
      const [taken] = many.splice(webgpu === "swiftshader" ? 7 : 11, 1);
      await fresh.drop([...many, taken].sort());
      const card = fresh.card(basename(taken));
      await card.getByTestId("cancel").evaluate((button) => button.click());
      for (const path of many) await fresh.verdict(basename(path));
      assert.equal(await card.getAttribute("data-state"), "failed");
      assert.equal(await card.getByTestId("verdict").count(), 0);
      await fresh.close();
    });

    test("the console shows no error", () => {
      assert.deepEqual(app.watched.errors, []);
    });
  });
}
