"""Writes the pack's network in the file layout that transformers.js expects of a `qwen3_vl` model.

    python nano_to_transformers_js.py --pack public/models/nano --out target/bench/transformers_js --prompt target/bench/inputs/page.json

Three graphs instead of one: `vision_encoder`, `embed_tokens`, `decoder_model_merged`. Its class hands one tensor from the
encoder to the decoder and knows no deepstack, so the deepstack features travel as further columns of the embeddings. The
vision encoder is made for the one grid that all prompts share (its class passes only pixels and grid, and the tables that
follow from a grid are baked in); the decoder takes any length. Both heads stand at the end of the decoder, and no keys and
values come back: one prompt, no generation. Weights are stored as f16 and widened when a session starts.
"""

import argparse
import json
import logging
import pathlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nano_to_onnx import OPSET, f32_in_pack, log, write_prompt
from reference import inputs as host
from reference.checkpoint import Checkpoint, from_pack
from reference.network import OUTPUTS, Network, relative_error
from reference.onnx_graph import store_as_f16
from reference.pack import read_pack


class VisionEncoder(nn.Module):
    """Patches of one image to `[n_visual, d_model * (1 + n_taps)]`."""

    def __init__(self, network: Network, tables: dict[str, Tensor]):
        super().__init__()
        self.network = network
        for name in ("pos_rows", "pos_weights", "vision_cos", "vision_sin"):
            self.register_buffer(name, tables[name])

    def forward(self, pixel_values):
        """Visual tokens, then the deepstack features."""
        tables = (self.pos_rows, self.pos_weights, self.vision_cos, self.vision_sin)
        visual, deepstack = self.network.see(pixel_values, *tables)
        return torch.cat([visual, *deepstack], -1)


class EmbedTokens(nn.Module):
    """Ids `[1, n_ids]` to `[1, n_ids, d_model * (1 + n_taps)]`, zeros where the deepstack features go."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = network
        self.n_zeros = len(network.vision["deepstack_layers"]) * network.text["d_model"]

    def forward(self, input_ids):
        """Rows of the embedding."""
        words = F.embedding(input_ids, self.network.weight("model.language_model.embed_tokens.weight"))
        return F.pad(words, (0, self.n_zeros))


class Decoder(nn.Module):
    """Embeddings and positions `[3, 1, n_ids]` to both heads' logits."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = network
        text = network.text
        frequencies = torch.from_numpy(host.inverse_frequencies(text["rope_theta"], text["head_dim"]))
        index = torch.arange(len(frequencies))
        limits = 3 * torch.tensor(text["mrope_section"])
        axis = torch.where((index % 3 > 0) & (index < limits[index % 3]), index % 3, 0)
        self.register_buffer("frequencies", F.one_hot(axis, 3).T.float() * frequencies)

    def forward(self, inputs_embeds, position_ids):
        """Concept logits `[7, 6]` and payment logits `[2]`."""
        network, root = self.network, "model.language_model"
        angles = (position_ids[:, 0, :, None].float() * self.frequencies[:, None]).sum(0)
        cos, sin = (torch.cat([x, x], -1) for x in (angles.cos(), angles.sin()))
        x, *deepstack = inputs_embeds[0].split(network.text["d_model"], -1)
        for i in range(network.text["n_layers"]):
            x = network.text_layer(f"{root}.layers.{i}", x, cos, sin)
            if i < len(deepstack):
                x = x + deepstack[i]
        hidden = network.rms_norm(f"{root}.norm", x)
        return network.concepts(hidden), network.payment(hidden)


def config_of(checkpoint: Checkpoint) -> dict:
    """What the class reads of `config.json`."""
    text, tokens = checkpoint.text, checkpoint.special_tokens
    return {
        "model_type": "qwen3_vl",
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "image_token_id": tokens["image"],
        "video_token_id": tokens["video"],
        "vision_start_token_id": tokens["vision_start"],
        "vision_end_token_id": tokens["vision_end"],
        "vision_config": {"spatial_merge_size": checkpoint.vision["spatial_merge_size"]},
        "text_config": {
            "model_type": "qwen3_vl_text",
            "hidden_size": text["d_model"],
            "num_attention_heads": text["n_heads"],
            "num_key_value_heads": text["n_kv_heads"],
            "num_hidden_layers": text["n_layers"],
            "head_dim": text["head_dim"],
        },
    }


def export(module: nn.Module, inputs: dict[str, Tensor], outputs: list[str], dynamic: dict, path: pathlib.Path, keeps_f32) -> None:
    """Writes one graph."""
    program = torch.onnx.export(
        module.eval(), tuple(inputs.values()), dynamo=True, opset_version=OPSET, input_names=list(inputs),
        output_names=outputs, dynamic_shapes=tuple(dynamic.get(name) for name in inputs), verbose=False,
    )  # fmt: skip
    data = store_as_f16(program.model_proto, keeps_f32).SerializeToString()
    path.write_bytes(data)
    log(f"{path.name}: {len(data)} bytes")


def check(decoder: Decoder, embeds: Tensor, positions: Tensor, expected: dict[str, Tensor]) -> dict[str, float]:
    """The three parts together must be the network; the relative errors."""
    found = dict(zip(OUTPUTS, decoder(embeds, positions)))
    errors = {name: relative_error(found[name], expected[name]) for name in OUTPUTS}
    if not max(errors.values()) < 1e-3:
        raise ValueError(f"the three parts together: relative error {errors}, expected below 1e-3")
    return errors


def write(checkpoint: Checkpoint, keeps_f32, out: pathlib.Path, files: list[str]) -> dict:
    """Checks and writes everything; the report."""
    folder = out / "nano" / "onnx"
    folder.mkdir(parents=True, exist_ok=True)
    network = Network(checkpoint).eval()
    prompts = [host.read_prompt(file) for file in files]
    if len({prompt.grids.tobytes() for prompt in prompts}) > 1:
        raise ValueError(f"the prompts have other grids: {[prompt.describe() for prompt in prompts]}, expected one")
    for other in prompts[1:]:
        tables = host.tables(checkpoint, other)
        write_prompt(out, other, tables, dict(zip(OUTPUTS, network(**tables))))
    prompt = prompts[0]
    tables = host.tables(checkpoint, prompt)
    pixels, ids = tables["pixel_values"], torch.from_numpy(prompt.input_ids)[None]
    is_image = prompt.input_ids == checkpoint.special_tokens["image"]
    positions = host.mrope_positions(is_image, prompt.grids, checkpoint.vision["spatial_merge_size"])
    positions = torch.from_numpy(positions).long().T[:, None].contiguous()

    encoder, embed, decoder = VisionEncoder(network, tables), EmbedTokens(network), Decoder(network)
    embeds = embed(ids)
    embeds[0, torch.from_numpy(is_image)] = encoder(pixels)
    expected = dict(zip(OUTPUTS, network(**tables)))
    errors = check(decoder, embeds, positions, expected)
    n_ids = torch.export.Dim("n_ids", min=2)
    export(encoder, {"pixel_values": pixels}, ["image_features"], {}, folder / "vision_encoder.onnx", keeps_f32)
    export(embed, {"input_ids": ids}, ["inputs_embeds"], {"input_ids": {1: n_ids}}, folder / "embed_tokens.onnx", keeps_f32)
    inputs = {"inputs_embeds": embeds, "position_ids": positions}
    dynamic = {"inputs_embeds": {1: n_ids}, "position_ids": {2: n_ids}}
    export(decoder, inputs, OUTPUTS, dynamic, folder / "decoder_model_merged.onnx", keeps_f32)
    (out / "nano" / "config.json").write_text(json.dumps(config_of(checkpoint), indent=1))
    write_prompt(out, prompt, tables, expected)
    return {"relative_error": errors, "bytes": {path.name: path.stat().st_size for path in sorted(folder.iterdir())}}


def main() -> None:
    """Reads the command line, writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", default="public/models/nano", help="folder of the pack")
    parser.add_argument("--out", default="target/bench/transformers_js", help="where the folder goes")
    parser.add_argument("--prompt", action="append", required=True, help="input file with one image; may be repeated")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    logging.disable(logging.WARNING)
    pack = read_pack(args.pack)
    print(json.dumps(write(from_pack(pack), f32_in_pack(pack), pathlib.Path(args.out), args.prompt)))


if __name__ == "__main__":
    main()
