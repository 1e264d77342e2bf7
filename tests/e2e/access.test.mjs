// Every view passes axe in both themes and both languages, fits 320 pixels, and is walked by the keyboard.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { after, before, test } from "node:test";
import { openApp } from "./lib/app.mjs";
import { brokenFiles, photos } from "./lib/files.mjs";
import { startServer } from "./lib/server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const [first, second] = photos();

let server, app;
before(async () => {
  server = await startServer();
  app = await openApp(server, { webgpu: "no-adapter" });
  await app.ready();
  await app.page.evaluate(axe);
});
after(async () => {
  await app?.close();
  server?.stop();
});

/** What is wider than a screen of 320 pixels, also in an open dialog. */
async function overflows() {
  await app.page.setViewportSize({ width: 320, height: 640 });
  const wide = await app.page.evaluate(() => [document.documentElement, ...document.querySelectorAll("dialog[open]")]
    .filter((one) => one.scrollWidth > Math.min(innerWidth, one.clientWidth))
    .map((one) => `${one.tagName}: ${one.scrollWidth} of 320 pixels`));
  await app.page.setViewportSize({ width: 1280, height: 900 });
  return wide;
}

/** What axe finds wrong, in both themes and both languages, and what is wider than a small phone. */
async function violations() {
  const found = await overflows();
  for (const theme of ["light", "dark"]) {
    for (const lang of ["en", "zh-CN"]) {
      await app.page.locator(`.segmented button[lang="${lang}"]`).evaluate((button) => button.click());
      await app.page.evaluate((theme) => document.documentElement.setAttribute("data-theme", theme), theme);
      const { violations } = await app.page.evaluate((values) => globalThis.axe.run(document, { runOnly: values }), rules);
      found.push(...violations.map(({ id, nodes }) => `${theme} ${lang} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`));
    }
  }
  await app.page.locator('.segmented button[lang="en"]').evaluate((button) => button.click());
  return found;
}

test("the empty page", async () => assert.deepEqual(await violations(), []));

test("a verdict with all its details open, a failed image beside it", async () => {
  await app.chooseTask("starter-product-001");
  await app.drop([first, brokenFiles()[0]]);
  await app.verdict(basename(first));
  await app.settled(basename(brokenFiles()[0]));
  await app.page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  assert.deepEqual(await violations(), []);
});

test("the verdict on paper is dark on white, whatever the theme, and without controls", async () => {
  const { page } = app;
  await page.evaluate(() => document.documentElement.setAttribute("data-theme", "dark"));
  await page.emulateMedia({ media: "print" });
  const [ink, paper] = await page.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.body);
    return [color, backgroundColor].map((colour) => Math.max(...colour.match(/\d+/g).slice(0, 3).map(Number)));
  });
  assert.ok(ink < 60 && paper === 255, `ink ${ink} on ${paper}`);
  assert.ok(await app.card(basename(first)).getByTestId("p-pay").isVisible());
  for (const name of ["drop-zone", "threshold", "remove", "export-csv"]) {
    assert.ok(!(await page.getByTestId(name).first().isVisible()), `${name} is printed`);
  }
  await page.emulateMedia({ media: "screen" });
  await page.evaluate(() => document.documentElement.setAttribute("data-theme", "light"));
});

test("dollars are written as each language writes them", async () => {
  const shown = app.card(basename(first)).getByTestId("expected-usd");
  const value = Number(await shown.getAttribute("data-value"));
  for (const lang of ["en", "zh-CN"]) {
    await app.page.locator(`.segmented button[lang="${lang}"]`).click();
    assert.equal(await shown.innerText(), new Intl.NumberFormat(lang, { style: "currency", currency: "USD" }).format(value));
  }
  await app.page.locator('.segmented button[lang="en"]').click();
});

test("who wants no motion sees none, and a forced palette still tells the chosen language", async () => {
  const { page } = app;
  await page.emulateMedia({ reducedMotion: "reduce", forcedColors: "active" });
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
    const { animationName, transitionDuration } = getComputedStyle(one);
    return animationName !== "none" || parseFloat(transitionDuration) > 0;
  }).length);
  assert.equal(moving, 0);
  const colours = await page.locator(".segmented button").evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
  assert.equal(new Set(colours).size, 2, `${colours}`);
  await page.emulateMedia({ reducedMotion: "no-preference", forcedColors: "none" });
});

test("the compare dialog", async () => {
  await app.drop([second]);
  await app.verdict(basename(second));
  await app.card(basename(second)).getByTestId("compare-open").click();
  assert.deepEqual(await violations(), []);
  await app.page.keyboard.press("Escape");
});

for (const [name, button] of [["the model card", "open-model-card"], ["the keys", "open-keys"], ["an own brief", "own-open"], ["the packs", "open-packs"]]) {
  test(`the dialog of ${name}`, async () => {
    await app.page.getByTestId(button).click();
    await app.page.getByTestId("dialog").waitFor();
    assert.deepEqual(await violations(), []);
    await app.page.keyboard.press("Escape");
  });
}

test("a vote that is asked for", async () => {
  await app.page.getByTestId("clear").click();
  await app.page.getByTestId("blind").check();
  await app.drop([first]);
  await app.page.getByTestId("vote").waitFor();
  assert.deepEqual(await violations(), []);
  await app.page.getByTestId("blind").uncheck();
  await app.page.getByTestId("clear").click();
});

test("the list of a long queue", async () => {
  await app.drop(Array.from({ length: 14 }, (_, idx) => (idx % 2 ? first : second)));
  await app.page.getByTestId("queue-list").waitFor();
  assert.deepEqual(await violations(), []);
});

test("all targets are large enough on a small phone", async () => {
  await app.page.setViewportSize({ width: 320, height: 640 });
  const small = await app.page.locator("button, select, summary, input:not([type=file]):not([tabindex='-1'])").evaluateAll((all) =>
    all.filter((one) => one.checkVisibility() && !one.closest("label"))
      .filter((one) => one.getBoundingClientRect().height < 24)
      .map((one) => one.outerHTML.slice(0, 120)));
  assert.deepEqual(small, []);
  await app.page.setViewportSize({ width: 1280, height: 900 });
});

test("the keyboard reaches every control of the queue", async () => {
  await app.page.locator("body").press("Home");
  const reached = new Set();
  for (let press = 0; press < 80; press += 1) {
    await app.page.keyboard.press("Tab");
    reached.add(await app.page.evaluate(() => document.activeElement?.dataset?.testid ?? ""));
  }
  for (const name of ["task-select", "blind", "threshold", "cost-accept", "order", "queue-list", "export-report", "copy-link"]) {
    assert.ok(reached.has(name), `${name} is reached: ${[...reached]}`);
  }
});

test("the buttons of the header stand in one line on a small phone, in both languages", async () => {
  await app.page.setViewportSize({ width: 320, height: 640 });
  for (const lang of ["en", "zh-CN"]) {
    await app.page.locator(`.segmented button[lang="${lang}"]`).click();
    const tops = await app.page.locator(".top button").evaluateAll((all) => all.map((one) => {
      const { top, height } = one.getBoundingClientRect();
      return Math.round(top + height / 2);
    }));
    assert.ok(Math.max(...tops) - Math.min(...tops) <= 2, `${lang}: ${tops}`);
  }
  await app.page.locator('.segmented button[lang="en"]').click();
  await app.page.setViewportSize({ width: 1280, height: 900 });
});

test("a model that cannot be loaded", async () => {
  await app.page.goto(`${server.url}?pack=/models/none/`);
  assert.equal(await app.modelState(), "failed");
  assert.ok(await app.page.getByRole("alert").isVisible());
  await app.page.evaluate(axe);
  assert.deepEqual(await violations(), []);
});
