//! `y = activation(x W^T + bias + addend)`.
//!
//! A weight that is kept in [`Panels`](super::Panels) is multiplied where it lies. Of any other a tile of output columns is
//! unpacked to f32 at a time, goes through one product with all rows, and the result is finished while it is in the cache;
//! the product comes in three orders, see [`Order`].

use super::activate::activate_by;
use super::dequantize::WeightView;
use super::panels::Panels;
use super::parallel::{column_tiles, for_each, n_threads};
use super::product::{Rows, RowsMut, multiply};
use super::simd::{dot, vectorize};
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

impl Epilogue<'_> {
    fn check(&self, n_rows: usize, d_out: usize) {
        assert!(self.bias.is_none_or(|bias| bias.len() == d_out));
        assert!(
            self.addend
                .is_none_or(|addend| addend.len() == n_rows * d_out)
        );
    }
}

/// How the product with a tile of the weight is computed. A product reads its left factor as it lies and its right one from
/// panels, so one of the two has to be rearranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Inner products of rows, nothing rearranged: for rows too few to fill a tile of sums.
    Dots,
    /// Input times weight: each tile of the weight is rearranged.
    Rows,
    /// Weight times input: the input is rearranged, and the result behind it.
    Columns,
}

impl Order {
    /// The one that moves the fewest values.
    fn new(n_rows: usize, weight: &WeightView<'_>) -> Self {
        let (d_in, d_out) = (weight.d_in, weight.d_out);
        if n_rows < FULL_TILE {
            Self::Dots
        } else if n_rows * (d_in + d_out) < d_in * d_out {
            Self::Columns
        } else {
            Self::Rows
        }
    }
}

/// Rows from which on a product is worth rearranging a factor.
const FULL_TILE: usize = 4;

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
    epilogue.check(n_rows, d_out);
    if n_rows == 0 {
        return;
    }
    let spread = n_threads() > 1 && n_rows * d_in * d_out >= MIN_SPREAD;
    let order = Order::new(n_rows, weight);
    if let Some(panels) = weight.panels.filter(|_| order != Order::Dots) {
        return kept(x, panels, epilogue, spread, out);
    }
    let tiles = tiles(weight, epilogue, spread, out);
    match order {
        Order::Dots => for_each(spread, tiles, |tile: Tile<'_>| tile.by_dots(x)),
        Order::Rows => for_each(spread, tiles, |tile: Tile<'_>| tile.by_rows(x)),
        Order::Columns => {
            let mut columns = Panels::new(d_in, n_rows);
            columns.set_columns(0, n_rows, x, d_in);
            for_each(spread, tiles, |tile: Tile<'_>| tile.by_columns(&columns));
        }
    }
}

/// The result cut into tiles of columns.
fn tiles<'a>(
    weight: &'a WeightView<'a>,
    epilogue: &'a Epilogue<'a>,
    spread: bool,
    out: &'a mut [f32],
) -> Vec<Tile<'a>> {
    let width = match spread {
        true => tile_cols(weight.d_out),
        false => TILE_COLS,
    };
    let tiles = column_tiles(out, weight.d_out, width)
        .into_iter()
        .enumerate();
    tiles
        .map(|(index, pieces)| Tile {
            weight,
            epilogue,
            first: index * width,
            pieces,
        })
        .collect()
}

/// Output columns of a tile: less than [`TILE_COLS`] where this gives every thread one.
fn tile_cols(d_out: usize) -> usize {
    let share = d_out.div_ceil(n_threads()).next_multiple_of(16);
    TILE_COLS.min(share)
}

/// [`linear`] on a weight in panels: some rows of the result at a time, in place.
fn kept(x: &[f32], panels: &Panels, epilogue: &Epilogue<'_>, spread: bool, out: &mut [f32]) {
    let (d_in, d_out) = (panels.depth(), panels.n_cols());
    let n_rows = out.len() / d_out;
    let part_rows = match spread {
        // Two parts a thread: one that is held up leaves work to the others.
        true => n_rows.div_ceil(2 * n_threads()).next_multiple_of(12),
        false => n_rows,
    };
    let parts = out.chunks_mut(part_rows * d_out).enumerate().collect();
    for_each(spread, parts, |(part, out): (usize, &mut [f32])| {
        let first_row = part * part_rows;
        let left = Rows {
            data: &x[first_row * d_in..],
            stride: d_in,
            count: out.len() / d_out,
        };
        let sums = RowsMut {
            data: out,
            stride: d_out,
        };
        multiply(left, panels, 0..d_in, 0..d_out, sums, false);
        vectorize(
            #[inline(always)]
            || {
                for (row, values) in out.chunks_exact_mut(d_out).enumerate() {
                    finish_row(values, (first_row + row) * d_out, 0, epilogue);
                }
            },
        );
    });
}

/// Columns `first..` of the result, one piece a row.
struct Tile<'a> {
    weight: &'a WeightView<'a>,
    epilogue: &'a Epilogue<'a>,
    first: usize,
    pieces: Vec<&'a mut [f32]>,
}

impl Tile<'_> {
    fn cols(&self) -> Range<usize> {
        self.first..self.first + self.pieces[0].len()
    }

    /// [`Order::Dots`]
    fn by_dots(self, x: &[f32]) {
        let d_in = self.weight.d_in;
        let (cols, mut pieces) = (self.cols(), self.pieces);
        for_each_part(self.weight, &cols, |depth, data, stride| {
            vectorize(
                #[inline(always)]
                || {
                    for (x, piece) in x.chunks_exact(d_in).zip(&mut pieces) {
                        let x = &x[depth.clone()];
                        for (sum, weights) in piece.iter_mut().zip(data.chunks(stride)) {
                            let product = dot(x, &weights[..x.len()]);
                            *sum = if depth.start > 0 {
                                *sum + product
                            } else {
                                product
                            };
                        }
                    }
                },
            );
        });
        for (row, piece) in pieces.into_iter().enumerate() {
            let at = row * self.weight.d_out + self.first;
            vectorize(
                #[inline(always)]
                || finish_row(piece, at, self.first, self.epilogue),
            );
        }
    }

    /// [`Order::Rows`]
    fn by_rows(self, x: &[f32]) {
        let (n_rows, d_in) = (self.pieces.len(), self.weight.d_in);
        let cols = self.cols();
        let n_cols = cols.len();
        let mut sums = vec![0.0; n_rows * n_cols];
        for_each_part(self.weight, &cols, |depth, data, stride| {
            let mut panels = Panels::new(depth.len(), n_cols);
            panels.set_columns(0, n_cols, data, stride);
            let left = Rows {
                data: &x[depth.start..],
                stride: d_in,
                count: n_rows,
            };
            let out = RowsMut {
                data: &mut sums,
                stride: n_cols,
            };
            multiply(
                left,
                &panels,
                0..depth.len(),
                0..n_cols,
                out,
                depth.start > 0,
            );
        });
        vectorize(
            #[inline(always)]
            || {
                for (row, (sums, piece)) in sums.chunks_exact(n_cols).zip(self.pieces).enumerate() {
                    piece.copy_from_slice(sums);
                    let at = row * self.weight.d_out + self.first;
                    finish_row(piece, at, self.first, self.epilogue);
                }
            },
        );
    }

    /// [`Order::Columns`]; `columns` is the input `[d_in, n_rows]`.
    fn by_columns(self, columns: &Panels) {
        let n_rows = self.pieces.len();
        let cols = self.cols();
        let mut sums = vec![0.0; cols.len() * n_rows];
        for_each_part(self.weight, &cols, |depth, data, stride| {
            let left = Rows {
                data,
                stride,
                count: cols.len(),
            };
            let out = RowsMut {
                data: &mut sums,
                stride: n_rows,
            };
            let accumulate = depth.start > 0;
            multiply(left, columns, depth, 0..n_rows, out, accumulate);
        });
        vectorize(
            #[inline(always)]
            || self.finish_columns(&sums),
        );
    }

    /// Transposes sums `[n_cols, n_rows]` to their places and finishes them.
    #[inline(always)]
    fn finish_columns(self, sums: &[f32]) {
        /// Rows that are moved together.
        const BLOCK: usize = 8;
        let (n_rows, n_cols) = (self.pieces.len(), self.pieces[0].len());
        let mut block = vec![0.0; BLOCK * n_cols];
        let mut pieces = self.pieces;
        for (index, pieces) in pieces.chunks_mut(BLOCK).enumerate() {
            let row = index * BLOCK;
            let dims = [n_cols, pieces.len()];
            transpose(&sums[row..], n_rows, dims, &mut block, n_cols);
            for (i, (values, piece)) in block.chunks_exact(n_cols).zip(pieces).enumerate() {
                piece.copy_from_slice(values);
                let at = (row + i) * self.weight.d_out + self.first;
                finish_row(piece, at, self.first, self.epilogue);
            }
        }
    }
}

/// Hands columns `depth` of rows `cols` of the weight to `product`, part by part, with the distance of two rows.
fn for_each_part(
    weight: &WeightView<'_>,
    cols: &Range<usize>,
    mut product: impl FnMut(Range<usize>, &[f32], usize),
) {
    let d_in = weight.d_in;
    if let Some(values) = weight.values().filter(|_| d_in <= TILE_DEPTH) {
        return product(0..d_in, &values[cols.start * d_in..cols.end * d_in], d_in);
    }
    // A row of a power of two would put the rows of a product's tile into the same sets of the first cache.
    let stride = TILE_DEPTH.min(d_in) + 16;
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
