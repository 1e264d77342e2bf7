//! A layer forwards and backwards with our gradients and with burn's own, on the CPU: `gradients [--seconds S]`.
//!
//! The layers have nano's shapes, and as many rows as one of the two parts of a step of its training. Both kinds take turns.
//! One JSON object a kind on stdout, all times in milliseconds.

use burn::tensor::{Device, Distribution, Tensor};
use servimage_kernels::{
    Activation, AttentionShape, Heads, Segment, Segments, Storage, attention, by_burn, layer_norm,
    linear_float, norm_rotate, rms_norm, swiglu,
};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

/// Images, or sequences, of a part of a step.
const BATCH: usize = 12;

/// Patches of an image.
const N_PATCHES: usize = 14 * 14;

/// Tokens of a sequence.
const N_TOKENS: usize = 192;

const EPSILON: f64 = 1e-6;

/// What a layer makes of its input and its parameters.
type Forward = Box<dyn Fn(Tensor<2>, &[Tensor<2>]) -> Tensor<2>>;

/// A way to take a step, in milliseconds.
type Kind = (&'static str, fn(&Layer) -> f64);

/// A layer: its input, its parameters, and what it makes of them.
struct Layer {
    name: &'static str,
    x: Tensor<2>,
    parameters: Vec<Tensor<2>>,
    forward: Forward,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut seconds = 10.0;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => seconds = words.next().unwrap_or_default().parse()?,
            // `cargo bench` adds it.
            "--bench" => {}
            other => return Err(format!("{other}: expected --seconds S").into()),
        }
    }
    for layer in [vision_layer(), text_layer()] {
        measure(&layer, seconds);
    }
    Ok(())
}

/// A round of each to warm up, then rounds until the time is spent.
fn measure(layer: &Layer, seconds: f64) {
    let kinds: [Kind; 2] = [
        ("burn", |layer| by_burn(|| layer.step())),
        ("ours", Layer::step),
    ];
    for (_, step) in kinds {
        step(layer);
    }
    let mut millis = [Vec::new(), Vec::new()];
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < seconds {
        for ((_, step), millis) in kinds.iter().zip(&mut millis) {
            millis.push(step(layer));
        }
    }
    for ((kind, _), millis) in kinds.iter().zip(millis) {
        let (name, rows) = (layer.name, layer.x.dims()[0]);
        println!(
            "{{\"layer\":\"{name}\",\"rows\":{rows},\"kind\":\"{kind}\",\"millis\":{millis:?}}}"
        );
    }
}

impl Layer {
    /// Milliseconds of the result and of the gradients of all parameters and of the input.
    fn step(&self) -> f64 {
        let start = Instant::now();
        let result = (self.forward)(self.x.clone(), &self.parameters);
        let gradients = (result.clone() * result).mean().backward();
        for learned in self.parameters.iter().chain([&self.x]) {
            black_box(learned.grad(&gradients).expect("everything learns"));
        }
        start.elapsed().as_secs_f64() * 1e3
    }
}

/// A block of the vision tower.
fn vision_layer() -> Layer {
    const D: usize = 128;
    const D_HIDDEN: usize = 384;
    let shape = AttentionShape {
        n_heads: 4,
        n_kv_heads: 4,
        head_dim: D / 4,
        causal: false,
    };
    let sizes = [
        [1, D],
        [1, D],
        [3 * D, D],
        [1, 3 * D],
        [D, D],
        [1, D],
        [D_HIDDEN, D],
        [1, D_HIDDEN],
        [D, D_HIDDEN],
        [1, D],
    ];
    let segments = segments(N_PATCHES);
    let angles = angles(BATCH * N_PATCHES, D / 4);
    let turned = Heads { first: 0, count: 8 };
    let forward = move |x: Tensor<2>, p: &[Tensor<2>]| {
        let norm = |x: &Tensor<2>| {
            let (gamma, beta) = (vector(&p[0]), vector(&p[1]));
            layer_norm(x.clone(), &gamma, &beta, EPSILON, Storage::F32)
        };
        let layer = |x, weight: usize, addend, activation| {
            let bias = Some(vector(&p[weight + 1]));
            linear_float(x, p[weight].clone(), bias, addend, activation)
        };
        let qkv = layer(norm(&x), 2, None, Activation::None);
        let qkv = norm_rotate(qkv, turned, None, &angles[0], &angles[1]);
        let mixed = attention(qkv, None, &segments, shape);
        let x = layer(mixed, 4, Some(x), Activation::None);
        let hidden = layer(norm(&x), 6, None, Activation::GeluTanh);
        layer(hidden, 8, Some(x), Activation::None)
    };
    Layer::new("vision block", [BATCH * N_PATCHES, D], &sizes, forward)
}

/// A layer of the language model.
fn text_layer() -> Layer {
    const D: usize = 192;
    const D_HIDDEN: usize = 384;
    let shape = AttentionShape {
        n_heads: 4,
        n_kv_heads: 2,
        head_dim: 48,
        causal: true,
    };
    let sizes = [
        [1, D],
        [1, shape.head_dim],
        [shape.row_len(), D],
        [D, D],
        [2 * D_HIDDEN, D],
        [D, D_HIDDEN],
    ];
    let segments = segments(N_TOKENS);
    let angles = angles(BATCH * N_TOKENS, shape.head_dim);
    let turned = Heads { first: 0, count: 6 };
    let forward = move |x: Tensor<2>, p: &[Tensor<2>]| {
        let norm = |x: &Tensor<2>| rms_norm(x.clone(), &vector(&p[0]), EPSILON, Storage::F32);
        let layer = |x, weight: usize, addend| {
            linear_float(x, p[weight].clone(), None, addend, Activation::None)
        };
        let gamma = vector(&p[1]);
        let qkv = layer(norm(&x), 2, None);
        let qkv = norm_rotate(qkv, turned, Some((&gamma, EPSILON)), &angles[0], &angles[1]);
        let mixed = attention(qkv, None, &segments, shape);
        let x = layer(mixed, 3, Some(x));
        let hidden = swiglu(layer(norm(&x), 4, None));
        layer(hidden, 5, Some(x))
    };
    Layer::new("text layer", [BATCH * N_TOKENS, D], &sizes, forward)
}

impl Layer {
    fn new(
        name: &'static str,
        x: [usize; 2],
        parameters: &[[usize; 2]],
        forward: impl Fn(Tensor<2>, &[Tensor<2>]) -> Tensor<2> + 'static,
    ) -> Self {
        let parameter = |&size: &[usize; 2]| (noisy(size) * 0.1).detach().require_grad();
        Self {
            name,
            x: noisy(x).require_grad(),
            parameters: parameters.iter().map(parameter).collect(),
            forward: Box::new(forward),
        }
    }
}

fn vector(row: &Tensor<2>) -> Tensor<1> {
    row.clone().flatten(0, 1)
}

/// A segment for each of the batch.
fn segments(len: usize) -> Segments {
    let starts = (0..BATCH).map(|i| i * len);
    let list = starts.map(|start| Segment { start, len }).collect();
    Segments::new(list, &Device::flex().autodiff())
}

/// Cosines and sines of made-up angles.
fn angles(n_rows: usize, head_dim: usize) -> [Tensor<2>; 2] {
    let angles = noisy([n_rows, head_dim]);
    [angles.clone().cos(), angles.sin()]
}

/// Values in -1..1.
fn noisy(shape: [usize; 2]) -> Tensor<2> {
    let range = Distribution::Uniform(-1.0, 1.0);
    Tensor::random(shape, range, &Device::flex().autodiff())
}
