"""The whole network in plain PyTorch: vision tower, text tower, both heads.

Simple operations only, so that it exports to one ONNX graph. Source: `Qwen3VLModel` of `transformers` and the heads of the
ServImage research code (`crates/servimage-model/src/heads.rs`); `nano_to_onnx.py` holds it against the pack's self-test.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import contrib
from .checkpoint import CONCEPTS, GROUPS, Checkpoint

INPUTS = [
    "input_ids", "visual_rows", "text_cos", "text_sin", "pixel_values", "pos_rows", "pos_weights", "vision_cos", "vision_sin",
]  # fmt: skip
OUTPUTS = ["concept_logits", "pay_logits"]
PAY_LOGIT_SCALE = 100.0


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """`x cos + rotate_half(x) sin`; `x` is `[n_heads, rows, head_dim]`."""
    low, high = x.chunk(2, -1)
    return x * cos + torch.cat([-high, low], -1) * sin


class Network(nn.Module):
    """Both towers and both heads of a [`Checkpoint`], one prompt at a time.

    `attention` is `torch` (scaled dot-product attention), or for export only `contrib` (ONNX Runtime's fused operators) or
    `contrib_gqa` (the same in the text tower's attention too).
    """

    def __init__(self, checkpoint: Checkpoint, attention: str = "torch"):
        super().__init__()
        self.text, self.vision = checkpoint.text, checkpoint.vision
        self.attention = attention
        # Dots are not allowed in the names of parameters.
        for name, values in checkpoint.weights.items():
            self.register_parameter(name.replace(".", "/"), nn.Parameter(values.float(), requires_grad=False))

    def weight(self, name: str) -> Tensor:
        """A tensor of the checkpoint."""
        return self._parameters[name.replace(".", "/")]

    def linear(self, name: str, x: Tensor) -> Tensor:
        """`x W^T + b`, without `b` where the checkpoint has none."""
        bias = self._parameters.get(f"{name}.bias".replace(".", "/"))
        return F.linear(x, self.weight(f"{name}.weight"), bias)

    def layer_norm(self, name: str, x: Tensor, epsilon: float) -> Tensor:
        """LayerNorm over the last dimension."""
        weight = self.weight(f"{name}.weight")
        return F.layer_norm(x, weight.shape, weight, self.weight(f"{name}.bias"), epsilon)

    def rms_norm(self, name: str, x: Tensor) -> Tensor:
        """RMSNorm over the last dimension."""
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.text["rms_norm_eps"])
        return x * scale * self.weight(f"{name}.weight")

    def see(self, pixel_values, pos_rows, pos_weights, vision_cos, vision_sin, frames=None):
        """Patches to visual tokens, and the deepstack features; `frames` are the patches of each image, one by default."""
        root = "model.visual"
        table = self.weight(f"{root}.pos_embed.weight")
        taps = [F.embedding(pos_rows[i], table) * pos_weights[i][:, None] for i in range(4)]
        x = self.linear(f"{root}.patch_embed.proj", pixel_values) + taps[0] + taps[1] + taps[2] + taps[3]
        deepstack = []
        for i in range(self.vision["n_layers"]):
            x = self.vision_block(f"{root}.blocks.{i}", x, vision_cos, vision_sin, frames)
            if i in self.vision["deepstack_layers"]:
                name = f"{root}.deepstack_merger_list.{len(deepstack)}"
                deepstack.append(self.merge(name, x, norm_after_join=True))
        return self.merge(f"{root}.merger", x, norm_after_join=False), deepstack

    def vision_block(self, name: str, x: Tensor, cos: Tensor, sin: Tensor, frames) -> Tensor:
        """One block of the vision tower."""
        n_heads = self.vision["n_heads"]
        qkv = self.linear(f"{name}.attn.qkv", self.layer_norm(f"{name}.norm1", x, 1e-6))
        q, k, v = qkv.chunk(3, -1)
        if self.attention != "torch":
            mixed = contrib.attend_to_all(q, k, v, cos, sin, n_heads)
        else:
            q, k, v = (self.split_heads(y, n_heads) for y in (q, k, v))
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            mixed = self.attend_within(q, k, v, frames).transpose(0, 1).flatten(1)
        x = x + self.linear(f"{name}.attn.proj", mixed)
        hidden = self.linear(f"{name}.mlp.linear_fc1", self.layer_norm(f"{name}.norm2", x, 1e-6))
        return x + self.linear(f"{name}.mlp.linear_fc2", F.gelu(hidden, approximate="tanh"))

    @staticmethod
    def split_heads(x: Tensor, n_heads: int) -> Tensor:
        """`[rows, n_heads * head_dim]` to `[n_heads, rows, head_dim]`."""
        return x.unflatten(-1, (n_heads, -1)).transpose(0, 1)

    @staticmethod
    def attend_within(q: Tensor, k: Tensor, v: Tensor, frames: list[int] | None) -> Tensor:
        """Full attention inside each image."""
        attend = F.scaled_dot_product_attention
        if frames is None:
            return attend(q[None], k[None], v[None])[0]
        parts = zip(*(y.split(frames, 1) for y in (q, k, v)))
        return torch.cat([attend(q[None], k[None], v[None])[0] for q, k, v in parts], 1)

    def merge(self, name: str, x: Tensor, norm_after_join: bool) -> Tensor:
        """Joins neighbouring patches into one token."""
        d_joined = x.shape[-1] * self.vision["spatial_merge_size"] ** 2
        if norm_after_join:
            x = self.layer_norm(f"{name}.norm", x.reshape(-1, d_joined), 1e-6)
        else:
            x = self.layer_norm(f"{name}.norm", x, 1e-6).reshape(-1, d_joined)
        return self.linear(f"{name}.linear_fc2", F.gelu(self.linear(f"{name}.linear_fc1", x)))

    def read(self, input_ids, visual_rows, text_cos, text_sin, visual, deepstack) -> Tensor:
        """The text tower; the result `[n_ids, d_model]` is after the final norm."""
        root = "model.language_model"

        def place(rows: Tensor) -> Tensor:
            return F.embedding(visual_rows, torch.cat([torch.zeros_like(rows[:1]), rows]))

        is_visual = (visual_rows > 0)[:, None]
        words = F.embedding(input_ids, self.weight(f"{root}.embed_tokens.weight"))
        x = torch.where(is_visual, place(visual), words)
        for i in range(self.text["n_layers"]):
            x = self.text_layer(f"{root}.layers.{i}", x, text_cos, text_sin)
            if i < len(deepstack):
                x = x + place(deepstack[i])
        return self.rms_norm(f"{root}.norm", x)

    def text_layer(self, name: str, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """One layer of the text tower."""
        n_heads, n_kv_heads = self.text["n_heads"], self.text["n_kv_heads"]
        y = self.rms_norm(f"{name}.input_layernorm", x)
        q, k, v = (self.linear(f"{name}.self_attn.{part}_proj", y) for part in "qkv")
        q, k = (y.unflatten(-1, (-1, self.text["head_dim"])) for y in (q, k))
        q, k = self.rms_norm(f"{name}.self_attn.q_norm", q), self.rms_norm(f"{name}.self_attn.k_norm", k)
        if self.attention == "contrib_gqa":
            mixed = contrib.attend_back(q.flatten(1), k.flatten(1), v, cos, sin, n_heads, n_kv_heads)
        else:
            q, k = (self.rotate_heads(y, cos, sin) for y in (q, k))
            v = self.split_heads(v, n_kv_heads)
            attend = F.scaled_dot_product_attention
            mixed = attend(q[None], k[None], v[None], is_causal=True, enable_gqa=True)[0].transpose(0, 1).flatten(1)
        x = x + self.linear(f"{name}.self_attn.o_proj", mixed)
        y = self.rms_norm(f"{name}.post_attention_layernorm", x)
        gated = F.silu(self.linear(f"{name}.mlp.gate_proj", y)) * self.linear(f"{name}.mlp.up_proj", y)
        return x + self.linear(f"{name}.mlp.down_proj", gated)

    def rotate_heads(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """`[rows, n_heads, head_dim]` to `[n_heads, rows, head_dim]`, rotated."""
        if self.attention == "torch":
            return rotate(x.transpose(0, 1), cos, sin)
        return self.split_heads(contrib.rotate(x.flatten(1), cos, sin, x.shape[1]), x.shape[1])

    def pool(self, stage: str, hidden: Tensor) -> Tensor:
        """Attention pooling with one learned query: `[1, d_model]`."""
        query = self.weight(f"{stage}.attention_pooling.attention_query")[0]
        scores = (query @ hidden.T) * hidden.shape[-1] ** -0.5
        return torch.softmax(scores, -1) @ hidden

    def encode(self, name: str, first: int, x: Tensor) -> Tensor:
        """Linear, LayerNorm, GELU."""
        return F.gelu(self.layer_norm(f"{name}.{first + 1}", self.linear(f"{name}.{first}", x), 1e-5))

    def concepts(self, hidden: Tensor) -> Tensor:
        """Logits of the classes 1 to 5 and N/A, `[7, 6]` in the order of `CONCEPTS`."""
        shared = self.pool("stage1", hidden)
        for first in (0, 4):
            shared = self.encode("stage1.shared_encoder", first, shared)
        logits = {}
        for group, concepts in GROUPS.items():
            encoded = self.encode(f"stage1.{group}_concept_encoder", 0, shared)
            logits |= {concept: self.linear(f"stage1.{concept}_head", encoded) for concept in concepts}
        return torch.cat([logits[concept] for concept in CONCEPTS])

    def payment(self, hidden: Tensor) -> Tensor:
        """Logits of reject and accept, `[2]`."""
        x = self.pool("stage2", hidden)
        for i in range(1, 5):
            x = F.relu(self.linear(f"stage2.fc{i}", x))
        return self.linear("stage2.fc5", x)[0] * PAY_LOGIT_SCALE

    def trace(self, inputs: dict[str, Tensor], frames: list[int] | None = None) -> dict[str, Tensor]:
        """Everything that a self-test may hold this network against, by name."""
        vision = ("pixel_values", "pos_rows", "pos_weights", "vision_cos", "vision_sin")
        visual, deepstack = self.see(*(inputs[name] for name in vision), frames)
        text = ("input_ids", "visual_rows", "text_cos", "text_sin")
        hidden = self.read(*(inputs[name] for name in text), visual, deepstack)
        concepts = {f"stage1.{name}": row for name, row in zip(CONCEPTS, self.concepts(hidden))}
        shared = {"vision_embeds": visual, "hidden_states": hidden}
        stages = {f"{stage}.{name}": x for stage in ("stage1", "stage2") for name, x in shared.items()}
        return concepts | stages | {"stage2.pay_logits": self.payment(hidden)}

    def forward(
        self, input_ids, visual_rows, text_cos, text_sin, pixel_values, pos_rows, pos_weights, vision_cos, vision_sin, frames=None
    ):
        """Concept logits `[7, 6]` and payment logits `[2]`."""
        visual, deepstack = self.see(pixel_values, pos_rows, pos_weights, vision_cos, vision_sin, frames)
        hidden = self.read(input_ids, visual_rows, text_cos, text_sin, visual, deepstack)
        return self.concepts(hidden), self.payment(hidden)


def relative_error(found: Tensor, expected: Tensor) -> float:
    """`max |found - expected| / max |expected|`, the measure of the pack's self-test."""
    return ((found.flatten() - expected.flatten()).abs().max() / expected.abs().max()).item()
