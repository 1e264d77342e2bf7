//! Pooling in two parts, which is pooling in one.

use crate::Case;
use crate::made_up::{noise, noisy, scaled_noise, tensor};
use servimage_kernels::{Pooled, Pooler, Segment};

const N_ROWS: usize = 70;
const D: usize = 130;

/// Spreads the scores, so that a few rows outweigh the others.
const QUERY_FACTOR: f32 = 20.0;

/// The row that is taken as it is.
const ROW: usize = 3;

pub(crate) fn cases() -> Vec<Case> {
    [1, 33, 69].map(case).into_iter().collect()
}

fn case(cut: usize) -> Case {
    let operation = move |device: &burn::tensor::Device| {
        let hidden = noisy([N_ROWS, D], 1, device);
        let query = tensor(&scaled_noise(D, 2, QUERY_FACTOR), [D], device);
        let n_values = 2 * Pooler::record_len(D, 0) + N_ROWS + D;
        let mut pooler = Pooler::new(n_values, device);
        pooler.pool(&hidden, &query, Segment { start: 0, len: cut });
        let rest = Segment {
            start: cut,
            len: N_ROWS - cut,
        };
        pooler.pool(&hidden, &query, rest);
        pooler.row(&hidden, ROW);
        pooler.into_tensor().expect("two records and a row")
    };
    Case {
        finish: Box::new(move |record| {
            let (first, behind) = Pooled::read(&record, D, cut);
            let (second, row) = Pooled::read(behind, D, N_ROWS - cut);
            let pooled = first.merge(&second);
            [pooled.vector(), pooled.weights(), row.to_vec()].concat()
        }),
        definition: Some(definition()),
        ..Case::new(format!("pooling {N_ROWS} x {D}, cut at {cut}"), operation)
    }
}

/// Weighted mean, weights and row 3, in f64.
fn definition() -> Vec<f32> {
    let (hidden, query) = (noise(N_ROWS * D, 1), scaled_noise(D, 2, QUERY_FACTOR));
    let score = |row: &[f32]| {
        let products = row
            .iter()
            .zip(&query)
            .map(|(h, q)| f64::from(*h) * f64::from(*q));
        products.sum::<f64>() / (D as f64).sqrt()
    };
    let scores: Vec<f64> = hidden.chunks_exact(D).map(score).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
    let weights: Vec<f64> = scores.iter().map(|s| (s - top).exp() / total).collect();
    let column = |j: usize| {
        let rows = hidden.chunks_exact(D).zip(&weights);
        rows.map(|(row, weight)| weight * f64::from(row[j])).sum()
    };
    let vector = (0..D).map(column).chain(weights.iter().copied());
    let row = &hidden[ROW * D..(ROW + 1) * D];
    vector
        .map(|value: f64| value as f32)
        .chain(row.iter().copied())
        .collect()
}
