//! Attention without a tensor of scores.

use super::launch::{Gpu, Shader};
use crate::{AttentionShape, Segment};
use burn_cubecl::tensor::CubeTensor;

/// Queries that one workgroup answers.
const QUERIES: usize = 16;

/// See [`crate::attention`].
pub(crate) fn attention(
    qkv: &CubeTensor,
    prefix: Option<&CubeTensor>,
    segments: &[Segment],
    shape: AttentionShape,
) -> CubeTensor {
    let gpu = Gpu::of(qkv);
    let n_rows = qkv.meta.shape()[0];
    let out = gpu.empty(&[n_rows, shape.n_heads * shape.head_dim]);
    let mut tiles = Vec::new();
    for segment in segments {
        for start in (0..segment.len).step_by(QUERIES) {
            let n = QUERIES.min(segment.len - start);
            tiles.extend([segment.start + start, n, segment.start, segment.len].map(|n| n as u32));
        }
    }
    if tiles.is_empty() {
        return out;
    }
    let groups = [(tiles.len() / 4) as u32, shape.n_heads as u32, 1];
    let n_prefix = prefix.map_or(0, |prefix| prefix.meta.shape()[0]);
    let info = [
        shape.n_heads,
        shape.n_kv_heads,
        n_prefix,
        usize::from(shape.causal),
    ];
    let tiles = gpu.upload(&tiles);
    let mut buffers = vec![qkv, &tiles, &out];
    buffers.extend(prefix);
    let shader = shader(shape.head_dim, prefix.is_some());
    gpu.launch(shader, groups, &buffers, &info.map(|n| n as u32));
    out
}

/// Without a prefix its binding is left out: no two bindings may name the same buffer.
fn shader(head_dim: usize, has_prefix: bool) -> Shader {
    let head4 = head_dim / 4;
    let rows_at_once = 64 / head4;
    let n_sums = QUERIES.div_ceil(rows_at_once);
    let each =
        |line: &dyn Fn(usize) -> String| (0..n_sums).map(line).collect::<Vec<_>>().join("\n");
    // Sums whose query lies behind the tile work on its last row and are not stored.
    let query = |j: usize| format!("min(value_row + {}u, BQ - 1u)", j * rows_at_once);
    let (binding, read, info_at) = match has_prefix {
        true => (
            "@group(0) @binding(3) var<storage, read_write> prefix: array<vec4<f32>>;",
            "    if (row < info[0].z) {\n        return prefix[(row * 2u * n_kv + which * n_kv + kv_head) * HEAD4 + at4];\n    }",
            4,
        ),
        false => ("", "", 3),
    };
    Shader::new(include_str!("wgsl/attention.wgsl"), 64)
        .with("PREFIX_BINDING", binding)
        .with("PREFIX_READ", read)
        .with("INFO", info_at)
        .with("HEAD4", head4)
        .with("SCALE", format!("{:?}", 1.0 / (head_dim as f32).sqrt()))
        .with("DECLARE", each(&|j| format!("    var sum{j} = vec4<f32>(0.0);\n    let q{j} = {};", query(j))))
        .with("RESCALE", each(&|j| format!("            sum{j} *= row_scale[q{j}];")))
        .with("ADD", each(&|j| format!("                sum{j} += ps[q{j} * BK + i] * v;")))
        .with(
            "STORE",
            each(&|j| {
                format!(
                    "        if (value_row + {}u < tile.y) {{\n            out[((tile.x + q{j}) * n_heads + head) * HEAD4 + column4] = sum{j} / row_sum[q{j}];\n        }}",
                    j * rows_at_once
                )
            }),
        )
}
