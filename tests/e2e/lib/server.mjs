// The real static server of `cargo xtask serve`, on a free port, with its log of every request.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { root } from "./paths.mjs";

/** Serve `dist/` and further packs; `requests` grows by `{method, path, bodyBytes}` an answered request. */
export async function startServer({ packs = [] } = {}) {
  const built = process.env.SERVIMAGE_XTASK;
  const [program, first] = built
    ? [built, []]
    : ["cargo", ["run", "--quiet", "--package", "xtask", "--"]];
  const mounts = packs.flatMap((pack) => ["--pack", pack]);
  const args = [...first, "serve", "--no-build", "--port", "0", "--log", ...mounts];
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const requests = [];
  const url = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = line.match(/http:\/\/127\.0\.0\.1:\d+\//);
      if (address) resolve(address[0]);
      const entry = line.match(/^request (\S+) (\d+) (\S+)$/);
      if (entry) requests.push({ method: entry[1], bodyBytes: Number(entry[2]), path: entry[3] });
    });
  });
  return { url, requests, stop: () => child.kill() };
}
