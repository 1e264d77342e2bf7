//! Loops of the gradients, and the softmax that keeps its weights: for training, so natively only.
//!
//! A gradient takes the place of the result's gradient where it has that one's shape.

use super::math::{self, GELU_CUBE, GELU_SLOPE};
use super::norm::{Heads, inverse_rms, mean_and_scale};
use super::simd::{dot, max, sum_by, vectorize};
use crate::Activation;

/// Turns scores into the weights `softmax(scale * scores)`, row by row of `len`; where `causal`, row `i` of every `len` rows
/// weighs its first `i + 1` scores only.
pub(crate) fn softmax_rows(scores: &mut [f32], len: usize, scale: f32, causal: bool) {
    vectorize(
        #[inline(always)]
        || {
            for (i, row) in scores.chunks_exact_mut(len).enumerate() {
                let n_seen = if causal { i % len + 1 } else { len };
                let (seen, hidden) = row.split_at_mut(n_seen);
                hidden.fill(0.0);
                let largest = max(seen);
                for score in seen.iter_mut() {
                    *score = math::exp((*score - largest) * scale);
                }
                let whole = 1.0 / sum_by(seen, seen, |weight, _| weight);
                for weight in seen {
                    *weight *= whole;
                }
            }
        },
    );
}

/// From the gradient of `weights = softmax(scale * scores)`, rows of `len`, that of the scores, in its place.
pub(crate) fn softmax_rows_backward(weights: &[f32], len: usize, scale: f32, gradient: &mut [f32]) {
    vectorize(
        #[inline(always)]
        || {
            let rows = gradient.chunks_exact_mut(len);
            for (gradient, weights) in rows.zip(weights.chunks_exact(len)) {
                let mean = dot(gradient, weights);
                for (gradient, weight) in gradient.iter_mut().zip(weights) {
                    *gradient = weight * (*gradient - mean) * scale;
                }
            }
        },
    );
}

/// Multiplies `gradient` by the activation's slope at `x`.
pub(crate) fn activate_backward(activation: Activation, x: &[f32], gradient: &mut [f32]) {
    #[inline(always)]
    fn by(x: &[f32], gradient: &mut [f32], slope: impl Fn(f32) -> f32) {
        for (gradient, x) in gradient.iter_mut().zip(x) {
            *gradient *= slope(*x);
        }
    }
    vectorize(
        #[inline(always)]
        || match activation {
            Activation::None => {}
            Activation::GeluTanh => by(x, gradient, gelu_tanh_slope),
            Activation::Gelu => by(x, gradient, gelu_slope),
            Activation::Relu => by(x, gradient, |x| if x > 0.0 { 1.0 } else { 0.0 }),
        },
    );
}

/// Slope of `x s(u)`, `s` the logistic function and `u` the odd polynomial of GELU's tanh form.
#[inline(always)]
fn gelu_tanh_slope(x: f32) -> f32 {
    let s = 1.0 / (1.0 + math::exp(-GELU_SLOPE * (x + GELU_CUBE * x * x * x)));
    s + x * s * (1.0 - s) * GELU_SLOPE * (1.0 + 3.0 * GELU_CUBE * x * x)
}

/// Slope of `x Phi(x)`: `Phi(x) + x phi(x)`, of the normal distribution.
#[inline(always)]
fn gelu_slope(x: f32) -> f32 {
    /// `1 / sqrt(2 pi)`
    const PEAK: f32 = 0.398_942_3;
    let tail = math::normal_tail(x.abs(), 1.0);
    let below = if x > 0.0 { 1.0 - tail } else { tail };
    below + x * PEAK * math::exp(-0.5 * x * x)
}

/// Adds each row of `rows` to `sums`.
pub(crate) fn add_rows_to(sums: &mut [f32], rows: &[f32]) {
    vectorize(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(sums.len()) {
                add(sums, row);
            }
        },
    );
}

/// Adds `row` to each row of `sums`.
pub(crate) fn add_to_rows(sums: &mut [f32], row: &[f32]) {
    vectorize(
        #[inline(always)]
        || {
            for sums in sums.chunks_exact_mut(row.len()) {
                add(sums, row);
            }
        },
    );
}

#[inline(always)]
fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// From the gradient of [`super::rms_norm`]'s result that of `x`, in its place; adds that of the gain to `of_gamma`.
pub(crate) fn rms_norm_backward(
    x: &[f32],
    gamma: &[f32],
    epsilon: f32,
    gradient: &mut [f32],
    of_gamma: &mut [f32],
) {
    let d = gamma.len();
    vectorize(
        #[inline(always)]
        || {
            for (x, gradient) in x.chunks_exact(d).zip(gradient.chunks_exact_mut(d)) {
                rms_norm_row_backward(x, gamma, epsilon, gradient, of_gamma);
            }
        },
    );
}

#[inline(always)]
fn rms_norm_row_backward(
    x: &[f32],
    gamma: &[f32],
    epsilon: f32,
    gradient: &mut [f32],
    of_gamma: &mut [f32],
) {
    let scale = inverse_rms(x, epsilon);
    let columns = of_gamma.iter_mut().zip(gamma);
    for ((gradient, x), (of_gamma, gamma)) in gradient.iter_mut().zip(x).zip(columns) {
        *of_gamma += *gradient * x * scale;
        *gradient *= gamma;
    }
    let along = dot(gradient, x) / x.len() as f32 * scale * scale;
    for (gradient, x) in gradient.iter_mut().zip(x) {
        *gradient = scale * (*gradient - along * x);
    }
}

/// From the gradient of [`super::layer_norm`]'s result that of `x`, in its place; adds those of the gain and the shift.
pub(crate) fn layer_norm_backward(
    x: &[f32],
    gamma: &[f32],
    epsilon: f32,
    gradient: &mut [f32],
    [of_gamma, of_beta]: [&mut [f32]; 2],
) {
    let d = gamma.len();
    let mut normed = vec![0.0; d];
    vectorize(
        #[inline(always)]
        || {
            for (x, gradient) in x.chunks_exact(d).zip(gradient.chunks_exact_mut(d)) {
                let (mean, scale) = mean_and_scale(x, epsilon);
                for (normed, x) in normed.iter_mut().zip(x) {
                    *normed = (x - mean) * scale;
                }
                add(of_beta, gradient);
                let columns = of_gamma.iter_mut().zip(gamma);
                let values = gradient.iter_mut().zip(&normed);
                for ((gradient, normed), (of_gamma, gamma)) in values.zip(columns) {
                    *of_gamma += *gradient * normed;
                    *gradient *= gamma;
                }
                let n = d as f32;
                let mean = sum_by(gradient, gradient, |value, _| value) / n;
                let along = dot(gradient, &normed) / n;
                for (gradient, normed) in gradient.iter_mut().zip(&normed) {
                    *gradient = scale * (*gradient - mean - along * normed);
                }
            }
        },
    );
}

/// From the gradient of [`super::swiglu`]'s result that of `gate_up`.
pub(crate) fn swiglu_backward(gate_up: &[f32], d_hidden: usize, gradient: &[f32], out: &mut [f32]) {
    vectorize(
        #[inline(always)]
        || {
            let rows = gate_up.chunks_exact(2 * d_hidden);
            let gradients = gradient.chunks_exact(d_hidden);
            let outs = out.chunks_exact_mut(2 * d_hidden);
            for ((row, gradient), out) in rows.zip(gradients).zip(outs) {
                let (gate, up) = row.split_at(d_hidden);
                let (of_gate, of_up) = out.split_at_mut(d_hidden);
                let read = gate.iter().zip(up).zip(gradient);
                for ((of_gate, of_up), ((gate, up), gradient)) in
                    of_gate.iter_mut().zip(of_up).zip(read)
                {
                    let s = 1.0 / (1.0 + math::exp(-gate));
                    *of_up = gradient * gate * s;
                    *of_gate = gradient * up * s * (1.0 + gate * (1.0 - s));
                }
            }
        },
    );
}

/// From the gradient of [`super::norm_rotate`]'s result that of `x`, in its place; adds that of the gain to `of_gamma`.
pub(crate) fn norm_rotate_backward(
    x: &[f32],
    row_len: usize,
    head_dim: usize,
    heads: Heads<'_>,
    [cos, sin]: [&[f32]; 2],
    gradient: &mut [f32],
    of_gamma: &mut [f32],
) {
    let columns = heads.first * head_dim..(heads.first + heads.count) * head_dim;
    let half = head_dim / 2;
    vectorize(
        #[inline(always)]
        || {
            let rows = x
                .chunks_exact(row_len)
                .zip(gradient.chunks_exact_mut(row_len));
            let angles = cos.chunks_exact(head_dim).zip(sin.chunks_exact(head_dim));
            for ((x, gradient), (cos, sin)) in rows.zip(angles) {
                let x = x[columns.clone()].chunks_exact(head_dim);
                let gradient = gradient[columns.clone()].chunks_exact_mut(head_dim);
                for (x, gradient) in x.zip(gradient) {
                    let (low, high) = gradient.split_at_mut(half);
                    for i in 0..half {
                        let (l, h) = (low[i], high[i]);
                        low[i] = l * cos[i] + h * sin[half + i];
                        high[i] = h * cos[half + i] - l * sin[i];
                    }
                    if let Some((gamma, epsilon)) = heads.norm {
                        rms_norm_row_backward(x, gamma, epsilon, gradient, of_gamma);
                    }
                }
            }
        },
    );
}
