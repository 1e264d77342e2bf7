"""Exports a pack's whole network to ONNX, for ONNX Runtime in a browser.

    python nano_to_onnx.py --pack public/models/nano --out target/bench/onnx --prompt target/bench/inputs/page.json

One graph: tokens, patches and host-made tables in, concept and payment logits out. Before it is written, the network is held
against the pack's self-test; afterwards each graph is run by onnxruntime and held against the same vectors. Progress goes to
stderr, a report in JSON to stdout. Beside the graphs lie `prompt-NAME.json` files: inputs and expected outputs, base64.

Graphs, all of the same weights, whatever layout the pack has:

- `f16`: standard operators, matrices stored as f16 and widened when the session starts, but for those that the pack holds as f32;
- `fused`: the same with rotary positions and the vision tower's attention as ONNX Runtime's fused operators (inexact on WebGPU,
  see `reference/contrib.py`);
- `q4`: the same with the pack's q4 and q8 layers in ONNX Runtime's block operators, holding the very numbers of the pack; of a pack without
  such layers, its linear layers but the first one, quantized here.
"""

import argparse
import base64
import gzip
import json
import logging
import pathlib
import sys
from collections.abc import Callable

import onnx
import onnxruntime
import torch

from reference import inputs as host
from reference.checkpoint import CONCEPTS, Checkpoint, from_pack
from reference.network import INPUTS, OUTPUTS, Network, relative_error
from reference.onnx_graph import quantize_as_pack, store_as_f16
from reference.pack import Pack, read_pack

OPSET = 20


def log(message: str) -> None:
    """Progress, to stderr."""
    print(message, file=sys.stderr, flush=True)


def check_self_test(network: Network, prompt_tables: dict, pack: Pack, tolerance: float | None) -> dict[str, float]:
    """Relative error of each expected tensor; refuses a network that is not the pack's."""
    tolerance = tolerance or pack.manifest["self_test"]["tolerance"]
    vectors, found = pack.self_test(), network.trace(prompt_tables)
    errors = {
        name: relative_error(found[name], torch.from_numpy(vectors[name]))
        for name in pack.manifest["self_test"]["expected"]
    }
    worst = max(errors, key=errors.get)
    log(f"self-test: largest relative error {errors[worst]:.2e} ({worst})")
    if not errors[worst] <= tolerance:
        raise ValueError(f"self_test.{worst}: relative error {errors[worst]:.2e}, expected at most {tolerance}")
    return errors


def export(checkpoint: Checkpoint, attention: str, example: dict) -> onnx.ModelProto:
    """One graph for any prompt with one image."""
    n_ids = torch.export.Dim("n_ids", min=2)
    n_visual = torch.export.Dim("n_visual", min=2)
    n_patches = checkpoint.vision["spatial_merge_size"] ** 2 * n_visual
    dims = {"input_ids": {0: n_ids}, "visual_rows": {0: n_ids}, "text_cos": {0: n_ids}, "text_sin": {0: n_ids}}
    dims |= {name: {0: n_patches} for name in ("pixel_values", "vision_cos", "vision_sin")}
    dims |= {name: {1: n_patches} for name in ("pos_rows", "pos_weights")}
    network = Network(checkpoint, attention).eval()
    args = tuple(example[name] for name in INPUTS)
    program = torch.onnx.export(
        network, args, dynamo=True, opset_version=OPSET, input_names=INPUTS, output_names=OUTPUTS,
        dynamic_shapes=tuple(dims[name] for name in INPUTS), verbose=False,
    )  # fmt: skip
    return program.model_proto


def run(model: onnx.ModelProto, tables: dict) -> dict[str, torch.Tensor]:
    """Outputs of a graph from onnxruntime on the CPU, by name."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = session.run(OUTPUTS, {name: tables[name].numpy() for name in INPUTS})
    return dict(zip(OUTPUTS, map(torch.from_numpy, found)))


def expected_of_pack(pack: Pack) -> dict[str, torch.Tensor]:
    """The graph's outputs, from the self-test's vectors."""
    vectors = pack.self_test()
    rows = [torch.from_numpy(vectors[f"stage1.{name}"]) for name in CONCEPTS]
    return {"concept_logits": torch.stack(rows), "pay_logits": torch.from_numpy(vectors["stage2.pay_logits"])}


def pack_tensor(x: torch.Tensor) -> dict:
    """A tensor for the page."""
    array = x.numpy()
    return {"type": str(array.dtype), "dims": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def write_prompt(out: pathlib.Path, prompt: host.Prompt, tables: dict, expected: dict) -> None:
    """Inputs and expected outputs of one prompt."""
    document = prompt.describe() | {
        "inputs": {name: pack_tensor(tables[name]) for name in INPUTS},
        "expected": {name: pack_tensor(expected[name]) for name in OUTPUTS},
    }
    (out / f"prompt-{prompt.name}.json").write_text(json.dumps(document))


def write_expected_pay(out: pathlib.Path, name: str, expected: dict, calibration: dict) -> None:
    """P(pay) as the page says it: `sigmoid(a * (accept - reject) + b)`."""
    reject, accept = expected["pay_logits"].double()
    p_pay = torch.sigmoid(calibration["a"] * (accept - reject) + calibration["b"]).item()
    (out / f"expected-{name}.json").write_text(json.dumps({"p_pay": p_pay}))


def write_graph(out: pathlib.Path, name: str, model: onnx.ModelProto, prompts: list) -> dict:
    """Writes one graph and says how large it is and how far it is from what is expected."""
    data = model.SerializeToString()
    (out / f"{name}.onnx").write_bytes(data)
    errors = {}
    for prompt, tables, expected in prompts:
        found = run(model, tables)
        errors[prompt.name] = {key: relative_error(found[key], expected[key]) for key in OUTPUTS}
    report = {"file": f"{name}.onnx", "bytes": len(data), "bytes_gzip": len(gzip.compress(data)), "relative_error": errors}
    log(f"{name}: {json.dumps(report)}")
    return report


def bits_in_pack(pack: Pack) -> Callable[[str], int | None]:
    """Bits of a weight of the graph in the block operators, by its name."""
    layouts = {entry["name"]: entry["layout"] for entry in pack.manifest["tensors"]}
    if {"q4", "q8"} & set(layouts.values()):
        return lambda name: {"q4": 4, "q8": 8}.get(layouts[name.replace("/", ".")])
    spared = ("patch_embed", "embed_tokens", "pos_embed")
    return lambda name: None if any(word in name for word in spared) else 4


def f32_in_pack(pack: Pack) -> Callable[[str], bool]:
    """Whether the pack holds a weight of the graph as f32, by its name: what was trained so may not bear rounding."""
    names = {entry["name"].replace(".", "/") for entry in pack.manifest["tensors"] if entry["layout"] == "f32"}
    # A module inside another one has that one's name and a dot before its own.
    return lambda name: name.rsplit(".", 1)[-1] in names


def graphs(checkpoint: Checkpoint, pack: Pack, example: dict) -> dict[str, onnx.ModelProto]:
    """Every graph by name."""
    plain, fused = (export(checkpoint, attention, example) for attention in ("torch", "contrib"))
    quantized = quantize_as_pack(plain, bits_in_pack(pack), lambda name, bits: pack.blocks(name.replace("/", "."), f"q{bits}"))
    keeps_f32 = f32_in_pack(pack)
    models = {"f16": plain, "fused": fused, "q4": quantized}
    return {name: store_as_f16(model, keeps_f32) for name, model in models.items()}


def prompts_of(checkpoint: Checkpoint, network: Network, pack: Pack, files: list[str]) -> list[tuple]:
    """The self-test's prompt and those of the files, each with its tables and expected outputs."""
    self_test = host.self_test_prompt(pack)
    out = [(self_test, host.tables(checkpoint, self_test), expected_of_pack(pack))]
    for prompt in map(host.read_prompt, files):
        tables = host.tables(checkpoint, prompt)
        out.append((prompt, tables, dict(zip(OUTPUTS, network(**tables)))))
    return out


def main() -> None:
    """Reads the command line, writes the graphs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", default="public/models/nano", help="folder of the pack")
    parser.add_argument("--out", default="target/bench/onnx", help="where the graphs go")
    parser.add_argument("--prompt", action="append", required=True, help="input file with one image; may be repeated")
    parser.add_argument("--tolerance", type=float, help="largest relative error of the self-test; the pack's own by default")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    logging.disable(logging.WARNING)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    pack = read_pack(args.pack)
    checkpoint = from_pack(pack)
    network = Network(checkpoint).eval()
    prompts = prompts_of(checkpoint, network, pack, args.prompt)
    errors = check_self_test(network, prompts[0][1], pack, args.tolerance)
    for item in prompts:
        write_prompt(out, *item)
        write_expected_pay(out, item[0].name, item[2], pack.manifest["calibration"])
    reports = {name: write_graph(out, name, model, prompts) for name, model in graphs(checkpoint, pack, prompts[1][1]).items()}
    report = {
        "pack": {"name": pack.manifest["name"], "layout": pack.manifest["quant"], "bytes": pack.size_bytes()},
        "calibration": pack.manifest["calibration"],
        "prompts": [item[0].describe() for item in prompts],
        "network_relative_error": errors,
        "graphs": reports,
        "versions": {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
