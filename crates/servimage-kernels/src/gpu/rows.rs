//! Operations row by row: norms, rotation, SwiGLU, gathers.

use super::launch::{Gpu, Shader, flat_groups};
use crate::Heads;
use burn_cubecl::tensor::CubeTensor;

/// RMSNorm, or with `beta` LayerNorm, of every row.
pub(crate) fn norm(
    x: &CubeTensor,
    gamma: &CubeTensor,
    beta: Option<&CubeTensor>,
    epsilon: f32,
) -> CubeTensor {
    let gpu = Gpu::of(x);
    let [n_rows, d] = [x.meta.shape()[0], x.meta.shape()[1]];
    let out = gpu.empty(&[n_rows, d]);
    let (term, binding, info_at) = match beta {
        Some(_) => (
            "+ beta[i]",
            "@group(0) @binding(3) var<storage, read_write> beta: array<f32>;",
            4,
        ),
        None => ("", "", 3),
    };
    let shader = Shader::new(include_str!("wgsl/norm.wgsl"), 64)
        .with("CENTER", beta.is_some())
        .with("BETA_BINDING", binding)
        .with("INFO", info_at)
        .with("BETA", term);
    let mut buffers = vec![x, gamma, &out];
    buffers.extend(beta);
    gpu.launch(
        shader,
        [n_rows as u32, 1, 1],
        &buffers,
        &[d as u32, epsilon.to_bits()],
    );
    out
}

/// See [`crate::norm_rotate`]; changes `x`.
pub(crate) fn norm_rotate(
    x: &CubeTensor,
    head_dim: usize,
    heads: &Heads,
    gamma: Option<&CubeTensor>,
    epsilon: f32,
    cos: &CubeTensor,
    sin: &CubeTensor,
) {
    let gpu = Gpu::of(x);
    let [n_rows, row_len] = [x.meta.shape()[0], x.meta.shape()[1]];
    // Bindings that a variant does not use are left out: no two may name the same buffer.
    let (binding, low, high, info_at) = match gamma {
        Some(_) => (
            "@group(0) @binding(3) var<storage, read_write> gamma: array<f32>;",
            "* gamma[i]",
            "* gamma[half + i]",
            4,
        ),
        None => ("", "", "", 3),
    };
    let shader = Shader::new(include_str!("wgsl/rotate.wgsl"), 32)
        .with("NORM", gamma.is_some())
        .with("GAMMA_BINDING", binding)
        .with("GAMMA_LOW", low)
        .with("GAMMA_HIGH", high)
        .with("INFO", info_at);
    let info = [
        row_len as u32,
        head_dim as u32,
        heads.first as u32,
        epsilon.to_bits(),
    ];
    let groups = [heads.count as u32, n_rows as u32, 1];
    let mut buffers = vec![x, cos, sin];
    buffers.extend(gamma);
    gpu.launch(shader, groups, &buffers, &info);
}

/// See [`crate::swiglu`].
pub(crate) fn swiglu(gate_up: &CubeTensor) -> CubeTensor {
    let gpu = Gpu::of(gate_up);
    let [n_rows, width] = [gate_up.meta.shape()[0], gate_up.meta.shape()[1]];
    let d_hidden = width / 2;
    let out = gpu.empty(&[n_rows, d_hidden]);
    let n = n_rows * d_hidden;
    let (groups, row) = flat_groups(n);
    let shader = Shader::new(include_str!("wgsl/swiglu.wgsl"), 64);
    gpu.launch(
        shader,
        groups,
        &[gate_up, &out],
        &[d_hidden as u32, n as u32, row],
    );
    out
}

/// See [`crate::gather`]; writes `d` columns from `first_column` on into `out` from value `start` on.
pub(crate) fn gather(
    table: &CubeTensor,
    rows: &[u32],
    weights: &[f32],
    n_taps: usize,
    columns: std::ops::Range<usize>,
    out: Option<(&CubeTensor, usize)>,
) -> CubeTensor {
    let gpu = Gpu::of(table);
    let (d, n_rows) = (columns.len(), rows.len() / n_taps);
    let (out, start) = match out {
        Some((out, start)) => (out.clone(), start),
        None => (gpu.empty(&[n_rows, d]), 0),
    };
    let (rows, weights) = (gpu.upload(rows), gpu.upload(bytemuck::cast_slice(weights)));
    let n = n_rows * d;
    let (groups, row) = flat_groups(n);
    let info = [
        d,
        n,
        n_taps,
        row as usize,
        n_rows,
        table.meta.shape()[1],
        columns.start,
        start,
    ];
    let shader = Shader::new(include_str!("wgsl/gather.wgsl"), 64);
    let info = info.map(|n| n as u32);
    gpu.launch(shader, groups, &[table, &rows, &weights, &out], &info);
    out
}

/// See [`crate::add_rows`]; changes `x`.
pub(crate) fn add_rows(x: &CubeTensor, rows: &[u32], add: &CubeTensor) {
    if rows.is_empty() {
        return;
    }
    let gpu = Gpu::of(x);
    let d = x.meta.shape()[1];
    let rows_tensor = gpu.upload(rows);
    let n = rows.len() * d;
    let (groups, row) = flat_groups(n);
    let shader = Shader::new(include_str!("wgsl/add_rows.wgsl"), 64);
    gpu.launch(
        shader,
        groups,
        &[x, &rows_tensor, add],
        &[d as u32, n as u32, row],
    );
}
