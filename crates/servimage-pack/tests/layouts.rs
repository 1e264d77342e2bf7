//! Every layout gives its values back, quantized ones within half a step on average, at any shape.

#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::prelude::*;
use servimage_pack::layout::{BLOCK, encode};
use servimage_pack::{Layout, TensorBytes};

fn round_trip(layout: Layout, shape: &[usize], values: &[f32]) -> Vec<f32> {
    let bytes = encode("x", layout, values, shape).unwrap();
    assert_eq!(
        bytes.len() as u64,
        layout.size_bytes(shape).unwrap(),
        "{layout} {shape:?}"
    );
    TensorBytes {
        name: "x".into(),
        shape: shape.to_vec(),
        layout,
        bytes,
    }
    .to_f32()
    .unwrap()
}

#[test]
fn the_words_of_a_block_lie_as_the_kernels_read_them() {
    let values: Vec<f32> = (0..32)
        .map(|i| if i == 0 { -7.0 } else { (i % 8) as f32 })
        .collect();
    let bytes = encode("x", Layout::Q4, &values, &[1, 32]).unwrap();
    // Scale 1: the first byte holds value 0 (-7 + 8 = 1) low and value 1 (1 + 8 = 9) high.
    assert_eq!((bytes.len(), bytes[0], bytes[1]), (20, 0x91, 0xba));
    assert_eq!(bytes[16..], [0x00, 0x3c, 0, 0]);
    let values: Vec<f32> = (0..32)
        .map(|i| if i == 0 { -127.0 } else { i as f32 })
        .collect();
    let bytes = encode("x", Layout::Q8, &values, &[1, 32]).unwrap();
    assert_eq!((bytes.len(), bytes[0], bytes[31]), (36, 0x81, 31));
}

#[test]
fn zeros_stay_zeros_and_tiny_values_do_not_blow_up() {
    for layout in [Layout::Q8, Layout::Q4] {
        assert_eq!(round_trip(layout, &[2, 33], &[0.0; 66]), [0.0; 66]);
        // Below the smallest f16 scale: flushed, not infinite.
        assert!(
            round_trip(layout, &[1, 2], &[1e-9, -1e-9])
                .iter()
                .all(|value| value.abs() <= 1e-8)
        );
    }
}

proptest! {
    #[test]
    fn quantized_values_lie_near_at_any_shape(rows in 1..5_usize, d_in in 1..100_usize, seed in any::<u32>(), magnitude in -3..3_i32) {
        let hash = |i: usize| (i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed).rotate_left(13).wrapping_mul(0x9e37_79b9);
        let values: Vec<f32> = (0..rows * d_in).map(|i| (hash(i) as f32 / u32::MAX as f32 - 0.5) * 10_f32.powi(magnitude)).collect();
        prop_assert_eq!(&round_trip(Layout::F32, &[rows, d_in], &values), &values);
        for (layout, top) in [(Layout::Q8, 127.0), (Layout::Q4, 7.0)] {
            let decoded = round_trip(layout, &[rows, d_in], &values);
            for (row, found) in values.chunks(d_in).zip(decoded.chunks(d_in)) {
                for (block, found) in row.chunks(BLOCK).zip(found.chunks(BLOCK)) {
                    let abs_max = block.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
                    // Half a step of the plain rule on average, the step being rounded up to the next f16 (2^-10, or 2^-24 where subnormal).
                    let half_step = (abs_max / top * (1.0 + 1.0 / 1024.0) + 6e-8) * 0.5001;
                    let squares: f32 = block.iter().zip(found).map(|(value, found)| (value - found).powi(2)).sum();
                    let mean = (squares / block.len() as f32).sqrt();
                    prop_assert!(mean <= half_step, "{} {:?} {:?}", layout, block, found);
                }
            }
        }
    }

    #[test]
    fn any_shape_has_a_size_or_none_but_never_an_overflow(shape in prop::collection::vec(any::<usize>(), 0..10)) {
        for layout in [Layout::F32, Layout::F16, Layout::U32, Layout::Q8, Layout::Q4] {
            if let Some(bytes) = layout.size_bytes(&shape) {
                prop_assert!(bytes < 1 << 48);
            }
        }
    }
}
