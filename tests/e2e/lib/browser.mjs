// Debian's Chromium through Playwright's client, with WebGPU over SwiftShader or without.

import { chromium } from "playwright-core";
import { executablePath, hardware, quiet, swiftshader } from "./switches.mjs";

/** A name for this machine that browsers do not trust as they trust 127.0.0.1. */
export const insecureHost = "servimage.test";

/**
 * What the browser has to offer:
 * - `swiftshader`: WebGPU on a software GPU;
 * - `hardware`: WebGPU on a GPU, for benchmarks on machines that have one;
 * - `no-adapter`: `navigator.gpu` is there and finds no GPU, as on a machine whose driver is blocked;
 * - `absent`: no `navigator.gpu`. Chromium has no switch for that any more, but hides it from pages that
 *   come without encryption from another host, so the page is opened under `insecureHost`.
 */
const switches = {
  swiftshader,
  hardware,
  "no-adapter": ["--disable-gpu"],
  absent: ["--disable-gpu", `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`],
};

/** A browser that offers WebGPU as said above, and its scripts `gc()` where a test counts memory. */
export function launch({ webgpu, exposesGc = false }) {
  const more = exposesGc ? ["--js-flags=--expose-gc"] : [];
  return chromium.launch({ executablePath, headless: true, args: [...quiet, ...switches[webgpu], ...more] });
}
