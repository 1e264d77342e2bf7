// Debian's Chromium through Playwright's client, with WebGPU over SwiftShader or with none at all.

import { chromium } from "playwright-core";

const executablePath = process.env.SERVIMAGE_CHROMIUM ?? "/usr/bin/chromium";

// A closed network makes Chromium's own background requests fail, many at a time.
const quiet = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const webgpuOn = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
const webgpuOff = ["--disable-features=WebGPU,WebGPUService", "--disable-gpu"];

/** A browser; `webgpu: false` gives one that has no `navigator.gpu`. */
export function launch({ webgpu }) {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [...quiet, ...(webgpu ? webgpuOn : webgpuOff)],
  });
}
