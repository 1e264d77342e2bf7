"""Where a network comes from: a pack, or the research code's folders.

Both give a [`Checkpoint`]: dimensions under the pack's names, weights under the checkpoint's names. The low-rank
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
