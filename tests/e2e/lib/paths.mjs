// Where things lie: the repository, its built command line, the reference data.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** The command line, built by `cargo build --release`. */
export const servimage = process.env.SERVIMAGE_CLI ?? join(target, "release", "servimage");

/** Writes checkpoints with random weights; built beside it. */
export const madeUpCheckpoint = join(dirname(servimage), "made-up-checkpoint");

/** What the tests write. */
export const scratch = join(target, "e2e");

/** The pack that ships with the page; it is served at `/models/nano/`. */
export const nanoPack = process.env.SERVIMAGE_NANO ?? join(root, "public", "models", "nano");

/** Reference data beside the repository. */
export const shared = process.env.SERVIMAGE_SHARED ?? resolve(root, "../shared");

/** A path that has to exist; a test without its data fails and says what is missing. */
export function existing(path) {
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  return path;
}
