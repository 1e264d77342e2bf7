// The native command line, the other half of every comparison.

import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { existing, madeUpCheckpoint, root, scratch, servimage, shared } from "./paths.mjs";

const run = promisify(execFile);

/** The verdict of the command line on the CPU; without `bench` the task is one of the starter tasks. */
export async function nativeVerdict({ pack, bench, task, deliverable = 1, image }) {
  const tasks = bench ? ["--bench", bench] : [];
  const choice = ["--task", task, "--subtask", String(deliverable)];
  const args = ["score", "--pack", existing(pack), ...tasks, ...choice];
  const { stdout } = await run(existing(servimage), [...args, image, "--format", "jsonl"], { cwd: root });
  const lines = stdout.trim().split("\n");
  if (lines.length !== 1) throw new Error(`one verdict was expected, found ${lines.length} lines`);
  const row = JSON.parse(lines[0]);
  if (row.error) throw new Error(`${row.error.code}: ${row.error.message}`);
  return row;
}

/** A pack made of a golden checkpoint, with the reference outputs as its self-test. */
export async function goldenPack(name) {
  const golden = existing(join(shared, "golden", name));
  const out = join(scratch, `golden-${name}`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const parts = ["base", "stage1", "stage2"].flatMap((part) => [`--${part}`, join(golden, part)]);
  await run(existing(servimage), ["convert", ...parts, "--golden", golden, "--quant", "f32", "--out", out], { cwd: root });
  return out;
}

/** A q4 pack of a made-up checkpoint of this size: true shapes, random weights. */
export async function madeUpPack(size) {
  const base = join(scratch, `checkpoint-${size}`);
  const out = join(scratch, `made-up-${size}`);
  for (const folder of [base, out]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  await run(existing(madeUpCheckpoint), ["--size", size, "--out", base]);
  await run(existing(servimage), ["convert", "--base", base, "--quant", "q4", "--out", out]);
  rmSync(base, { recursive: true });
  return out;
}
