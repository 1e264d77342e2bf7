// The files that visitors bring: good ones and broken ones.

import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, scratch } from "./paths.mjs";

/** JPEG files that the project rendered itself, smallest name first. */
export function photos() {
  const folders = [join(root, "tests", "fixtures"), join(root, "public", "samples")];
  const found = folders.filter(existsSync).flatMap((folder) => {
    const names = readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name)).sort();
    return names.map((name) => join(folder, name));
  });
  if (found.length === 0) throw new Error(`no JPEG file in ${folders.join(" or ")}`);
  return found;
}

/** The same photo under other names, in the order of their names: the page judges each file anew. */
export function copiesOf(photo, count, stem = "copy") {
  const folder = join(scratch, "copies");
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: count }, (_, index) => {
    const path = join(folder, `${stem}-${String(index).padStart(2, "0")}.jpg`);
    copyFileSync(photo, path);
    return path;
  });
}

/** Files that look like images and are none: a text, half a photo, nothing. */
export function brokenFiles() {
  const folder = join(scratch, "broken");
  mkdirSync(folder, { recursive: true });
  const photo = readFileSync(photos()[0]);
  const contents = {
    "notes.png": Buffer.from("Dear client, please find attached everything but an image.\n"),
    "half.jpg": photo.subarray(0, Math.floor(photo.length / 2)),
    "empty.png": Buffer.alloc(0),
  };
  return Object.entries(contents).map(([name, bytes]) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  });
}
