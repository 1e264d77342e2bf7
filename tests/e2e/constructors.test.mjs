// A call into the worker's module does its own work only. With a constructor anywhere in it, the linker makes every exported
// function, `malloc` included, run all of them first: cubecl's through the crate `inventory` cost three quarters of an image's time.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./lib/paths.mjs";
import { firstCalls } from "./lib/wasm.mjs";

test("no exported function of the worker runs constructors first", () => {
  const dist = join(root, "dist");
  const file = readdirSync(dist).find((name) => /^servimage-worker.*\.wasm$/.test(name));
  assert.ok(file, `no servimage-worker*.wasm in ${dist}: build the page first`);
  const exported = firstCalls(readFileSync(join(dist, file)));
  assert.ok(exported.length >= 5, `only ${exported.length} exported functions were found in ${file}`);
  for (const { name, calls } of exported) {
    const alike = exported.filter((other) => calls !== undefined && other.calls === calls);
    assert.ok(alike.length < 4, `${name} and ${alike.length - 1} more exported functions begin with a call of function ${calls}`);
  }
});
