// However images are brought and in whatever format: real files of each kind, to their verdict or to a sentence.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { photos } from "./lib/files.mjs";
import { drawnPng, hugePng, turnedJpeg, wideJpeg, wideProfile, write, zip } from "./lib/formats.mjs";
import { existing, root, scratch } from "./lib/paths.mjs";
import { startServer } from "./lib/server.mjs";

const photo = photos()[0];
const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30" width="40" height="30"><rect width="40" height="30" fill="#dfe8d0"/><circle cx="20" cy="15" r="9" fill="#b3401f"/></svg>';

let server, app;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter", permissions: ["clipboard-read", "clipboard-write"] });
  await app.ready();
  await app.chooseTask("starter-product-001");
});
after(async () => {
  await app?.close();
  server?.stop();
});

const notes = async (name) => app.card(name).getByTestId("image-notes").locator("li").evaluateAll((all) => all.map((one) => one.dataset.note));

/** Drop one file, wait for its verdict. */
async function judge(path) {
  await app.drop([path]);
  return app.verdict(path.split("/").pop());
}

test("a ZIP archive is unpacked; what is damaged in it is named, the rest is judged", async () => {
  const path = write("candidates.zip", zip([
    { name: "shoot/first.jpg", bytes: readFileSync(photo), isStored: true },
    { name: "shoot/deep/second.png", bytes: drawnPng({}) },
    { name: "notes.txt", bytes: Buffer.from("no image") },
    { name: "liar.png", bytes: Buffer.alloc(500_000), size: 10 },
  ]));
  await app.drop([path]);
  await app.page.getByTestId("notice").filter({ hasText: "candidates/liar.png could not be unpacked" }).filter({ hasText: "no images: notes.txt" }).waitFor();
  const [first, second] = [await app.verdict("first.jpg"), await app.verdict("second.png")];
  const direct = await judge(photo);
  assert.equal(first.p_pay, direct.p_pay, "the bytes are the same");
  assert.ok(second.p_pay > 0);
  assert.equal(await app.card("notes.txt").count(), 0);
  assert.equal(await app.card("liar.png").count(), 0);
});

test("an archive that is none says so", async () => {
  await app.drop([write("broken.zip", Buffer.from("PK\x03\x04 and then nothing"))]);
  await app.page.getByTestId("notice").filter({ hasText: "broken.zip could not be unpacked" }).waitFor();
});

test("a folder is walked to its end", async () => {
  const folder = join(scratch, "formats", "walked");
  mkdirSync(join(folder, "inner"), { recursive: true });
  writeFileSync(join(folder, "inner", "deep.png"), drawnPng({ side: 200 }));
  writeFileSync(join(folder, "readme.md"), "no image");
  await app.drop([folder]);
  await app.page.getByTestId("notice").filter({ hasText: "no images: readme.md (1 in all)" }).waitFor();
  await app.verdict("deep.png");
  assert.equal(await app.card("readme.md").count(), 0);
});

for (const [name, format] of [["scene-1.avif", "AVIF"], ["scene-1.jxl", "JPEG XL"]]) {
  test(`${format} is decoded by the browser, and the verdict says so`, async () => {
    const verdict = await judge(existing(join(root, "tests", "fixtures", name)));
    assert.equal(verdict.provenance.decoder, "browser");
    assert.deepEqual(await notes(name), ["browser"]);
    const type = verdict.rules.find(({ rule }) => rule.includes("file_type"));
    assert.ok(type.measured.includes(format), "the rules see the file that was brought");
  });
}

test("an SVG drawing is drawn by the browser, however its name is written", async () => {
  for (const name of ["mark.svg", "MARK-2.SVG"]) {
    const verdict = await judge(write(name, svg));
    assert.equal(verdict.provenance.decoder, "browser", name);
    assert.match(verdict.rules.find(({ rule }) => rule.includes("file_type")).measured, /SVG/);
  }
});

test("HEIC, which this browser does not know, fails with its name", async () => {
  await app.drop([existing(join(root, "tests", "fixtures", "scene-1.heic"))]);
  assert.match(await app.failure("scene-1.heic"), /cannot be read here/);
  assert.match(await app.card("scene-1.heic").innerText(), /HEIC/);
});

test("inks of a printer and a JPEG's wide colour space become sRGB, and the verdict says so", async () => {
  for (const path of [existing(join(root, "tests", "fixtures", "inks", "scene-1-cmyk.jpg")), write("wide.jpg", wideJpeg(photo))]) {
    const verdict = await judge(path);
    assert.deepEqual(verdict.image_notes, ["colours_converted"], path);
    assert.equal(verdict.provenance.decoder, "rust");
  }
});

test("transparency, a turned camera and a wide colour space are shown as badges", async () => {
  assert.equal((await judge(write("clear.png", drawnPng({ hasAlpha: true })))).provenance.decoder, "rust");
  assert.deepEqual(await notes("clear.png"), ["alpha"]);
  await judge(write("turned.jpg", turnedJpeg(photo)));
  assert.deepEqual(await notes("turned.jpg"), ["turned"]);
  const verdict = await judge(write("wide.png", drawnPng({ profile: wideProfile() })));
  assert.deepEqual(await notes("wide.png"), ["colours"]);
  assert.deepEqual(verdict.image_notes, ["colours_converted"]);
});

test("an image over the limit is refused with a sentence, unless the visitor insists", async () => {
  await app.page.getByTestId("clear").click();
  await app.drop([write("huge.png", hugePng(14_200))]);
  assert.match(await app.failure("huge.png"), /too large/);
  await app.card("huge.png").getByTestId("insist").click();
  const verdict = await app.verdict("huge.png");
  assert.ok(verdict.p_pay >= 0 && verdict.p_pay <= 1);
});

test("an image of the clipboard is pasted by a button", async () => {
  await app.page.getByTestId("clear").click();
  await app.page.evaluate(async (bytes) => {
    const image = new Blob([new Uint8Array(bytes)], { type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
  }, [...drawnPng({ side: 120 })]);
  await app.page.getByTestId("paste").click();
  await app.verdict("clipboard-1.png");
});

test("nothing of all this went over the network, and nothing broke", () => {
  assert.deepEqual(app.watched.afterReady(), []);
  assert.deepEqual(app.watched.withBody(), []);
  assert.deepEqual(app.watched.errors, []);
});
