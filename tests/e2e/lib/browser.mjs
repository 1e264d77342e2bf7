// Debian's Chromium through Playwright's client, with WebGPU over SwiftShader or without.

import { chromium } from "playwright-core";

const executablePath = process.env.SERVIMAGE_CHROMIUM ?? "/usr/bin/chromium";

/** A name for this machine that browsers do not trust as they trust 127.0.0.1. */
export const insecureHost = "servimage.test";

// A closed network makes Chromium's own background requests fail, many at a time.
const quiet = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * What the browser has to offer:
 * - `swiftshader`: WebGPU on a software GPU;
 * - `no-adapter`: `navigator.gpu` is there and finds no GPU, as on a machine whose driver is blocked;
 * - `absent`: no `navigator.gpu`. Chromium has no switch for that any more, but hides it from pages that
 *   come without encryption from another host, so the page is opened under `insecureHost`.
 */
const switches = {
  swiftshader: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
  "no-adapter": ["--disable-gpu"],
  absent: ["--disable-gpu", `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`],
};

/** A browser that offers WebGPU as said above. */
export function launch({ webgpu }) {
  return chromium.launch({ executablePath, headless: true, args: [...quiet, ...switches[webgpu]] });
}
