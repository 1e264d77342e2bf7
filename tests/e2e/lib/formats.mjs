// Files of kinds that visitors bring, written here byte by byte from one of the project's own photos and from nothing.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, deflateSync } from "node:zlib";
import { scratch } from "./paths.mjs";

const folder = join(scratch, "formats");

/** Writes a file among those of the tests; its path. */
export function write(name, bytes) {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** CRC-32 of the bytes; older Node.js has no function for it. */
function checksum(bytes) {
  if (crc32) return crc32(bytes);
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

const be32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number >>> 0);
  return bytes;
};

/** A PNG: `rows` are the unfiltered rows, `kind` its colour type; further chunks come before the pixels. */
export function png({ width, height, kind, bits = 8, rows, chunks = [] }) {
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    return Buffer.concat([be32(data.length), body, be32(checksum(body))]);
  };
  const header = Buffer.concat([be32(width), be32(height), Buffer.from([bits, kind, 0, 0, 0])]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...chunks.map(([name, data]) => chunk(name, data)),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A round gradient, opaque in the middle where `hasAlpha`, with or without a colour profile. */
export function drawnPng({ side = 320, hasAlpha = false, profile }) {
  const depth = hasAlpha ? 4 : 3;
  const rows = Buffer.alloc(side * (side * depth + 1));
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const far = Math.hypot(x - side / 2, y - side / 2) / (side / 2);
      const pixel = [220 - 120 * far, 60 + 90 * far, 40 + (160 * x) / side, far < 0.9 ? 255 : 0];
      for (let at = 0; at < depth; at += 1) rows[y * (side * depth + 1) + 1 + x * depth + at] = Math.max(0, pixel[at]);
    }
  }
  const chunks = profile ? [["iCCP", Buffer.concat([Buffer.from("wide\0\0", "latin1"), deflateSync(profile)])]] : [];
  return png({ width: side, height: side, kind: hasAlpha ? 6 : 2, rows, chunks });
}

/** A white picture of one bit a pixel: few bytes, as many pixels as wanted. */
export function hugePng(side) {
  const row = Math.ceil(side / 8) + 1;
  const rows = Buffer.alloc(row * side, 0xff);
  for (let y = 0; y < side; y += 1) rows[y * row] = 0;
  return png({ width: side, height: side, kind: 0, bits: 1, rows });
}

/** An ICC profile of a wide colour space (Adobe's primaries, gamma 2.2). */
export function wideProfile() {
  const s15 = (number) => be32(Math.round(number * 65536));
  const xyz = (...values) => Buffer.concat([Buffer.from("XYZ \0\0\0\0"), ...values.map(s15)]);
  const curve = Buffer.concat([Buffer.from("curv\0\0\0\0"), be32(1), Buffer.from([2, 0x33, 0, 0])]);
  const tags = [
    ["rXYZ", xyz(0.60974, 0.31111, 0.01947)],
    ["gXYZ", xyz(0.20528, 0.62567, 0.06087)],
    ["bXYZ", xyz(0.14919, 0.06322, 0.74457)],
    ["wtpt", xyz(0.9642, 1, 0.8249)],
    ...["rTRC", "gTRC", "bTRC"].map((name) => [name, curve]),
  ];
  let at = 128 + 4 + 12 * tags.length;
  const table = tags.map(([name, data]) => {
    const entry = Buffer.concat([Buffer.from(name), be32(at), be32(data.length)]);
    at += data.length;
    return entry;
  });
  const head = Buffer.alloc(128);
  head.writeUInt32BE(at, 0);
  head.writeUInt32BE(0x02100000, 8);
  head.write("mntrRGB XYZ ", 12);
  head.write("acsp", 36);
  [0.9642, 1, 0.8249].forEach((value, idx) => s15(value).copy(head, 68 + 4 * idx));
  return Buffer.concat([head, be32(tags.length), ...table, ...tags.map(([, data]) => data)]);
}

/** A JPEG with an EXIF block that says: turn me by 90 degrees. */
export function turnedJpeg(photo) {
  const bytes = readFileSync(photo);
  const tiff = Buffer.from("4d4d002a000000080001011200030000000100060000" + "00000000", "hex");
  const block = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
  const length = Buffer.from([(block.length + 2) >> 8, (block.length + 2) & 0xff]);
  return Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, block, bytes.subarray(2)]);
}

/** A JPEG with the profile of a wide colour space. */
export function wideJpeg(photo) {
  const bytes = readFileSync(photo);
  const block = Buffer.concat([Buffer.from("ICC_PROFILE\0\x01\x01", "latin1"), wideProfile()]);
  const length = Buffer.from([(block.length + 2) >> 8, (block.length + 2) & 0xff]);
  return Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xe2]), length, block, bytes.subarray(2)]);
}

/**
 * A ZIP archive of `{name, bytes}`; `isStored` leaves an entry unpacked. `size` and `flags` let an entry lie, `nameBytes` writes
 * its name in another encoding.
 */
export function zip(entries) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const { name, bytes, isStored = false, size = bytes.length, flags = 0, method, nameBytes } of entries) {
    const packed = isStored ? bytes : deflateRawSync(bytes);
    const title = nameBytes ?? Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(method ?? (isStored ? 0 : 8), 4);
    fields.writeUInt32LE(checksum(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(title.length, 22);
    const offset = Buffer.alloc(4);
    offset.writeUInt32LE(at);
    parts.push(Buffer.from("PK\x03\x04"), fields, title, packed);
    directory.push(Buffer.from("PK\x01\x02\x14\0"), fields, Buffer.alloc(10), offset, title);
    at += 4 + fields.length + title.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, list, Buffer.from("PK\x05\x06"), end]);
}
