"""Where a network comes from: a pack, the research code's folders, or random numbers.

All three give a [`Checkpoint`]: dimensions under the pack's names, weights under the checkpoint's names. The low-rank
matrices of the research code are merged into their base weights.
"""

import json
import pathlib
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import load_file

from .pack import Pack

GROUPS = {
    "brf": ["brf"],
    "veq": ["veq_clarity", "veq_realism", "veq_aesthetic", "veq_text"],
    "cns": ["cns_edit", "cns_set"],
}
CONCEPTS = [concept for concepts in GROUPS.values() for concept in concepts]

# Folder of an adapter in the research code, and the module that its names start from.
ADAPTERS = {
    "vision_lora": "model.visual.",
    "projector_lora": "model.visual.merger.",
    "llm_lora": "model.language_model.",
}


@dataclass
class Checkpoint:
    """Dimensions and weights of one network with both heads."""

    text: dict
    vision: dict
    special_tokens: dict
    weights: dict[str, torch.Tensor]


def from_pack(pack: Pack) -> Checkpoint:
    """The network of a pack whose two heads share one pass."""
    if pack.manifest.get("payment_adapter"):
        raise ValueError(f"{pack.folder}: has a payment adapter; only packs of one pass are supported")
    weights = {name: torch.from_numpy(np.array(x)) for name, x in pack.weights().items()}
    manifest = pack.manifest
    return Checkpoint(manifest["text"], manifest["vision"], manifest["special_tokens"], weights)


def from_folders(golden: str | pathlib.Path, n_stages: int = 1) -> Checkpoint:
    """`base/` with the adapters of the first `n_stages` stages merged into it, and both heads."""
    golden = pathlib.Path(golden)
    config = json.loads((golden / "base" / "config.json").read_text())
    weights = load_file(golden / "base" / "model.safetensors")
    patch_embed = "model.visual.patch_embed.proj.weight"
    shape = weights[patch_embed].shape
    weights[patch_embed] = weights[patch_embed].flatten(1)
    for stage in range(1, n_stages + 1):
        # The vision adapter may carry the merger's matrices too; they count once.
        changes = {}
        for folder, root in ADAPTERS.items():
            changes |= read_adapter(golden / f"stage{stage}" / folder, root)
        for name, change in changes.items():
            if name not in weights:
                raise ValueError(f"{golden}: stage {stage} adapts {name}, which the base lacks")
            weights[name] = weights[name] + change
    heads = {"stage1": "quality_decoder", "stage2": "stage2_decoder"}
    for stage, decoder in heads.items():
        state = torch.load(golden / stage / decoder / "pytorch_model.bin", weights_only=True)
        weights |= {f"{stage}.{name}": x for name, x in state.items()}
    tokens = {
        "image": config["image_token_id"],
        "video": config["video_token_id"],
        "vision_start": config["vision_start_token_id"],
        "vision_end": config["vision_end_token_id"],
    }
    vision = vision_dims(config["vision_config"], shape)
    return Checkpoint(text_dims(config["text_config"]), vision, tokens, weights)


def read_adapter(folder: pathlib.Path, root: str) -> dict[str, torch.Tensor]:
    """`alpha / r * B A` by the weight's name; nothing where the adapter is not there."""
    if not folder.is_dir():
        return {}
    config = json.loads((folder / "adapter_config.json").read_text())
    state = load_file(folder / "adapter_model.safetensors")
    changes = {}
    for name, a in state.items():
        if ".lora_A." in name:
            b = state[name.replace(".lora_A.", ".lora_B.")]
            target = root + name.removeprefix("base_model.model.").replace(".lora_A.", ".")
            changes[target] = b.flatten(1) @ a.flatten(1) * (config["lora_alpha"] / config["r"])
    return changes


def text_dims(config: dict) -> dict:
    """`text_config` under the pack's names."""
    rope = config.get("rope_parameters") or config["rope_scaling"]
    return {
        "vocab_size": config["vocab_size"],
        "d_model": config["hidden_size"],
        "n_layers": config["num_hidden_layers"],
        "n_heads": config["num_attention_heads"],
        "n_kv_heads": config["num_key_value_heads"],
        "head_dim": config["head_dim"],
        "d_hidden": config["intermediate_size"],
        "rms_norm_eps": config["rms_norm_eps"],
        "rope_theta": rope.get("rope_theta", config.get("rope_theta")),
        "mrope_section": rope["mrope_section"],
    }


def vision_dims(config: dict, patch_embed: torch.Size) -> dict:
    """`vision_config` under the pack's names."""
    return {
        "d_model": config["hidden_size"],
        "n_layers": config["depth"],
        "n_heads": config["num_heads"],
        "d_hidden": config["intermediate_size"],
        "in_channels": patch_embed[1],
        "patch_size": config["patch_size"],
        "temporal_patch_size": config["temporal_patch_size"],
        "spatial_merge_size": config["spatial_merge_size"],
        "d_out": config["out_hidden_size"],
        "n_position_embeddings": config["num_position_embeddings"],
        "deepstack_layers": config["deepstack_visual_indexes"],
        "rope_theta": 10000.0,
    }


def random_checkpoint(width: int, seed: int = 7) -> Checkpoint:
    """A network with nano's depths and `width` in the text tower, random weights.

    The other widths follow: feed-forward 2 x, vision 3/4 x with feed-forward 3 x, heads of 32 values.
    """
    vision_width = width * 3 // 4
    text = {
        "vocab_size": 1024, "d_model": width, "n_layers": 3, "n_heads": width // 32,
        "n_kv_heads": width // 64, "head_dim": 32, "d_hidden": 2 * width, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "mrope_section": [6, 5, 5],
    }  # fmt: skip
    vision = {
        "d_model": vision_width, "n_layers": 4, "n_heads": max(4, vision_width // 32),
        "d_hidden": 3 * vision_width, "in_channels": 3, "patch_size": 16, "temporal_patch_size": 2,
        "spatial_merge_size": 2, "d_out": width, "n_position_embeddings": 64,
        "deepstack_layers": [1], "rope_theta": 10000.0,
    }  # fmt: skip
    tokens = {"image": 5, "video": 6, "vision_start": 3, "vision_end": 4}
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: torch.randn(shape, generator=generator) * 0.02 + ("norm" in name and name.endswith("weight"))
        for name, shape in shapes(text, vision).items()
    }
    return Checkpoint(text, vision, tokens, weights)


def linear(name: str, d_in: int, d_out: int, bias: bool = True) -> dict[str, list[int]]:
    """Shapes of a linear layer."""
    return {f"{name}.weight": [d_out, d_in]} | ({f"{name}.bias": [d_out]} if bias else {})


def norm(name: str, d: int) -> dict[str, list[int]]:
    """Shapes of a LayerNorm."""
    return {f"{name}.weight": [d], f"{name}.bias": [d]}


def shapes(text: dict, vision: dict) -> dict[str, list[int]]:
    """Every tensor of a checkpoint with the small heads of nano."""
    return vision_shapes(vision) | text_shapes(text) | head_shapes(text["d_model"])


def vision_shapes(dims: dict) -> dict[str, list[int]]:
    """Tensors under `model.visual`."""
    root, d, d_hidden = "model.visual", dims["d_model"], dims["d_hidden"]
    d_patch = dims["in_channels"] * dims["temporal_patch_size"] * dims["patch_size"] ** 2
    d_joined = d * dims["spatial_merge_size"] ** 2
    out = linear(f"{root}.patch_embed.proj", d_patch, d)
    out[f"{root}.pos_embed.weight"] = [dims["n_position_embeddings"], d]
    for i in range(dims["n_layers"]):
        block = f"{root}.blocks.{i}"
        out |= norm(f"{block}.norm1", d) | norm(f"{block}.norm2", d)
        out |= linear(f"{block}.attn.qkv", d, 3 * d) | linear(f"{block}.attn.proj", d, d)
        out |= linear(f"{block}.mlp.linear_fc1", d, d_hidden) | linear(f"{block}.mlp.linear_fc2", d_hidden, d)
    mergers = [(f"{root}.merger", d)]
    mergers += [(f"{root}.deepstack_merger_list.{i}", d_joined) for i in range(len(dims["deepstack_layers"]))]
    for name, d_norm in mergers:
        out |= norm(f"{name}.norm", d_norm)
        out |= linear(f"{name}.linear_fc1", d_joined, d_joined) | linear(f"{name}.linear_fc2", d_joined, dims["d_out"])
    return out


def text_shapes(dims: dict) -> dict[str, list[int]]:
    """Tensors under `model.language_model`."""
    root, d, d_hidden = "model.language_model", dims["d_model"], dims["d_hidden"]
    d_q, d_kv = dims["n_heads"] * dims["head_dim"], dims["n_kv_heads"] * dims["head_dim"]
    out = {f"{root}.embed_tokens.weight": [dims["vocab_size"], d], f"{root}.norm.weight": [d]}
    for i in range(dims["n_layers"]):
        layer = f"{root}.layers.{i}"
        out |= {f"{layer}.input_layernorm.weight": [d], f"{layer}.post_attention_layernorm.weight": [d]}
        out |= {f"{layer}.self_attn.{x}_norm.weight": [dims["head_dim"]] for x in "qk"}
        for name, d_in, d_out in [("q", d, d_q), ("k", d, d_kv), ("v", d, d_kv), ("o", d_q, d)]:
            out |= linear(f"{layer}.self_attn.{name}_proj", d_in, d_out, bias=False)
        for name, d_in, d_out in [("gate", d, d_hidden), ("up", d, d_hidden), ("down", d_hidden, d)]:
            out |= linear(f"{layer}.mlp.{name}_proj", d_in, d_out, bias=False)
    return out


def head_shapes(d: int) -> dict[str, list[int]]:
    """Tensors under `stage1` and `stage2`, with nano's widths."""
    out = {f"stage{i}.attention_pooling.attention_query": [1, 1, d] for i in (1, 2)}
    out |= linear("stage1.shared_encoder.0", d, 128) | norm("stage1.shared_encoder.1", 128)
    out |= linear("stage1.shared_encoder.4", 128, 64) | norm("stage1.shared_encoder.5", 64)
    for group, concepts in GROUPS.items():
        encoder = f"stage1.{group}_concept_encoder"
        out |= linear(f"{encoder}.0", 64, 32) | norm(f"{encoder}.1", 32)
        for concept in concepts:
            out |= linear(f"stage1.{concept}_head", 32, 6)
    widths = [d, 64, 32, 16, 16, 2]
    for i in range(5):
        out |= linear(f"stage2.fc{i + 1}", widths[i], widths[i + 1])
    return out
