//! The operations on burn tensors.

use crate::backend::{Held, cpu_tensor, gpu_tensor, hold, hold_words, on_cpu, on_gpu, values};
use crate::weight::PackedWeight;
use crate::{Activation, AttentionShape, Heads, Segments, Storage, cpu, gpu};
#[cfg(not(target_family = "wasm"))]
use crate::{composite, recorded};
use burn::tensor::Tensor;
use std::ops::Range;

/// Linear layer on a packed weight: `activation(x W^T + bias + addend)`.
///
/// # Shapes
/// - `x`: `[rows, d_in]`
/// - `bias`: `[d_out]`
/// - `addend` and the result: `[rows, d_out]`
///
/// # Panics
/// Where operands lie on different devices or `x` has another width than the weight.
pub fn linear(
    x: Tensor<2>,
    weight: &PackedWeight,
    bias: Option<&Tensor<1>>,
    addend: Option<&Tensor<2>>,
    activation: Activation,
) -> Tensor<2> {
    linear_stored(x, weight, bias, addend, activation, [Storage::F32; 2])
}

/// [`linear`] where `x` and the result are stored otherwise than as f32: how the one is, and how the other shall be.
///
/// # Shapes
/// As [`linear`]; bias and addend are f32 always.
///
/// # Panics
/// As [`linear`], and where anything but f32 is asked for on a CPU.
pub fn linear_stored(
    x: Tensor<2>,
    weight: &PackedWeight,
    bias: Option<&Tensor<1>>,
    addend: Option<&Tensor<2>>,
    activation: Activation,
    stored: [Storage; 2],
) -> Tensor<2> {
    let [n_rows, d_in] = x.dims();
    assert_eq!(d_in, weight.d_in, "width of x and of the weight");
    match (hold(x), hold_words(&weight.words)) {
        (Held::Gpu(x), Held::Gpu(words)) => {
            let (bias, addend) = (bias.map(on_gpu), addend.map(on_gpu));
            gpu_tensor(gpu::linear(
                &x,
                weight,
                &words,
                bias.as_ref(),
                addend.as_ref(),
                activation,
                stored,
            ))
        }
        (Held::Cpu(x), Held::Cpu(words)) => {
            assert_eq!(stored, [Storage::F32; 2], "storage on a CPU");
            let (x, bias, addend) = (x.to_contiguous(), bias.map(on_cpu), addend.map(on_cpu));
            let epilogue = cpu::Epilogue {
                bias: bias.as_ref().map(values),
                addend: addend.as_ref().map(values),
                activation,
            };
            let mut out = vec![0.0; n_rows * weight.d_out];
            cpu::linear(
                values(&x),
                n_rows,
                &weight.view(&words),
                &epilogue,
                &mut out,
            );
            cpu_tensor(out, [n_rows, weight.d_out])
        }
        _ => panic!("a packed weight and its input lie on different devices"),
    }
}

/// [`linear`] on a weight of floats, `[d_out, d_in]`, which may learn.
///
/// # Shapes
/// As [`linear`].
#[cfg(not(target_family = "wasm"))]
pub fn linear_float(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    addend: Option<Tensor<2>>,
    activation: Activation,
) -> Tensor<2> {
    recorded::linear(&x, &weight, bias.as_ref(), addend.as_ref(), activation)
        .unwrap_or_else(|| composite::linear(x, weight, bias, addend, activation))
}

/// RMSNorm of every row: `x / sqrt(mean(x^2) + epsilon) * gamma`, stored as `out`.
///
/// # Shapes
/// - `x` and the result: `[rows, d]`, `gamma`: `[d]`
///
/// # Panics
/// Where anything but f32 is asked for on a CPU.
pub fn rms_norm(x: Tensor<2>, gamma: &Tensor<1>, epsilon: f64, out: Storage) -> Tensor<2> {
    let dims = x.dims();
    match hold(x.clone()) {
        Held::Gpu(x) => gpu_tensor(gpu::norm(&x, &on_gpu(gamma), None, epsilon as f32, out)),
        Held::Cpu(x) => {
            assert_eq!(out, Storage::F32, "storage on a CPU");
            let (x, gamma) = (x.to_contiguous(), on_cpu(gamma));
            let mut out = vec![0.0; dims[0] * dims[1]];
            cpu::rms_norm(values(&x), values(&gamma), epsilon as f32, &mut out);
            cpu_tensor(out, dims)
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => recorded::rms_norm(&x, gamma, epsilon)
            .unwrap_or_else(|| composite::rms_norm(x, gamma, epsilon)),
    }
}

/// LayerNorm of every row: `(x - mean) / sqrt(variance + epsilon) * gamma + beta`, stored as `out`.
///
/// # Shapes
/// - `x` and the result: `[rows, d]`, `gamma` and `beta`: `[d]`
///
/// # Panics
/// As [`rms_norm`].
pub fn layer_norm(
    x: Tensor<2>,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
    epsilon: f64,
    out: Storage,
) -> Tensor<2> {
    let dims = x.dims();
    match hold(x.clone()) {
        Held::Gpu(x) => {
            let beta = on_gpu(beta);
            gpu_tensor(gpu::norm(
                &x,
                &on_gpu(gamma),
                Some(&beta),
                epsilon as f32,
                out,
            ))
        }
        Held::Cpu(x) => {
            assert_eq!(out, Storage::F32, "storage on a CPU");
            let (x, gamma, beta) = (x.to_contiguous(), on_cpu(gamma), on_cpu(beta));
            let mut out = vec![0.0; dims[0] * dims[1]];
            cpu::layer_norm(
                values(&x),
                values(&gamma),
                values(&beta),
                epsilon as f32,
                &mut out,
            );
            cpu_tensor(out, dims)
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => recorded::layer_norm(&x, gamma, beta, epsilon)
            .unwrap_or_else(|| composite::layer_norm(x, gamma, beta, epsilon)),
    }
}

/// Norms some heads of every row, if a gain is given, and rotates them: `y = x cos + rotate_half(x) sin`.
///
/// On a GPU and the CPU `x` is changed in place: no other tensor may share its values.
///
/// # Shapes
/// - `x` and the result: `[rows, n_heads_in_all * head_dim]`
/// - `norm`: gain `[head_dim]` and epsilon of an RMSNorm
/// - `cos`, `sin`: `[rows, head_dim]`
pub fn norm_rotate(
    x: Tensor<2>,
    heads: Heads,
    norm: Option<(&Tensor<1>, f64)>,
    cos: &Tensor<2>,
    sin: &Tensor<2>,
) -> Tensor<2> {
    let [n_rows, row_len] = x.dims();
    let head_dim = cos.dims()[1];
    #[cfg(not(target_family = "wasm"))]
    if x.device().is_autodiff() {
        return recorded::norm_rotate(&x, heads, norm, cos, sin)
            .unwrap_or_else(|| composite::norm_rotate(x, heads, norm, cos, sin));
    }
    let epsilon = norm.map_or(0.0, |(_, epsilon)| epsilon as f32);
    match hold(x) {
        Held::Gpu(x) => {
            let gamma = norm.map(|(gamma, _)| on_gpu(gamma));
            let (cos, sin) = (on_gpu(cos), on_gpu(sin));
            gpu::norm_rotate(&x, head_dim, &heads, gamma.as_ref(), epsilon, &cos, &sin);
            gpu_tensor(*x)
        }
        Held::Cpu(mut x) => {
            let gamma = norm.map(|(gamma, _)| on_cpu(gamma));
            let (cos, sin) = (on_cpu(cos), on_cpu(sin));
            let heads = cpu::Heads {
                first: heads.first,
                count: heads.count,
                norm: gamma.as_ref().map(|gamma| (values(gamma), epsilon)),
            };
            let data = &mut x.storage_mut::<f32>()[..n_rows * row_len];
            cpu::norm_rotate(
                data,
                row_len,
                head_dim,
                &[heads],
                values(&cos),
                values(&sin),
            );
            Tensor::from_primitive::<burn::backend::Flex>(x)
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => unreachable!("handled above"),
    }
}

/// Attention inside segments, `softmax(q k^T / sqrt(head_dim)) v`, without a tensor of scores.
///
/// A query sees every row of the prefix and the rows of its own segment, causally only up to itself.
///
/// # Shapes
/// - `qkv`: `[rows, row_len]`: heads of queries, then of keys, then of values
/// - `prefix`: `[prefix rows, 2 * n_kv_heads * head_dim]`: heads of keys, then of values
/// - the result: `[rows, n_heads * head_dim]`
///
/// # Panics
/// Where `segments` were made for another device than that of `qkv`.
pub fn attention(
    qkv: Tensor<2>,
    prefix: Option<&Tensor<2>>,
    segments: &Segments,
    shape: AttentionShape,
) -> Tensor<2> {
    let [n_rows, row_len] = qkv.dims();
    assert_eq!(
        row_len,
        shape.row_len(),
        "columns of queries, keys and values"
    );
    match hold(qkv.clone()) {
        Held::Gpu(qkv) => {
            let prefix = prefix.map(on_gpu);
            let tiles = segments.tiles().map(hold_words);
            let Some(Held::Gpu(tiles)) = tiles else {
                panic!("segments of another device")
            };
            gpu_tensor(gpu::attention(&qkv, prefix.as_ref(), &tiles, shape))
        }
        Held::Cpu(qkv) => {
            let (qkv, prefix) = (qkv.to_contiguous(), prefix.map(on_cpu));
            let mut out = vec![0.0; n_rows * shape.n_heads * shape.head_dim];
            cpu::attention(
                values(&qkv),
                prefix.as_ref().map_or(&[], values),
                segments.list(),
                &shape,
                &mut out,
            );
            cpu_tensor(out, [n_rows, shape.n_heads * shape.head_dim])
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => (prefix.is_none())
            .then(|| recorded::attention(&qkv, segments.list(), shape))
            .flatten()
            .unwrap_or_else(|| composite::attention(qkv, prefix, segments.list(), shape)),
    }
}

/// `silu(gate) * up`; of f16 the result is [`Storage::F16Sixteenths`].
///
/// # Shapes
/// - `gate_up`: `[rows, 2 * d_hidden]`, gate first
/// - the result: `[rows, d_hidden]`
pub fn swiglu(gate_up: Tensor<2>) -> Tensor<2> {
    let [n_rows, width] = gate_up.dims();
    match hold(gate_up.clone()) {
        Held::Gpu(gate_up) => gpu_tensor(gpu::swiglu(&gate_up)),
        Held::Cpu(gate_up) => {
            let mut out = vec![0.0; n_rows * width / 2];
            cpu::swiglu(values(&gate_up.to_contiguous()), width / 2, &mut out);
            cpu_tensor(out, [n_rows, width / 2])
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => recorded::swiglu(&gate_up).unwrap_or_else(|| composite::swiglu(gate_up)),
    }
}

/// GELU with the error function, of every value.
///
/// On a GPU only natively: in a browser nothing needs it there.
///
/// # Shapes
/// - `x` and the result: `[rows, d]`
pub fn gelu(x: Tensor<2>) -> Tensor<2> {
    let dims = x.dims();
    match hold(x.clone()) {
        Held::Cpu(x) => {
            let mut out = values(&x.to_contiguous()).to_vec();
            cpu::activate(Activation::Gelu, &mut out);
            cpu_tensor(out, dims)
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Gpu(_) | Held::Recording => {
            recorded::gelu(&x).unwrap_or_else(|| burn::tensor::activation::gelu(x))
        }
        #[cfg(target_family = "wasm")]
        Held::Gpu(_) => {
            panic!("GELU by itself runs on the CPU; on a GPU it is a part of a linear layer")
        }
    }
}

/// Weighted sums of rows: `out[i] = sum_t weights[t][i] * table[rows[t][i]]`.
///
/// # Shapes
/// - `table`: `[n, d]`
/// - `rows`, `weights`: `[n_taps * m]`, tap after tap
/// - the result: `[m, d]`
pub fn gather(table: &Tensor<2>, rows: &[u32], weights: &[f32], n_taps: usize) -> Tensor<2> {
    let [_, d] = table.dims();
    let n_rows = rows.len() / n_taps;
    match hold(table.clone()) {
        Held::Gpu(table) => gpu_tensor(gpu::gather(&table, rows, weights, n_taps, 0..d, None)),
        Held::Cpu(table) => {
            let mut out = vec![0.0; n_rows * d];
            cpu::gather(
                values(&table.to_contiguous()),
                d,
                rows,
                weights,
                n_taps,
                &mut out,
            );
            cpu_tensor(out, [n_rows, d])
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => composite::gather(table, rows, weights, n_taps),
    }
}

/// Some columns of every row, as a tensor of their own.
///
/// # Shapes
/// - `x`: `[rows, n]`
/// - the result: `[rows, columns.len()]`
pub fn columns(x: &Tensor<2>, columns: Range<usize>) -> Tensor<2> {
    let [n_rows, n] = x.dims();
    match hold(x.clone()) {
        Held::Gpu(x) => {
            let rows: Vec<u32> = (0..n_rows as u32).collect();
            gpu_tensor(gpu::gather(&x, &rows, &vec![1.0; n_rows], 1, columns, None))
        }
        Held::Cpu(x) => {
            let x = x.to_contiguous();
            let rows = values(&x).chunks_exact(n);
            let out = rows.flat_map(|row| row[columns.clone()].iter().copied());
            cpu_tensor(out.collect(), [n_rows, columns.len()])
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => x.clone().slice([0..n_rows, columns]),
    }
}

/// `x[rows[i]] += add[i]`; no row may be named twice.
///
/// On a GPU and the CPU `x` is changed in place: no other tensor may share its values.
///
/// # Shapes
/// - `x` and the result: `[n, d]`
/// - `add`: `[rows, d]`
pub fn add_rows(x: Tensor<2>, rows: &[u32], add: &Tensor<2>) -> Tensor<2> {
    let [n, d] = x.dims();
    #[cfg(not(target_family = "wasm"))]
    if x.device().is_autodiff() {
        return composite::add_rows(x, rows, add);
    }
    match hold(x) {
        Held::Gpu(x) => {
            gpu::add_rows(&x, rows, &on_gpu(add));
            gpu_tensor(*x)
        }
        Held::Cpu(mut x) => {
            let add = on_cpu(add);
            cpu::add_rows(&mut x.storage_mut::<f32>()[..n * d], d, rows, values(&add));
            Tensor::from_primitive::<burn::backend::Flex>(x)
        }
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => unreachable!("handled above"),
    }
}
