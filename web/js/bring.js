// What visitors bring, however they bring it, as a flat list of `[path, File]` or `[path, null, why]`: drops with their
// folders, chosen files, the clipboard. ZIP archives are unpacked; SVG drawings, which no decoder here reads, are drawn.

/** Shorter sides of a drawing are made this long: a verdict wants pixels. */
const MIN_DRAWN_SIDE = 1024;

const isZip = (file) => /\.zip$/i.test(file.name);
const isSvg = (file) => file.type === "image/svg+xml" || /\.svg$/i.test(file.name);
/** Pixels, drawings, and the benchmark's tables: nothing else of an archive is worth its memory. */
const isWanted = (path) => /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf]|jxl|svg|json)$/i.test(path);

/** The drawing as a PNG under its own name, with `drawnFrom` for the verdict: the browser is its decoder. */
async function draw(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file.type ? file : new Blob([file], { type: "image/svg+xml" }));
  try {
    await image.decode();
    const [width, height] = [image.naturalWidth || 300, image.naturalHeight || 150];
    const scale = Math.max(1, MIN_DRAWN_SIDE / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return Object.assign(new File([await canvas.convertToBlob()], file.name, { type: "image/png" }), { drawnFrom: "SVG" });
  } catch {
    return file;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** Archives opened and drawings drawn, the rest as it is. */
async function opened(files) {
  const all = [];
  for (const [path, file] of files) {
    const inside = isZip(file) ? await unzip(file, path, isWanted) : [[path, file]];
    for (const [path, file, why] of inside) all.push([path, file && isSvg(file) ? await draw(file) : file, why]);
  }
  return all;
}

const promised = (call) => new Promise((resolve, reject) => call(resolve, reject));

/** All entries of a folder: Chromium gives at most 100 a call and an empty list at the end. */
async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const batch = await promised((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}

async function walk(entries) {
  const files = [];
  for (const entry of entries) {
    if (entry.isDirectory) {
      files.push(...(await walk(await children(entry))));
      continue;
    }
    const file = await promised((resolve, reject) => entry.file(resolve, reject)).catch(() => null);
    if (file) files.push([entry.fullPath.replace(/^\//, ""), file]);
  }
  return files;
}

/** Files of a list; those of a directory input carry their path. */
export function ofList(list) {
  return opened(Array.from(list, (file) => [file.webkitRelativePath || file.name, file]));
}

/**
 * Files of a drop. Taken synchronously, because the browser empties the transfer when the event's handler returns. Only
 * what has no type can be a folder: asking Chromium for the entry of each of 500 files would hold the page up.
 */
export function ofDrop(transfer) {
  const files = [];
  const entries = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.type ? null : item.webkitGetAsEntry?.();
    if (entry) entries.push(entry);
    else files.push(item.getAsFile());
  }
  return walk(entries).then((walked) => opened([...files.filter(Boolean).map((file) => [file.name, file]), ...walked]));
}

/** Images of the clipboard; the browser may ask the visitor first. */
export async function ofClipboard() {
  const files = [];
  for (const item of await navigator.clipboard.read()) {
    const type = item.types.find((type) => type.startsWith("image/"));
    if (type) files.push(new File([await item.getType(type)], `clipboard-${files.length + 1}.${type.slice(6).replace("+xml", "")}`, { type }));
  }
  return opened(files.map((file) => [file.name, file]));
}

// ZIP archives, read in place: the directory at the end of the file, then each entry by the browser's own inflater.
// Nothing is trusted: sizes are bounded before and while an entry is unpacked.

/** More entries than any folder of candidates has; an archive beyond is refused. */
export const MAX_ENTRIES = 5000;
/** Bytes that all entries may unpack to. */
export const MAX_BYTES = 2_000_000_000;

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record and the longest comment behind it. */
const END_BYTES = 22 + 0xffff;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const UTF8 = 0x800;

const view = async (blob) => new DataView(await blob.arrayBuffer());

/** Letters that hardly any name has, but that GBK bytes which happen to be UTF-8 turn into: "图片" would be "ͼƬ". */
const CHANCE = /[\u0180-\u02ff]/;

/** Names of archives made on Chinese Windows are GBK, those of others UTF-8; a flag says so, but not all set it. */
function nameOf(bytes, flags) {
  try {
    const name = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (flags & UTF8 || !CHANCE.test(name)) return name;
  } catch {
    // Not UTF-8.
  }
  return new TextDecoder("gb18030").decode(bytes);
}

/** Where the directory lies and how many entries it has. */
async function findDirectory(blob) {
  const start = Math.max(0, blob.size - END_BYTES);
  const tail = await view(blob.slice(start));
  for (let at = tail.byteLength - 22; at >= 0; at -= 1) {
    if (tail.getUint32(at, true) !== END) continue;
    const count = tail.getUint16(at + 10, true);
    const bytes = tail.getUint32(at + 12, true);
    const offset = tail.getUint32(at + 16, true);
    if (count === 0xffff || offset === 0xffffffff) throw new Error("it is a ZIP64 archive; expected one below 4 GB and 65,535 files");
    if (offset + bytes > start + at) throw new Error("its directory lies outside of the file: it is cut off or damaged");
    if (count > MAX_ENTRIES) throw new Error(`it holds ${count} files; at most ${MAX_ENTRIES} are read`);
    return { count, bytes, offset };
  }
  throw new Error("it has no directory at its end: it is cut off or no ZIP archive");
}

/** The entries of the directory that are files. */
async function entriesOf(blob) {
  const { count, bytes, offset } = await findDirectory(blob);
  const directory = await view(blob.slice(offset, offset + bytes));
  const entries = [];
  for (let at = 0; entries.length < count && at + 46 <= directory.byteLength; ) {
    if (directory.getUint32(at, true) !== ENTRY) throw new Error("its directory is damaged");
    const u16 = (from) => directory.getUint16(at + from, true);
    const u32 = (from) => directory.getUint32(at + from, true);
    const name = nameOf(new Uint8Array(directory.buffer, at + 46, Math.min(u16(28), directory.byteLength - at - 46)), u16(8));
    entries.push({ name, flags: u16(8), method: u16(10), packed: u32(20), size: u32(24), at: u32(42) });
    at += 46 + u16(28) + u16(30) + u16(32);
  }
  return entries.filter(({ name }) => !name.endsWith("/") && !name.startsWith("__MACOSX/"));
}

/** The bytes of a stream, which must be exactly `size`: a lying archive cannot unpack to more. */
async function collect(stream, size) {
  const parts = [];
  let total = 0;
  for (let reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > size) {
      await reader.cancel();
      break;
    }
    parts.push(value);
  }
  if (total !== size) throw new Error(`expected ${size} bytes, found ${total > size ? "more" : total}`);
  return parts;
}

async function unpack(blob, { name, flags, method, packed, size, at }) {
  const head = await view(blob.slice(at, at + 30));
  if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw new Error("it does not lie where the directory says");
  if (flags & ENCRYPTED) throw new Error("it is encrypted");
  const from = at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const bytes = blob.slice(from, from + packed);
  let parts = [bytes];
  if (method === DEFLATED) parts = await collect(bytes.stream().pipeThrough(new DecompressionStream("deflate-raw")), size);
  else if (method !== STORED) throw new Error(`it is packed by method ${method}; stored and deflated are read`);
  else if (bytes.size !== size) throw new Error("it breaks off before its end");
  return new File(parts, name.split("/").pop());
}

/**
 * All files of an archive as `[path, File]`; what cannot be unpacked is `[path, null, why]` in its place, and so is an
 * archive that cannot be read at all. Only names that `wanted` likes are unpacked, the others are empty.
 */
export async function unzip(blob, name, wanted = () => true) {
  try {
    const entries = await entriesOf(blob);
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    if (total > MAX_BYTES) throw new Error(`it unpacks to ${total} bytes; at most ${MAX_BYTES} are read`);
    const stem = name.replace(/\.zip$/i, "");
    const files = [];
    for (const entry of entries) {
      const path = `${stem}/${entry.name.replaceAll("\\", "/")}`;
      if (!wanted(path)) {
        // Without its bytes: the page counts and names what it leaves out.
        files.push([path, new File([], path.split("/").pop())]);
        continue;
      }
      try {
        files.push([path, await unpack(blob, entry)]);
      } catch (error) {
        files.push([path, null, error.message]);
      }
    }
    return files;
  } catch (error) {
    return [[name, null, error.message]];
  }
}
