//! Attention inside segments, a block of queries at a time: never more scores than `[QUERY_BLOCK, keys]` a thread.
//!
//! A task is some queries of one head of one segment. It copies the keys and the values that they see into panels once; both
//! products read the queries and the weights where they lie.

use super::math;
use super::panels::Panels;
use super::parallel::{for_each, n_threads};
use super::product::{Rows, RowsMut, multiply};
use super::simd::{max, sum_by, vectorize};
use std::ops::Range;

/// Heads of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionShape {
    /// Heads of queries.
    pub n_heads: usize,
    /// Heads of keys and of values; a divisor of `n_heads`.
    pub n_kv_heads: usize,
    /// Values of a head: a multiple of 4 up to [`crate::MAX_HEAD_DIM`] on a GPU.
    pub head_dim: usize,
    /// Whether a row sees no row behind it.
    pub causal: bool,
}

/// Consecutive rows that belong together: a frame of an image, a sequence of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// First row.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
}

/// Queries whose scores are held at once.
const QUERY_BLOCK: usize = 64;

/// Attention of each segment's rows to `prefix` and, up to themselves where `shape.causal`, to the segment.
///
/// Rows of `qkv` are heads of queries, of keys, of values; rows of `prefix` are heads of keys, of values, and there may be
/// none. Head `h` uses the keys and values of head `h / (n_heads / n_kv_heads)`. Scores are scaled by `head_dim^-0.5`.
/// `out` is `[n_rows, n_heads * head_dim]`; rows outside of every segment stay as they are.
///
/// # Panics
/// Where a length is another than the dimensions say, a segment ends behind the rows, or two overlap.
pub fn attention(
    qkv: &[f32],
    prefix: &[f32],
    segments: &[Segment],
    shape: &AttentionShape,
    out: &mut [f32],
) {
    let AttentionShape {
        n_heads,
        n_kv_heads,
        head_dim,
        ..
    } = *shape;
    assert!(n_heads.is_multiple_of(n_kv_heads), "heads that share keys");
    let n_rows = out.len() / (n_heads * head_dim);
    assert_eq!(
        qkv.len(),
        n_rows * (n_heads + 2 * n_kv_heads) * head_dim,
        "values of qkv"
    );
    assert!(
        prefix.len().is_multiple_of(2 * n_kv_heads * head_dim),
        "a part of a prefix row"
    );
    let tasks = tasks(segments, shape, out);
    let spread = n_threads() > 1 && tasks.len() > 1;
    for_each(spread, tasks, |task| {
        let head = HeadView::new(qkv, prefix, &task, shape);
        head.attend(task.queries, task.out);
    });
}

/// Some queries of one head of one segment.
struct Task<'a> {
    segment: Segment,
    head: usize,
    /// Rows of the segment.
    queries: Range<usize>,
    /// Their rows of the result, `head_dim` values each.
    out: Vec<&'a mut [f32]>,
}

/// One task for each segment and head, or more where that leaves threads without work.
fn tasks<'a>(segments: &[Segment], shape: &AttentionShape, out: &'a mut [f32]) -> Vec<Task<'a>> {
    let n_whole = segments.len() * shape.n_heads;
    let n_cuts = (2 * n_threads()).div_ceil(n_whole.max(1));
    let mut heads: Vec<Vec<Option<&mut [f32]>>> = out
        .chunks_exact_mut(shape.n_heads * shape.head_dim)
        .map(|row| row.chunks_exact_mut(shape.head_dim).map(Some).collect())
        .collect();
    let mut tasks = Vec::with_capacity(n_whole * n_cuts);
    for &segment in segments {
        let cut = segment
            .len
            .div_ceil(n_cuts)
            .next_multiple_of(QUERY_BLOCK)
            .max(1);
        for head in 0..shape.n_heads {
            for start in (0..segment.len).step_by(cut) {
                let queries = start..segment.len.min(start + cut);
                let rows = &mut heads[segment.start + queries.start..segment.start + queries.end];
                let take = |row: &mut Vec<Option<&'a mut [f32]>>| {
                    row[head].take().expect("segments do not overlap")
                };
                tasks.push(Task {
                    segment,
                    head,
                    out: rows.iter_mut().map(take).collect(),
                    queries,
                });
            }
        }
    }
    tasks
}

/// What the queries of one head of one segment read.
struct HeadView<'a> {
    /// Queries from the segment's first on.
    queries: &'a [f32],
    /// Distance of two rows of queries.
    row_len: usize,
    prefix_len: usize,
    /// `[head_dim, n_seen]`, prefix first.
    keys: Panels,
    /// `[n_seen, head_dim]`
    values: Panels,
    n_seen: usize,
    head_dim: usize,
    causal: bool,
}

impl<'a> HeadView<'a> {
    fn new(qkv: &'a [f32], prefix: &'a [f32], task: &Task<'_>, shape: &AttentionShape) -> Self {
        let d = shape.head_dim;
        let row_len = (shape.n_heads + 2 * shape.n_kv_heads) * d;
        let prefix_row_len = 2 * shape.n_kv_heads * d;
        let prefix_len = prefix.len() / prefix_row_len;
        let kv_head = task.head / (shape.n_heads / shape.n_kv_heads);
        let rows = &qkv[task.segment.start * row_len..];
        let n_own = if shape.causal {
            task.queries.end
        } else {
            task.segment.len
        };
        let n_seen = prefix_len + n_own;
        let (key, value) = (kv_head * d, (shape.n_kv_heads + kv_head) * d);
        let in_prefix = |at: usize| prefix.get(at..).unwrap_or_default();
        let own = |at: usize| &rows[shape.n_heads * d + at..];
        let mut keys = Panels::new(d, n_seen);
        keys.set_columns(0, prefix_len, in_prefix(key), prefix_row_len);
        keys.set_columns(prefix_len, n_own, own(key), row_len);
        let mut values = Panels::new(n_seen, d);
        values.set_rows(0, prefix_len, in_prefix(value), prefix_row_len);
        values.set_rows(prefix_len, n_own, own(value), row_len);
        Self {
            queries: &rows[task.head * d..],
            row_len,
            prefix_len,
            keys,
            values,
            n_seen,
            head_dim: d,
            causal: shape.causal,
        }
    }

    /// Attention of rows `queries` of the segment, to `out`.
    fn attend(&self, queries: Range<usize>, out: Vec<&mut [f32]>) {
        let block = QUERY_BLOCK.min(queries.len());
        let mut scores = vec![0.0; block * self.n_seen];
        let mut sums = vec![0.0; block * self.head_dim];
        let mut out = out.into_iter();
        for start in queries.clone().step_by(QUERY_BLOCK) {
            let end = queries.end.min(start + QUERY_BLOCK);
            // What the last of these queries sees; the others' part of it is 0.
            let n_seen = self.seen_by(end - 1);
            self.score(start..end, n_seen, &mut scores);
            let totals = self.weigh(start..end, n_seen, &mut scores);
            self.sum_values(end - start, n_seen, &scores, &mut sums);
            for ((sums, total), out) in sums.chunks_exact(self.head_dim).zip(totals).zip(&mut out) {
                let scale = 1.0 / total;
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = sum * scale;
                }
            }
        }
    }

    /// `scores` `[queries, n_seen]`, not yet scaled.
    fn score(&self, queries: Range<usize>, n_seen: usize, scores: &mut [f32]) {
        let left = Rows {
            data: &self.queries[queries.start * self.row_len..],
            stride: self.row_len,
            count: queries.len(),
        };
        let out = RowsMut {
            data: scores,
            stride: n_seen,
        };
        multiply(left, &self.keys, 0..self.head_dim, 0..n_seen, out, false);
    }

    /// Turns scores into weights, `exp` of their distance to a row's largest, and returns each row's sum.
    fn weigh(&self, queries: Range<usize>, n_seen: usize, scores: &mut [f32]) -> Vec<f32> {
        let scale = (self.head_dim as f32).sqrt().recip();
        let rows = queries.zip(scores.chunks_exact_mut(n_seen));
        vectorize(
            #[inline(always)]
            || {
                let weigh = |(query, row): (usize, &mut [f32])| {
                    let (visible, hidden) = row.split_at_mut(self.seen_by(query));
                    hidden.fill(0.0);
                    let max = max(visible);
                    for score in visible.iter_mut() {
                        *score = math::exp((*score - max) * scale);
                    }
                    sum_by(visible, visible, |weight, _| weight)
                };
                rows.map(weigh).collect()
            },
        )
    }

    /// Keys that query `query` of the segment sees.
    #[inline(always)]
    fn seen_by(&self, query: usize) -> usize {
        if self.causal {
            self.prefix_len + query + 1
        } else {
            self.n_seen
        }
    }

    /// `sums` `[queries, head_dim]` = weights times values.
    fn sum_values(&self, n_queries: usize, n_seen: usize, weights: &[f32], sums: &mut [f32]) {
        let left = Rows {
            data: weights,
            stride: n_seen,
            count: n_queries,
        };
        let out = RowsMut {
            data: sums,
            stride: self.head_dim,
        };
        multiply(left, &self.values, 0..n_seen, 0..self.head_dim, out, false);
    }
}
