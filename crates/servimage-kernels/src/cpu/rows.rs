//! Operations that take rows as they are: SwiGLU, gather, scatter-add.

use super::math;
use super::parallel::for_each_rows;
use super::simd::vectorize;

/// `silu(gate) * up` for rows of `gate_up` `[n_rows, 2 * d_hidden]`: `d_hidden` values of gate, then as many of up.
///
/// # Panics
/// Where `gate_up` is not twice as long as `out`.
pub fn swiglu(gate_up: &[f32], d_hidden: usize, out: &mut [f32]) {
    assert_eq!(gate_up.len(), 2 * out.len(), "values of gate and up");
    for_each_rows(out, d_hidden, |first, part| {
        let gate_up = &gate_up[2 * first * d_hidden..][..2 * part.len()];
        vectorize(
            #[inline(always)]
            || {
                let rows = gate_up.chunks_exact(2 * d_hidden);
                for (row, out) in rows.zip(part.chunks_exact_mut(d_hidden)) {
                    let (gate, up) = row.split_at(d_hidden);
                    for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                        *out = math::silu(*gate) * up;
                    }
                }
            },
        );
    });
}

/// `out[i] = sum over t of weights[t * n + i] * table[rows[t * n + i]]`: rows of `d` values, `n` rows of `out`, `n_taps` taps.
///
/// # Panics
/// Where a length is another than the dimensions say, or a row lies outside of the table.
pub fn gather(
    table: &[f32],
    d: usize,
    rows: &[u32],
    weights: &[f32],
    n_taps: usize,
    out: &mut [f32],
) {
    let n = out.len() / d;
    assert_eq!(rows.len(), n_taps * n, "rows of all taps");
    assert_eq!(weights.len(), n_taps * n, "weights of all taps");
    for_each_rows(out, d, |first, part| {
        vectorize(
            #[inline(always)]
            || {
                for (i, out) in part.chunks_exact_mut(d).enumerate() {
                    out.fill(0.0);
                    for tap in (first + i..n_taps * n).step_by(n) {
                        let weight = weights[tap];
                        let values = &table[rows[tap] as usize * d..][..d];
                        for (out, value) in out.iter_mut().zip(values) {
                            *out += weight * value;
                        }
                    }
                }
            },
        );
    });
}

/// `x[rows[i]] += add[i]` for rows of `d` values; a row named twice gets both.
///
/// # Panics
/// Where `add` has another number of rows than `rows`, or a row lies outside of `x`.
pub fn add_rows(x: &mut [f32], d: usize, rows: &[u32], add: &[f32]) {
    assert_eq!(add.len(), rows.len() * d, "values to add");
    vectorize(
        #[inline(always)]
        || {
            for (row, add) in rows.iter().zip(add.chunks_exact(d)) {
                let x = &mut x[*row as usize * d..][..d];
                for (x, add) in x.iter_mut().zip(add) {
                    *x += add;
                }
            }
        },
    );
}
