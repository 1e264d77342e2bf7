//! Transposition of a matrix inside a larger one.

/// Edge of the blocks that are moved at once.
const EDGE: usize = 8;

/// Writes the `n_rows` x `n_cols` matrix at the start of `source` (row `r` at `r * source_stride`) transposed into
/// `target` (row `c` at `c * target_stride`).
#[inline(always)]
pub(super) fn transpose(
    source: &[f32],
    source_stride: usize,
    [n_rows, n_cols]: [usize; 2],
    target: &mut [f32],
    target_stride: usize,
) {
    for row in (0..n_rows).step_by(EDGE) {
        let height = EDGE.min(n_rows - row);
        for col in (0..n_cols).step_by(EDGE) {
            let width = EDGE.min(n_cols - col);
            let from = &source[row * source_stride + col..];
            let to = &mut target[col * target_stride + row..];
            if height == EDGE && width == EDGE {
                block(from, source_stride, to, target_stride);
                continue;
            }
            for r in 0..height {
                for c in 0..width {
                    to[c * target_stride + r] = from[r * source_stride + c];
                }
            }
        }
    }
}

/// One whole block.
#[inline(always)]
fn block(from: &[f32], source_stride: usize, to: &mut [f32], target_stride: usize) {
    let mut values = [[0.0; EDGE]; EDGE];
    for (r, row) in values.iter_mut().enumerate() {
        row.copy_from_slice(&from[r * source_stride..][..EDGE]);
    }
    for c in 0..EDGE {
        let column: [f32; EDGE] = std::array::from_fn(|r| values[r][c]);
        to[c * target_stride..][..EDGE].copy_from_slice(&column);
    }
}
