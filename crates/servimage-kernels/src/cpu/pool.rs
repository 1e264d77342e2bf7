//! Softmax pooling of rows with a query, as a state that can be joined with others'.

use super::math;
use super::simd::{dot, max, vectorize};
use crate::Pooled;

/// Pools rows of `hidden` `[n_rows, d]` by their scores with `query` `[d]`.
///
/// # Panics
/// Where `hidden` is no whole number of rows or `query` has another length than `d`.
pub fn pool(hidden: &[f32], d: usize, query: &[f32]) -> Pooled {
    assert!(hidden.len().is_multiple_of(d), "a part of a row");
    assert_eq!(query.len(), d, "values of the query");
    let scale = (d as f32).sqrt().recip();
    vectorize(
        #[inline(always)]
        || {
            let rows = hidden.chunks_exact(d);
            let scores: Vec<f32> = rows.clone().map(|row| dot(row, query) * scale).collect();
            let max = max(&scores);
            let mut sum = 0.0;
            let mut weighted = vec![0.0; d];
            for (row, score) in rows.zip(&scores) {
                let weight = math::exp(score - max);
                sum += weight;
                for (weighted, value) in weighted.iter_mut().zip(row) {
                    *weighted += weight * value;
                }
            }
            Pooled {
                max,
                sum,
                weighted,
                scores,
            }
        },
    )
}
