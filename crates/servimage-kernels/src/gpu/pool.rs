//! Attention pooling of rows into a record that is read back.

use super::floats::Floats;
use super::launch::{Gpu, Kernel};
use crate::Segment;
use burn_cubecl::tensor::CubeTensor;

/// The two steps of a pooling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Pool {
    Scores,
    Rows,
}

impl Kernel for Pool {
    fn threads(&self) -> u32 {
        64
    }

    fn source(&self) -> String {
        match self {
            Self::Scores => include_str!("wgsl/pool_scores.wgsl").to_owned(),
            Self::Rows => include_str!("wgsl/pool.wgsl").to_owned(),
        }
    }
}

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
    gpu.launch(
        Pool::Scores,
        [rows.len as u32, 1, 1],
        &[hidden, query, out],
        &info,
    );
    gpu.launch(
        Pool::Rows,
        [d.div_ceil(64) as u32, 1, 1],
        &[hidden, out],
        &info,
    );
}

/// Room for `n_values` on the device of `like`.
pub(crate) fn record(like: &CubeTensor, n_values: usize) -> CubeTensor {
    Gpu::of(like).empty(&[n_values], Floats::F32)
}
