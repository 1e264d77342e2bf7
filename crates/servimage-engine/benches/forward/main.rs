//! What one evaluation costs, native: `cargo bench --bench forward -- [cpu|gpu] [TABLE...]`.
//!
//! Tables: `nano` (the shipped pack), `self-test` (its self-test input), `prefix` (20 images under a 600-token brief, with and
//! without the prefix cache), `batch`, `length`, `images`, `width`. One JSON object a line on stdout; times are medians over
//! the warm runs, with the fastest and the slowest.

use servimage_engine::{Compute, OpenDevice, open_device, vectors_of};
use servimage_model::{ModelInput, ServImageModel};
use servimage_pack::dir::DirSource;
use servimage_pack::{
    Layout, Manifest, MemorySource, Pack, PackSource, PackWriter, expected_tensors,
};
use servimage_prompt::mrope_positions;
use std::path::Path;
use std::time::Instant;

/// Warm runs of a row.
const RUNS: usize = 12;

/// Grid of a 224 x 224 image: 196 patches, 49 visual tokens.
const GRID: [u32; 3] = [1, 14, 14];

/// Tokens behind the last image.
const TAIL: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let mut compute = Compute::Cpu;
    words.retain(|word| match word.as_str() {
        "gpu" => {
            compute = Compute::Gpu;
            false
        }
        "cpu" => false,
        _ => true,
    });
    let bench = Bench {
        device: pollster::block_on(open_device(compute, "native"))?,
        tables: words,
    };
    bench.run()
}

struct Bench {
    device: OpenDevice,
    tables: Vec<String>,
}

/// Times of the warm runs, in milliseconds.
struct Times {
    first: f64,
    warm: Vec<f64>,
}

impl Bench {
    fn run(&self) -> Result<(), Box<dyn std::error::Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public/models/nano");
        let nano = pollster::block_on(Pack::open(DirSource::new(&folder)))?;
        let model = self.load(&nano)?;
        let manifest = nano.manifest().clone();
        let input = |text: usize, n: usize| made_up_input(&manifest, text, n, 0);
        if self.wants("self-test") {
            let vectors = pollster::block_on(vectors_of(&nano))?.ok_or("nano has vectors")?;
            self.report("self-test", 0, &time(&model, &[vectors.input]));
        }
        if self.wants("nano") {
            self.report(
                "nano, 300 text tokens, no cache",
                300,
                &time(&model, &[cold(input(300, 1))]),
            );
            self.report(
                "nano, 300 text tokens",
                300,
                &time(&model, &[input(300, 1)]),
            );
        }
        if self.wants("prefix") {
            let images: Vec<_> = (0..20)
                .map(|i| made_up_input(&manifest, 600, 1, i))
                .collect();
            let whole: Vec<_> = images.iter().cloned().map(cold).collect();
            let (with, without) = (each(&model, &images), each(&model, &whole));
            self.report("20 images, 600-token brief, with the cache", 600, &with);
            self.report("20 images, 600-token brief, without", 600, &without);
            println!(
                "{{\"row\":\"prefix cache\",\"ratio\":{:.2}}}",
                median(&without.warm) / median(&with.warm)
            );
        }
        if self.wants("batch") {
            for n in [1, 2, 4, 8] {
                let inputs: Vec<_> = (0..n)
                    .map(|i| made_up_input(&manifest, 300, 1, i))
                    .collect();
                let mut times = time(&model, &inputs);
                times.warm.iter_mut().for_each(|t| *t /= n as f64);
                self.report("nano, images in one pass, ms an image", n as usize, &times);
            }
        }
        if self.wants("length") {
            for length in [50, 100, 200, 400, 700, 1000] {
                self.report(
                    "nano, text tokens, no cache",
                    length,
                    &time(&model, &[cold(input(length, 1))]),
                );
            }
        }
        if self.wants("images") {
            for n in 1..=6 {
                self.report(
                    "nano, images in a prompt, 300 text tokens",
                    n,
                    &time(&model, &[cold(input(300, n))]),
                );
            }
        }
        if self.wants("width") {
            for width in [128, 256, 512, 1024] {
                for layout in [Layout::F32, Layout::Q8, Layout::Q4] {
                    let pack =
                        pollster::block_on(Pack::open(made_up_pack(&manifest, width, layout)?))?;
                    let model = self.load(&pack)?;
                    let input = cold(made_up_input(pack.manifest(), 300, 1, 0));
                    self.report(
                        &format!("made-up network as {layout}, width"),
                        width,
                        &time(&model, &[input]),
                    );
                }
            }
        }
        Ok(())
    }

    fn wants(&self, table: &str) -> bool {
        self.tables.is_empty() || self.tables.iter().any(|word| word == table)
    }

    fn load<S: PackSource>(
        &self,
        pack: &Pack<S>,
    ) -> Result<ServImageModel, Box<dyn std::error::Error>> {
        let mut on_bytes = |_| ();
        let load = ServImageModel::load(pack, &self.device.device, &mut on_bytes);
        Ok(pollster::block_on(load)?)
    }

    fn report(&self, row: &str, n: usize, times: &Times) {
        let (fastest, slowest) = times
            .warm
            .iter()
            .fold((f64::MAX, 0.0_f64), |(a, b), &t| (a.min(t), b.max(t)));
        println!(
            "{{\"device\":\"{}\",\"row\":\"{row}\",\"n\":{n},\"first_ms\":{:.2},\"warm_ms\":{:.2},\"fastest_ms\":{fastest:.2},\"slowest_ms\":{slowest:.2}}}",
            self.device.name,
            times.first,
            median(&times.warm)
        );
    }
}

/// The same prompt without a prefix to share.
fn cold(mut input: ModelInput) -> ModelInput {
    input.prefix_len = 0;
    input
}

fn evaluate(model: &ServImageModel, inputs: &[ModelInput]) -> f64 {
    let start = Instant::now();
    pollster::block_on(model.evaluate_batch(inputs)).expect("the input fits the network");
    start.elapsed().as_secs_f64() * 1e3
}

/// One first run of a batch, then warm ones.
fn time(model: &ServImageModel, inputs: &[ModelInput]) -> Times {
    Times {
        first: evaluate(model, inputs),
        warm: (0..RUNS).map(|_| evaluate(model, inputs)).collect(),
    }
}

/// Inputs one after the other; the first one warms up.
fn each(model: &ServImageModel, inputs: &[ModelInput]) -> Times {
    let run = |input: &ModelInput| evaluate(model, std::slice::from_ref(input));
    Times {
        first: run(&inputs[0]),
        warm: inputs.iter().map(run).collect(),
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// SplitMix64 as values in -1..1.
fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    })
}

/// `n_text` tokens of text, then `n_images` images of 49 tokens and a tail; `seed` changes the pixels alone.
fn made_up_input(manifest: &Manifest, n_text: usize, n_images: usize, seed: u64) -> ModelInput {
    let special = &manifest.special_tokens;
    let highest = [
        special.image,
        special.video,
        special.vision_start,
        special.vision_end,
    ]
    .into_iter()
    .max()
    .unwrap_or_default();
    let text = |n: usize| (0..n as u32).map(move |i| highest + 1 + i % 200);
    let n_head = n_text - TAIL - 2 * n_images;
    let mut ids: Vec<u32> = text(n_head).collect();
    for _ in 0..n_images {
        ids.push(special.vision_start);
        ids.extend(std::iter::repeat_n(special.image, 49));
        ids.push(special.vision_end);
    }
    ids.extend(text(TAIL));
    let grids = vec![GRID; n_images];
    let merge = manifest.vision.spatial_merge_size as u32;
    let positions = mrope_positions(&ids, &grids, special, merge).expect("whole images");
    let d_patch = 3 * manifest.vision.temporal_patch_size * manifest.vision.patch_size.pow(2);
    ModelInput {
        ids,
        positions,
        patches: noise(seed + 1).take(n_images * 196 * d_patch).collect(),
        grids,
        prefix_len: n_head + 1,
    }
}

/// A network of nano's depth and another width, with random weights.
fn made_up_pack(
    nano: &Manifest,
    width: usize,
    layout: Layout,
) -> Result<MemorySource, Box<dyn std::error::Error>> {
    let mut manifest = nano.clone();
    manifest.quant = layout;
    manifest.self_test = None;
    manifest.text.d_model = width;
    manifest.text.n_heads = width / 32;
    manifest.text.n_kv_heads = width / 64;
    manifest.text.d_hidden = 2 * width;
    manifest.vision.d_model = width;
    manifest.vision.n_heads = width / 32;
    manifest.vision.d_hidden = 3 * width;
    manifest.vision.d_out = width;
    let mut files = MemorySource::default();
    let mut writer = PackWriter::new(&mut files);
    for tensor in expected_tensors(&manifest, |_| None) {
        let n: usize = tensor.shape.iter().product();
        let scale = (tensor.shape.last().copied().unwrap_or(1) as f32)
            .sqrt()
            .recip();
        let values: Vec<f32> = match tensor.shape.len() {
            1 => vec![1.0; n],
            _ => noise(n as u64).take(n).map(|v| v * scale).collect(),
        };
        let layout = if tensor.quantized {
            layout
        } else {
            Layout::F32
        };
        writer.push(&tensor.name, &tensor.shape, layout, &values)?;
    }
    writer.tokenizer(b"{}")?;
    writer.finish(manifest)?;
    Ok(files)
}
