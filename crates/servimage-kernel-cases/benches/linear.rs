//! Our linear layer against burn's own, at the shapes of a Qwen3-VL-2B: `linear [cpu|gpu] [M...] [--seconds S] [--longest S]`.
//!
//! The kinds take turns, so that a machine that slows down slows all of them. One JSON object a line on stdout: all times in
//! milliseconds, or why a kind was not run. `burn q4` is burn's `QFloat` weight, block 32, with its own matmul. A layer at one M gets
//! about `--seconds`; what would take more than `--longest` in one run, going by a smaller M, is not run.

use burn::tensor::quantization::{QuantScheme, QuantValue, ScaleDtype};
use burn::tensor::{Device, Tensor, TensorData};
use servimage_kernels::{Activation, PackedWeight, linear, read};
use servimage_pack::{Layout, TensorBytes, layout};
use std::error::Error;
use std::time::Instant;

/// `[d_in, d_out]` of the 2B's text layers: qkv, o, gate and up, down.
const SHAPES: [(&str, usize, usize); 4] = [
    ("qkv", 2048, 4096),
    ("o", 2048, 2048),
    ("gate_up", 2048, 12288),
    ("down", 6144, 2048),
];

/// Most rounds of a layer at one M.
const ROUNDS_MAX: usize = 15;

/// Rounds of a kind that is much slower than the others.
const ROUNDS_SLOW: usize = 2;

/// One way to compute the layer.
struct Kind {
    name: String,
    run: Box<dyn Fn(&Tensor<2>) -> Tensor<2>>,
    /// Of the last run, if there was one.
    seconds_per_flop: Option<f64>,
}

struct Options {
    on_gpu: bool,
    rows: Vec<usize>,
    seconds: f64,
    longest: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    let device = match options.on_gpu {
        true => Device::wgpu_options()
            .init()
            .map_err(|e| format!("{e:?}"))?,
        false => Device::flex(),
    };
    for (layer, d_in, d_out) in SHAPES {
        let mut kinds = kinds(layer, d_in, d_out, &device)?;
        for &n_rows in &options.rows {
            let x = tensor(noise(n_rows * d_in), [n_rows, d_in], &device);
            let flops = 2.0 * (n_rows * d_in * d_out) as f64;
            let place = format!(
                "\"device\":\"{}\",\"layer\":\"{layer}\",\"m\":{n_rows},\"flops\":{flops}",
                options.device_name()
            );
            measure(&mut kinds, &x, flops, &options, &place);
        }
    }
    Ok(())
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            on_gpu: false,
            rows: Vec::new(),
            seconds: 6.0,
            longest: 10.0,
        };
        while let Some(word) = words.next() {
            let mut number = || words.next().unwrap_or_default().parse();
            match word.as_str() {
                "gpu" => options.on_gpu = true,
                // `cargo bench` adds `--bench`.
                "cpu" | "--bench" => {}
                "--seconds" => options.seconds = number()?,
                "--longest" => options.longest = number()?,
                rows => options.rows.push(rows.parse()?),
            }
        }
        if options.rows.is_empty() {
            options.rows = vec![64, 256, 1024];
        }
        options.rows.sort_unstable();
        Ok(options)
    }

    fn device_name(&self) -> &'static str {
        if self.on_gpu { "gpu" } else { "cpu" }
    }
}

/// Burn's two and our three ways, on the same weight.
fn kinds(
    layer: &str,
    d_in: usize,
    d_out: usize,
    device: &Device,
) -> Result<Vec<Kind>, Box<dyn Error>> {
    let values = noise(d_in * d_out);
    let weight = tensor(values.clone(), [d_out, d_in], device);
    let scheme = QuantScheme::default()
        .with_value(QuantValue::Q4S)
        .per_block([32], ScaleDtype::F32);
    let quantized = weight.clone().quantize_dynamic(&scheme);
    let mut kinds = vec![
        Kind::new("burn f32", move |x| {
            x.clone().matmul(weight.clone().transpose())
        }),
        Kind::new("burn q4", move |x| {
            x.clone().matmul(quantized.clone().transpose())
        }),
    ];
    for layout in [Layout::F32, Layout::Q8, Layout::Q4] {
        let part = TensorBytes {
            name: layer.to_owned(),
            shape: vec![d_out, d_in],
            layout,
            bytes: layout::encode(layer, layout, &values, &[d_out, d_in])?,
        };
        let packed = PackedWeight::upload(&[part], device)?;
        let run = move |x: &Tensor<2>| linear(x.clone(), &packed, None, None, Activation::None);
        kinds.push(Kind::new(&format!("ours {layout}"), run));
    }
    Ok(kinds)
}

impl Kind {
    fn new(name: &str, run: impl Fn(&Tensor<2>) -> Tensor<2> + 'static) -> Self {
        Self {
            name: name.to_owned(),
            run: Box::new(run),
            seconds_per_flop: None,
        }
    }

    /// Milliseconds of one run. The result is read back, so that the device has finished: that is part of every kind alike.
    fn time(&mut self, x: &Tensor<2>, flops: f64) -> f64 {
        let start = Instant::now();
        pollster::block_on(read((self.run)(x))).expect("the device computes");
        let seconds = start.elapsed().as_secs_f64();
        self.seconds_per_flop = Some(seconds / flops);
        seconds * 1e3
    }
}

/// One round to warm up, then rounds until the time is spent; where the first alone spends it, it counts. A kind that takes a
/// tenth of the time or more is left out behind [`ROUNDS_SLOW`] rounds: the quick ones need the rest.
fn measure(kinds: &mut [Kind], x: &Tensor<2>, flops: f64, options: &Options, place: &str) {
    let expected = |kind: &Kind| kind.seconds_per_flop.unwrap_or_default() * flops;
    let (too_long, mut kinds): (Vec<_>, Vec<_>) = kinds
        .iter_mut()
        .partition(|kind| expected(kind) > options.longest);
    for kind in too_long {
        let (name, seconds) = (&kind.name, expected(kind));
        println!(
            "{{{place},\"kind\":\"{name}\",\"not_run\":\"one run would take about {seconds:.0} s\"}}"
        );
    }
    let start = Instant::now();
    let is_over = || start.elapsed().as_secs_f64() > options.seconds;
    let mut millis: Vec<Vec<f64>> = Vec::new();
    for kind in &mut kinds {
        millis.push(vec![kind.time(x, flops)]);
    }
    if !is_over() {
        millis.iter_mut().for_each(Vec::clear);
    }
    for round in 0..ROUNDS_MAX {
        if is_over() {
            break;
        }
        for (kind, millis) in kinds.iter_mut().zip(&mut millis) {
            if round < ROUNDS_SLOW || expected(kind) < options.seconds / 10.0 {
                millis.push(kind.time(x, flops));
            }
        }
    }
    for (kind, millis) in kinds.iter().zip(millis) {
        let name = &kind.name;
        println!("{{{place},\"kind\":\"{name}\",\"millis\":{millis:?}}}");
    }
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
