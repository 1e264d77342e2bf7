//! The product behind everything: rows times [`Panels`], a tile of sums in registers.
//!
//! A tile is [`TILE_ROWS`] rows of one panel. Its sums stay in vector registers while the depth runs: each step loads one
//! row of the panel and multiplies it by one value of every row. Left rows are read where they lie.

use super::panels::{PANEL, Panels};
use super::simd::dispatch;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Rows of a tile. With two vectors of sums a row, V8 has registers for 4 (15 of 128 bits): 5 run at 0.85 and 6 at 0.66 of
/// their speed. AVX2 takes 6, which hides the time of a multiply-add on every processor that has it.
const TILE_ROWS: usize = if cfg!(target_family = "wasm") { 4 } else { 6 };

/// Depth of one pass: a panel's part of 8 KiB (16 natively) stays in the first cache for all rows.
const PASS_DEPTH: usize = 256;

/// Rows of a left factor: row `r` lies at `r * stride`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Values.
    pub(super) data: &'a [f32],
    /// Distance of two rows.
    pub(super) stride: usize,
    /// Number of rows.
    pub(super) count: usize,
}

/// Rows of a result: row `r` lies at `r * stride`.
pub(super) struct RowsMut<'a> {
    /// Values.
    pub(super) data: &'a mut [f32],
    /// Distance of two rows.
    pub(super) stride: usize,
}

/// `out = left right`, or `out += left right` where `accumulate`: the first values of the rows of `left` times rows `depth` of
/// `right`, its columns `cols`; `cols` begins with a panel, `out` with its first column.
///
/// # Panics
/// Where a factor or the result is smaller than that.
pub(super) fn multiply(
    left: Rows<'_>,
    right: &Panels,
    depth: Range<usize>,
    cols: Range<usize>,
    out: RowsMut<'_>,
    accumulate: bool,
) {
    assert!(cols.start.is_multiple_of(PANEL) && cols.end <= right.n_cols());
    assert!(depth.start <= depth.end && depth.end <= right.depth());
    if left.count == 0 || cols.is_empty() {
        return;
    }
    dispatch(Product {
        left,
        right,
        depth,
        cols,
        out,
        accumulate,
    });
}

struct Product<'a> {
    left: Rows<'a>,
    right: &'a Panels,
    depth: Range<usize>,
    cols: Range<usize>,
    out: RowsMut<'a>,
    accumulate: bool,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Vectors of a panel; the branches of other widths vanish.
        match PANEL / S::F32_LANES {
            1 => self.run::<S, 1>(simd),
            2 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            8 => self.run::<S, 8>(simd),
            _ => self.run::<S, PANEL>(simd),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(mut self, simd: S) {
        let (cols, depth) = (self.cols.clone(), self.depth.clone());
        let mut start = depth.start;
        loop {
            let end = depth.end.min(start + PASS_DEPTH);
            for first in cols.clone().step_by(PANEL) {
                let panel = &self.right.panel(first / PANEL)[start * PANEL..end * PANEL];
                let pass = Pass {
                    simd,
                    panel: S::as_simd_f32s(panel).0.as_chunks::<VECTORS>().0,
                    width: PANEL.min(cols.end - first),
                    accumulate: self.accumulate || start > depth.start,
                };
                self.all_rows(&pass, start - depth.start, first - cols.start);
            }
            start = end;
            if start == depth.end {
                break;
            }
        }
    }

    /// A pass over all rows: their values from `at` on, to the result's columns from `col` on.
    #[inline(always)]
    fn all_rows<S: Simd, const VECTORS: usize>(
        &mut self,
        pass: &Pass<'_, S, VECTORS>,
        at: usize,
        col: usize,
    ) {
        let Self { left, out, .. } = self;
        let mut row = 0;
        while row < left.count {
            let values = &left.data[row * left.stride + at..];
            let target = &mut out.data[row * out.stride + col..];
            let strides = [left.stride, out.stride];
            row += match left.count - row {
                1 => pass.tile::<1>(values, target, strides),
                2 => pass.tile::<2>(values, target, strides),
                3 => pass.tile::<3>(values, target, strides),
                4 | 5 if TILE_ROWS > 4 => pass.tile::<4>(values, target, strides),
                _ => pass.tile::<TILE_ROWS>(values, target, strides),
            };
        }
    }
}

/// One panel's part of a pass.
struct Pass<'a, S: Simd, const VECTORS: usize> {
    simd: S,
    panel: &'a [[S::f32s; VECTORS]],
    /// Columns of the panel that exist.
    width: usize,
    accumulate: bool,
}

impl<S: Simd, const VECTORS: usize> Pass<'_, S, VECTORS> {
    /// One tile of `ROWS` rows; returns their number.
    #[inline(always)]
    fn tile<const ROWS: usize>(
        &self,
        left: &[f32],
        out: &mut [f32],
        [left_stride, out_stride]: [usize; 2],
    ) -> usize {
        let Self { simd, panel, .. } = *self;
        let depth = panel.len();
        let left: [&[f32]; ROWS] = std::array::from_fn(
            #[inline(always)]
            |row| &left[row * left_stride..][..depth],
        );
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        // An index, not an iterator: all bounds are then known to be `depth` and no check stays in the loop.
        for p in 0..depth {
            let right = panel[p];
            for row in 0..ROWS {
                let value = simd.splat_f32s(left[row][p]);
                for v in 0..VECTORS {
                    sums[row][v] = simd.mul_add_e_f32s(value, right[v], sums[row][v]);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            self.store(sums, &mut out[row * out_stride..][..self.width]);
        }
        ROWS
    }

    #[inline(always)]
    fn store(&self, sums: &[S::f32s; VECTORS], out: &mut [f32]) {
        let simd = self.simd;
        if let ([whole], []) = S::as_mut_simd_f32s(out).0.as_chunks_mut::<VECTORS>() {
            for (out, sum) in whole.iter_mut().zip(sums) {
                *out = match self.accumulate {
                    true => simd.add_f32s(*out, *sum),
                    false => *sum,
                };
            }
            return;
        }
        let mut values = [0.0; PANEL];
        let vectors = S::as_mut_simd_f32s(&mut values).0;
        vectors.copy_from_slice(sums);
        for (out, value) in out.iter_mut().zip(values) {
            *out = match self.accumulate {
                true => *out + value,
                false => value,
            };
        }
    }
}
