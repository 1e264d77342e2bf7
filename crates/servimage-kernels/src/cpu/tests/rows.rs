//! Norms, rotation, SwiGLU, gather, scatter-add and pooling.

use super::super::{Heads, add_rows, gather, layer_norm, norm_rotate, pool, rms_norm, swiglu};
use super::{assert_close, values};

const EPSILON: f32 = 1e-6;

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn rms(x: &[f64]) -> f64 {
    (x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64 + f64::from(EPSILON)).sqrt()
}

/// Sizes with and without whole vectors.
const SIZES: [[usize; 2]; 5] = [[1, 1], [2, 17], [3, 96], [65, 33], [40, 2048]];

#[test]
fn norms_follow_their_definitions() {
    for [n_rows, d] in SIZES {
        let x: Vec<f32> = values(n_rows * d, 1).iter().map(|v| v + 0.5).collect();
        let (gamma, beta) = (values(d, 2), values(d, 3));
        let (mut by_rms, mut by_layer) = (Vec::new(), Vec::new());
        for row in wide(&x).chunks(d) {
            let mean = row.iter().sum::<f64>() / d as f64;
            let centred: Vec<f64> = row.iter().map(|v| v - mean).collect();
            let (scale, deviation) = (rms(row), rms(&centred));
            for i in 0..d {
                let [gamma, beta] = [gamma[i], beta[i]].map(f64::from);
                by_rms.push(row[i] / scale * gamma);
                by_layer.push(centred[i] / deviation * gamma + beta);
            }
        }
        let mut out = vec![f32::NAN; n_rows * d];
        rms_norm(&x, &gamma, EPSILON, &mut out);
        assert_close(&out, &by_rms, &format!("rms norm {n_rows} x {d}"));
        layer_norm(&x, &gamma, &beta, EPSILON, &mut out);
        assert_close(&out, &by_layer, &format!("layer norm {n_rows} x {d}"));
    }
}

#[test]
fn named_heads_are_normed_and_rotated_and_the_rest_stays() {
    for (n_rows, d) in [(1, 2), (3, 24), (65, 20), (300, 64)] {
        let row_len = 6 * d + 3;
        let x = values(n_rows * row_len, 1);
        let (cos, sin, gamma) = (values(n_rows * d, 2), values(n_rows * d, 3), values(d, 4));
        let heads = [
            Heads {
                first: 0,
                count: 3,
                norm: Some((&gamma, EPSILON)),
            },
            Heads {
                first: 4,
                count: 1,
                norm: None,
            },
        ];
        let mut expected = wide(&x);
        for (row, values) in expected.chunks_mut(row_len).enumerate() {
            for h in [0, 1, 2, 4] {
                let head = &mut values[h * d..][..d];
                let scale = rms(head);
                let normed: Vec<f64> = (0..d)
                    .map(|i| {
                        if h < 3 {
                            head[i] / scale * f64::from(gamma[i])
                        } else {
                            head[i]
                        }
                    })
                    .collect();
                for i in 0..d {
                    let turned = if i < d / 2 {
                        -normed[i + d / 2]
                    } else {
                        normed[i - d / 2]
                    };
                    let [cos, sin] = [cos[row * d + i], sin[row * d + i]].map(f64::from);
                    head[i] = normed[i] * cos + turned * sin;
                }
            }
        }
        let mut found = x;
        norm_rotate(&mut found, row_len, d, &heads, &cos, &sin);
        assert_close(&found, &expected, &format!("{n_rows} rows, heads of {d}"));
    }
}

#[test]
fn swiglu_gates_the_second_half_of_a_row() {
    for [n_rows, d] in SIZES {
        let x: Vec<f32> = values(n_rows * 2 * d, 5).iter().map(|v| v * 8.0).collect();
        let mut expected = Vec::new();
        for row in wide(&x).chunks(2 * d) {
            expected.extend((0..d).map(|i| row[i] / (1.0 + (-row[i]).exp()) * row[d + i]));
        }
        let mut out = vec![f32::NAN; n_rows * d];
        swiglu(&x, d, &mut out);
        assert_close(&out, &expected, &format!("swiglu {n_rows} x {d}"));
    }
}

#[test]
fn gather_weighs_the_rows_of_all_taps() {
    for [n, d] in SIZES {
        for n_taps in [1, 4] {
            let table = values(9 * d, 6);
            let weights = values(n_taps * n, 7);
            let rows: Vec<u32> = (0..n_taps * n).map(|i| (i * 5 % 9) as u32).collect();
            let mut expected = vec![0.0; n * d];
            for t in 0..n_taps {
                for i in 0..n {
                    let row = rows[t * n + i] as usize;
                    for c in 0..d {
                        let value = f64::from(table[row * d + c]);
                        expected[i * d + c] += f64::from(weights[t * n + i]) * value;
                    }
                }
            }
            let mut out = vec![f32::NAN; n * d];
            gather(&table, d, &rows, &weights, n_taps, &mut out);
            assert_close(&out, &expected, &format!("{n} rows of {d}, {n_taps} taps"));
        }
    }
}

#[test]
fn a_row_named_twice_gets_both_additions() {
    let d = 19;
    let (mut x, add) = (values(5 * d, 8), values(3 * d, 9));
    let mut expected = wide(&x);
    for (i, row) in [4, 1, 4].into_iter().enumerate() {
        for c in 0..d {
            expected[row * d + c] += f64::from(add[i * d + c]);
        }
    }
    add_rows(&mut x, d, &[4, 1, 4], &add);
    assert_close(&x, &expected, "rows added");
}

#[test]
fn pooling_weighs_rows_by_their_scores() {
    for [n_rows, d] in SIZES {
        let hidden: Vec<f32> = values(n_rows * d, 10).iter().map(|v| v * 4.0).collect();
        let query = values(d, 11);
        let rows: Vec<Vec<f64>> = hidden.chunks(d).map(wide).collect();
        let scores: Vec<f64> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .zip(wide(&query))
                    .map(|(h, q)| h * q)
                    .sum::<f64>()
            })
            .map(|score| score / (d as f64).sqrt())
            .collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut weighted = vec![0.0; d];
        for (row, score) in rows.iter().zip(&scores) {
            for (sum, value) in weighted.iter_mut().zip(row) {
                *sum += (score - max).exp() * value;
            }
        }
        let sum = scores.iter().map(|score| (score - max).exp()).sum::<f64>();
        let what = format!("{n_rows} rows of {d}");
        let found = pool(&hidden, d, &query);
        assert_close(&[found.max, found.sum], &[max, sum], &what);
        assert_close(&found.weighted, &weighted, &what);
        assert_close(&found.scores, &scores, &what);
    }
}

#[test]
fn no_rows_pool_to_an_empty_state() {
    let found = pool(&[], 3, &[1.0; 3]);
    assert_eq!((found.max, found.sum), (f32::NEG_INFINITY, 0.0));
    assert_eq!((found.weighted, found.scores), (vec![0.0; 3], vec![]));
}
