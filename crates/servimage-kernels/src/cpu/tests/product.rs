//! Products of rows and panels against sums in f64, at sizes that leave a rest of rows, of depth and of columns.

use super::super::panels::{PANEL, Panels};
use super::super::product::{Rows, RowsMut, multiply};
use super::{assert_close, values};

/// Distance of two rows beyond their values, in both factors and the result.
const GAP: usize = 3;

/// What lies in the result before, and has to stay where no product goes.
const BEFORE: f32 = 0.25;

fn check(
    n_rows: usize,
    depth: std::ops::Range<usize>,
    cols: std::ops::Range<usize>,
    accumulate: bool,
) {
    let (full_depth, n_cols) = (depth.end + 2, cols.end + 5);
    let left = values(n_rows * (depth.len() + GAP), 31);
    let right = values(n_cols * (full_depth + GAP), 33);
    let mut panels = Panels::new(full_depth, n_cols);
    panels.set_columns(0, n_cols, &right, full_depth + GAP);
    let stride = cols.len() + GAP;
    let mut found = vec![BEFORE; n_rows * stride];
    let mut expected = vec![f64::from(BEFORE); found.len()];
    for row in 0..n_rows {
        for col in cols.clone() {
            let terms = depth.clone().map(|p| {
                let left = left[row * (depth.len() + GAP) + p - depth.start];
                f64::from(left) * f64::from(right[col * (full_depth + GAP) + p])
            });
            let before = if accumulate { f64::from(BEFORE) } else { 0.0 };
            expected[row * stride + col - cols.start] = before + terms.sum::<f64>();
        }
    }
    let what = format!("{n_rows} rows, depth {depth:?}, columns {cols:?}, accumulate {accumulate}");
    let left = Rows {
        data: &left,
        stride: depth.len() + GAP,
        count: n_rows,
    };
    let out = RowsMut {
        data: &mut found,
        stride,
    };
    multiply(left, &panels, depth, cols, out, accumulate);
    assert_close(&found, &expected, &what);
}

#[test]
fn every_rest_of_rows_depth_and_columns_gives_the_product() {
    for n_rows in [1, 2, 3, 4, 5, 6, 7, 11, 13] {
        for depth in [0..1, 0..24, 3..27, 0..255, 0..256, 5..262, 0..600] {
            for cols in [0..1, 0..PANEL, 0..PANEL + 1, PANEL..3 * PANEL - 1] {
                for accumulate in [false, true] {
                    check(n_rows, depth.clone(), cols.clone(), accumulate);
                }
            }
        }
    }
}

#[test]
fn an_empty_depth_gives_zeros_and_no_rows_give_nothing() {
    check(5, 4..4, 0..PANEL + 3, false);
    check(5, 4..4, 0..PANEL + 3, true);
    check(0, 0..7, 0..PANEL, false);
    check(3, 0..7, PANEL..PANEL, false);
}

/// Columns of the panels, read back by a product with the unit matrix.
fn rows_of(panels: &Panels, depth: usize, n_cols: usize) -> Vec<f32> {
    let unit: Vec<f32> = (0..depth * depth)
        .map(|i| if i % (depth + 1) == 0 { 1.0 } else { 0.0 })
        .collect();
    let left = Rows {
        data: &unit,
        stride: depth,
        count: depth,
    };
    let mut out = vec![f32::NAN; depth * n_cols];
    let rows = RowsMut {
        data: &mut out,
        stride: n_cols,
    };
    multiply(left, panels, 0..depth, 0..n_cols, rows, false);
    out
}

#[test]
fn columns_and_rows_are_put_where_they_belong_from_any_first_one() {
    let (depth, n_cols) = (11, 2 * PANEL + 5);
    let matrix = values(depth * n_cols, 35);
    let transposed: Vec<f32> = (0..n_cols * depth)
        .map(|i| matrix[i % depth * n_cols + i / depth])
        .collect();
    for first in [0, 1, PANEL - 1, PANEL, PANEL + 3, n_cols] {
        let mut panels = Panels::new(depth, n_cols);
        panels.set_columns(0, first, &transposed, depth);
        panels.set_columns(first, n_cols - first, &transposed[first * depth..], depth);
        assert_eq!(
            rows_of(&panels, depth, n_cols),
            matrix,
            "columns from {first}"
        );
    }
    for first in [0, 1, 8, depth] {
        let mut panels = Panels::new(depth, n_cols);
        panels.set_rows(0, first, &matrix, n_cols);
        panels.set_rows(first, depth - first, &matrix[first * n_cols..], n_cols);
        assert_eq!(rows_of(&panels, depth, n_cols), matrix, "rows from {first}");
    }
}
