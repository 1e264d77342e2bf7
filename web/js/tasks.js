// The benchmark's task files, kept in this browser until the visitor forgets them. In a cache of the browser's own: they are too
// large for its small storage. Without encryption there is none, and nothing is kept.

const NAME = "tasks";

/** Keeps the text of a file under its name. */
export async function keepTasks(name, text) {
  const store = await globalThis.caches?.open(NAME);
  await store?.put(`./${NAME}/${encodeURIComponent(name)}`, new Response(text));
}

/** What is kept, as `[name, text]`, in the order in which it came. */
export async function keptTasks() {
  if (!(await globalThis.caches?.has(NAME))) return [];
  const store = await caches.open(NAME);
  const files = [];
  for (const request of await store.keys()) {
    const kept = await store.match(request);
    files.push([decodeURIComponent(request.url.split("/").pop()), await kept.text()]);
  }
  return files;
}

/** Forgets all of it. */
export async function forgetTasks() {
  await globalThis.caches?.delete(NAME);
}
