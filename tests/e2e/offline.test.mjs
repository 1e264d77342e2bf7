// After one visit the page opens and judges with its server gone; what it keeps for that are its own files.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { existing, root } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

const photo = photos()[0];

let server, app, online, nBefore;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter", serviceWorkers: "allow" });
  await app.ready();
  nBefore = server.requests.length;
  await app.chooseTask("starter-product-001");
  await app.drop([photo]);
  online = await app.verdict(basename(photo));
});
after(async () => {
  await app?.close();
  server?.stop();
});

test("what is kept came before the model was ready: nothing is requested while an image is judged", () => {
  assert.deepEqual(server.requests.slice(nBefore), []);
});

test("the page's own files are kept, and of all weights only those that ship with it", async () => {
  const kept = await app.page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("shell-"));
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  for (const file of ["/index.html", "/texts/zh.json", "/models/nano/manifest.json"]) assert.ok(kept.includes(file), `${file} of ${kept}`);
  assert.ok(kept.every((path) => !path.startsWith("/models/") || path.startsWith("/models/nano/")));
});

test("with the server gone the page opens, loads its model and judges as before", async () => {
  server.stop();
  await app.page.reload();
  await app.ready();
  await app.page.getByTestId("clear").click();
  await app.chooseTask("starter-product-001");
  await app.drop([photo]);
  assert.equal((await app.verdict(basename(photo))).p_pay, online.p_pay);
  assert.equal(await app.page.getByTestId("sample").count(), 3);
});

test("the page can be installed: its manifest names it and its picture", () => {
  const manifest = JSON.parse(readFileSync(existing(join(root, "dist", "manifest.webmanifest")), "utf8"));
  assert.ok(manifest.name && manifest.short_name && manifest.start_url && manifest.display === "standalone");
  for (const { src } of manifest.icons) existing(join(root, "dist", src));
  assert.match(readFileSync(join(root, "dist", "index.html"), "utf8"), /<link rel="?manifest"? href="?\.\/manifest\.webmanifest/);
});
