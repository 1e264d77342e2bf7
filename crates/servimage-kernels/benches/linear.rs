//! Our linear layer against burn's own, at the shapes of a Qwen3-VL-2B: `cargo bench --bench linear -- [cpu|gpu] [M...]`.
//!
//! One JSON object a line on stdout: milliseconds (median, fastest, slowest), GFLOP/s and, for a quantized layout, the ratio of
//! burn's f32 time to ours. `burn q4` is burn's `QFloat` weight, block 32, with its own matmul.

use burn::tensor::quantization::{QuantScheme, QuantValue};
use burn::tensor::{Device, Tensor, TensorData};
use servimage_kernels::{Activation, PackedWeight, linear, read};
use servimage_pack::{Layout, TensorBytes, layout};
use std::time::Instant;

/// `[d_in, d_out]` of the 2B's text layers: qkv, o, gate and up, down.
const SHAPES: [(&str, usize, usize); 4] = [
    ("qkv", 2048, 4096),
    ("o", 2048, 2048),
    ("gate_up", 2048, 12288),
    ("down", 6144, 2048),
];

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let on_gpu = words.iter().any(|word| word == "gpu");
    let device = match on_gpu {
        true => Device::wgpu_options()
            .init()
            .map_err(|e| format!("{e:?}"))?,
        false => Device::flex(),
    };
    let mut rows: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if rows.is_empty() {
        rows = vec![64, 256, 1024];
    }
    let name = if on_gpu { "wgpu" } else { "cpu" };
    for (layer, d_in, d_out) in SHAPES {
        let values = noise(d_in * d_out);
        for &n_rows in &rows {
            let x = tensor(noise(n_rows * d_in), [n_rows, d_in], &device);
            let flops = 2.0 * (n_rows * d_in * d_out) as f64;
            let report = |kind: &str, times: &[f64], against: f64| {
                let median = times[times.len() / 2];
                println!(
                    "{{\"device\":\"{name}\",\"layer\":\"{layer}\",\"m\":{n_rows},\"kind\":\"{kind}\",\"ms\":{median:.2},\"fastest_ms\":{:.2},\"slowest_ms\":{:.2},\"gflops\":{:.1},\"burn_f32_over_this\":{:.2}}}",
                    times[0],
                    times[times.len() - 1],
                    flops / median / 1e6,
                    against / median
                );
                median
            };
            let weight = tensor(values.clone(), [d_out, d_in], &device);
            let times = time(|| x.clone().matmul(weight.clone().transpose()));
            let burn_f32 = times[times.len() / 2];
            report("burn f32", &times, burn_f32);
            let scheme = QuantScheme::default()
                .with_value(QuantValue::Q4S)
                .per_block([32], burn::tensor::quantization::ScaleDtype::F32);
            let quantized = weight.quantize_dynamic(&scheme);
            let times = time(|| x.clone().matmul(quantized.clone().transpose()));
            report("burn q4", &times, burn_f32);
            for layout in [Layout::F32, Layout::Q8, Layout::Q4] {
                let part = TensorBytes {
                    name: layer.to_owned(),
                    shape: vec![d_out, d_in],
                    layout,
                    bytes: layout::encode(layer, layout, &values, &[d_out, d_in])?,
                };
                let packed = PackedWeight::upload(&[part], &device)?;
                let times = time(|| linear(x.clone(), &packed, None, None, Activation::None));
                report(&format!("ours {layout}"), &times, burn_f32);
            }
        }
    }
    Ok(())
}

/// Milliseconds, sorted; one run before them warms up. The result is read back each time, so that the device has finished: that is part of every row alike.
fn time(operation: impl Fn() -> Tensor<2>) -> Vec<f64> {
    let mut times: Vec<f64> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            let y = operation();
            pollster::block_on(read(y)).expect("the device computes");
            start.elapsed().as_secs_f64() * 1e3
        })
        .skip(1)
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn tensor(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn noise(n: usize) -> Vec<f32> {
    let mut state = 0x9E37_79B9_u32;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}
