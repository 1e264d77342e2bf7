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

/**
 * Serve folders under prefixes, such as `{"/ort/": "node_modules/..."}`; with `isolated` pages may use threads.
 * `sent()` gives bytes by path.
 */
export async function serve(folders, { isolated }) {
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
      sent.set(pathname, { file: find(pathname), bytes: (sent.get(pathname)?.bytes ?? 0) + body.length });
      const type = types[extname(pathname)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, ...(isolated ? isolation : {}) }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    sent: () => sent,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

const gzipped = new Map();

/** Bytes of a file after gzip. */
function gzipBytes(file) {
  if (!gzipped.has(file)) gzipped.set(file, gzipSync(readFileSync(file), { level: 9 }).length);
  return gzipped.get(file);
}

/** Raw and gzip bytes of what was sent, by what it was for. */
export function fetchedBytes(sent) {
  const groups = { runtime: ["/ort/", "/runtime/"], weights: [".onnx"] };
  const fetched = {};
  for (const [group, marks] of Object.entries(groups)) {
    const entries = [...sent].filter(([path]) => marks.some((mark) => path.startsWith(mark) || path.endsWith(mark)));
    fetched[group] = {
      files: entries.map(([path]) => path.split("/").at(-1)),
      bytes: entries.reduce((sum, [, { bytes }]) => sum + bytes, 0),
      gzip_bytes: entries.reduce((sum, [, { file }]) => sum + gzipBytes(file), 0),
    };
  }
  return fetched;
}
