// Figures of a report.

import { cpus } from "node:os";

/** Median, least and most. */
export function spread(millis) {
  const sorted = [...millis].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return { n: sorted.length, median, min: sorted[0], max: sorted.at(-1) };
}

/** Cores and model of the CPU. */
export const machine = () => `${cpus().length} x ${cpus()[0].model.trim()}`;

/** One line on a run. */
export function sentence({ error, ready_millis, first_millis, warm_millis, relative_error }) {
  if (error) return error;
  const times = `ready ${ready_millis.toFixed(0)}, first ${first_millis.toFixed(0)}, warm ${warm_millis.median.toFixed(1)} ms`;
  return `${times}, relative error ${JSON.stringify(relative_error)}`;
}
