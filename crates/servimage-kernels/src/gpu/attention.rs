//! Attention without a tensor of scores.

use super::floats::Floats;
use super::launch::{Gpu, Kernel, fill};
use crate::{AttentionShape, Segment};
use burn_cubecl::tensor::CubeTensor;

/// Queries that one workgroup answers.
const QUERIES: usize = 16;

/// What each workgroup works on, four words each: first query, queries, first row of the segment, its rows.
pub(crate) fn tiles(segments: &[Segment]) -> Vec<u32> {
    let mut tiles = Vec::new();
    for segment in segments {
        for start in (0..segment.len).step_by(QUERIES) {
            let n = QUERIES.min(segment.len - start);
            tiles.extend([segment.start + start, n, segment.start, segment.len].map(|n| n as u32));
        }
    }
    tiles
}

/// See [`crate::attention`]; `tiles` from [`tiles`].
pub(crate) fn attention(
    qkv: &CubeTensor,
    prefix: Option<&CubeTensor>,
    tiles: &CubeTensor,
    shape: AttentionShape,
) -> CubeTensor {
    let gpu = Gpu::of(qkv);
    let n_rows = qkv.meta.shape()[0];
    let floats = Floats::of(qkv);
    let out = gpu.empty(&[n_rows, shape.n_heads * shape.head_dim], floats);
    let n_tiles = tiles.meta.num_elements() / 4;
    let groups = [n_tiles as u32, shape.n_heads as u32, 1];
    let n_prefix = prefix.map_or(0, |prefix| prefix.meta.shape()[0]);
    let info = [
        shape.n_heads,
        shape.n_kv_heads,
        n_prefix,
        usize::from(shape.causal),
    ];
    let mut buffers = vec![qkv, tiles, &out];
    buffers.extend(prefix);
    let kernel = Attention {
        head_dim: shape.head_dim,
        has_prefix: prefix.is_some(),
        floats,
    };
    gpu.launch(kernel, groups, &buffers, &info.map(|n| n as u32));
    out
}

/// What the text of the kernel depends on. Without a prefix its binding is left out: no two bindings may name the same buffer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attention {
    head_dim: usize,
    has_prefix: bool,
    /// Of queries, keys, values, prefix and result.
    floats: Floats,
}

impl Kernel for Attention {
    fn threads(&self) -> u32 {
        64
    }

    fn source(&self) -> String {
        let head4 = self.head_dim / 4;
        let rows_at_once = 64 / head4;
        let n_sums = QUERIES.div_ceil(rows_at_once);
        let each =
            |line: &dyn Fn(usize) -> String| (0..n_sums).map(line).collect::<Vec<_>>().join("\n");
        // Sums whose query lies behind the tile work on its last row and are not stored.
        let query = |j: usize| format!("min(value_row + {}u, BQ - 1u)", j * rows_at_once);
        let (binding, read, info_at) = match self.has_prefix {
            true => (
                "@group(0) @binding(3) var<storage, read_write> prefix: array<vec4<{{X}}>>;",
                "    if (row < info[0].z) {\n        return vec4<f32>(prefix[(row * 2u * n_kv + which * n_kv + kv_head) * HEAD4 + at4]);\n    }",
                4,
            ),
            false => ("", "", 3),
        };
        let store = |j: usize| {
            format!(
                "        if (value_row + {}u < tile.y) {{\n            out[((tile.x + q{j}) * n_heads + head) * HEAD4 + column4] = stored4(sum{j} / row_sum[q{j}]);\n        }}",
                j * rows_at_once
            )
        };
        let scale = 1.0 / (self.head_dim as f32).sqrt();
        let constants = [
            ("PREFIX_BINDING", binding.to_owned()),
            ("PREFIX_READ", read.to_owned()),
            ("X", self.floats.name().to_owned()),
            ("STORED", self.floats.head(self.floats)),
            ("INFO", info_at.to_string()),
            ("HEAD4", head4.to_string()),
            ("SCALE", format!("{scale:?}")),
            (
                "DECLARE",
                each(&|j| {
                    format!(
                        "    var sum{j} = vec4<f32>(0.0);\n    let q{j} = {};",
                        query(j)
                    )
                }),
            ),
            (
                "RESCALE",
                each(&|j| format!("            sum{j} *= row_scale[q{j}];")),
            ),
            (
                "ADD",
                each(&|j| format!("                sum{j} += ps[q{j} * BK + i] * v;")),
            ),
            ("STORE", each(&store)),
        ];
        fill(include_str!("wgsl/attention.wgsl"), &constants)
    }
}
