// Times the page as a visitor meets it and prints a Markdown table; run by `cargo xtask bench`.

import { copyFileSync, mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { scratch } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

const N_WARM = 4;

/** The same photo under other names: the page judges each file anew. */
function copies(photo) {
  const folder = join(scratch, "copies");
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: N_WARM }, (_, index) => {
    const path = join(folder, `copy-${index}.jpg`);
    copyFileSync(photo, path);
    return path;
  });
}

async function measure(server, webgpu) {
  const app = await openApp(server, { webgpu });
  const sinceOpened = () => performance.now() - app.openedAt;
  await app.ready();
  const ready = sinceOpened();
  await app.chooseTask("starter-product-001");
  const photo = photos()[0];
  const dropped = sinceOpened();
  await app.drop([photo]);
  await app.verdict(basename(photo));
  const first = sinceOpened() - dropped;
  const paths = copies(photo);
  const start = sinceOpened();
  await app.drop(paths);
  for (const path of paths) await app.verdict(basename(path));
  const warm = (sinceOpened() - start) / N_WARM;
  const device = await app.deviceLabel();
  const version = app.browser.version();
  await app.close();
  return { device, ready, first, warm, version };
}

const seconds = (millis) => `${(millis / 1000).toFixed(2)} s`;
const server = await startServer();
const rows = [await measure(server, "swiftshader"), await measure(server, "no-adapter")];
server.stop();
const machine = `${cpus().length} x ${cpus()[0].model.trim()}`;
console.log(`\nChromium ${rows[0].version}, ${machine}, ${new Date().toISOString().slice(0, 10)}\n`);
console.log("| device | open to ready | drop to first verdict | each further image |");
console.log("|---|---:|---:|---:|");
for (const { device, ready, first, warm } of rows) {
  console.log(`| ${device} | ${seconds(ready)} | ${seconds(first)} | ${seconds(warm)} |`);
}
