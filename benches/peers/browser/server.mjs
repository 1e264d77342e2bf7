// A static server on a free port that remembers what it sent.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname, join, normalize, sep } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
  ".html": "text/html",
  ".mjs": "text/javascript",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** What a visitor fetches, by the folder that it comes from: `runtime` is code, `weights` the model. */
const groups = { runtime: ["/ours/", "/ort/", "/transformers/"], weights: ["/pack/", "/models/"] };

/**
 * Serve folders under prefixes, such as `{"/ort/": "node_modules/..."}`; with `isolated` pages may use threads.
 * `fetched()` gives raw and gzip bytes of `groups` since the last `forget()`.
 */
export async function serve(folders, { isolated = false } = {}) {
  const sent = new Map();
  const find = (path) => {
    const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = normalize(path.slice(prefix?.length ?? 0));
    return prefix && !file.startsWith(`..${sep}`) ? join(folders[prefix], file) : undefined;
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const body = readFileSync(find(pathname));
      sent.set(pathname, find(pathname));
      const type = types[extname(pathname)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, ...(isolated ? isolation : {}) }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    forget: () => sent.clear(),
    fetched: () => fetchedBytes(sent),
    stop: () => server.close(),
  };
}

const gzipped = new Map();

/** Bytes of a file after gzip at its best level, as static hosts send it. */
function gzipBytes(file) {
  if (!gzipped.has(file)) gzipped.set(file, gzipSync(readFileSync(file), { level: 9 }).length);
  return gzipped.get(file);
}

function fetchedBytes(sent) {
  const sum = (files, bytesOf) => files.reduce((sum, file) => sum + bytesOf(file), 0);
  const fetched = {};
  for (const [group, prefixes] of Object.entries(groups)) {
    const entries = [...sent].filter(([path]) => prefixes.some((prefix) => path.startsWith(prefix)));
    const files = entries.filter(([path]) => !/\/(prompt|expected)-/.test(path)).map(([, file]) => file);
    const raw = sum(files, (file) => readFileSync(file).length);
    fetched[group] = { bytes: raw, gzip_bytes: sum(files, gzipBytes) };
  }
  return fetched;
}
