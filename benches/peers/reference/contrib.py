"""Attention as ONNX Runtime's own fused operators, the way its model builder writes a graph of this family.

`RotaryEmbedding` and `MultiHeadAttention` of the domain `com.microsoft`; they exist in the wasm and in the WebGPU back end.
"""

import torch
from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, cos: Tensor, sin: Tensor, n_heads: int, n_kv_heads: int, causal: bool) -> Tensor:
    """Rotates `q` and `k`, then attends; all `[rows, heads * head_dim]`, key and value heads repeated to `n_heads`."""
    q, k = rotate(q, cos, sin, n_heads), rotate(k, cos, sin, n_kv_heads)
    k, v = (repeat(x, n_kv_heads, n_heads // n_kv_heads) for x in (k, v))
    out = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        (q[None], k[None], v[None]),
        {"num_heads": n_heads, "unidirectional": int(causal)},
        dtype=q.dtype,
        shape=(1, *q.shape),
        version=1,
    )
    return out[0]


def rotate(x: Tensor, cos: Tensor, sin: Tensor, n_heads: int) -> Tensor:
    """Row `i` of the tables turns row `i` of `x`; the operator wants each angle once."""
    half = cos.shape[-1] // 2
    out = torch.onnx.ops.symbolic(
        "com.microsoft::RotaryEmbedding",
        (x[None], torch.zeros(1, dtype=torch.int64), cos[:, :half], sin[:, :half]),
        {"num_heads": n_heads, "rotary_embedding_dim": 2 * half, "interleaved": 0},
        dtype=x.dtype,
        shape=(1, *x.shape),
        version=1,
    )
    return out[0]


def repeat(x: Tensor, n_kv_heads: int, n_rep: int) -> Tensor:
    """Each head `n_rep` times in a row."""
    if n_rep == 1:
        return x
    return x.unflatten(-1, (n_kv_heads, 1, -1)).expand(-1, -1, n_rep, -1).flatten(1)
