//! The scale search: how much it gains over the plain rule, and that no block ever loses by it.
//!
//! `the_error_is_that_of_the_documentation` holds the table at `encode_rows`; run it with `--nocapture` to see the figures.

#![expect(clippy::unwrap_used, reason = "test code")]

use half::f16;
use proptest::prelude::*;
use servimage_pack::Layout;
use servimage_pack::layout::{BLOCK, decode_rows, encode};

/// A seeded generator of the distributions that weights are likened to.
struct Random(u64);

impl Random {
    /// Uniform over 0..1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn gaussian(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Student's t with 4 degrees of freedom: tails that fall as the fifth power.
    fn student(&mut self) -> f64 {
        let squares: f64 = (0..4).map(|_| self.gaussian().powi(2)).sum();
        self.gaussian() / (squares / 4.0).sqrt()
    }
}

type Draw = fn(&mut Random) -> f64;

const WEIGHTS: [(&str, Draw); 3] = [
    ("Gaussian", Random::gaussian),
    ("Student's t", Random::student),
    ("uniform", |random| random.unit() * 2.0 - 1.0),
];

/// Rows of one block each with the spread of a trained layer.
fn blocks(draw: Draw, n_blocks: usize) -> Vec<f32> {
    let mut random = Random(7);
    (0..n_blocks * BLOCK)
        .map(|_| (0.02 * draw(&mut random)) as f32)
        .collect()
}

/// What the pack gives back for rows of one block each.
fn decoded(layout: Layout, values: &[f32]) -> Vec<f32> {
    let shape = [values.len() / BLOCK, BLOCK];
    let bytes = encode("x", layout, values, &shape).unwrap();
    decode_rows(layout, &bytes, &shape, 0..shape[0])
}

/// The plain rule: the smallest f16 scale that reaches the largest magnitude with 7 or 127.
fn plain(layout: Layout, block: &[f32]) -> Vec<f32> {
    let top = if layout == Layout::Q8 { 127.0 } else { 7.0 };
    let abs_max = block
        .iter()
        .fold(0.0_f32, |max, value| max.max(value.abs()));
    let mut scale = f16::from_f32(abs_max / top);
    if scale.to_f32() * top < abs_max {
        scale = f16::from_bits(scale.to_bits() + 1);
    }
    let scale = scale.to_f32();
    let quant = |value: f32| (value / scale).round().clamp(-top, top);
    block
        .iter()
        .map(|value| {
            if scale > 0.0 {
                scale * quant(*value)
            } else {
                0.0
            }
        })
        .collect()
}

fn squared_error(block: &[f32], found: &[f32]) -> f64 {
    block
        .iter()
        .zip(found)
        .map(|(value, found)| (f64::from(*value) - f64::from(*found)).powi(2))
        .sum()
}

/// Sums of squared errors of all blocks: found, plain. Panics where one block is worse than plain.
fn errors(layout: Layout, values: &[f32]) -> [f64; 2] {
    let mut sums = [0.0; 2];
    let found = decoded(layout, values);
    for (block, found) in values.chunks(BLOCK).zip(found.chunks(BLOCK)) {
        let found = squared_error(block, found);
        let plain = squared_error(block, &plain(layout, block));
        // Ties of the rounding may fall to the other side: equal but for the last bits of f32.
        assert!(
            found <= plain * (1.0 + 1e-6),
            "{layout}: {found} above {plain} for {block:?}"
        );
        sums[0] += found;
        sums[1] += plain;
    }
    sums
}

#[test]
fn the_error_is_that_of_the_documentation() {
    let documented = [[0.693, 0.743], [0.715, 0.783], [0.746, 0.720]];
    for ((name, draw), documented) in WEIGHTS.into_iter().zip(documented) {
        let values = blocks(draw, 20_000);
        for (layout, documented) in [Layout::Q4, Layout::Q8].into_iter().zip(documented) {
            let [found, plain] = errors(layout, &values);
            let ratio = found / plain;
            let mean = found / values.len() as f64;
            println!(
                "{name} {layout}: mean squared error {mean:.3e}, {ratio:.4} of the plain rule's"
            );
            assert!(
                (ratio - documented).abs() < 5e-3,
                "{name} {layout}: {ratio}"
            );
        }
    }
}

#[test]
fn no_block_of_any_magnitude_is_worse_than_the_plain_rule() {
    for (_, draw) in WEIGHTS {
        let values = blocks(draw, 300);
        for exponent in [-9, -7, -5, -3, 0, 3, 5] {
            let scaled: Vec<f32> = values.iter().map(|x| x * 10_f32.powi(exponent)).collect();
            errors(Layout::Q4, &scaled);
            errors(Layout::Q8, &scaled);
        }
    }
}

#[test]
fn a_negative_scale_lets_the_extra_integer_hold_the_largest_magnitude() {
    for sign in [1.0, -1.0] {
        let mut block = [0.0_f32; BLOCK];
        block[3] = 8.0 * sign;
        block[4] = -7.0 * sign;
        block[5] = sign;
        assert_eq!(decoded(Layout::Q4, &block), block, "no error at all");
        block[3] = 128.0 * sign;
        assert_eq!(decoded(Layout::Q8, &block), block);
    }
}

proptest! {
    #[test]
    fn blocks_with_outliers_and_zeros_never_lose(
        values in prop::collection::vec(prop_oneof![Just(0.0_f32), -1.0..1.0_f32, -100.0..100.0_f32], BLOCK),
    ) {
        errors(Layout::Q4, &values);
        errors(Layout::Q8, &values);
    }
}
