// Small copies of pictures, drawn by a worker of their own, because a large photograph would hold the page up; and posters.
// For the eye only: what is judged is decoded in Rust.

/** The worker's whole program. */
function drawing() {
  onmessage = async ({ data: { id, file, maxSide } }) => {
    let url;
    try {
      const bitmap = await createImageBitmap(file);
      const scale = Math.min(1, maxSide / Math.max(bitmap.width, bitmap.height, 1));
      const side = (pixels) => Math.max(1, Math.round(pixels * scale));
      const canvas = new OffscreenCanvas(side(bitmap.width), side(bitmap.height));
      const context = canvas.getContext("2d");
      // JPEG knows no transparency.
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      bitmap.close();
      url = new FileReaderSync().readAsDataURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 }));
    } catch {
      // The browser does not know the format.
    }
    postMessage({ id, url });
  };
}

let worker;
let nextId = 0;
/** What to call with a picture, by its number. */
const waiting = new Map();

function start() {
  worker = new Worker(URL.createObjectURL(new Blob([`(${drawing})()`], { type: "text/javascript" })));
  const settle = (id, url) => {
    waiting.get(id)?.(url);
    waiting.delete(id);
  };
  worker.onmessage = ({ data: { id, url } }) => settle(id, url);
  worker.onerror = () => {
    for (const id of [...waiting.keys()]) settle(id);
    worker = undefined;
  };
}

/** A JPEG of at most `maxSide` pixels a side as a `data:` address; undefined for what the browser cannot decode. */
export function smallCopy(file, maxSide) {
  if (!worker) start();
  return new Promise((resolve) => {
    const id = nextId++;
    waiting.set(id, resolve);
    worker.postMessage({ id, file, maxSide });
  });
}

/** An SVG text drawn into a PNG, as a `data:` address. */
export async function pngOfSvg(svg, width, height) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL();
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** Lets the page draw and answer before the next piece of long work. */
export const breathe = () => new Promise((resolve) => setTimeout(resolve));
