//! What a pack asks of a device, against sums done by hand and a clock that is told.

use servimage_bench::preflight::Doubt;
use servimage_engine::{Compute, doubts, image_flop, open_device};
use servimage_pack::manifest::{Adapter, Layout, Manifest, TensorEntry};
use std::cell::Cell;

const NANO: &[u8] = include_bytes!("../../../public/models/nano/manifest.json");

/// The shapes of Qwen3-VL-2B.
fn of_2b() -> Manifest {
    let mut manifest = Manifest::from_json(NANO).expect("the shipped manifest");
    let text = &mut manifest.text;
    (text.d_model, text.n_layers, text.d_hidden) = (2048, 28, 6144);
    (text.n_heads, text.n_kv_heads, text.head_dim) = (16, 8, 128);
    let vision = &mut manifest.vision;
    (vision.d_model, vision.n_layers, vision.d_hidden) = (1024, 24, 4096);
    (vision.patch_size, vision.spatial_merge_size) = (16, 2);
    let processor = &mut manifest.image_processor;
    (processor.min_pixels, processor.max_pixels) = (65_536, 16_777_216);
    manifest
}

#[test]
fn operations_of_an_image_are_those_of_both_towers() {
    // 1,200 patches: 24 layers of 12.6 million weights, and 1,200 x 1,200 products of 1,024 values twice.
    let seen = 2.0 * 1200.0 * 24.0 * 12.58e6 + 24.0 * 4.0 * 1200.0 * 1200.0 * 1024.0;
    // 300 visual rows and 64 behind them: 28 layers of 50.3 million weights, and attention to half of them and the prefix.
    let read = 364.0 * 28.0 * (2.0 * 50.33e6 + 4.0 * 482.0 * 2048.0);
    let mut manifest = of_2b();
    manifest.payment_adapter = None;
    let flop = image_flop(&manifest);
    assert!(
        (flop / (seen + read) - 1.0).abs() < 1e-3,
        "{flop:e}, by hand {:e}",
        seen + read
    );

    manifest.payment_adapter = Some(Adapter {
        targets: Vec::new(),
    });
    let flop = image_flop(&manifest);
    assert!(
        (flop / (seen + 2.0 * read) - 1.0).abs() < 1e-3,
        "the payment reads the prompt once more"
    );
}

#[test]
fn a_slow_device_and_a_weight_that_it_cannot_bind_are_doubts() {
    let mut manifest = of_2b();
    let entry = |name: &str, shape: [usize; 2]| TensorEntry {
        name: name.to_owned(),
        shape: shape.to_vec(),
        layout: Layout::F16,
        block: 32,
        parts: Vec::new(),
    };
    manifest.tensors = vec![
        entry("model.language_model.embed_tokens.weight", [151_936, 2048]),
        entry(
            "model.language_model.layers.0.mlp.gate_proj.weight",
            [6144, 2048],
        ),
        entry(
            "model.language_model.layers.0.mlp.up_proj.weight",
            [6144, 2048],
        ),
        entry(
            "model.language_model.layers.0.mlp.down_proj.weight",
            [2048, 6144],
        ),
    ];
    // Gate and up lie on the device as one weight.
    let bytes = 2 * 2 * 6144 * 2048;
    let flop = image_flop(&manifest);
    assert_eq!(doubts(&manifest, flop / 59.0, bytes), []);
    assert_eq!(doubts(&manifest, flop / 61.0, bytes), [Doubt::Slow]);
    let [
        Doubt::TooLarge {
            tensor,
            size_bytes,
            limit_bytes,
        },
    ] = &doubts(&manifest, 1e15, bytes - 1)[..]
    else {
        panic!("the weight was not found too large");
    };
    assert!(
        tensor.ends_with("gate_proj.weight"),
        "{tensor}: a table of tokens is not bound whole"
    );
    assert_eq!((*size_bytes, *limit_bytes), (bytes, bytes - 1));
}

#[test]
fn speed_is_products_by_time_and_a_slow_device_is_asked_for_little() {
    let device = pollster::block_on(open_device(Compute::Cpu, "")).expect("a CPU");
    let measure = |step_millis: f64| {
        let (now, reads) = (Cell::new(0.0), Cell::new(0));
        let clock = || {
            reads.set(reads.get() + 1);
            now.set(now.get() + step_millis);
            now.get()
        };
        let flops =
            pollster::block_on(device.measure_flops(Layout::Q4, 64, clock)).expect("products");
        (flops, reads.get() / 2)
    };
    // A quarter of a second a product: one is enough.
    assert_eq!(measure(250.0), (2.0 * 64.0 * 256.0 * 64.0 / 0.25, 1));
    // A millisecond whatever is asked: the most that is asked at once.
    assert_eq!(measure(1.0), (64.0 * 2.0 * 256.0 * 2048.0 * 64.0 / 1e-3, 8));
}
