// The page as a visitor uses it: open, choose a task, drop files, read verdicts.

import { readFileSync } from "node:fs";
import { insecureHost, launch } from "./browser.mjs";
import { watch } from "./watch.mjs";

/** Software GPUs are slow and CI has two cores: long enough for the shipped model there. */
const PATIENCE_MILLIS = 8 * 60_000;

/**
 * Open the page in a browser of its own; `webgpu` as in `launch`, `inWorker` a script that the worker runs before its own. Without a
 * service worker, unless it is what is tested: what a test sees are then the page's own requests.
 */
export async function openApp(server, { webgpu, query = "", viewport = { width: 1280, height: 900 }, permissions = [], inWorker, exposesGc, serviceWorkers = "block" }) {
  const browser = await launch({ webgpu, exposesGc });
  const context = await browser.newContext({ viewport, locale: "en-US", permissions, serviceWorkers });
  const page = await context.newPage();
  const watched = watch(page);
  page.setDefaultTimeout(PATIENCE_MILLIS);
  if (inWorker) await runBefore(page, inWorker);
  const openedAt = performance.now();
  const url = webgpu === "absent" ? server.url.replace("127.0.0.1", insecureHost) : server.url;
  await page.goto(`${url}${query}`);
  const app = new App(page, watched, browser);
  app.openedAt = openedAt;
  return app;
}

/** Imports come first in a module, whatever stands before them; the loader starts the worker's code only after them. */
function runBefore(page, script) {
  return page.route("**/servimage-worker_loader.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script}\n${await response.text()}` });
  });
}

export class App {
  constructor(page, watched, browser) {
    Object.assign(this, { page, watched, browser });
  }

  /** Wait until the model is ready or has failed; which of the two. */
  async modelState() {
    const settled = '[data-testid="model-status"]:is([data-state="ready"],[data-state="failed"])';
    await this.page.waitForSelector(settled);
    return this.page.getByTestId("model-status").getAttribute("data-state");
  }

  /** What the page says about its model. */
  async modelSentence() {
    return this.page.getByTestId("model-status").innerText();
  }

  /** Wait for the model; from then on the network must be silent. */
  async ready() {
    if ((await this.modelState()) !== "ready") {
      throw new Error(`the model failed to load: ${await this.modelSentence()}`);
    }
    this.watched.markReady();
    return this;
  }

  /** What the browser itself says: `absent`, `no-adapter`, or `adapter`. */
  async webgpu() {
    return this.page.evaluate(async () => {
      if (!navigator.gpu) return "absent";
      return (await navigator.gpu.requestAdapter()) ? "adapter" : "no-adapter";
    });
  }

  async deviceLabel() {
    return this.page.getByTestId("device-label").innerText();
  }

  /** Choose a task by its id, and a deliverable (1-based) where it has several. */
  async chooseTask(taskId, deliverable = 1) {
    const tasks = this.page.getByTestId("task-select");
    // A long list is drawn as far as it is scrolled; a search finds the rest.
    if ((await tasks.locator(`option[value="${taskId}"]`).count()) === 0) await this.page.getByTestId("task-search").fill(taskId);
    await tasks.selectOption(taskId);
    const select = this.page.getByTestId("deliverable-select");
    if (await select.isVisible()) await select.selectOption(String(deliverable));
  }

  /** Wait until the worker has read the brief of the chosen deliverable. */
  async prepared() {
    await this.page.waitForSelector('[data-testid="model-status"][data-prepared="true"]');
  }

  /** Drop files from disk onto the drop area, as the system's file manager does. */
  async drop(paths) {
    const zone = this.page.getByTestId("drop-zone");
    await zone.scrollIntoViewIfNeeded();
    const box = await zone.boundingBox();
    const session = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 80)];
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await session.send("Input.dispatchDragEvent", { type, x, y, data });
    }
    await session.detach();
  }

  card(name) {
    return this.page.locator(`[data-testid="queue-card"][data-name="${name}"]`);
  }

  /** Wait until the card of this file is done or failed. */
  async settled(name) {
    const end = ':is([data-state="done"],[data-state="failed"])';
    await this.page.waitForSelector(`[data-testid="queue-card"][data-name="${name}"]${end}`);
    return this.card(name);
  }

  /** The verdict of a file, as the page exports it. */
  async verdict(name) {
    const card = await this.settled(name);
    if ((await card.getAttribute("data-state")) !== "done") {
      throw new Error(`${name} failed: ${await card.getByTestId("card-error").innerText()}`);
    }
    return JSON.parse(await card.getByTestId("verdict-json").getAttribute("data-json"));
  }

  /** Wait until so many images were judged, seen or not: the page draws only the cards in sight. */
  async judged(count) {
    await this.page.waitForFunction((wanted) => {
      const words = document.querySelector('[data-testid="queue-counts"]')?.innerText ?? "";
      return Number(words.match(/^[\d,]+/)?.[0].replaceAll(",", "")) >= wanted;
    }, count);
  }

  /** Milliseconds that the worker took for a file, without the page. */
  async workMillis(name) {
    const card = await this.settled(name);
    return Number(await card.getByTestId("provenance").getAttribute("data-work-millis"));
  }

  /** Most bytes that the worker's WebAssembly memory took while the model was loaded. */
  async heapBytes() {
    return Number(await this.page.getByTestId("model-shape").getAttribute("data-heap-bytes"));
  }

  /** P(pay) as the card shows it. */
  async shownPay(name) {
    return Number(await this.card(name).getByTestId("p-pay").getAttribute("data-value"));
  }

  /** The sentence on the card of a file that failed. */
  async failure(name) {
    const card = await this.settled(name);
    return card.getByTestId("card-error").innerText();
  }

  /** Rows of a downloaded JSON Lines file. */
  async downloadedRows(download) {
    const text = readFileSync(await download.path(), "utf8");
    return text.trim().split("\n").map((line) => JSON.parse(line));
  }

  async selfTest() {
    return JSON.parse(await this.page.getByTestId("self-test").getAttribute("data-report"));
  }

  async requestCounter() {
    return Number(await this.page.getByTestId("request-counter").getAttribute("data-count"));
  }

  close() {
    return this.browser.close();
  }
}
