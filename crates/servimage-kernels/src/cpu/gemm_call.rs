//! The one unsafe call of this crate: `gemm` behind checked lengths.

/// A matrix inside a slice: element (row, col) lies at `row * row_stride + col * col_stride`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    /// Values.
    pub(super) data: &'a [f32],
    /// Distance of two rows.
    pub(super) row_stride: usize,
    /// Distance of two columns.
    pub(super) col_stride: usize,
}

/// A matrix to write.
pub(super) struct MatrixMut<'a> {
    /// Values.
    pub(super) data: &'a mut [f32],
    /// Distance of two rows.
    pub(super) row_stride: usize,
    /// Distance of two columns.
    pub(super) col_stride: usize,
}

/// `out = left right`, or `out += left right` where `accumulate`: `left` is `[m, k]`, `right` `[k, n]`, `out` `[m, n]`.
///
/// # Panics
/// Where a matrix does not fit its slice, or elements of `out` share a place.
pub(super) fn gemm(
    [m, n, k]: [usize; 3],
    left: Matrix<'_>,
    right: Matrix<'_>,
    out: MatrixMut<'_>,
    accumulate: bool,
) {
    check_fits(left.data.len(), [m, k], [left.row_stride, left.col_stride]);
    check_fits(
        right.data.len(),
        [k, n],
        [right.row_stride, right.col_stride],
    );
    check_fits(out.data.len(), [m, n], [out.row_stride, out.col_stride]);
    let by_columns = out.row_stride >= 1 && out.col_stride >= m.saturating_mul(out.row_stride);
    let by_rows = out.col_stride >= 1 && out.row_stride >= n.saturating_mul(out.col_stride);
    assert!(by_columns || by_rows, "elements of the product overlap");
    #[expect(
        unsafe_code,
        reason = "gemm takes raw pointers; the lengths are checked above"
    )]
    // SAFETY: `check_fits` bounds every element that the dimensions and strides reach by the length of its slice, and no
    // slice is longer than `isize::MAX`; `out` is borrowed alone and its elements do not overlap.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.data.as_mut_ptr(),
            out.col_stride as isize,
            out.row_stride as isize,
            accumulate,
            left.data.as_ptr(),
            left.col_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.col_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Panics where the last element of a matrix lies behind the slice.
fn check_fits(len: usize, dims: [usize; 2], strides: [usize; 2]) {
    if dims.contains(&0) {
        return;
    }
    let last = (dims[0] - 1)
        .checked_mul(strides[0])
        .zip((dims[1] - 1).checked_mul(strides[1]))
        .and_then(|(rows, cols)| rows.checked_add(cols));
    assert!(
        last.is_some_and(|last| last < len),
        "a matrix of {dims:?} with strides {strides:?} does not fit {len} values"
    );
}
