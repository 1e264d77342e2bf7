// The page's own ZIP reader against honest and hostile archives; no browser is needed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { zip } from "./lib/formats.mjs";
import { MAX_ENTRIES, unzip } from "../../web/js/bring.js";

const words = Buffer.from("a picture, or so it says. ".repeat(400));
const read = (bytes, wanted) => unzip(new Blob([bytes]), "a.zip", wanted);
const why = async (bytes) => {
  const files = await read(bytes);
  assert.equal(files.length, 1);
  assert.equal(files[0][1], null);
  return files[0][2];
};

test("stored and deflated entries come back byte by byte, under the archive's name", async () => {
  const files = await read(zip([
    { name: "in/", bytes: Buffer.alloc(0), isStored: true },
    { name: "in/one.png", bytes: words },
    { name: "two.png", bytes: words, isStored: true },
    { name: "__MACOSX/._two.png", bytes: words },
  ]));
  assert.deepEqual(files.map(([path]) => path), ["a/in/one.png", "a/two.png"]);
  for (const [, file] of files) assert.deepEqual(Buffer.from(await file.arrayBuffer()), words);
});

test("only what is wanted is unpacked", async () => {
  const files = await read(zip([{ name: "a.txt", bytes: words }, { name: "b.png", bytes: words }]), (path) => path.endsWith(".png"));
  assert.deepEqual(files.map(([path, file]) => [path, file.size]), [["a/a.txt", 0], ["a/b.png", words.length]]);
});

test("a Chinese name in GBK and one in UTF-8 are both read", async () => {
  const files = await read(zip([
    { nameBytes: Buffer.from("cdbcc6ac2e706e67", "hex"), bytes: words },
    { name: "图片2.png", flags: 0x800, bytes: words },
  ]));
  assert.deepEqual(files.map(([path]) => path), ["a/图片.png", "a/图片2.png"]);
});

test("an entry that unpacks to more, or to less, than it says is refused", async () => {
  assert.match(await why(zip([{ name: "bomb.png", bytes: Buffer.alloc(4_000_000), size: 100 }])), /expected 100 bytes, found more/);
  assert.match(await why(zip([{ name: "short.png", bytes: words, size: words.length + 1 }])), /expected/);
});

test("an archive that would unpack to more than the page holds is refused before anything is unpacked", async () => {
  const big = Array.from({ length: 3 }, (_, idx) => ({ name: `${idx}.png`, bytes: words, size: 900_000_000 }));
  assert.match(await why(zip(big)), /unpacks to 2700000000 bytes/);
});

test("encrypted, strangely packed and damaged entries say what they are", async () => {
  assert.match(await why(zip([{ name: "a.png", bytes: words, flags: 1 }])), /encrypted/);
  assert.match(await why(zip([{ name: "a.png", bytes: words, method: 99 }])), /method 99/);
  const cut = zip([{ name: "a.png", bytes: words }]);
  assert.match(await why(cut.subarray(0, cut.length - 30)), /no directory at its end/);
  cut.writeUInt32LE(0x7fffffff, cut.length - 6);
  assert.match(await why(cut), /outside of the file/);
  assert.match(await why(Buffer.from("hello")), /no directory/);
});

test("an archive of too many files is refused", async () => {
  const bytes = zip([{ name: "a.png", bytes: words }]);
  bytes.writeUInt16LE(MAX_ENTRIES + 1, bytes.length - 12);
  assert.match(await why(bytes), new RegExp(`at most ${MAX_ENTRIES}`));
});
