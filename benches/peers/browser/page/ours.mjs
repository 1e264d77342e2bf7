// Our worker, as the page starts it, without the page's own drawing.
//
// Times are those of a caller: from the message that asks for a verdict to the one that brings it.

const here = (path) => new URL(path, location.href).href;

/** Sends the worker messages and waits for its answers. */
class Port {
  constructor() {
    const script = new Blob([`import ${JSON.stringify(here("/ours/servimage-worker_loader.js"))};`], { type: "text/javascript" });
    this.worker = new Worker(URL.createObjectURL(script), { type: "module" });
  }

  /** The first message of one of these kinds; the worker's own errors are errors. */
  async answer(...kinds) {
    return new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(event.message ?? "the worker's code did not load"));
      this.worker.onmessage = ({ data }) => {
        if (kinds.includes(data.kind)) resolve(data);
        else if (data.error) reject(new Error(data.error.message));
      };
    });
  }

  post(request) {
    this.worker.postMessage(request);
  }
}

/** The task under another price: a prompt of the same length whose start nobody has seen. */
function repriced(task, price) {
  const other = structuredClone(task);
  other.original_task_data.price_usd = price;
  for (const deliverable of other.hard_rules.deliverables) deliverable.price_usd = `$${price}.00`;
  return other;
}

async function fileOf(path, name) {
  return new File([await fetch(path).then((answer) => answer.blob())], name);
}

/** What the page would say, from the logits that the reference gives; nothing where the reference was not run. */
async function expectedPay(prompt) {
  const answer = await fetch(`/models/onnx/expected-${prompt}.json`);
  return answer.ok ? (await answer.json()).p_pay : null;
}

export async function load(query) {
  const prompt = query.get("prompt");
  const port = new Port();
  await port.answer("started");
  const ready = port.answer("ready");
  port.post({ kind: "load", pack_url: here(`/pack/${prompt}/`), device: query.get("device") });
  const { pack } = await ready;
  let task, files, job = 0;
  const evaluate = async (way) => {
    task ??= await fetch(`/inputs/task-${prompt}.json`).then((answer) => answer.json());
    files ??= { pixels: await fileOf("/inputs/pixels.bmp", "pixels.bmp"), photo: await fileOf(query.get("photo"), "photo.jpg") };
    job += 1;
    const asked = way === "whole" ? repriced(task, 100 + (job % 899)) : task;
    const done = port.answer("job_done");
    const image = way === "photo" ? files.photo : files.pixels;
    const request = { kind: "score", job_id: job, task_json: JSON.stringify(asked), deliverable: 1, image_name: image.name, files: { image } };
    const start = performance.now();
    port.post(request);
    const { verdict } = await done;
    const millis = performance.now() - start;
    const expected = way === "further" ? await expectedPay(prompt) : null;
    const check = expected === null ? null : Math.abs(verdict.p_pay - expected);
    return { millis, check };
  };
  return { evaluate, runtime: `servimage on ${pack.device}, ${pack.quant}` };
}
