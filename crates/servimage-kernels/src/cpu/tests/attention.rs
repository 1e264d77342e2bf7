//! Attention against the scores of each query in f64.

use super::super::{AttentionShape, Segment, attention};
use super::{assert_close, values};

/// One head of a row of keys or values in a matrix of several parts.
fn head(matrix: &[f32], row_len: usize, row: usize, head: usize, d: usize) -> &[f32] {
    &matrix[row * row_len + head * d..][..d]
}

fn naive(
    qkv: &[f32],
    prefix: &[f32],
    segments: &[Segment],
    shape: &AttentionShape,
    out: &mut [f64],
) {
    let (n, kv, d) = (shape.n_heads, shape.n_kv_heads, shape.head_dim);
    let (row_len, prefix_row_len) = ((n + 2 * kv) * d, 2 * kv * d);
    for segment in segments {
        for (i, h) in (0..segment.len).flat_map(|i| (0..n).map(move |h| (i, h))) {
            let shared = h / (n / kv);
            let query = head(qkv, row_len, segment.start + i, h, d);
            let mut seen: Vec<[&[f32]; 2]> = (0..prefix.len() / prefix_row_len)
                .map(|row| [shared, kv + shared].map(|h| head(prefix, prefix_row_len, row, h, d)))
                .collect();
            let n_own = if shape.causal { i + 1 } else { segment.len };
            seen.extend(
                (segment.start..segment.start + n_own).map(|row| {
                    [n + shared, n + kv + shared].map(|h| head(qkv, row_len, row, h, d))
                }),
            );
            let out = &mut out[((segment.start + i) * n + h) * d..][..d];
            attend(query, &seen, out);
        }
    }
}

fn attend(query: &[f32], seen: &[[&[f32]; 2]], out: &mut [f64]) {
    let score = |key: &[f32]| {
        let terms = query
            .iter()
            .zip(key)
            .map(|(q, k)| f64::from(*q) * f64::from(*k));
        terms.sum::<f64>() / (query.len() as f64).sqrt()
    };
    let weights: Vec<f64> = seen.iter().map(|[key, _]| score(key).exp()).collect();
    let sum: f64 = weights.iter().sum();
    out.fill(0.0);
    for (weight, [_, values]) in weights.iter().zip(seen) {
        for (out, value) in out.iter_mut().zip(*values) {
            *out += weight / sum * f64::from(*value);
        }
    }
}

fn check(lens: &[usize], prefix_len: usize, shape: &AttentionShape) {
    let row_len = (shape.n_heads + 2 * shape.n_kv_heads) * shape.head_dim;
    let segments: Vec<_> = lens
        .iter()
        .scan(0, |next, &len| {
            let start = *next;
            *next += len;
            Some(Segment { start, len })
        })
        .collect();
    let n_rows: usize = lens.iter().sum();
    // Large enough that the weights differ.
    let qkv: Vec<f32> = values(n_rows * row_len, 11)
        .iter()
        .map(|v| v * 3.0)
        .collect();
    let prefix = values(prefix_len * 2 * shape.n_kv_heads * shape.head_dim, 13);
    let mut expected = vec![0.0; n_rows * shape.n_heads * shape.head_dim];
    naive(&qkv, &prefix, &segments, shape, &mut expected);
    let mut found = vec![f32::NAN; expected.len()];
    attention(&qkv, &prefix, &segments, shape, &mut found);
    let what = format!("segments {lens:?}, prefix {prefix_len}, {shape:?}");
    assert_close(&found, &expected, &what);
}

#[test]
fn segments_prefix_and_shared_heads_are_seen_as_defined() {
    for [n_heads, n_kv_heads, head_dim] in [[1, 1, 4], [4, 4, 24], [4, 2, 16], [6, 2, 20]] {
        for causal in [false, true] {
            let shape = AttentionShape {
                n_heads,
                n_kv_heads,
                head_dim,
                causal,
            };
            for prefix_len in [0, 1, 19] {
                for lens in [&[1][..], &[2, 3], &[65], &[130, 1, 9]] {
                    check(lens, prefix_len, &shape);
                }
            }
        }
    }
}

#[test]
fn large_scores_stay_finite() {
    let shape = AttentionShape {
        n_heads: 1,
        n_kv_heads: 1,
        head_dim: 4,
        causal: false,
    };
    let qkv: Vec<f32> = values(3 * 12, 17).iter().map(|v| v * 1e4).collect();
    let mut out = vec![f32::NAN; 12];
    attention(&qkv, &[], &[Segment { start: 0, len: 3 }], &shape, &mut out);
    assert!(out.iter().all(|value| value.is_finite()));
}

#[test]
fn rows_outside_of_every_segment_stay_as_they_are() {
    let shape = AttentionShape {
        n_heads: 2,
        n_kv_heads: 1,
        head_dim: 4,
        causal: true,
    };
    let mut out = vec![7.0; 5 * 8];
    let segments = [Segment { start: 3, len: 1 }, Segment { start: 1, len: 1 }];
    attention(&values(5 * 16, 19), &[], &segments, &shape, &mut out);
    let touched: Vec<bool> = out
        .chunks(8)
        .map(|row| row.iter().any(|v| *v != 7.0))
        .collect();
    assert_eq!(touched, [false, true, false, true, false]);
}
