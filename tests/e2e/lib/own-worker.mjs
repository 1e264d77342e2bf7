// A second worker in the page's tab, driven without the page: it loads what it is told, as often as it is told.

/** A brief of the tests' own, in the benchmark's form. */
const task = {
  task_id: "own-worker",
  task_category: "B-Product",
  original_task_data: { requirements_original: "A bottle on a plain background.", output_quantity: 1, price_usd: 20 },
};

export class OwnWorker {
  constructor(page, handle) {
    Object.assign(this, { page, handle });
  }

  /** Starts it and waits for its first word. */
  static async start(app) {
    const { page } = app;
    const seen = page.waitForEvent("worker");
    await page.evaluate(async () => {
      const loader = new URL("./servimage-worker_loader.js", document.baseURI).href;
      const script = new Blob([`import "${loader}";`], { type: "text/javascript" });
      const worker = new Worker(URL.createObjectURL(script), { type: "module" });
      const waiting = [];
      const told = (data) => (typeof data === "string" ? { kind: data } : Object.entries(data).map(([kind, fields]) => ({ kind, ...fields }))[0]);
      worker.onmessage = ({ data }) => waiting.splice(0).forEach((take) => take(told(data)));
      worker.onerror = ({ message }) => waiting.splice(0).forEach((take) => take({ kind: "broken", message }));
      /** The first message that is of one of these kinds; `request` is posted before. */
      window.ownWorker = async (kinds, request) => {
        if (request) worker.postMessage(request);
        for (;;) {
          const message = await new Promise((resolve) => waiting.push(resolve));
          if (kinds.includes(message.kind)) return message;
        }
      };
      await ownWorker(["started"]);
    });
    return new OwnWorker(page, await seen);
  }

  /** Loads a pack in the place of another; what the worker says of it. */
  async load(path, device) {
    const answer = await this.page.evaluate(([path, device]) => {
      const pack_url = new URL(path, location.origin).href;
      return ownWorker(["ready", "load_failed", "broken"], { kind: "load", pack_url, device });
    }, [path, device]);
    if (answer.kind !== "ready") throw new Error(answer.message ?? answer.error.message);
    return answer.pack;
  }

  /** The verdict on a picture of the server. */
  async score(url) {
    const answer = await this.page.evaluate(async ([url, task]) => {
      const image = new File([await (await fetch(url)).blob()], "image.jpg");
      const job = { kind: "score", job_id: 1, task_json: JSON.stringify(task), deliverable: 1, image_name: image.name };
      return ownWorker(["job_done", "job_failed", "broken"], { ...job, files: { image, others: [], references: [] } });
    }, [url, task]);
    if (answer.kind !== "job_done") throw new Error(answer.message ?? answer.error.message);
    return answer.verdict;
  }
}
