// A large pack of a small one: its last text layer over and over, each time in a shard of its own.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ALIGNMENT = 16;

/** Gives the pack in the folder `pack` so many text layers; what its self-test expects goes with the old depth. */
export function deepen(pack, nLayers) {
  const path = join(pack, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  const shards = manifest.shards.map((shard) => readFileSync(join(pack, shard.path)));
  const last = `model.language_model.layers.${manifest.text.n_layers - 1}.`;
  const layer = manifest.tensors.filter(({ name }) => name.startsWith(last));
  for (let index = manifest.text.n_layers; index < nLayers; index++) {
    const shard = manifest.shards.length;
    const pieces = [];
    let offset = 0;
    for (const { name, shape, layout, parts } of layer) {
      const bytes = Buffer.concat(parts.map((part) => shards[part.shard].subarray(part.offset, part.offset + part.length)));
      const padding = Buffer.alloc(-bytes.length & (ALIGNMENT - 1));
      manifest.tensors.push({
        name: name.replace(last, `model.language_model.layers.${index}.`),
        shape,
        layout,
        parts: [{ shard, offset, length: bytes.length }],
      });
      pieces.push(bytes, padding);
      offset += bytes.length + padding.length;
    }
    // Else all of them would be the same file to a store that goes by hashes.
    pieces.push(Buffer.from(`layer ${String(index).padStart(10)}`));
    const bytes = Buffer.concat(pieces);
    const file = `layer-${index}.bin`;
    writeFileSync(join(pack, file), bytes);
    manifest.shards.push({ path: file, size_bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
  }
  manifest.text.n_layers = nLayers;
  writeFileSync(path, JSON.stringify(manifest));
}
