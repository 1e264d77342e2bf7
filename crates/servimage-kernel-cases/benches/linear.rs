//! Our linear layer against burn's own, at the shapes of a Qwen3-VL-2B: `cargo bench --bench linear -- [cpu|gpu] [M...]`.
//!
//! One JSON object a line on stdout: milliseconds (median, fastest, slowest), GFLOP/s and the ratio of burn's f32 time to this one.
//! `burn q4` is burn's `QFloat` weight, block 32, with its own matmul. In a browser: `cargo xtask kernels --bench`.

use burn::tensor::Device;
use servimage_kernel_cases::{CONTESTANTS, Contest};
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
        true => Device::wgpu_options().init()?,
        false => Device::flex(),
    };
    let mut rows: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if rows.is_empty() {
        rows = vec![64, 256, 1024];
    }
    let name = if on_gpu { "wgpu" } else { "cpu" };
    for (layer, d_in, d_out) in SHAPES {
        for &n_rows in &rows {
            let flops = 2.0 * (n_rows * d_in * d_out) as f64;
            let mut burn_f32 = None;
            for contestant in CONTESTANTS.into_iter().filter(|c| c.runs_on(&device)) {
                let times = time(&Contest::new(contestant, [n_rows, d_in, d_out], &device)?)?;
                let median = times[times.len() / 2];
                let against = *burn_f32.get_or_insert(median);
                println!(
                    "{{\"device\":\"{name}\",\"layer\":\"{layer}\",\"m\":{n_rows},\"kind\":\"{contestant}\",\"ms\":{median:.2},\"fastest_ms\":{:.2},\"slowest_ms\":{:.2},\"gflops\":{:.1},\"burn_f32_over_this\":{:.2}}}",
                    times[0],
                    times[times.len() - 1],
                    flops / median / 1e6,
                    against / median
                );
            }
        }
    }
    Ok(())
}

/// Milliseconds, sorted; one run before them warms up.
fn time(contest: &Contest) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..=RUNS {
        let start = Instant::now();
        pollster::block_on(contest.run())?;
        if run > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}
