//! Attention pooling of rows into a record that is read back.

use super::launch::{Gpu, Shader};
use crate::Segment;
use burn_cubecl::tensor::CubeTensor;

/// See [`crate::Pooler`]; writes the record of `rows` into `out` from value `start` on.
pub(crate) fn pool(
    hidden: &CubeTensor,
    query: &CubeTensor,
    rows: &Segment,
    out: &CubeTensor,
    start: usize,
) {
    let gpu = Gpu::of(hidden);
    let d = hidden.meta.shape()[1];
    let info = [d, rows.start, start, rows.len].map(|n| n as u32);
    let scores = Shader::new(include_str!("wgsl/pool_scores.wgsl"), 64);
    gpu.launch(
        scores,
        [rows.len as u32, 1, 1],
        &[hidden, query, out],
        &info,
    );
    let pooled = Shader::new(include_str!("wgsl/pool.wgsl"), 64);
    gpu.launch(pooled, [d.div_ceil(64) as u32, 1, 1], &[hidden, out], &info);
}

/// Room for `n_values` on the device of `like`.
pub(crate) fn record(like: &CubeTensor, n_values: usize) -> CubeTensor {
    Gpu::of(like).empty(&[n_values])
}
