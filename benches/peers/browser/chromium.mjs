// Chromium with WebGPU over SwiftShader or the machine's own GPU, and what its processes hold in memory.

import { readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { executablePath, quiet, swiftshader } from "../../../tests/e2e/lib/switches.mjs";

const adapters = {
  swiftshader,
  gpu: ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-angle=vulkan", "--ignore-gpu-blocklist"],
};

/** A fresh browser; `adapter` is `swiftshader` or `gpu`. */
export async function launch(adapter) {
  const args = [...quiet, ...adapters[adapter]];
  const server = await chromium.launchServer({ executablePath, headless: true, args });
  const browser = await chromium.connect(server.wsEndpoint());
  return { browser, pid: server.process().pid, close: () => server.close() };
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise; // the process has ended
  }
}

/** Every process below `root`. */
function descendants(root) {
  const children = new Map();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = Number(readOr(`/proc/${name}/status`, "").match(/^PPid:\s+(\d+)/m)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [];
  for (let open = [root]; open.length > 0; ) {
    const pid = open.pop();
    found.push(pid);
    open.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Most bytes that the page's process and the GPU process ever held (peak resident set), Linux only. */
export function peakMemory(root) {
  const peak = { renderer: 0, gpu: 0 };
  for (const pid of descendants(root)) {
    const type = readOr(`/proc/${pid}/cmdline`, "").match(/--type=(renderer|gpu-process)/)?.[1];
    const kib = Number(readOr(`/proc/${pid}/status`, "").match(/^VmHWM:\s+(\d+)/m)?.[1] ?? 0);
    if (type === "renderer") peak.renderer = Math.max(peak.renderer, kib * 1024);
    if (type === "gpu-process") peak.gpu = Math.max(peak.gpu, kib * 1024);
  }
  return { renderer_bytes: peak.renderer, gpu_bytes: peak.gpu };
}
