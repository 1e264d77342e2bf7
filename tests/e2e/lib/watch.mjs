// Records what a page does that nobody should miss: requests, console errors, uncaught errors.

/** Watch a page from before its first request; see `afterReady` for what came since then. */
export function watch(page) {
  const requests = [];
  const errors = [];
  let firstAfterReady = Infinity;
  // Requests of dedicated workers are reported on their page, too; `harness.test.mjs` holds us to it.
  page.on("request", (request) => {
    const body = request.postDataBuffer();
    requests.push({ method: request.method(), url: request.url(), bodyBytes: body?.length ?? 0 });
  });
  page.on("websocket", (socket) => requests.push({ method: "WEBSOCKET", url: socket.url(), bodyBytes: 0 }));
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("crash", () => errors.push("the page crashed"));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()}`);
  });
  const leavesMachine = ({ url }) => !/^(blob|data):/.test(url);
  return {
    errors,
    requests,
    /** From now on no request is expected. */
    markReady: () => (firstAfterReady = requests.length),
    /** Requests since `markReady`; addresses of files in memory are no requests. */
    afterReady: () => requests.slice(firstAfterReady).filter(leavesMachine),
    /** Requests that could carry an image. */
    withBody: () => requests.filter(({ method, bodyBytes }) => bodyBytes > 0 || !["GET", "HEAD"].includes(method)),
  };
}
