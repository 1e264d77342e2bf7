"""Exports a pack's whole network to ONNX, for ONNX Runtime in a browser.

    python nano_to_onnx.py --pack public/models/nano --out target/bench/onnx

One graph: tokens, patches and host-made tables in, concept and payment logits out. Before it is written, the network is held
against the pack's self-test; afterwards each graph is run by onnxruntime and held against the same vectors. Progress goes to
stderr, a report in JSON to stdout. Beside the graphs lie `prompt-NAME.json` files: inputs and expected outputs, base64.

Graphs, all of the same weights:

- `f32`: standard operators;
- `contrib`: rotary positions and the vision tower's attention as ONNX Runtime's fused operators;
- `contrib_gqa`: the text tower's attention too (both give inexact numbers on WebGPU, see `reference/contrib.py`);
- `f16w`, `contrib_f16w`: the same with weights stored as f16 (as the pack does) and widened when the session starts;
- `q8`, `q4`: `f16w` with the backbone's linear layers as `MatMulNBits`, block 32, holding the very numbers of a pack of
  that layout;
- `ort_q8`, `ort_q4`: the same, quantized by onnxruntime's own weight quantizer.
"""

import argparse
import base64
import gzip
import json
import logging
import pathlib
import sys

import onnx
import onnxruntime
import torch

from reference import inputs as host
from reference.checkpoint import CONCEPTS, Checkpoint, from_pack
from reference.network import INPUTS, OUTPUTS, Network, relative_error
from reference.onnx_graph import quantize_as_pack, quantize_by_onnxruntime, store_as_f16
from reference.pack import Pack, read_pack

OPSET = 20
# The realistic prompt: one 224 x 224 image, 196 patches, 49 visual tokens, 300 text tokens.
REALISTIC_GRID = (1, 14, 14)
REALISTIC_TEXT = 300


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


def graphs(checkpoint: Checkpoint, pack: Pack, example: dict) -> dict[str, onnx.ModelProto]:
    """Every graph by name."""
    plain, contrib, gqa = (export(checkpoint, attention, example) for attention in ("torch", "contrib", "contrib_gqa"))
    out = {"f32": plain, "contrib": contrib, "contrib_gqa": gqa}
    out |= {"f16w": store_as_f16(plain), "contrib_f16w": store_as_f16(contrib)}
    for bits in (8, 4):
        own = quantize_as_pack(plain, bits, lambda name: pack.blocks(name, f"q{bits}"))
        out[f"q{bits}"] = store_as_f16(own)
        out[f"ort_q{bits}"] = store_as_f16(quantize_by_onnxruntime(plain, bits))
    return out


def main() -> None:
    """Reads the command line, writes the graphs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", default="public/models/nano", help="folder of the pack")
    parser.add_argument("--out", default="target/bench/onnx", help="where the graphs go")
    parser.add_argument("--tolerance", type=float, help="largest relative error of the self-test; the pack's own by default")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    logging.disable(logging.WARNING)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    pack = read_pack(args.pack)
    checkpoint = from_pack(pack)
    network = Network(checkpoint).eval()
    prompt = host.self_test_prompt(pack)
    tables = host.tables(checkpoint, prompt)
    errors = check_self_test(network, tables, pack, args.tolerance)
    realistic = host.made_up_prompt(checkpoint, REALISTIC_TEXT, [REALISTIC_GRID], "realistic")
    realistic_tables = host.tables(checkpoint, realistic)
    realistic_expected = dict(zip(OUTPUTS, network(**realistic_tables)))
    prompts = [(prompt, tables, expected_of_pack(pack)), (realistic, realistic_tables, realistic_expected)]
    for item in prompts:
        write_prompt(out, *item)
    reports = {name: write_graph(out, name, model, prompts) for name, model in graphs(checkpoint, pack, realistic_tables).items()}
    report = {
        "pack": {"name": pack.manifest["name"], "layout": pack.manifest["quant"], "bytes": pack.size_bytes()},
        "prompts": [item[0].describe() for item in prompts],
        "network_relative_error": errors,
        "graphs": reports,
        "versions": {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
