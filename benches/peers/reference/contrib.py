"""Attention as ONNX Runtime's own fused operators (domain `com.microsoft`), the way its model builder writes such a graph.

`RotaryEmbedding` in both towers, `MultiHeadAttention` in the vision tower. `GroupQueryAttention` in the text tower is a variant of its
own: on WebGPU over SwiftShader its numbers are wrong (onnxruntime-web 1.30.0, 2026-11-24: relative error 0.29 on the payment
logits of the self-test; the causal mode of `MultiHeadAttention` gives the very same), on wasm they are right. The vision tower's
`MultiHeadAttention` is right there for 24 patches and off for 196 (relative error 5e-3). Compare on `f32` or `f16w`.
"""

import torch
from torch import Tensor


def attend_to_all(q: Tensor, k: Tensor, v: Tensor, cos: Tensor, sin: Tensor, n_heads: int) -> Tensor:
    """Rotates `q` and `k`, then every row looks at all rows; all `[rows, n_heads * head_dim]`."""
    q, k = rotate(q, cos, sin, n_heads), rotate(k, cos, sin, n_heads)
    return torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        (q[None], k[None], v[None]),
        {"num_heads": n_heads},
        dtype=q.dtype,
        shape=(1, *q.shape),
        version=1,
    )[0]


def attend_back(q: Tensor, k: Tensor, v: Tensor, cos: Tensor, sin: Tensor, n_heads: int, n_kv_heads: int) -> Tensor:
    """The same where a row looks at itself and the rows before it; `k` and `v` are `[rows, n_kv_heads * head_dim]`."""
    q, k = rotate(q, cos, sin, n_heads), rotate(k, cos, sin, n_kv_heads)
    n_rows, head_dim = q.shape[0], q.shape[1] // n_heads
    last = torch.full((1,), n_rows - 1, dtype=torch.int32)
    total = torch.full((1,), n_rows, dtype=torch.int32)
    cache = (1, n_kv_heads, n_rows, head_dim)
    return torch.onnx.ops.symbolic_multi_out(
        "com.microsoft::GroupQueryAttention",
        (q[None], k[None], v[None], None, None, last, total),
        {"num_heads": n_heads, "kv_num_heads": n_kv_heads},
        dtypes=(q.dtype, q.dtype, q.dtype),
        shapes=((1, *q.shape), cache, cache),
        version=1,
    )[0][0]


def rotate(x: Tensor, cos: Tensor, sin: Tensor, n_heads: int) -> Tensor:
    """Row `i` of the tables turns row `i` of `x`; the operator wants each angle once."""
    half = cos.shape[-1] // 2
    return torch.onnx.ops.symbolic(
        "com.microsoft::RotaryEmbedding",
        (x[None], torch.zeros(1, dtype=torch.int64), cos[:, :half], sin[:, :half]),
        {"num_heads": n_heads, "rotary_embedding_dim": 2 * half, "interleaved": 0},
        dtype=x.dtype,
        shape=(1, *x.shape),
        version=1,
    )[0]
