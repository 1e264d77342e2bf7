// What the page fetches of its own before the model loads, so that it needs no request later: texts, samples, the model card.

const texts = {};

/** The page's sentences in a language (`en` or `zh`), in the file's order; asked for once. */
export function textsOf(language) {
  // Never those of a version that the browser kept from an earlier visit.
  texts[language] ??= fetch(`./texts/${language}.json`, { cache: "no-cache" }).then(async (response) => {
    if (!response.ok) throw new Error(`texts/${language}.json: ${response.status}`);
    return Object.values(await response.json());
  });
  texts[language].catch(() => delete texts[language]);
  return texts[language];
}

/** Longest wait for the page's files to be kept, in milliseconds. */
const PATIENCE_MILLIS = 20_000;

/**
 * Has a service worker keep the page's own files, so that the next visit needs no network. Waits for it, because later the page makes
 * no request; a browser that refuses keeps nothing.
 */
export async function keepShell() {
  const registration = await navigator.serviceWorker?.register("./sw.js");
  const worker = registration?.installing;
  if (!worker) return;
  await new Promise((resolve) => {
    worker.addEventListener("statechange", () => worker.state !== "installing" && resolve());
    setTimeout(resolve, PATIENCE_MILLIS);
  });
}

/** Samples that are there, as `[File, English title, Chinese title]`. */
export async function samples() {
  const get = async (name) => {
    const response = await fetch(`./samples/${name}`);
    if (!response.ok) throw new Error("not there");
    return response;
  };
  const index = await get("index.json").then((response) => response.json()).catch(() => []);
  const all = [];
  for (const { file, title_en, title_zh } of index) {
    const blob = await get(file).then((response) => response.blob()).catch(() => null);
    if (blob) all.push([new File([blob], file, { type: blob.type }), title_en, title_zh]);
  }
  return all;
}

/** The model card of the pack that ships, as Markdown. Others may have none, and asking in vain would be an error of the console. */
export async function shippedCard() {
  const response = await fetch("./models/nano/README.md").catch(() => null);
  const isText = response?.ok && !/html/.test(response.headers.get("content-type") ?? "");
  return isText ? response.text() : "";
}
