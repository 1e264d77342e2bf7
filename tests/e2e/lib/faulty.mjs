// A static server that fails on purpose: it serves `dist/` and one pack, and does to the pack's files what a test asks for.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { nanoPack, root } from "./paths.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json", ".svg": "image/svg+xml" };
const MOUNT = "/models/heavy/";
/** Where `server.other` lies, served without faults. */
const OTHER_MOUNT = "/models/other/";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Nano's files, and shards that nothing reads: a pack that works and is large enough to be kept. */
export function heavyPack({ seed = 1, nShards = 3, shardBytes = 12_000_000 } = {}) {
  const files = new Map(readdirSync(nanoPack).map((name) => [name, readFileSync(join(nanoPack, name))]));
  const manifest = JSON.parse(files.get("manifest.json"));
  for (let index = 0; index < nShards; index++) {
    const bytes = Buffer.alloc(shardBytes, `${seed}-${index};`);
    const path = `ballast-${index}.bin`;
    files.set(path, bytes);
    manifest.shards.push({ path, size_bytes: bytes.length, sha256: sha256(bytes) });
  }
  files.set("manifest.json", Buffer.from(JSON.stringify(manifest)));
  return files;
}

/** All bytes of a pack's shards as the page writes them, for a regular expression. */
export function sizeInWords(files) {
  const { shards } = JSON.parse(files.get("manifest.json"));
  return `${(shards.reduce((sum, shard) => sum + shard.size_bytes, 0) / 1e6).toFixed(1)} MB`.replace(".", "\\.");
}

/**
 * `server.files` is what it serves, `server.fault` a function of `{file, from, nth}` (first byte asked for, how often this file was asked
 * for before) that gives nothing or some of `{status, cutAfter, stallAfter, noRange, wrong, weak, bytesPerSecond}`; `server.requests` grows by
 * `{file, from, ifRange, status, sent}` a request of the pack.
 */
export async function startFaultyServer(files) {
  const server = { files, other: new Map(), fault: () => undefined, requests: [] };
  const counts = new Map();
  const http = createServer(async (request, response) => {
    const path = new URL(request.url, "http://host").pathname;
    if (path.startsWith(OTHER_MOUNT)) {
      const bytes = server.other.get(path.slice(OTHER_MOUNT.length));
      return void response.writeHead(bytes ? 200 : 404).end(bytes);
    }
    if (!path.startsWith(MOUNT)) return plain(path, response);
    const file = path.slice(MOUNT.length);
    const wanted = request.headers.range?.match(/^bytes=(\d+)-$/);
    const from = wanted ? Number(wanted[1]) : undefined;
    const nth = counts.get(file) ?? 0;
    counts.set(file, nth + 1);
    const fault = server.fault({ file, from: from ?? 0, nth }) ?? {};
    const entry = { file, from, ifRange: request.headers["if-range"], status: 0, sent: 0 };
    server.requests.push(entry);
    await answer({ bytes: server.files.get(file), entry, fault, response });
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  server.url = `http://127.0.0.1:${http.address().port}/`;
  server.stop = () => (http.closeAllConnections(), http.close());
  /** Ends, with all connections, and is back under the same address after so many milliseconds. */
  server.restart = async (millis) => {
    const { port } = http.address();
    server.stop();
    await new Promise((resolve) => setTimeout(resolve, millis));
    await new Promise((resolve) => http.listen(port, "127.0.0.1", resolve));
  };
  /** Bytes of the pack's shards that were sent, whatever came of them. */
  server.sentOf = (file) => server.requests.filter((entry) => entry.file === file).reduce((sum, { sent }) => sum + sent, 0);
  return server;
}

function plain(path, response) {
  const file = join(root, "dist", normalize(path === "/" ? "/index.html" : path));
  if (!existsSync(file)) return void response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
}

/** Waits until a response takes more, or its connection is gone. */
function roomIn(response) {
  return new Promise((resolve) => {
    const end = () => (response.off("drain", end).off("close", end), resolve());
    response.on("drain", end).on("close", end);
  });
}

async function answer({ bytes, entry, fault, response }) {
  if (fault.status || !bytes) {
    entry.status = fault.status ?? 404;
    return void response.writeHead(entry.status).end();
  }
  const etag = `${fault.weak ? "W/" : ""}"${sha256(bytes).slice(0, 16)}"`;
  const sameVersion = !entry.ifRange || entry.ifRange === etag;
  const isPart = entry.from !== undefined && sameVersion && !fault.noRange;
  const start = isPart ? entry.from : 0;
  entry.status = isPart ? 206 : 200;
  const headers = { "Content-Length": bytes.length - start, "Content-Type": "application/octet-stream" };
  if (!fault.noRange) Object.assign(headers, { ETag: etag, "Accept-Ranges": "bytes" });
  if (isPart) headers["Content-Range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  response.writeHead(entry.status, headers);
  let body = bytes.subarray(start);
  if (fault.wrong) (body = Buffer.from(body))[0] ^= 1;
  const step = fault.bytesPerSecond ? Math.ceil(fault.bytesPerSecond / 20) : 256 * 1024;
  const end = Math.min(body.length, fault.cutAfter ?? fault.stallAfter ?? body.length);
  for (let at = 0; at < end; at += step) {
    if (response.destroyed) return;
    const piece = body.subarray(at, Math.min(at + step, end));
    if (!response.write(piece)) await roomIn(response);
    entry.sent += piece.length;
    if (fault.bytesPerSecond) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (fault.stallAfter !== undefined) return;
  if (fault.cutAfter !== undefined) {
    // What was written has to leave, and a busy tab has to read it, first.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    return void response.destroy();
  }
  response.end();
}
