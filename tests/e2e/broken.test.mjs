// Promise 4: a bad image fails alone, with a sentence saying why; the queue goes on.

import assert from "node:assert/strict";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { brokenFiles, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

let server, app;
const photo = photos()[0];
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.chooseTask("starter-product-001");
  await app.drop([...brokenFiles(), photo]);
});
after(async () => {
  await app?.close();
  server?.stop();
});

for (const path of brokenFiles()) {
  const name = basename(path);
  test(`${name} fails with a sentence of its own`, async () => {
    const sentence = await app.failure(name);
    assert.equal(await app.card(name).getAttribute("data-state"), "failed");
    assert.match(sentence, /\w+ \w+ \w+/, "three words at least");
    assert.doesNotMatch(sentence, /panic|unwrap|undefined|\[object/i);
  });
}

test("the three sentences differ: each says what is wrong with its file", async () => {
  const sentences = await Promise.all(brokenFiles().map((path) => app.failure(basename(path))));
  assert.equal(new Set(sentences).size, 3, sentences.join(" | "));
});

test("the good image beside them gets its verdict", async () => {
  const verdict = await app.verdict(basename(photo));
  assert.ok(verdict.p_pay >= 0 && verdict.p_pay <= 1);
});

test("broken images are no errors of the page", () => {
  assert.deepEqual(app.watched.errors, []);
});
