"""Answers requests on standard input with PyTorch on the CPU, as `forward serve` of our own benches does (see its `serve.rs`).

    python torch_cpu.py --pack public/models/nano --implementation plain --threads 2
    python torch_cpu.py --golden ../shared/golden/a ...      # stage-1 weights, then both stages: two passes

A request is `{"input": FILE}`, a line each; the answer has the milliseconds of one forward, the logits, and the most memory that this
process ever held. Implementations: `plain` (`reference/network.py`; the host's small tables are made before the clock starts) and
`transformers` (its Qwen3-VL module as it is; it makes its own tables).
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable

# Before torch is loaded: where two threads share two busy cores, the waiting one otherwise spins through its partner's time
# slice, and a forward takes a second instead of 10 ms (measured 2026-11-24).
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import torch
import transformers

from reference.checkpoint import Checkpoint, from_folders, from_pack
from reference.hugging_face import HuggingFace
from reference.inputs import Prompt, read_prompt, tables
from reference.network import Network
from reference.pack import read_pack

Forward = Callable[[], tuple[torch.Tensor, torch.Tensor]]


def plain(checkpoint: Checkpoint) -> Callable[[Prompt], Forward]:
    """The network in simple operations."""
    network = Network(checkpoint).eval()

    def prepare(prompt: Prompt) -> Forward:
        inputs = tables(checkpoint, prompt)
        frames = [int(h * w) for t, h, w in prompt.grids.tolist() for _ in range(t)]
        return lambda: network(**inputs, frames=None if len(frames) == 1 else frames)

    return prepare


def by_transformers(checkpoint: Checkpoint) -> Callable[[Prompt], Forward]:
    """The module of `transformers`."""
    model = HuggingFace(checkpoint)
    return lambda prompt: lambda: model(prompt)


IMPLEMENTATIONS = {"plain": plain, "transformers": by_transformers}


def load(args: argparse.Namespace) -> Callable[[Prompt], Forward]:
    """What prepares a forward of everything for a prompt."""
    of = IMPLEMENTATIONS[args.implementation]
    if args.pack:
        return of(from_pack(read_pack(args.pack)))
    first, second = (of(from_folders(args.golden, stage)) for stage in (1, 2))

    def prepare(prompt: Prompt) -> Forward:
        concepts, payment = first(prompt), second(prompt)
        return lambda: (concepts()[0], payment()[1])

    return prepare


def say(line: dict) -> None:
    """One line of JSON out, with the peak of memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(line | {"peak_bytes": peak}), flush=True)


def main() -> None:
    """Loads, then answers until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--pack", help="folder of the pack")
    where.add_argument("--golden", help="folder of the golden")
    parser.add_argument("--implementation", choices=IMPLEMENTATIONS, default="plain")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(args.threads)
    start = time.perf_counter()
    prepare, prepared = load(args), {}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    say({"device": f"PyTorch {torch.__version__}", "versions": versions, "load_millis": (time.perf_counter() - start) * 1000})
    for line in sys.stdin:
        path = json.loads(line)["input"]
        if path not in prepared:
            prepared[path] = prepare(read_prompt(path))
        start = time.perf_counter()
        concepts, payment = prepared[path]()
        millis = (time.perf_counter() - start) * 1000
        say({"millis": millis, "concept_logits": concepts.tolist(), "pay_logits": payment.tolist()})


if __name__ == "__main__":
    main()
