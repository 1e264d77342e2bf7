// Takes the README's screenshot, the page with a verdict over a sample that the project rendered itself, and
// pictures of every view; with `views` or `readme` as its argument only one of them.

import { basename, join } from "node:path";
import { openApp } from "./lib/app.mjs";
import { existing, root } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";
import { shootViews } from "./views.mjs";

const server = await startServer();
if (process.argv[2] !== "readme") await shootViews(server);
if (process.argv[2] === "views") {
  server.stop();
  process.exit();
}
const app = await openApp(server, { webgpu: "swiftshader", viewport: { width: 1280, height: 1000 } });
await app.ready();
await app.chooseTask("starter-product-001");
const photo = existing(join(root, "public", "samples", "bottle.jpg"));
await app.drop([photo]);
await app.verdict(basename(photo));
// Pictures below the screen are not drawn until somebody comes near.
await app.page.evaluate(() => document.querySelectorAll("img").forEach((image) => (image.loading = "eager")));
await app.page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
// Brought is not yet painted: a busy machine took the page without its thumbnail.
await app.page.evaluate(async () => {
  await Promise.all([...document.images].map((image) => image.decode()));
  for (let i = 0; i < 2; i += 1) await new Promise(requestAnimationFrame);
});
const path = join(root, "public", "screenshot.png");
await app.page.screenshot({ path, fullPage: true });
await app.close();
server.stop();
console.log(`written: ${path}`);
