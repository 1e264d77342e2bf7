// What makes a page jump or stall, as the browser itself counts it.

/** Counts from the page's first moment on: the browser keeps what was before. Call again after a reload. */
export function watchShifts(page) {
  return page.evaluate(() => {
    const nameOf = (node) => node?.nodeType === Node.ELEMENT_NODE ? `<${node.tagName.toLowerCase()} class="${node.className}">` : node?.nodeName;
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, startTime, sources } of list.getEntries()) {
        if (!hadRecentInput) globalThis.shifts.push({ value, startTime, sources: sources.map(({ node }) => nameOf(node)) });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

const MARK = "servimage";

/**
 * The longest task of the page's thread while `work` goes on, in milliseconds: `cpu`, what the processor worked on it, and `wall`, what
 * passed meanwhile. Where other programs want the same cores, only the first is the page's own.
 */
export async function longestTask({ browser, page }, work) {
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await work();
  await page.evaluate((mark) => performance.mark(mark), MARK);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const here = traceEvents.find(({ name }) => name === MARK);
  const tasks = traceEvents.filter(({ name, pid, tid }) => pid === here.pid && tid === here.tid && name.endsWith("RunTask"));
  if (tasks.length === 0) throw new Error("the browser traced no task of the page's thread");
  const longest = (of) => Math.round(Math.max(...tasks.map((task) => task[of] ?? 0)) / 1000);
  return { cpu: longest("tdur"), wall: longest("dur") };
}

/** All shifts that no input caused: their sum and, for a message, what moved. */
export async function layoutShift(page) {
  const shifts = await page.evaluate(() => globalThis.shifts);
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  return { sum, words: shifts.map(({ value, startTime, sources }) => `${value.toFixed(4)} at ${Math.round(startTime)} ms: ${sources.join(", ")}`).join("\n") };
}
