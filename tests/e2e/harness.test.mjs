// The watcher is what the privacy tests rest on: a page that does send must be caught, worker included.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { launch } from "./lib/browser.mjs";
import { watch } from "./lib/watch.mjs";

const policy =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src 'self'; worker-src 'self' blob:";

let browser, server, url;
before(async () => {
  server = createServer((request, response) => {
    const isScript = request.url.endsWith(".js");
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    const sends = "onmessage = (e) => fetch(e.data, {method: 'POST', body: 'pixels'";
    if (request.url === "/worker.js") response.end(`${sends}})`);
    else if (request.url === "/try.js") {
      response.end(`${sends}, mode: 'no-cors'}).then(() => postMessage("sent"), () => postMessage("blocked"))`);
    }
    else response.end(`<meta http-equiv="Content-Security-Policy" content="${policy}"><p>page</p>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch({ webgpu: "no-adapter" });
});
after(async () => {
  await browser?.close();
  server?.close();
});

async function open() {
  const page = await browser.newPage();
  const watched = watch(page);
  await page.goto(url);
  watched.markReady();
  return { page, watched };
}

test("a page that sends bytes is caught", async () => {
  const { page, watched } = await open();
  await page.evaluate(() => fetch("/upload", { method: "POST", body: "pixels" }));
  assert.deepEqual(watched.withBody().map(({ bodyBytes }) => bodyBytes), [6]);
  assert.equal(watched.afterReady().length, 1);
  await page.close();
});

test("a beacon and an image address are caught", async () => {
  const { page, watched } = await open();
  await page.evaluate(() => navigator.sendBeacon("/beacon", "pixels"));
  await page.evaluate(() => fetch("/pixel?data=abc"));
  assert.equal(watched.afterReady().length, 2);
  assert.equal(watched.withBody().length, 1);
  await page.close();
});

test("a worker that sends bytes is caught", async () => {
  const { page, watched } = await open();
  const sent = page.waitForEvent("request", (request) => request.url().endsWith("/from-worker"));
  await page.evaluate(() => {
    const script = `import "${location.origin}/worker.js"`;
    const blob = new Blob([script], { type: "text/javascript" });
    globalThis.worker = new Worker(URL.createObjectURL(blob), { type: "module" });
    setTimeout(() => globalThis.worker.postMessage(`${location.origin}/from-worker`), 500);
  });
  await sent;
  assert.equal(watched.withBody().filter((request) => request.url.endsWith("/from-worker")).length, 1);
  await page.close();
});

/** Start a worker from this address and have it fetch from another host; what came of it. */
async function reachElsewhere(workerAddress) {
  const { page } = await open();
  let reached = 0;
  const elsewhere = createServer((_, response) => {
    reached += 1;
    response.end("reached");
  });
  await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const target = `http://127.0.0.1:${elsewhere.address().port}/`;
  const said = await page.evaluate(async ([address, target]) => {
    const script = new Blob([`import "${location.origin}/try.js"`], { type: "text/javascript" });
    const url = address === "blob" ? URL.createObjectURL(script) : address;
    const worker = new Worker(url, { type: "module" });
    const answer = new Promise((resolve) => (worker.onmessage = (event) => resolve(event.data)));
    worker.postMessage(target);
    return answer;
  }, [workerAddress, target]);
  elsewhere.close();
  await page.close();
  return { said, reached };
}

test("a worker started from a blob takes over the page's policy, one from an address does not", async () => {
  assert.deepEqual(await reachElsewhere("blob"), { said: "blocked", reached: 0 });
  assert.deepEqual(await reachElsewhere("/try.js"), { said: "sent", reached: 1 });
});

test("errors of the console are caught", async () => {
  const { page, watched } = await open();
  await page.evaluate(() => console.error("something broke"));
  await page.evaluate(() => setTimeout(() => { throw new Error("uncaught one"); }));
  await page.waitForTimeout(200);
  assert.deepEqual(watched.errors.sort(), ["console: something broke", "uncaught: uncaught one"]);
  await page.close();
});
