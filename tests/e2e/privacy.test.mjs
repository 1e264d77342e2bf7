// Promise 1: no request carries image bytes. Once the model is ready the page makes no request at all,
// and its policy stops page and worker from reaching any other host.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

let server, app, elsewhere, elsewhereUrl;
let nElsewhere = 0;
const photo = photos()[0];
before(async () => {
  server = await startServer();
  elsewhere = createServer((_, response) => {
    nElsewhere += 1;
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.end("reached");
  });
  await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  elsewhereUrl = `http://127.0.0.1:${elsewhere.address().port}/`;
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
});
after(async () => {
  await app?.close();
  server?.stop();
  elsewhere?.close();
});

test("nothing is requested while images are judged", async () => {
  const nBefore = server.requests.length;
  await app.chooseTask("starter-product-001");
  await app.drop([photo]);
  await app.verdict(basename(photo));
  assert.deepEqual(app.watched.afterReady(), [], "seen by the browser");
  assert.deepEqual(server.requests.slice(nBefore), [], "seen by the server");
});

test("no request ever had a body", () => {
  assert.deepEqual(app.watched.withBody(), []);
  assert.deepEqual(server.requests.filter(({ bodyBytes }) => bodyBytes > 0), []);
  assert.ok(server.requests.length > 3, "the log works");
});

test("the counter that visitors see says zero", async () => {
  assert.equal(await app.requestCounter(), 0);
});

test("the page cannot reach another host", async () => {
  const outcome = await app.page.evaluate(tryToSend, elsewhereUrl);
  assert.equal(outcome, "blocked");
  assert.equal(nElsewhere, 0);
});

test("the worker, which holds the pixels, cannot either", async () => {
  const workers = app.page.workers();
  assert.equal(workers.length, 1);
  const outcome = await workers[0].evaluate(tryToSend, elsewhereUrl);
  assert.equal(outcome, "blocked");
  assert.equal(nElsewhere, 0);
});

/** Runs in the page or the worker. */
function tryToSend(url) {
  const sent = fetch(url, { method: "POST", body: "pixels", mode: "no-cors" });
  return sent.then(() => "sent", () => "blocked");
}
