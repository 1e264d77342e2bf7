//! Every operation on a native GPU and on the CPU against burn's own operations, at sizes that fill no tile.

use burn::tensor::{Device, Tensor, TensorData};
use servimage_kernels::{
    Activation, AttentionShape, Heads, MAX_HEAD_DIM, PackedWeight, Pooled, Pooler, Segment,
    Segments, add_rows, attention, columns, gather, layer_norm, linear, linear_float, norm_rotate,
    rms_norm, swiglu,
};
use servimage_pack::{Layout, TensorBytes, layout};
use std::sync::OnceLock;

/// Bound on the largest difference over the largest expected value.
const TOLERANCE: f32 = 2e-5;

const LAYOUTS: [Layout; 4] = [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4];

/// The GPU may be opened once a process.
fn gpu() -> Device {
    static GPU: OnceLock<Device> = OnceLock::new();
    let open = || {
        Device::wgpu_options()
            .init()
            .expect("a Vulkan device: mesa-vulkan-drivers gives a software one")
    };
    GPU.get_or_init(open).clone()
}

/// Values that repeat only after 2^32 of them, in -1..=1.
fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn noisy<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    tensor(&noise(shape.iter().product(), seed), shape, device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |top: f32, v| top.max(v.abs()));
    assert!(
        largest > 0.0,
        "{what}: an expectation of zeros shows nothing"
    );
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let error = (f - e).abs() / largest;
        assert!(error <= TOLERANCE, "{what}: value {i} is {f}, expected {e}");
    }
}

/// Runs `operation` on both devices and on one that records gradients, and compares.
fn same_everywhere(what: &str, operation: impl Fn(&Device) -> Vec<f32>) {
    let expected = operation(&Device::flex().autodiff());
    assert_close(
        &operation(&Device::flex()),
        &expected,
        &format!("{what}, CPU"),
    );
    assert_close(&operation(&gpu()), &expected, &format!("{what}, GPU"));
}

/// A weight in a layout, and the same values as f32.
fn weight(name: &str, layout: Layout, shape: [usize; 2], seed: u32) -> (TensorBytes, Vec<f32>) {
    let bytes = layout::encode(name, layout, &noise(shape[0] * shape[1], seed), &shape)
        .expect("finite values");
    let part = TensorBytes {
        name: name.to_owned(),
        shape: shape.to_vec(),
        layout,
        bytes,
    };
    let values = part.to_f32().expect("floats");
    (part, values)
}

#[test]
fn a_linear_layer_is_the_product_with_its_dequantized_weight() {
    let sizes = [
        (1, 32, 1),
        (2, 64, 3),
        (3, 4, 66),
        (65, 96, 65),
        (63, 129, 130),
        (200, 33, 7),
        (130, 288, 96),
    ];
    for layout in LAYOUTS {
        for (rows, d_in, d_out) in sizes {
            let (part, floats) = weight("w", layout, [d_out, d_in], 7);
            let what = format!("{layout} {rows} x {d_in} x {d_out}");
            let x = noise(rows * d_in, 3);
            let cpu = Device::flex();
            let expected = values(linear_float(
                tensor(&x, [rows, d_in], &cpu),
                tensor(&floats, [d_out, d_in], &cpu),
                None,
                None,
                Activation::None,
            ));
            for (device, name) in [(cpu, "CPU"), (gpu(), "GPU")] {
                let packed =
                    PackedWeight::upload(std::slice::from_ref(&part), &device).expect("a matrix");
                let y = linear(
                    tensor(&x, [rows, d_in], &device),
                    &packed,
                    None,
                    None,
                    Activation::None,
                );
                assert_close(&values(y), &expected, &format!("{what}, {name}"));
            }
        }
    }
}

#[test]
fn what_follows_the_product_happens_in_its_order() {
    let (rows, d_in, d_out) = (37, 40, 70);
    let (part, floats) = weight("w", Layout::Q4, [d_out, d_in], 1);
    let activations = [
        Activation::None,
        Activation::GeluTanh,
        Activation::Gelu,
        Activation::Relu,
    ];
    for activation in activations {
        for (has_bias, has_addend) in [(true, false), (false, true), (true, true)] {
            let run = |device: &Device, packed: bool| {
                let x = noisy([rows, d_in], 5, device) * 3.0;
                let x = tensor(&values(x), [rows, d_in], device);
                let bias = has_bias.then(|| noisy([d_out], 9, device));
                let addend = has_addend.then(|| noisy([rows, d_out], 11, device));
                values(if packed {
                    let weight = PackedWeight::upload(std::slice::from_ref(&part), device)
                        .expect("a matrix");
                    linear(x, &weight, bias.as_ref(), addend.as_ref(), activation)
                } else {
                    let weight = tensor(&floats, [d_out, d_in], device);
                    linear_float(x, weight, bias, addend, activation)
                })
            };
            let expected = run(&Device::flex(), false);
            let what = format!("{activation:?}, bias {has_bias}, addend {has_addend}");
            assert_close(&run(&Device::flex(), true), &expected, &what);
            assert_close(&run(&gpu(), true), &expected, &format!("{what}, GPU"));
        }
    }
}

#[test]
fn weights_below_each_other_give_their_results_side_by_side() {
    // 5 and 3 rows of 2 blocks: the scales of the second part begin inside a word.
    for layout in LAYOUTS {
        let parts = [
            weight("a", layout, [5, 40], 1),
            weight("b", layout, [3, 40], 2),
            weight("c", layout, [1, 40], 3),
        ];
        let bytes: Vec<TensorBytes> = parts.iter().map(|(part, _)| part.clone()).collect();
        let floats: Vec<f32> = parts.iter().flat_map(|(_, v)| v.clone()).collect();
        let x = noise(4 * 40, 4);
        let cpu = Device::flex();
        let expected = values(linear_float(
            tensor(&x, [4, 40], &cpu),
            tensor(&floats, [9, 40], &cpu),
            None,
            None,
            Activation::None,
        ));
        for device in [cpu, gpu()] {
            let weight = PackedWeight::upload(&bytes, &device).expect("equal widths");
            assert_eq!((weight.d_out(), weight.d_in()), (9, 40));
            let y = linear(
                tensor(&x, [4, 40], &device),
                &weight,
                None,
                None,
                Activation::None,
            );
            assert_close(&values(y), &expected, &format!("joined {layout}"));
        }
    }
}

#[test]
fn weights_that_do_not_belong_together_are_refused_by_name() {
    let (a, _) = weight("first", Layout::Q4, [2, 64], 1);
    let (b, _) = weight("second", Layout::Q4, [2, 32], 1);
    let (c, _) = weight("third", Layout::Q8, [2, 64], 1);
    let refusal = |parts: &[TensorBytes]| {
        PackedWeight::upload(parts, &Device::flex())
            .expect_err("they differ")
            .to_string()
    };
    assert!(refusal(&[a.clone(), b]).contains("second"));
    assert!(refusal(&[a.clone(), c]).contains("third"));
    let mut short = a;
    short.bytes.pop();
    assert!(refusal(&[short]).contains("first"));
}

#[test]
fn norms() {
    for (rows, d) in [(1, 4), (3, 66), (70, 96), (5, 1024)] {
        same_everywhere(&format!("rms norm {rows} x {d}"), |device| {
            let x = noisy([rows, d], 1, device);
            values(rms_norm(x, &noisy([d], 2, device), 1e-6))
        });
        same_everywhere(&format!("layer norm {rows} x {d}"), |device| {
            let (gamma, beta) = (noisy([d], 2, device), noisy([d], 3, device));
            values(layer_norm(noisy([rows, d], 1, device), &gamma, &beta, 1e-6))
        });
    }
}

#[test]
fn heads_are_normed_and_rotated_where_they_lie() {
    for (rows, n_heads, head_dim, heads) in [
        (3, 4, 24, Heads { first: 0, count: 2 }),
        (17, 5, 8, Heads { first: 2, count: 2 }),
        (2, 3, 128, Heads { first: 1, count: 2 }),
    ] {
        for normed in [false, true] {
            same_everywhere(&format!("rotation {head_dim}, norm {normed}"), |device| {
                let gamma = noisy([head_dim], 4, device);
                let (cos, sin) = (
                    noisy([rows, head_dim], 5, device),
                    noisy([rows, head_dim], 6, device),
                );
                let x = noisy([rows, n_heads * head_dim], 7, device);
                let norm = normed.then_some((&gamma, 1e-6));
                values(norm_rotate(x, heads, norm, &cos, &sin))
            });
        }
    }
}

#[test]
fn attention_sees_its_segment_and_the_prefix_and_causally_nothing_ahead() {
    let cases = [
        (vec![1], 0, (2, 2, 24), false),
        (vec![16], 0, (4, 2, 32), true),
        (vec![17, 17], 0, (4, 4, 24), false),
        (vec![5, 33, 1], 0, (4, 2, 8), true),
        (vec![40], 19, (4, 2, 32), true),
        (vec![7, 20], 33, (2, 1, 128), true),
        (vec![50], 3, (3, 1, 12), false),
        (vec![18], 5, (2, 1, MAX_HEAD_DIM), true),
    ];
    for (lengths, n_prefix, (n_heads, n_kv_heads, head_dim), causal) in cases {
        let shape = AttentionShape {
            n_heads,
            n_kv_heads,
            head_dim,
            causal,
        };
        let mut start = 0;
        let segments: Vec<Segment> = lengths
            .iter()
            .map(|&len| {
                start += len;
                Segment {
                    start: start - len,
                    len,
                }
            })
            .collect();
        same_everywhere(
            &format!("attention {lengths:?} after {n_prefix}"),
            |device| {
                let qkv = noisy([start, shape.row_len()], 1, device);
                let prefix =
                    (n_prefix > 0).then(|| noisy([n_prefix, 2 * n_kv_heads * head_dim], 2, device));
                let segments = Segments::new(segments.clone(), device);
                values(attention(qkv, prefix.as_ref(), &segments, shape))
            },
        );
    }
}

#[test]
fn large_scores_stay_finite() {
    let shape = AttentionShape {
        n_heads: 2,
        n_kv_heads: 1,
        head_dim: 8,
        causal: true,
    };
    let segments = [Segment { start: 0, len: 40 }];
    same_everywhere("attention of large values", |device| {
        let qkv: Vec<f32> = noise(40 * shape.row_len(), 3)
            .iter()
            .map(|v| v * 60.0)
            .collect();
        let qkv = tensor(&qkv, [40, shape.row_len()], device);
        let segments = Segments::new(segments.to_vec(), device);
        let out = values(attention(qkv, None, &segments, shape));
        assert!(out.iter().all(|v| v.is_finite()));
        out
    });
}

#[test]
fn rows_are_gathered_added_cut_and_gated() {
    same_everywhere("gather", |device| {
        let (rows, weights) = ([0, 3, 2, 1, 1, 0], [0.5, 1.0, 0.0, 0.25, -1.0, 2.0]);
        values(gather(&noisy([4, 70], 1, device), &rows, &weights, 2))
    });
    same_everywhere("add rows", |device| {
        let add = noisy([2, 33], 2, device);
        values(add_rows(noisy([5, 33], 1, device), &[4, 1], &add))
    });
    same_everywhere("columns", |device| {
        values(columns(&noisy([5, 33], 1, device), 7..30))
    });
    same_everywhere("swiglu", |device| {
        values(swiglu(noisy([9, 132], 1, device)))
    });
}

#[test]
fn pooling_in_two_parts_is_pooling_in_one() {
    let (rows, d) = (70, 130);
    let whole = |device: &Device, cut: usize| {
        let hidden = noisy([rows, d], 1, device);
        let query = noisy([d], 2, device) * 20.0;
        let query = tensor(&values(query), [d], device);
        let n = 2 * (2 + d) + rows;
        let mut pooler = Pooler::new(n + d, device);
        pooler.pool(&hidden, &query, Segment { start: 0, len: cut });
        let rest = Segment {
            start: cut,
            len: rows - cut,
        };
        pooler.pool(&hidden, &query, rest);
        pooler.row(&hidden, 3);
        let record = values(pooler.into_tensor().expect("two records"));
        let (first, behind) = Pooled::read(&record, d, cut);
        let (second, behind) = Pooled::read(behind, d, rows - cut);
        assert_close(behind, &noise(rows * d, 1)[3 * d..4 * d], "row 3");
        let pooled = first.merge(&second);
        (pooled.vector(), pooled.weights())
    };
    // The definition, in f64.
    let (hidden, query) = (noise(rows * d, 1), noise(d, 2));
    let scores: Vec<f64> = hidden
        .chunks_exact(d)
        .map(|row| {
            let dot: f64 = row
                .iter()
                .zip(&query)
                .map(|(h, q)| f64::from(h * q * 20.0))
                .sum();
            dot / (d as f64).sqrt()
        })
        .collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|s| (s - top).exp()).sum();
    let weights: Vec<f32> = scores
        .iter()
        .map(|s| ((s - top).exp() / total) as f32)
        .collect();
    let mut vector = vec![0.0; d];
    for (row, weight) in hidden.chunks_exact(d).zip(&weights) {
        for (sum, value) in vector.iter_mut().zip(row) {
            *sum += weight * value;
        }
    }
    for (device, name) in [(Device::flex(), "CPU"), (gpu(), "GPU")] {
        for cut in [1, 33, 69] {
            let (found, found_weights) = whole(&device, cut);
            assert_close(
                &found,
                &vector,
                &format!("pooled vector, {name}, cut at {cut}"),
            );
            assert_close(&found_weights, &weights, &format!("weights, {name}"));
        }
    }
}
