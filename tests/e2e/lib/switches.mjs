// Which browser, and the switches that it is started with.

export const executablePath = process.env.SERVIMAGE_CHROMIUM ?? "/usr/bin/chromium";

// A closed network makes Chromium's own background requests fail, many at a time.
export const quiet = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** WebGPU on the machine's own GPU, without a display; Chromium takes Vulkan on Linux only when told to. */
export const hardware = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-angle=vulkan",
  "--disable-vulkan-surface",
  "--ignore-gpu-blocklist",
];

/** WebGPU on a software GPU. */
export const swiftshader = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
