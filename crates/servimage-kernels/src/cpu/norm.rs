//! Norms over rows, and the norm and rotation of attention heads.

use super::parallel::for_each_rows;
use super::simd::{sum_by, vectorize};

/// `x / rms(x) * gamma` for rows of `gamma.len()` values, `rms` the root of the mean square plus `epsilon`.
///
/// # Panics
/// Where `x` and `out` differ in length.
pub fn rms_norm(x: &[f32], gamma: &[f32], epsilon: f32, out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "values of input and result");
    let d = gamma.len();
    for_each_rows(out, d, |first, part| {
        let x = &x[first * d..][..part.len()];
        vectorize(
            #[inline(always)]
            || {
                for (x, out) in x.chunks_exact(d).zip(part.chunks_exact_mut(d)) {
                    let scale = inverse_rms(x, epsilon);
                    for ((out, x), gamma) in out.iter_mut().zip(x).zip(gamma) {
                        *out = x * scale * gamma;
                    }
                }
            },
        );
    });
}

/// `(x - mean) / deviation * gamma + beta` for rows of `gamma.len()` values, `deviation` the root of the variance plus
/// `epsilon`.
///
/// # Panics
/// Where `x` and `out`, or `gamma` and `beta`, differ in length.
pub fn layer_norm(x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32, out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "values of input and result");
    assert_eq!(gamma.len(), beta.len(), "values of gamma and beta");
    let d = gamma.len();
    for_each_rows(out, d, |first, part| {
        let x = &x[first * d..][..part.len()];
        vectorize(
            #[inline(always)]
            || {
                for (x, out) in x.chunks_exact(d).zip(part.chunks_exact_mut(d)) {
                    layer_norm_row(x, gamma, beta, epsilon, out);
                }
            },
        );
    });
}

#[inline(always)]
fn layer_norm_row(x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32, out: &mut [f32]) {
    let (mean, scale) = mean_and_scale(x, epsilon);
    for (((out, x), gamma), beta) in out.iter_mut().zip(x).zip(gamma).zip(beta) {
        *out = (x - mean) * scale * gamma + beta;
    }
}

/// Mean, and one over the root of the variance plus `epsilon`.
#[inline(always)]
pub(super) fn mean_and_scale(x: &[f32], epsilon: f32) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = sum_by(x, x, |value, _| value) / n;
    let variance = sum_by(x, x, |value, _| (value - mean) * (value - mean)) / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

#[inline(always)]
pub(super) fn inverse_rms(x: &[f32], epsilon: f32) -> f32 {
    let mean_square = sum_by(x, x, |a, b| a * b) / x.len() as f32;
    1.0 / (mean_square + epsilon).sqrt()
}

/// Consecutive heads of a row, and what is done to each before it is rotated.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a> {
    /// First head.
    pub first: usize,
    /// Number of heads.
    pub count: usize,
    /// RMS norm over a head: gamma `[head_dim]` and epsilon.
    pub norm: Option<(&'a [f32], f32)>,
}

/// Norms and rotates heads of `x` `[n_rows, row_len]` in place; head `h` is columns `h * head_dim..(h + 1) * head_dim`.
///
/// `y = x cos + rotate_half(x) sin`, `rotate_half([low, high]) = [-high, low]`; `cos` and `sin` are `[n_rows, head_dim]`.
///
/// # Panics
/// Where a length is another than the dimensions say, or a head lies outside of a row.
pub fn norm_rotate(
    x: &mut [f32],
    row_len: usize,
    head_dim: usize,
    heads: &[Heads<'_>],
    cos: &[f32],
    sin: &[f32],
) {
    let n_rows = x.len() / row_len;
    assert_eq!(cos.len(), n_rows * head_dim, "cosines");
    assert_eq!(sin.len(), n_rows * head_dim, "sines");
    assert!(head_dim.is_multiple_of(2), "a head of odd width");
    for_each_rows(x, row_len, |first, part| {
        vectorize(
            #[inline(always)]
            || {
                for (row, values) in part.chunks_exact_mut(row_len).enumerate() {
                    let at = (first + row) * head_dim;
                    let cos = &cos[at..][..head_dim];
                    let sin = &sin[at..][..head_dim];
                    for group in heads {
                        let columns =
                            group.first * head_dim..(group.first + group.count) * head_dim;
                        for head in values[columns].chunks_exact_mut(head_dim) {
                            norm_head(head, group.norm);
                            rotate(head, cos, sin);
                        }
                    }
                }
            },
        );
    });
}

#[inline(always)]
fn norm_head(head: &mut [f32], norm: Option<(&[f32], f32)>) {
    if let Some((gamma, epsilon)) = norm {
        let scale = inverse_rms(head, epsilon);
        for (value, gamma) in head.iter_mut().zip(gamma) {
            *value *= scale * gamma;
        }
    }
}

#[inline(always)]
fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let half = head.len() / 2;
    let (low, high) = head.split_at_mut(half);
    let (cos_low, cos_high) = cos.split_at(half);
    let (sin_low, sin_high) = sin.split_at(half);
    let angles = [cos_low, cos_high, sin_low, sin_high];
    // Halves of small heads are no whole AVX2 registers.
    let done = rotate_lanes::<8>(0, low, high, angles);
    let done = rotate_lanes::<4>(done, low, high, angles);
    rotate_lanes::<1>(done, low, high, angles);
}

/// Rotates pairs from `start` on, `N` at a time; the end of the last whole `N`.
#[inline(always)]
fn rotate_lanes<const N: usize>(
    start: usize,
    low: &mut [f32],
    high: &mut [f32],
    angles: [&[f32]; 4],
) -> usize {
    let (low, _) = low[start..].as_chunks_mut::<N>();
    let (high, _) = high[start..].as_chunks_mut::<N>();
    let cos_low = angles[0][start..].as_chunks::<N>().0;
    let cos_high = angles[1][start..].as_chunks::<N>().0;
    let sin_low = angles[2][start..].as_chunks::<N>().0;
    let sin_high = angles[3][start..].as_chunks::<N>().0;
    let n_chunks = low.len();
    let cos = cos_low.iter().zip(cos_high);
    let sin = sin_low.iter().zip(sin_high);
    for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
        let (l, h) = (*low, *high);
        for i in 0..N {
            low[i] = l[i] * cos.0[i] - h[i] * sin.0[i];
            high[i] = h[i] * cos.1[i] + l[i] * sin.1[i];
        }
    }
    start + n_chunks * N
}
