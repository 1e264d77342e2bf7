//! Fused dequantize-matmul: tiles of the result, weights unpacked on their way into workgroup memory.

use super::floats::Floats;
use super::launch::{Gpu, Kernel, fill};
use crate::weight::PackedWeight;
use crate::{Activation, Storage};
use burn_cubecl::tensor::CubeTensor;
use servimage_pack::Layout;
use std::fmt::Write as _;

/// Size of the tile that one workgroup makes and of a thread's share.
///
/// 8 x 4 sums a thread need 3 reads of workgroup memory for 32 products; other sizes were not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    /// Rows of x.
    bm: usize,
    /// Rows of W.
    bn: usize,
    /// Values along the input in a step.
    bk: usize,
    /// Rows of x a thread.
    tm: usize,
}

const TILE: Tile = Tile {
    bm: 64,
    bn: 64,
    bk: 16,
    tm: 8,
};

const ROW: &str = "let at = row * info[0].z + k4 * 4u;";

/// `activation(x W^T + bias + addend)`.
///
/// # Shapes
/// - `x`: `[rows, d_in]`, `bias`: `[d_out]`, `addend` and the result: `[rows, d_out]`
pub(crate) fn linear(
    x: &CubeTensor,
    weight: &PackedWeight,
    words: &CubeTensor,
    bias: Option<&CubeTensor>,
    addend: Option<&CubeTensor>,
    activation: Activation,
    [from, to]: [Storage; 2],
) -> CubeTensor {
    let gpu = Gpu::of(x);
    let n_rows = x.meta.shape()[0];
    let y = gpu.empty(&[n_rows, weight.d_out], Floats::from(to));
    if n_rows == 0 {
        return y;
    }
    let mut buffers = vec![x, words, &y];
    buffers.extend(bias);
    buffers.extend(addend);
    let kernel = Linear {
        layout: weight.layout,
        vectors: weight.d_in.is_multiple_of(4),
        bias: bias.is_some(),
        addend: addend.is_some(),
        activation,
        x: Floats::of(x),
        y: Floats::from(to),
    };
    let groups = [
        weight.d_out.div_ceil(TILE.bn) as u32,
        n_rows.div_ceil(TILE.bm) as u32,
        1,
    ];
    let info = [
        n_rows as u32,
        weight.d_out as u32,
        weight.d_in as u32,
        weight.blocks_per_row() as u32,
        weight.scales_at() as u32,
        from.scale().recip().to_bits(),
        to.scale().to_bits(),
    ];
    gpu.launch(kernel, groups, &buffers, &info);
    y
}

/// What the text of the kernel depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Linear {
    layout: Layout,
    /// Whether rows of x are whole vec4.
    vectors: bool,
    bias: bool,
    addend: bool,
    activation: Activation,
    /// Of x and of the tiles in workgroup memory.
    x: Floats,
    y: Floats,
}

impl Kernel for Linear {
    fn threads(&self) -> u32 {
        (TILE.bm / TILE.tm * (TILE.bn / 4)) as u32
    }

    fn source(&self) -> String {
        let Tile { bm, bn, bk, tm } = TILE;
        let constants = [
            ("STORED", self.y.head(self.x)),
            ("TILE", self.x.name().to_owned()),
            ("BM", bm.to_string()),
            ("BN", bn.to_string()),
            ("BK", bk.to_string()),
            ("TM", tm.to_string()),
            ("THREADS", self.threads().to_string()),
            ("BINDINGS", self.bindings()),
            ("LOAD_X", load_floats("x", self.x.name(), self.vectors)),
            ("LOAD_W", load_weight(self.layout, self.vectors)),
            (
                "ACTIVATION",
                activation_function(self.activation).to_owned(),
            ),
            ("EPILOGUE", self.epilogue()),
            (
                "DECLARE",
                lines(tm, |i| format!("    var sum{i} = vec4<f32>(0.0);")),
            ),
            ("MULTIPLY", multiply(tm)),
            ("STORE", store(tm)),
        ];
        fill(include_str!("wgsl/linear.wgsl"), &constants)
    }
}

impl Linear {
    fn bindings(&self) -> String {
        let floats = |name: &str| match self.vectors {
            true => format!("vec4<{name}>"),
            false => name.to_owned(),
        };
        let words = match self.layout {
            Layout::F32 => floats("f32"),
            Layout::F16 | Layout::U32 | Layout::Q8 | Layout::Q4 => "u32".to_owned(),
        };
        let mut names = vec![
            ("x", floats(self.x.name())),
            ("w", words),
            ("y", self.y.name().to_owned()),
        ];
        names.extend(self.bias.then(|| ("bias", "f32".to_owned())));
        names.extend(self.addend.then(|| ("addend", "f32".to_owned())));
        let mut text = String::new();
        for (i, (name, kind)) in names.iter().enumerate() {
            let _ = writeln!(
                text,
                "@group(0) @binding({i}) var<storage, read_write> {name}: array<{kind}>;"
            );
        }
        let _ = write!(
            text,
            "@group(0) @binding({}) var<uniform> info: array<vec4<u32>, 4>;",
            names.len()
        );
        text
    }

    fn epilogue(&self) -> String {
        let mut text = String::new();
        if self.x == Floats::F16 {
            text.push_str("    value *= bitcast<f32>(info[1].y);\n");
        }
        if self.bias {
            text.push_str("    value += bias[column];\n");
        }
        if self.addend {
            text.push_str("    value += addend[at];\n");
        }
        if self.activation != Activation::None {
            text.push_str("    value = activation(value);\n");
        }
        if self.y == Floats::F16 {
            text.push_str("    value *= bitcast<f32>(info[1].z);\n");
        }
        text
    }
}

/// Four floats along the input.
fn load_floats(name: &str, kind: &str, vectors: bool) -> String {
    if vectors {
        return format!("    return {name}[row * (info[0].z / 4u) + k4];");
    }
    let tail =
        |i: usize| format!("select({kind}(0.0), {name}[at + {i}u], k4 * 4u + {i}u < info[0].z)");
    format!(
        "    {ROW}\n    return vec4<{kind}>({name}[at], {}, {}, {});",
        tail(1),
        tail(2),
        tail(3)
    )
}

/// Four dequantized values along the input.
fn load_weight(layout: Layout, vectors: bool) -> String {
    let scale = "    let block = row * info[0].w + k4 / 8u;\n    let scale = unpack2x16float(w[info[1].x + block / 2u])[block % 2u];";
    match layout {
        Layout::F32 | Layout::U32 => load_floats("w", "f32", vectors),
        Layout::F16 => {
            let value = |i: usize| {
                format!("unpack2x16float(w[min(at + {i}u, last) / 2u])[min(at + {i}u, last) % 2u]")
            };
            // A row may begin inside a word where d_in is odd; what lies behind the row meets a zero of x.
            format!(
                "    {ROW}\n    let last = info[0].y * info[0].z - 1u;\n    return vec4<f32>({}, {}, {}, {});",
                value(0),
                value(1),
                value(2),
                value(3)
            )
        }
        Layout::Q8 => {
            format!(
                "{scale}\n    let bytes = vec4<u32>(w[block * 8u + k4 % 8u]) << vec4<u32>(24u, 16u, 8u, 0u);\n    \
                 return vec4<f32>(bitcast<vec4<i32>>(bytes) >> vec4<u32>(24u)) * scale;"
            )
        }
        Layout::Q4 => format!(
            "{scale}\n    let nibbles = w[block * 4u + k4 % 8u / 2u] >> (k4 % 2u * 16u);\n    \
             let q = (vec4<u32>(nibbles) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);\n    \
             return (vec4<f32>(q) - 8.0) * scale;"
        ),
    }
}

fn activation_function(activation: Activation) -> &'static str {
    match activation {
        Activation::None => "",
        // tanh(u) = 1 - 2 / (exp(2u) + 1), bounded so that exp stays finite.
        Activation::GeluTanh => {
            "fn activation(x: f32) -> f32 {\n    let u = 0.7978845608028654 * (x + 0.044715 * x * x * x);\n    \
             return x * (1.0 - 1.0 / (exp(2.0 * clamp(u, -40.0, 40.0)) + 1.0));\n}"
        }
        // erfc by a Chebyshev fit, relative error below 1.2e-7 (Press et al., Numerical Recipes, 6.2).
        Activation::Gelu => include_str!("wgsl/gelu.wgsl"),
        Activation::Relu => "fn activation(x: f32) -> f32 {\n    return max(x, 0.0);\n}",
    }
}

fn multiply(tm: usize) -> String {
    let mut text = lines(tm / 4, |i| {
        format!(
            "            let a{i} = vec4<f32>(xs[k * XS_ROW + tm * {}u + {i}u]);",
            tm / 4
        )
    });
    text.push('\n');
    text.push_str(&lines(tm, |i| {
        let part = ["x", "y", "z", "w"][i % 4];
        format!("            sum{i} += a{}.{part} * b;", i / 4)
    }));
    text
}

fn store(tm: usize) -> String {
    lines(tm, |i| {
        ["x", "y", "z", "w"]
            .iter()
            .enumerate()
            .map(|(j, part)| format!("    put(row + {i}u, column + {j}u, sum{i}.{part});"))
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect::<Vec<_>>().join("\n")
}
