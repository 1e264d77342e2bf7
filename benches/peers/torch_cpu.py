"""Times PyTorch on the CPU: vision tower, text tower and both heads, one prompt at a time.

    python torch_cpu.py --pack public/models/nano --golden ../shared/golden/a

Each case runs in a process of its own, so that its first forward is a cold one. Networks: the pack's (prompts `self_test` and
`realistic`) and the golden's (its own three images; stage-1 weights, then both stages as two passes). Implementations: `plain`
(`reference/network.py`; the host's small tables are made before the clock starts) and `transformers` (its Qwen3-VL module
as it is; it makes its own tables). Then a table of cost against work. Progress to stderr, JSON to stdout.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

# Before torch is loaded: where two threads share two busy cores, the waiting one otherwise spins through its partner's time
# slice, and a forward takes a second instead of 10 ms (measured 2026-11-24).
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import torch
import transformers
from safetensors.numpy import load_file

from reference.checkpoint import CONCEPTS, Checkpoint, from_folders, from_pack, random_checkpoint
from reference.hugging_face import HuggingFace
from reference.inputs import Prompt, made_up_prompt, self_test_prompt, tables
from reference.network import OUTPUTS, Network, relative_error
from reference.pack import read_pack

GRID = (1, 14, 14)
N_TEXT = 300
CASES = ["nano:self_test", "nano:realistic", "golden:one_pass", "golden:two_passes"]
IMPLEMENTATIONS = ["plain", "transformers"]
LENGTHS = [50, 100, 200, 300, 500, 700, 1000]
IMAGES = [1, 2, 3, 4, 5, 6]
WIDTHS = [128, 256, 512, 768, 1024]


def golden_prompt(golden: str) -> tuple[Prompt, dict]:
    """The golden's own prompt, and what the reference gave for it."""
    vectors = load_file(f"{golden}/golden.safetensors")
    ids, grids = vectors["input_ids"][0].astype("int64"), vectors["image_grid_thw"].astype("int64")
    return Prompt("golden", ids, grids, vectors["pixel_values"]), vectors


def spread(millis: list[float]) -> dict:
    """Median, least and most."""
    return {"n": len(millis), "median": statistics.median(millis), "min": min(millis), "max": max(millis)}


def timed(forward: Callable, n: int) -> dict:
    """Milliseconds of the first forward and of `n` further ones."""
    millis = []
    for _ in range(n + 1):
        start = time.perf_counter()
        forward()
        millis.append((time.perf_counter() - start) * 1000)
    return {"cold_millis": millis[0], "warm_millis": spread(millis[1:])}


def forward_of(implementation: str, checkpoint: Checkpoint, prompt: Prompt) -> Callable:
    """One forward of everything."""
    if implementation == "transformers":
        model = HuggingFace(checkpoint)
        return lambda: model(prompt)
    network, inputs = Network(checkpoint).eval(), tables(checkpoint, prompt)
    frames = [int(h * w) for t, h, w in prompt.grids.tolist() for _ in range(t)]
    return lambda: network(**inputs, frames=None if len(frames) == 1 else frames)


def case_of(args: argparse.Namespace, case: str, implementation: str) -> tuple[Prompt, Callable, Callable]:
    """Prompt, forward, and what makes the outputs that it should give: after the clock, or the first forward is a warm one."""
    network, which = case.split(":")
    if network == "nano":
        pack = read_pack(args.pack)
        checkpoint = from_pack(pack)
        prompt = self_test_prompt(pack) if which == "self_test" else made_up_prompt(checkpoint, N_TEXT, [GRID], which)
        expected = lambda: dict(zip(OUTPUTS, Network(checkpoint)(**tables(checkpoint, prompt))))
        return prompt, forward_of(implementation, checkpoint, prompt), expected
    prompt, vectors = golden_prompt(args.golden)
    first = forward_of(implementation, from_folders(args.golden, 1), prompt)
    concepts = [torch.from_numpy(vectors[f"stage1.{name}"]) for name in CONCEPTS]
    expected = {"concept_logits": torch.cat(concepts)}
    if which == "one_pass":
        return prompt, first, lambda: expected
    second = forward_of(implementation, from_folders(args.golden, 2), prompt)
    expected["pay_logits"] = torch.from_numpy(vectors["stage2.pay_logits"])
    return prompt, lambda: (first()[0], second()[1]), lambda: expected


def run_case(args: argparse.Namespace, case: str, implementation: str) -> dict:
    """One case in this process."""
    prompt, forward, expected = case_of(args, case, implementation)
    report = timed(forward, args.n)
    found = dict(zip(OUTPUTS, forward()))
    errors = {name: relative_error(found[name], x) for name, x in expected().items()}
    wrong = {name: error for name, error in errors.items() if not error < 1e-3}
    if wrong:
        raise ValueError(f"{case} {implementation}: relative error {wrong}, expected below 1e-3")
    return report | {"relative_error": errors, "input": prompt.describe()}


def in_own_process(args: argparse.Namespace, case: str, implementation: str, threads: int) -> dict:
    """One case in a fresh interpreter."""
    command = [sys.executable, __file__, "--pack", args.pack, "--golden", args.golden, "--n", str(args.n)]
    command += ["--case", case, "--implementation", implementation, "--threads", str(threads)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    report = {"case": case, "implementation": implementation, "threads": threads} | json.loads(output)
    warm = report["warm_millis"]["median"]
    print(f"{case} {implementation} {threads} threads: cold {report['cold_millis']:.1f}, warm {warm:.1f} ms", file=sys.stderr)
    return report


def cost_rows(n: int) -> list[dict]:
    """Cost against prompt length, number of images and width; the plain network, random weights."""
    points = [("n_text", 128, length, 1) for length in LENGTHS]
    points += [("n_images", 128, N_TEXT, images) for images in IMAGES]
    points += [("width", width, N_TEXT, 1) for width in WIDTHS]
    rows = []
    for varied, width, n_text, n_images in points:
        checkpoint = random_checkpoint(width)
        prompt = made_up_prompt(checkpoint, n_text, [GRID] * n_images, varied)
        times = timed(forward_of("plain", checkpoint, prompt), n)
        n_weights = sum(x.numel() for x in checkpoint.weights.values())
        work = {"width": width, "n_text": n_text, "n_images": n_images, "n_weights": n_weights}
        rows.append({"varied": varied, **work, "n_ids": len(prompt.input_ids), "n_patches": len(prompt.pixel_values), **times})
        print(f"cost {work}: {times['warm_millis']['median']:.1f} ms", file=sys.stderr)
    return rows


def arguments() -> argparse.Namespace:
    """The command line; `--case` is how a case starts in its own process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", default="public/models/nano", help="folder of the pack")
    parser.add_argument("--golden", default="../shared/golden/a", help="folder of the golden; empty to leave it out")
    parser.add_argument("--n", type=int, default=20, help="warm forwards")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, with commas")
    parser.add_argument("--skip-cost", action="store_true", help="leave the cost table out")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--implementation", choices=IMPLEMENTATIONS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Reads the command line, runs one case or all of them."""
    args = arguments()
    torch.set_grad_enabled(False)
    threads = [int(text) for text in args.threads.split(",")]
    torch.set_num_threads(max(threads))
    if args.case:
        print(json.dumps(run_case(args, args.case, args.implementation)))
        return
    cases = [case for case in CASES if args.golden or not case.startswith("golden")]
    todo = [(case, implementation, n) for case in cases for implementation in IMPLEMENTATIONS for n in threads]
    runs = [in_own_process(args, *one) for one in todo]
    report = {
        "machine": platform.processor() or platform.machine(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "runs": runs,
        "cost": {"threads": max(threads), "rows": [] if args.skip_cost else cost_rows(max(10, args.n // 2))},
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
