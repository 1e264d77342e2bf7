//! `y = activation(x W^T + bias + addend)`, a tile of output columns at a time: its weights are unpacked to f32 once, go
//! through one product with all rows, and the result is finished while it is in the cache.
//!
//! The product comes in two orders, see [`Order`].

use super::activate::activate_by;
use super::dequantize::WeightView;
use super::gemm_call::{Matrix, MatrixMut, gemm};
use super::parallel::{column_tiles, for_each, for_each_rows, n_threads};
use super::simd::vectorize;
use super::transpose::transpose;
use crate::Activation;
use std::ops::Range;

/// What follows a product of input and weight.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// `[d_out]`
    pub bias: Option<&'a [f32]>,
    /// `[n_rows, d_out]`: a residual stream, an adapter's share.
    pub addend: Option<&'a [f32]>,
    /// Applied to the sum of product, bias and addend.
    pub activation: Activation,
}

/// How a product is computed. `gemm` wants vectors along the rows of its result as it stores it, and rearranges the factor
/// that they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Vectors of output columns: `gemm` rearranges the weights of each tile.
    Rows,
    /// Vectors of rows: input and result are transposed, the weights are read as they are. Pays for large weights and
    /// rows too few to hide their rearrangement.
    Columns,
}

impl Order {
    /// Measured 2026-11-24 on one AVX2 core and in V8.
    fn new(n_rows: usize, weight: &WeightView<'_>) -> Self {
        let large = weight.d_in.min(weight.d_out) >= 512;
        if large && (4..=128).contains(&n_rows) {
            Self::Columns
        } else {
            Self::Rows
        }
    }
}

/// `gemm` reads rows of the transposed input without a copy where their number is a multiple of its vectors.
const ROW_PADDING: usize = 8;

/// Output columns of a tile.
const TILE_COLS: usize = 128;

/// Input columns of a tile: with [`TILE_COLS`] 512 KiB of unpacked weights.
const TILE_DEPTH: usize = 1024;

/// Multiplications that are not worth a second thread: about 50 microseconds.
const MIN_SPREAD: usize = 2 << 20;

/// `y = activation(x W^T + bias + addend)` with x `[n_rows, d_in]`, written to `out` `[n_rows, d_out]`.
///
/// # Panics
/// Where a length is another than the dimensions say.
pub fn linear(
    x: &[f32],
    n_rows: usize,
    weight: &WeightView<'_>,
    epilogue: &Epilogue<'_>,
    out: &mut [f32],
) {
    let (d_in, d_out) = (weight.d_in, weight.d_out);
    weight.check();
    assert_eq!(x.len(), n_rows * d_in, "values of the input");
    assert_eq!(out.len(), n_rows * d_out, "values of the result");
    assert!(epilogue.bias.is_none_or(|bias| bias.len() == d_out));
    assert!(
        epilogue
            .addend
            .is_none_or(|addend| addend.len() == out.len())
    );
    if n_rows == 0 {
        return;
    }
    let order = Order::new(n_rows, weight);
    let spread = n_threads() > 1 && n_rows * d_in * d_out >= MIN_SPREAD;
    if order == Order::Rows && !spread {
        return in_place(x, weight, epilogue, out);
    }
    let tile_cols = if spread { tile_cols(d_out) } else { TILE_COLS };
    let tiles = column_tiles(out, d_out, tile_cols).into_iter().enumerate();
    let tiles = tiles
        .map(|(index, pieces)| (index * tile_cols, pieces))
        .collect();
    match order {
        Order::Rows => for_each(spread, tiles, |(first, pieces)| {
            by_rows(x, weight, epilogue, first, pieces);
        }),
        Order::Columns => {
            let padded = n_rows.next_multiple_of(ROW_PADDING);
            let columns = input_columns(x, d_in, n_rows, padded);
            for_each(spread, tiles, |(first, pieces)| {
                by_columns(&columns, padded, weight, epilogue, first, pieces);
            });
        }
    }
}

/// Output columns of a tile: less than [`TILE_COLS`] where this gives every thread one.
fn tile_cols(d_out: usize) -> usize {
    let share = d_out.div_ceil(n_threads()).next_multiple_of(16);
    TILE_COLS.min(share)
}

/// Hands columns `depth` of rows `cols` of the weight to `product`, part by part, with the distance of two rows.
fn for_each_part(
    weight: &WeightView<'_>,
    cols: &Range<usize>,
    mut product: impl FnMut(Range<usize>, &[f32], usize),
) {
    let d_in = weight.d_in;
    if let Some(values) = weight.values() {
        return product(0..d_in, &values[cols.start * d_in..], d_in);
    }
    let stride = TILE_DEPTH.min(d_in);
    let mut unpacked = vec![0.0; cols.len() * stride];
    for start in (0..d_in).step_by(TILE_DEPTH) {
        let depth = start..d_in.min(start + TILE_DEPTH);
        vectorize(
            #[inline(always)]
            || weight.unpack(cols.clone(), &depth, &mut unpacked, stride),
        );
        product(depth, &unpacked, stride);
    }
}

/// `sums` (row `r` at `r * sums_stride`) = x times rows `cols` of the weight.
fn multiply_rows(
    x: &[f32],
    weight: &WeightView<'_>,
    cols: &Range<usize>,
    sums: &mut [f32],
    sums_stride: usize,
) {
    let n_rows = x.len() / weight.d_in;
    for_each_part(weight, cols, |depth, data, stride| {
        let inputs = Matrix {
            data: &x[depth.start..],
            row_stride: weight.d_in,
            col_stride: 1,
        };
        let weights = Matrix {
            data,
            row_stride: 1,
            col_stride: stride,
        };
        let out = MatrixMut {
            data: sums,
            row_stride: sums_stride,
            col_stride: 1,
        };
        let dims = [n_rows, cols.len(), depth.len()];
        gemm(dims, inputs, weights, out, depth.start > 0);
    });
}

/// [`Order::Rows`] on one thread: the products go where they belong.
fn in_place(x: &[f32], weight: &WeightView<'_>, epilogue: &Epilogue<'_>, out: &mut [f32]) {
    let d_out = weight.d_out;
    for first in (0..d_out).step_by(TILE_COLS) {
        let cols = first..d_out.min(first + TILE_COLS);
        multiply_rows(x, weight, &cols, &mut out[first..], d_out);
        vectorize(
            #[inline(always)]
            || {
                for (row, values) in out.chunks_exact_mut(d_out).enumerate() {
                    finish_row(
                        &mut values[cols.clone()],
                        row * d_out + first,
                        first,
                        epilogue,
                    );
                }
            },
        );
    }
}

/// A tile in [`Order::Rows`].
fn by_rows(
    x: &[f32],
    weight: &WeightView<'_>,
    epilogue: &Epilogue<'_>,
    first: usize,
    pieces: Vec<&mut [f32]>,
) {
    let n_cols = pieces[0].len();
    let mut sums = vec![0.0; pieces.len() * n_cols];
    multiply_rows(x, weight, &(first..first + n_cols), &mut sums, n_cols);
    vectorize(
        #[inline(always)]
        || {
            for (row, (sums, piece)) in sums.chunks_exact(n_cols).zip(pieces).enumerate() {
                piece.copy_from_slice(sums);
                finish_row(piece, row * weight.d_out + first, first, epilogue);
            }
        },
    );
}

/// The input transposed: `[d_in, padded]`, zeros behind the `n_rows` values of a row.
fn input_columns(x: &[f32], d_in: usize, n_rows: usize, padded: usize) -> Vec<f32> {
    let mut columns = vec![0.0; d_in * padded];
    for_each_rows(&mut columns, padded, |first, part| {
        let n_cols = part.len() / padded;
        vectorize(
            #[inline(always)]
            || transpose(&x[first..], d_in, [n_rows, n_cols], part, padded),
        );
    });
    columns
}

/// A tile in [`Order::Columns`].
fn by_columns(
    columns: &[f32],
    padded: usize,
    weight: &WeightView<'_>,
    epilogue: &Epilogue<'_>,
    first: usize,
    pieces: Vec<&mut [f32]>,
) {
    let n_cols = pieces[0].len();
    let mut sums = vec![0.0; n_cols * padded];
    for_each_part(weight, &(first..first + n_cols), |depth, data, stride| {
        let inputs = Matrix {
            data: &columns[depth.start * padded..],
            row_stride: 1,
            col_stride: padded,
        };
        let weights = Matrix {
            data,
            row_stride: 1,
            col_stride: stride,
        };
        let out = MatrixMut {
            data: &mut sums,
            row_stride: 1,
            col_stride: padded,
        };
        gemm(
            [padded, n_cols, depth.len()],
            inputs,
            weights,
            out,
            depth.start > 0,
        );
    });
    vectorize(
        #[inline(always)]
        || finish_columns(&sums, padded, epilogue, weight.d_out, first, pieces),
    );
}

/// Transposes sums `[n_cols, padded]` to their places and finishes them.
#[inline(always)]
fn finish_columns(
    sums: &[f32],
    padded: usize,
    epilogue: &Epilogue<'_>,
    d_out: usize,
    first: usize,
    mut pieces: Vec<&mut [f32]>,
) {
    let n_cols = pieces[0].len();
    let mut block = vec![0.0; ROW_PADDING * n_cols];
    for (index, pieces) in pieces.chunks_mut(ROW_PADDING).enumerate() {
        let row = index * ROW_PADDING;
        transpose(
            &sums[row..],
            padded,
            [n_cols, ROW_PADDING],
            &mut block,
            n_cols,
        );
        for (i, (values, piece)) in block.chunks_exact(n_cols).zip(pieces).enumerate() {
            piece.copy_from_slice(values);
            finish_row(piece, (row + i) * d_out + first, first, epilogue);
        }
    }
}

/// Bias, addend and activation of columns `first..` of a row, in place; `at` is their place in the result.
#[inline(always)]
fn finish_row(values: &mut [f32], at: usize, first: usize, epilogue: &Epilogue<'_>) {
    if let Some(bias) = epilogue.bias {
        for (sum, bias) in values.iter_mut().zip(&bias[first..]) {
            *sum += bias;
        }
    }
    if let Some(addend) = epilogue.addend {
        for (sum, addend) in values.iter_mut().zip(&addend[at..]) {
            *sum += addend;
        }
    }
    activate_by(epilogue.activation, values);
}
