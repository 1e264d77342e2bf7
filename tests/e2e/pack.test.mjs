// Promise 3: a pack that is damaged never scores, and the page says what is wrong with it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { nanoPack, scratch } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

/** A copy of the shipped pack with its first shard changed. */
function damagedPack(name, damage) {
  const folder = join(scratch, name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(nanoPack, folder, { recursive: true });
  const shard = readdirSync(folder).find((file) => file.startsWith("shard"));
  damage(join(folder, shard));
  return folder;
}

function flipOneBit(path) {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
}

function cutInHalf(path) {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length >> 1));
}

const damages = { "flipped-bit": flipOneBit, "missing-shard": rmSync, "half-shard": cutInHalf };

const CARD = "# Another pack\n\nTrained on nothing but tea leaves.\n";

/** A copy of the shipped pack whose manifest names a model card. */
function packWithCard() {
  const folder = damagedPack("with-card", () => {});
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  writeFileSync(join(folder, "README.md"), CARD);
  const sha256 = createHash("sha256").update(CARD).digest("hex");
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, name: "tea", card: { path: "README.md", size_bytes: CARD.length, sha256 } }));
  return folder;
}

let server;
before(async () => {
  const packs = [packWithCard(), ...Object.entries(damages).map(([name, damage]) => damagedPack(name, damage))];
  server = await startServer({ packs });
});
after(() => server?.stop());

for (const name of Object.keys(damages)) {
  test(`a pack with a ${name.replace("-", " ")} is refused, and nothing is scored`, async (context) => {
    const app = await openApp(server, { webgpu: "no-adapter", query: `?pack=/models/${name}/` });
    context.after(() => app.close());
    assert.equal(await app.modelState(), "failed");
    assert.match(await app.modelSentence(), /shard/i, "the sentence names the file");
    await app.drop([photos()[0]]);
    const card = app.card(basename(photos()[0]));
    await card.waitFor();
    await app.page.waitForTimeout(1000);
    assert.notEqual(await card.getAttribute("data-state"), "done");
    assert.equal(await card.getByTestId("verdict").count(), 0);
  });
}

test("any pack's own model card is shown, with no request once the model is ready", async (context) => {
  const app = await openApp(server, { webgpu: "no-adapter", query: "?pack=/models/with-card/" });
  context.after(() => app.close());
  await app.ready();
  await app.page.getByTestId("open-model-card").click();
  const shown = await app.page.getByTestId("model-card").innerText();
  assert.ok(shown.includes("Another pack") && shown.includes("nothing but tea leaves"), shown);
  assert.deepEqual(app.watched.afterReady(), []);
});
