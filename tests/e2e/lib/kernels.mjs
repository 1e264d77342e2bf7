// The kernels' cases (`cargo xtask kernels` builds them) on a page of their own.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { launch } from "./browser.mjs";
import { existing, scratch } from "./paths.mjs";
import { watch } from "./watch.mjs";

const types = { ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves the built module and an empty page. */
async function serve() {
  const folder = existing(join(scratch, "kernel-cases"));
  const server = createServer((request, response) => {
    const type = types[extname(request.url)];
    response.setHeader("Content-Type", type ?? "text/html");
    // An icon of its own, so that the browser does not ask for one that is missing.
    response.end(type ? readFileSync(join(folder, request.url)) : '<link rel="icon" href="data:,">');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

/** A browser with the module; `open()` gives a fresh page and the names of the `cases` and `contestants` that its GPU can run. */
export async function startKernels() {
  const server = await serve();
  const browser = await launch({ webgpu: "swiftshader" });
  const open = async ({ withDefaultLimits }) => {
    const page = await browser.newPage();
    const { errors } = watch(page);
    await page.goto(server.url);
    const runs = await page.evaluate(async (withDefaultLimits) => {
      const module = await import("/kernel-cases.js");
      await module.default();
      return kernelCases.open(withDefaultLimits);
    }, withDefaultLimits);
    return { page, errors, ...runs };
  };
  const stop = async () => {
    await browser.close();
    server.stop();
  };
  return { open, stop, version: browser.version() };
}
