// ServImageBench itself: its folder or its three files bring all tasks into the picker, and stay here.

import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { nativeVerdict } from "./lib/native.mjs";
import { existing, nanoPack, shared } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

const N_TASKS = 1070;
const task = "product-003";
const bench = join(shared, "bench");
const photo = photos()[0];

let server, app;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  const files = ["C-Portrait/Portrait.json", "C-Product/Product.json", "C-Digital/Digital.json"];
  await app.drop(files.map((file) => existing(join(bench, file))));
  await app.page.getByTestId("bench-summary").filter({ hasText: "1,070" }).waitFor({ timeout: 60_000 });
});
after(async () => {
  await app?.close();
  server?.stop();
});

test("the three dropped files bring all tasks", async () => {
  const options = app.page.locator('[data-testid="task-select"] option:not([value^="starter-"])');
  assert.equal(await options.count(), N_TASKS);
});

test("a task of the benchmark gets the verdict of the command line", async () => {
  await app.chooseTask(task);
  await app.drop([photo]);
  const verdict = await app.verdict(basename(photo));
  const native = await nativeVerdict({ pack: nanoPack, bench, task, image: photo });
  assert.ok(Math.abs(verdict.p_pay - native.p_pay) <= 1e-3, `${verdict.p_pay} here, ${native.p_pay} natively`);
  assert.equal(verdict.price_usd, native.price_usd);
  assert.equal(verdict.provenance.task_version, native.provenance.task_version);
  assert.deepEqual(verdict.rules, native.rules);
});

test("the benchmark is not sent anywhere", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
