//! The operations in burn's own, which record gradients: for training on a GPU, and as the reference of the kernels' tests.

use crate::{Activation, AttentionShape, Heads, Segment};
use burn::tensor::activation::{gelu, relu, sigmoid, silu, softmax};
use burn::tensor::{Int, Tensor, TensorData};

/// What an attention score is lowered by where a row must not look; exp of it is 0 in f32.
const MASKED: f32 = -1.0e9;

pub(crate) fn linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    addend: Option<Tensor<2>>,
    activation: Activation,
) -> Tensor<2> {
    let mut y = x.matmul(weight.transpose());
    if let Some(bias) = bias {
        y = y + bias.unsqueeze();
    }
    if let Some(addend) = addend {
        y = y + addend;
    }
    match activation {
        Activation::None => y,
        Activation::GeluTanh => gelu_tanh(y),
        Activation::Gelu => gelu(y),
        Activation::Relu => relu(y),
    }
}

/// GELU in its tanh form; `(1 + tanh(u)) / 2` is the logistic function of `2 u`, which takes half the time.
fn gelu_tanh(x: Tensor<2>) -> Tensor<2> {
    let slope = (8.0 / std::f64::consts::PI).sqrt();
    let inner = x.clone() * (x.clone() * x.clone() * (0.044_715 * slope) + slope);
    x * sigmoid(inner)
}

pub(crate) fn rms_norm(x: Tensor<2>, gamma: &Tensor<1>, epsilon: f64) -> Tensor<2> {
    let mean = (x.clone() * x.clone()).mean_dim(1);
    x / (mean + epsilon).sqrt() * gamma.clone().unsqueeze()
}

pub(crate) fn layer_norm(
    x: Tensor<2>,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
    epsilon: f64,
) -> Tensor<2> {
    let centred = x.clone() - x.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred / (variance + epsilon).sqrt() * gamma.clone().unsqueeze() + beta.clone().unsqueeze()
}

pub(crate) fn norm_rotate(
    x: Tensor<2>,
    heads: Heads,
    norm: Option<(&Tensor<1>, f64)>,
    cos: &Tensor<2>,
    sin: &Tensor<2>,
) -> Tensor<2> {
    let ([n_rows, row_len], [_, head_dim]) = (x.dims(), cos.dims());
    let (start, end) = (
        heads.first * head_dim,
        (heads.first + heads.count) * head_dim,
    );
    let before = (start > 0).then(|| x.clone().slice([0..n_rows, 0..start]));
    let behind = (end < row_len).then(|| x.clone().slice([0..n_rows, end..row_len]));
    let mut part = x
        .slice([0..n_rows, start..end])
        .reshape([n_rows * heads.count, head_dim]);
    if let Some((gamma, epsilon)) = norm {
        part = rms_norm(part, gamma, epsilon);
    }
    let part = part.reshape([n_rows, heads.count, head_dim]);
    let half = head_dim / 2;
    let cut =
        |range: std::ops::Range<usize>| part.clone().slice([0..n_rows, 0..heads.count, range]);
    let turned = Tensor::cat(vec![-cut(half..head_dim), cut(0..half)], 2);
    let table = |t: &Tensor<2>| t.clone().reshape([n_rows, 1, head_dim]);
    let part = (part.clone() * table(cos) + turned * table(sin)).reshape([n_rows, end - start]);
    let parts: Vec<_> = before.into_iter().chain([part]).chain(behind).collect();
    Tensor::cat(parts, 1)
}

pub(crate) fn attention(
    qkv: Tensor<2>,
    prefix: Option<&Tensor<2>>,
    segments: &[Segment],
    shape: AttentionShape,
) -> Tensor<2> {
    let equal = segments.windows(2).all(|pair| pair[0].len == pair[1].len);
    if equal && prefix.is_none() {
        return attend(qkv, None, segments.len(), shape);
    }
    let [_, row_len] = qkv.dims();
    let parts = segments.iter().map(|segment| {
        let rows = segment.start..segment.start + segment.len;
        let part = qkv.clone().slice([rows, 0..row_len]);
        attend(part, prefix, 1, shape)
    });
    Tensor::cat(parts.collect(), 0)
}

/// Attention inside `batch` runs of equal length.
fn attend(
    qkv: Tensor<2>,
    prefix: Option<&Tensor<2>>,
    batch: usize,
    shape: AttentionShape,
) -> Tensor<2> {
    let AttentionShape {
        n_heads,
        n_kv_heads,
        head_dim,
        causal,
    } = shape;
    let [n_rows, _] = qkv.dims();
    let len = n_rows / batch;
    // `[batch, heads, len, head_dim]`
    let heads = |first: usize, count: usize| {
        qkv.clone()
            .slice([0..n_rows, first * head_dim..(first + count) * head_dim])
            .reshape([batch, len, count, head_dim])
            .swap_dims(1, 2)
    };
    let (q, mut k, mut v) = (
        heads(0, n_heads),
        heads(n_heads, n_kv_heads),
        heads(n_heads + n_kv_heads, n_kv_heads),
    );
    let mut n_prefix = 0;
    if let Some(prefix) = prefix {
        n_prefix = prefix.dims()[0];
        let part = |first: usize| {
            let columns = first * head_dim..(first + n_kv_heads) * head_dim;
            prefix
                .clone()
                .slice([0..n_prefix, columns])
                .reshape([1, n_prefix, n_kv_heads, head_dim])
                .swap_dims(1, 2)
        };
        k = Tensor::cat(vec![part(0), k], 2);
        v = Tensor::cat(vec![part(n_kv_heads), v], 2);
    }
    let n_keys = n_prefix + len;
    let repeat = |x: Tensor<4>| {
        let n_rep = n_heads / n_kv_heads;
        x.reshape([batch, n_kv_heads, 1, n_keys * head_dim])
            .repeat_dim(2, n_rep)
            .reshape([batch, n_heads, n_keys, head_dim])
    };
    let mut scores = q.matmul(repeat(k).transpose()) * (head_dim as f64).powf(-0.5);
    if causal {
        let hidden = |i: usize| i % n_keys > i / n_keys + n_prefix;
        let values: Vec<f32> = (0..len * n_keys)
            .map(|i| if hidden(i) { MASKED } else { 0.0 })
            .collect();
        let mask = TensorData::new(values, [1, 1, len, n_keys]);
        scores = scores.clone() + Tensor::from_data(mask, &scores.device());
    }
    softmax(scores, 3)
        .matmul(repeat(v))
        .swap_dims(1, 2)
        .reshape([n_rows, n_heads * head_dim])
}

pub(crate) fn swiglu(gate_up: Tensor<2>) -> Tensor<2> {
    let [n_rows, width] = gate_up.dims();
    let half = width / 2;
    silu(gate_up.clone().slice([0..n_rows, 0..half])) * gate_up.slice([0..n_rows, half..width])
}

pub(crate) fn gather(table: &Tensor<2>, rows: &[u32], weights: &[f32], n_taps: usize) -> Tensor<2> {
    let n = rows.len() / n_taps;
    let device = table.device();
    let tap = |t: usize| {
        let rows: Vec<i32> = rows[t * n..(t + 1) * n]
            .iter()
            .map(|&row| row as i32)
            .collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [n]), &device);
        let weights = TensorData::new(weights[t * n..(t + 1) * n].to_vec(), [n, 1]);
        table.clone().select(0, rows) * Tensor::<2>::from_data(weights, &device)
    };
    (1..n_taps).fold(tap(0), |sum, t| sum + tap(t))
}

pub(crate) fn add_rows(x: Tensor<2>, rows: &[u32], add: &Tensor<2>) -> Tensor<2> {
    let ([n, d], device) = (x.dims(), x.device());
    // Each row of x takes a row of `add`, or the zeros in front of them.
    let mut from = vec![0_i32; n];
    for (i, &row) in rows.iter().enumerate() {
        from[row as usize] = i as i32 + 1;
    }
    let table = Tensor::cat(vec![Tensor::zeros([1, d], &device), add.clone()], 0);
    x + table.select(
        0,
        Tensor::<1, Int>::from_data(TensorData::new(from, [n]), &device),
    )
}
