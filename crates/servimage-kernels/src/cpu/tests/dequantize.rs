//! Unpacked rows against the pack's own decoder, bit for bit.

use super::super::dequantize::{WeightView, unpack_q4};
use super::values;
use servimage_pack::Layout;
use servimage_pack::layout::{BLOCK, decode_rows, encode};

#[test]
fn rows_are_unpacked_as_the_pack_decodes_them() {
    let shape = [5, 75];
    for layout in [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4] {
        // The last values have subnormal scales.
        let mut weight = values(5 * 75, 21);
        weight[300..].iter_mut().for_each(|value| *value *= 1e-6);
        let bytes = encode("w", layout, &weight, &shape).expect("finite values");
        let view = WeightView {
            layout,
            bytes: &bytes,
            d_out: 5,
            d_in: 75,
            panels: None,
        };
        let mut found = vec![f32::NAN; 4 * 43];
        view.unpack(1..5, &(32..75), &mut found, 43);
        let expected: Vec<f32> = decode_rows(layout, &bytes, &shape, 1..5)
            .chunks(75)
            .flat_map(|row| row[32..].to_vec())
            .collect();
        assert_eq!(found, expected, "{layout}");
    }
}

#[test]
fn nibbles_are_unpacked_alike_with_and_without_avx2() {
    let weight = values(BLOCK, 22);
    let bytes = encode("w", Layout::Q4, &weight, &[1, BLOCK]).expect("finite values");
    let (words, scale) = bytes.split_first_chunk().expect("a block");
    let scale = half::f16::from_le_bytes([scale[0], scale[1]]).to_f32();
    let mut found = [f32::NAN; BLOCK];
    unpack_q4(words, scale, &mut found);
    assert_eq!(
        found.to_vec(),
        decode_rows(Layout::Q4, &bytes, &[1, BLOCK], 0..1)
    );
}
