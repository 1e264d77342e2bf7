// Every view, light and dark, desktop and phone, English and Chinese, as pictures to be looked at.
// Run by `cargo xtask shots`; they go to `target/e2e/shots/`.

import { copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { openApp } from "./lib/app.mjs";
import { brokenFiles, photos } from "./lib/files.mjs";
import { scratch } from "./lib/paths.mjs";

const N_LIST = 16;

const screens = { desktop: { width: 1280, height: 900 }, phone: { width: 320, height: 640 } };
const looks = Object.entries(screens).flatMap(([screen, viewport]) =>
  ["light", "dark"].flatMap((theme) =>
    ["en", "zh-CN"].map((lang) => ({ name: `${screen}-${theme}-${lang.slice(0, 2)}`, viewport, theme, lang }))));
const dialogs = ["open-model-card", "open-keys", "own-open", "open-packs"];

function copies() {
  const folder = join(scratch, "shots-in");
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: N_LIST }, (_, idx) => {
    const path = join(folder, `candidate-${idx + 1}.jpg`);
    copyFileSync(photos()[idx % photos().length], path);
    return path;
  });
}

/** One look through all views. */
async function shoot(server, look) {
  const out = join(scratch, "shots");
  mkdirSync(out, { recursive: true });
  const app = await openApp(server, { webgpu: "no-adapter", viewport: look.viewport });
  const { page } = app;
  const shot = async (view, options = { fullPage: true }) => {
    // Pictures below the screen are not drawn until somebody comes near.
    if (options.fullPage) await page.evaluate(() => document.querySelectorAll("img").forEach((image) => (image.loading = "eager")));
    if (options.fullPage) await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    await page.screenshot({ path: join(out, `${view}-${look.name}.png`), ...options });
  };
  await page.evaluate(([lang, theme]) => {
    localStorage.setItem("lang", lang);
    localStorage.setItem("theme", theme);
  }, [look.lang, look.theme]);
  await page.goto(`${server.url}?pack=/models/none/`);
  await app.modelState();
  await shot("no-model", {});
  let letGo = () => {};
  await page.route("**/models/nano/shard-*", (route) => new Promise((resolve) => (letGo = resolve)).then(() => route.continue()));
  await page.goto(server.url);
  await page.locator('.steps [data-step="now"]').waitFor();
  await page.getByTestId("sample").nth(2).waitFor();
  await page.waitForTimeout(500);
  await shot("loading", {});
  letGo();
  await app.ready();
  await page.unroute("**/models/nano/shard-*");
  await shot("empty");
  for (const button of dialogs) {
    await page.getByTestId(button).click();
    await page.getByTestId("dialog").waitFor();
    await shot(button.replace("open-", "").replace("-open", ""), {});
    await page.keyboard.press("Escape");
  }
  const [first, second] = photos();
  await app.chooseTask("starter-product-001");
  await app.drop([first]);
  await app.verdict(basename(first));
  await page.getByTestId("cost-accept").fill("8");
  await page.getByTestId("threshold").fill("70");
  await app.card(basename(first)).getByTestId("heat-toggle").click();
  await app.card(basename(first)).locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  await shot("verdict");
  await app.drop([second]);
  await app.verdict(basename(second));
  await app.card(basename(second)).getByTestId("compare-open").click();
  await page.waitForTimeout(300);
  await shot("compare", {});
  await page.keyboard.press("Escape");
  await page.getByTestId("clear").click();
  await page.getByTestId("blind").check();
  await app.drop([first, second, brokenFiles()[0]]);
  await app.settled(basename(first));
  await app.settled(basename(second));
  await app.card(basename(second)).getByTestId("vote-pay").click();
  await shot("blind");
  await page.getByTestId("blind").uncheck();
  await page.getByTestId("clear").click();
  const paths = copies();
  await app.drop(paths);
  await page.getByTestId("queue-row").nth(6).locator("strong").waitFor();
  await shot("list");
  await page.goto(`${server.url}#v=1&task=starter-digital-001&deliverable=1&threshold=0.6&score=0.8312:hero.png&score=0.4021:banner.png`);
  await page.getByTestId("shared").waitFor();
  await shot("shared", {});
  await app.close();
}

/** All looks. */
export async function shootViews(server) {
  for (const look of looks) await shoot(server, look);
}
