// Loads one contender and leaves two things behind: `contender`, a promise of what it is once it is ready, and `evaluate(way)`.
//
// Milliseconds of `ready_millis` are counted from the start of the navigation.

const query = new URLSearchParams(location.search);
const words = (error) => ({ error: String(error?.message ?? error) });

async function load() {
  const { load } = await import(`./${query.get("page")}.mjs`);
  const { evaluate, runtime } = await load(query);
  globalThis.evaluate = (way) => evaluate(way).catch(words);
  return { ready_millis: performance.now(), runtime };
}

globalThis.contender = load().catch(words);
