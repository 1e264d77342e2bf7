// A worker that breaks while images wait: the page starts another one, says so, and loses no image.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { copiesOf, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

let server, app;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
});
after(async () => {
  await app?.close();
  server?.stop();
});

test("images that waited when the worker broke get their verdicts from a fresh one", async () => {
  const paths = copiesOf(photos()[0], 10, "survivor");
  const [broken] = app.page.workers();
  await app.drop(paths);
  await broken.evaluate(() => {
    setTimeout(() => {
      throw new Error("broken on purpose");
    });
  });
  await app.page.getByTestId("notice").filter({ hasText: "stopped unexpectedly" }).waitFor();
  const verdicts = [];
  for (const path of paths) verdicts.push(await app.verdict(basename(path)));
  // How many images share a pass depends on when the worker broke, and sums of other lengths round otherwise.
  for (const { p_pay } of verdicts) assert.ok(Math.abs(p_pay - verdicts[0].p_pay) < 1e-6, `${p_pay}, ${verdicts[0].p_pay}`);
  assert.ok(!app.page.workers().includes(broken), "the broken worker is gone");
});
