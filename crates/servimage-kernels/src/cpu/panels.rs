//! The right factor of a product as [`super::product`] reads it: panels of [`PANEL`] columns, row after row.

use super::simd::vectorize;
use super::transpose::transpose;

/// Columns of a panel: two vectors of AVX2, two of simd128.
pub(super) const PANEL: usize = if cfg!(target_family = "wasm") { 8 } else { 16 };

/// A matrix `[depth, n_cols]` in panels: value (p, c) lies at `(c / PANEL * depth + p) * PANEL + c % PANEL`. Columns
/// behind the last are zeros.
#[derive(Clone, Debug)]
pub struct Panels {
    data: Vec<f32>,
    depth: usize,
    n_cols: usize,
}

impl Panels {
    /// Zeros.
    pub(super) fn new(depth: usize, n_cols: usize) -> Self {
        Self {
            data: vec![0.0; n_cols.div_ceil(PANEL) * PANEL * depth],
            depth,
            n_cols,
        }
    }

    /// Rows of `source`, `stride` apart, as columns from `first` on.
    pub(super) fn set_columns(&mut self, first: usize, n: usize, source: &[f32], stride: usize) {
        let depth = self.depth;
        vectorize(
            #[inline(always)]
            || {
                let mut done = 0;
                while done < n {
                    let lane = (first + done) % PANEL;
                    let count = (PANEL - lane).min(n - done);
                    let panel = (first + done) / PANEL * depth * PANEL;
                    let target = &mut self.data[panel + lane..];
                    let source = &source[done * stride..];
                    transpose(source, stride, [count, depth], target, PANEL);
                    done += count;
                }
            },
        );
    }

    /// The first values of rows of `source`, `stride` apart, as rows from `first` on.
    pub(super) fn set_rows(&mut self, first: usize, n: usize, source: &[f32], stride: usize) {
        if n == 0 {
            return;
        }
        let panels = self.data.chunks_exact_mut(self.depth * PANEL).enumerate();
        for (index, panel) in panels {
            let width = PANEL.min(self.n_cols - index * PANEL);
            let rows = source[index * PANEL..].chunks(stride);
            for (target, row) in panel[first * PANEL..]
                .chunks_exact_mut(PANEL)
                .zip(rows)
                .take(n)
            {
                target[..width].copy_from_slice(&row[..width]);
            }
        }
    }

    /// Number of rows.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Number of columns.
    pub(super) fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// The panel of columns `index * PANEL..`: `[depth, PANEL]`.
    pub(super) fn panel(&self, index: usize) -> &[f32] {
        &self.data[index * self.depth * PANEL..][..self.depth * PANEL]
    }
}
