// ServImageBench itself: its folder or its three files bring all tasks into the picker, and stay here.

import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
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

const tasks = () => app.page.getByTestId("task-select");
const found = async () => Number((await app.page.locator(".picker .count").innerText()).replace(/\D/g, ""));

test("the three dropped files bring all tasks, and scrolling shows them all", async () => {
  const nStarter = await tasks().locator('option[value^="starter-"]').count();
  assert.equal(await found(), N_TASKS + nStarter);
  for (let scrolls = 0; scrolls < 20 && (await tasks().locator("option").count()) < N_TASKS + nStarter; scrolls += 1) {
    await tasks().evaluate((list) => list.scrollTo(0, list.scrollHeight));
    await app.page.waitForTimeout(100);
  }
  assert.equal(await tasks().locator("option").count(), N_TASKS + nStarter);
});

test("filters narrow the tasks and let them all back in", async (context) => {
  const millis = await app.page.evaluate(async () => {
    const field = document.querySelector('[data-testid="task-search"]');
    const millis = [];
    for (const words of ["p", "po", "pos", "海报", "海报 设计", "设计", "", "product-4", ""]) {
      field.value = words;
      const from = performance.now();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      // Effects run in a microtask behind the event; what they change is then laid out.
      await new Promise((resolve) => setTimeout(resolve));
      document.querySelector('[data-testid="task-select"]').getBoundingClientRect();
      millis.push(performance.now() - from);
      await new Promise(requestAnimationFrame);
    }
    return millis;
  });
  context.diagnostic(`search: ${millis.map((one) => one.toFixed(1)).join(", ")} ms`);
  const all = await found();
  await app.page.getByTestId("language-select").selectOption("zh");
  const chinese = await found();
  assert.ok(chinese > 800 && chinese < all, `${chinese} of ${all} are Chinese`);
  await app.page.getByTestId("kind-select").selectOption("set");
  const sets = await found();
  assert.ok(sets > 0 && sets < chinese);
  await app.page.getByTestId("price-select").selectOption("4");
  const dear = await found();
  assert.ok(dear > 0 && dear < sets, `${dear} of ${sets} sets cost $600 and more`);
  await app.page.getByTestId("category-select").selectOption("C-Product");
  assert.ok((await found()) < dear);
  for (const name of ["language", "kind", "category"]) await app.page.getByTestId(`${name}-select`).selectOption("");
  await app.page.getByTestId("price-select").selectOption("0");
  assert.equal(await found(), all);
});

test("the images of one drop meet the deliverables in their order", async () => {
  await app.page.getByTestId("kind-select").selectOption("set");
  const id = await tasks().locator('option:not([value^="starter-"])').first().getAttribute("value");
  await app.page.getByTestId("kind-select").selectOption("");
  await app.chooseTask(id);
  const deliverables = app.page.getByTestId("deliverable-select");
  await deliverables.selectOption("all");
  const paths = copiesOf(photo, 3, "in-order");
  await app.drop(paths);
  const n = (await deliverables.locator("option").count()) - 1;
  for (const [idx, path] of paths.entries()) {
    const verdict = await app.verdict(basename(path));
    assert.equal(verdict.task_id, id);
    assert.equal(verdict.deliverable, (idx % n) + 1);
  }
  await app.page.getByTestId("clear").click();
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

test("the tasks are still there after a reload, until they are forgotten", async () => {
  await app.page.reload();
  await app.ready();
  await app.page.getByTestId("bench-summary").filter({ hasText: "1,070" }).waitFor();
  await app.chooseTask(task);
  await app.page.getByTestId("bench-forget").click();
  await app.page.reload();
  await app.ready();
  await app.page.waitForTimeout(500);
  assert.equal(await app.page.getByTestId("bench-summary").count(), 0);
});

test("the benchmark is not sent anywhere", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.errors, []);
});
