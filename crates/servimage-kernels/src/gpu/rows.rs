//! Operations row by row: norms, rotation, SwiGLU, gathers.

use super::floats::Floats;
use super::launch::{Gpu, Kernel, fill, flat_groups};
use crate::{Heads, Storage};
use burn_cubecl::tensor::CubeTensor;

/// The kernels of this file. Bindings that a variant does not use are left out: no two may name the same buffer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Row {
    /// LayerNorm where centred, else RMSNorm.
    Norm {
        centred: bool,
        out: Floats,
    },
    Rotate {
        normed: bool,
        floats: Floats,
    },
    Swiglu(Floats),
    Gather(Floats),
    AddRows,
}

impl Kernel for Row {
    fn threads(&self) -> u32 {
        match self {
            Self::Rotate { .. } => 32,
            _ => 64,
        }
    }

    fn source(&self) -> String {
        match self {
            Self::Norm { centred, out } => norm_source(*centred, *out),
            Self::Rotate { normed, floats } => rotate_source(*normed, *floats),
            Self::Swiglu(floats) => swiglu_source(*floats),
            Self::Gather(floats) => fill(include_str!("wgsl/gather.wgsl"), &in_and_out(*floats)),
            Self::AddRows => include_str!("wgsl/add_rows.wgsl").to_owned(),
        }
    }
}

/// A storage buffer at binding 3 where it is used, and the binding of the sizes behind it.
fn fourth_buffer(name: &str, used: bool) -> (String, String) {
    match used {
        true => (
            format!("@group(0) @binding(3) var<storage, read_write> {name}: array<f32>;"),
            "4".to_owned(),
        ),
        false => (String::new(), "3".to_owned()),
    }
}

/// `text` where it is wanted.
fn only(wanted: bool, text: &str) -> String {
    if wanted {
        text.to_owned()
    } else {
        String::new()
    }
}

/// Constants of a kernel that reads and writes the same floats.
fn in_and_out(floats: Floats) -> [(&'static str, String); 2] {
    [
        ("X", floats.name().to_owned()),
        ("STORED", floats.head(floats)),
    ]
}

fn swiglu_source(floats: Floats) -> String {
    let scale = match floats {
        Floats::F32 => String::new(),
        Floats::F16 => format!(" * {:?}", Storage::F16Sixteenths.scale()),
    };
    let text = fill(include_str!("wgsl/swiglu.wgsl"), &in_and_out(floats));
    fill(&text, &[("SCALE", scale)])
}

fn norm_source(centred: bool, out: Floats) -> String {
    let (binding, info) = fourth_buffer("beta", centred);
    let constants = [
        ("OUT", out.name().to_owned()),
        ("STORED", out.head(Floats::F32)),
        ("CENTER", centred.to_string()),
        ("BETA_BINDING", binding),
        ("INFO", info),
        ("BETA", only(centred, "+ beta[i]")),
    ];
    fill(include_str!("wgsl/norm.wgsl"), &constants)
}

fn rotate_source(normed: bool, floats: Floats) -> String {
    let (binding, info) = fourth_buffer("gamma", normed);
    let constants = [
        ("NORM", normed.to_string()),
        ("GAMMA_BINDING", binding),
        ("INFO", info),
        ("GAMMA_LOW", only(normed, "* gamma[i]")),
        ("GAMMA_HIGH", only(normed, "* gamma[half + i]")),
    ];
    let text = fill(include_str!("wgsl/rotate.wgsl"), &constants);
    fill(&text, &in_and_out(floats))
}

/// RMSNorm, or with `beta` LayerNorm, of every row.
pub(crate) fn norm(
    x: &CubeTensor,
    gamma: &CubeTensor,
    beta: Option<&CubeTensor>,
    epsilon: f32,
    out: Storage,
) -> CubeTensor {
    let gpu = Gpu::of(x);
    let [n_rows, d] = [x.meta.shape()[0], x.meta.shape()[1]];
    let floats = Floats::from(out);
    let out = gpu.empty(&[n_rows, d], floats);
    let mut buffers = vec![x, gamma, &out];
    buffers.extend(beta);
    gpu.launch(
        Row::Norm {
            centred: beta.is_some(),
            out: floats,
        },
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
    let info = [
        row_len as u32,
        head_dim as u32,
        heads.first as u32,
        epsilon.to_bits(),
    ];
    let groups = [heads.count as u32, n_rows as u32, 1];
    let mut buffers = vec![x, cos, sin];
    buffers.extend(gamma);
    let kernel = Row::Rotate {
        normed: gamma.is_some(),
        floats: Floats::of(x),
    };
    gpu.launch(kernel, groups, &buffers, &info);
}

/// See [`crate::swiglu`].
pub(crate) fn swiglu(gate_up: &CubeTensor) -> CubeTensor {
    let gpu = Gpu::of(gate_up);
    let [n_rows, width] = [gate_up.meta.shape()[0], gate_up.meta.shape()[1]];
    let d_hidden = width / 2;
    let floats = Floats::of(gate_up);
    let out = gpu.empty(&[n_rows, d_hidden], floats);
    let n = n_rows * d_hidden;
    let (groups, row) = flat_groups(n);
    gpu.launch(
        Row::Swiglu(floats),
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
    let floats = Floats::of(table);
    let (out, start) = match out {
        Some((out, start)) => (out.clone(), start),
        None => (gpu.empty(&[n_rows, d], floats), 0),
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
    let info = info.map(|n| n as u32);
    let kernel = Row::Gather(floats);
    gpu.launch(kernel, groups, &[table, &rows, &weights, &out], &info);
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
    gpu.launch(
        Row::AddRows,
        groups,
        &[x, &rows_tensor, add],
        &[d as u32, n as u32, row],
    );
}
