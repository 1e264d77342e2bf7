// The worker's memory holds one shard and one tensor at a time, never the model: a pack of over 1 GB with the widths, the vocabulary
// and the text layers of a 2B loads within 2 x its largest shard + 256 MB. WebAssembly memory never shrinks, so its size is its high-water mark.

import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { deepen } from "./lib/deepen.mjs";
import { madeUpPack } from "./lib/native.mjs";
import { startServer } from "./lib/server.mjs";

const MB = 1e6;
/** Text layers of the 2B. */
const N_LAYERS = 28;

let server, pack, shards;
before(async () => {
  pack = await madeUpPack("2b-shallow");
  deepen(pack, N_LAYERS);
  shards = JSON.parse(readFileSync(join(pack, "manifest.json"), "utf8")).shards.map((shard) => shard.size_bytes);
  server = await startServer({ packs: [pack] });
});
after(() => {
  server?.stop();
  if (pack) rmSync(pack, { recursive: true, force: true });
});

test("a pack of several large shards loads on the GPU within two shards and 256 MB", async (context) => {
  const size = shards.reduce((sum, bytes) => sum + bytes, 0);
  const bound = 2 * Math.max(...shards) + 256 * MB;
  assert.ok(shards.length > 4 && size > 1000 * MB, `large enough to tell: ${shards.length} shards, ${size} bytes`);
  const query = `?pack=/models/${basename(pack)}/&device=gpu`;
  const app = await openApp(server, { webgpu: "swiftshader", query });
  context.after(() => app.close());
  // A processor that plays a GPU may take more than a minute for an image of such a pack: then the page asks before it downloads it.
  await app.page.waitForSelector('[data-testid="model-status"]:is([data-state="asking"],[data-state="ready"],[data-state="failed"])');
  const anyway = app.page.getByTestId("load-anyway");
  if (await anyway.isVisible()) await anyway.click();
  await app.ready();
  const heap = await app.heapBytes();
  context.diagnostic(`${(size / MB).toFixed(0)} MB in ${shards.length} shards: heap ${(heap / MB).toFixed(0)} MB of ${(bound / MB).toFixed(0)} MB`);
  assert.ok(heap > 0 && heap <= bound, `${heap} bytes, at most ${bound} are allowed`);
  assert.deepEqual(app.watched.errors, []);
});
