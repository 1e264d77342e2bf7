"""The same network through `transformers`: its Qwen3-VL module with the weights of a [`Checkpoint`], and our heads behind it."""

import numpy as np
import torch
from torch import nn
from transformers import Qwen3VLConfig, Qwen3VLModel

from .checkpoint import Checkpoint
from .inputs import Prompt
from .network import Network


def config_of(checkpoint: Checkpoint) -> Qwen3VLConfig:
    """The configuration with the pack's dimensions."""
    text, vision, tokens = checkpoint.text, checkpoint.vision, checkpoint.special_tokens
    return Qwen3VLConfig(
        text_config={
            "vocab_size": text["vocab_size"], "hidden_size": text["d_model"], "intermediate_size": text["d_hidden"],
            "num_hidden_layers": text["n_layers"], "num_attention_heads": text["n_heads"],
            "num_key_value_heads": text["n_kv_heads"], "head_dim": text["head_dim"],
            "rms_norm_eps": text["rms_norm_eps"], "rope_theta": text["rope_theta"], "max_position_embeddings": 8192,
            "rope_scaling": {"rope_type": "default", "mrope_section": text["mrope_section"], "mrope_interleaved": True},
        },
        vision_config={
            "depth": vision["n_layers"], "hidden_size": vision["d_model"], "num_heads": vision["n_heads"],
            "intermediate_size": vision["d_hidden"], "in_channels": vision["in_channels"],
            "patch_size": vision["patch_size"], "temporal_patch_size": vision["temporal_patch_size"],
            "spatial_merge_size": vision["spatial_merge_size"], "out_hidden_size": vision["d_out"],
            "num_position_embeddings": vision["n_position_embeddings"],
            "deepstack_visual_indexes": vision["deepstack_layers"],
        },
        image_token_id=tokens["image"], video_token_id=tokens["video"],
        vision_start_token_id=tokens["vision_start"], vision_end_token_id=tokens["vision_end"],
        attn_implementation="sdpa",
    )  # fmt: skip


class HuggingFace(nn.Module):
    """Reference backbone and both heads, one prompt at a time."""

    def __init__(self, checkpoint: Checkpoint):
        super().__init__()
        self.image_token = checkpoint.special_tokens["image"]
        self.backbone = Qwen3VLModel(config_of(checkpoint)).eval()
        state = {
            name.removeprefix("model."): x for name, x in checkpoint.weights.items() if name.startswith("model.")
        }
        patch_embed = "visual.patch_embed.proj.weight"
        state[patch_embed] = state[patch_embed].reshape(self.backbone.state_dict()[patch_embed].shape)
        self.backbone.load_state_dict(state)
        self.heads = Network(checkpoint)

    def forward(self, prompt: Prompt) -> tuple[torch.Tensor, torch.Tensor]:
        """Concept logits `[7, 6]` and payment logits `[2]`."""
        ids = torch.from_numpy(prompt.input_ids)[None]
        hidden = self.backbone(
            input_ids=ids,
            pixel_values=torch.from_numpy(np.asarray(prompt.pixel_values)),
            image_grid_thw=torch.from_numpy(prompt.grids),
            mm_token_type_ids=(ids == self.image_token).int(),
            use_cache=False,
        ).last_hidden_state[0]
        return self.heads.concepts(hidden), self.heads.payment(hidden)
