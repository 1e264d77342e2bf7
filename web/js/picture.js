// Small copies of pictures and posters, drawn on a canvas. For the eye only: what is judged is decoded in Rust.

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return [canvas, canvas.getContext("2d")];
}

/** A JPEG of at most `maxSide` pixels a side as a `data:` address; undefined for what the browser cannot decode. */
export async function smallCopy(file, maxSide) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return undefined;
  const scale = Math.min(1, maxSide / Math.max(bitmap.width, bitmap.height, 1));
  const side = (pixels) => Math.max(1, Math.round(pixels * scale));
  const [canvas, context] = canvasOf(side(bitmap.width), side(bitmap.height));
  // JPEG knows no transparency.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg");
}

/** An SVG text drawn into a PNG, as a `data:` address. */
export async function pngOfSvg(svg, width, height) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    await image.decode();
    const [canvas, context] = canvasOf(width, height);
    context.drawImage(image, 0, 0);
    return canvas.toDataURL();
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
