// Lets the page open with the network off: keeps its own files and the model that ships with it, never the weights of another one.
// With the network on, everything comes from there. `cargo xtask` puts in which files there are, and a hash over all of them.

const FILES = "FILES";
const CACHE = "shell-VERSION";

const index = new URL("index.html", registration.scope).href;
const kept = new Set(FILES.map((file) => new URL(file, registration.scope).href));

async function keepAll() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...kept].map((url) => new Request(url, { cache: "no-cache" })));
}

async function forgetOthers() {
  const shells = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== CACHE);
  await Promise.all(shells.map((name) => caches.delete(name)));
}

/** What is kept for a request: the page itself whatever its address says behind the path. */
function keyOf({ mode, url }) {
  const { origin, pathname } = new URL(url);
  const bare = origin + pathname;
  if (mode === "navigate" && (bare === registration.scope || bare === index)) return index;
  return kept.has(bare) ? bare : undefined;
}

addEventListener("install", (event) => event.waitUntil(keepAll()));
addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
addEventListener("fetch", (event) => {
  const key = event.request.method === "GET" ? keyOf(event.request) : undefined;
  if (!key) return;
  const fromHere = async () => (await (await caches.open(CACHE)).match(key)) ?? Response.error();
  event.respondWith(fetch(event.request).catch(fromHere));
});
