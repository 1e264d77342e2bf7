// What the page says of images: `node agreement.mjs swiftshader|no-adapter PACK TASK IMAGE...` prints a JSON object a verdict. Run by
// `cargo xtask bench agreement`, which holds it against the command line.

import { basename } from "node:path";
import { openApp } from "./lib/app.mjs";
import { startServer } from "./lib/server.mjs";

const [webgpu, pack, task, ...images] = process.argv.slice(2);

const server = await startServer({ packs: [pack] });
const app = await openApp(server, { webgpu, query: `?pack=/models/${basename(pack)}/` });
try {
  await app.ready();
  await app.chooseTask(task);
  await app.drop(images);
  await app.judged(images.length);
  const download = app.page.waitForEvent("download");
  await app.page.getByTestId("export-jsonl").click();
  for (const row of await app.downloadedRows(await download)) console.log(JSON.stringify(row));
} finally {
  await app.close();
  server.stop();
}
