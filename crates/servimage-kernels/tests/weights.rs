//! Which weights go onto a device together.

use burn::tensor::Device;
use servimage_kernels::PackedWeight;
use servimage_pack::{Layout, TensorBytes, layout};

fn weight(name: &str, layout: Layout, shape: [usize; 2]) -> TensorBytes {
    let values: Vec<f32> = (0..shape[0] * shape[1]).map(|i| i as f32 * 0.01).collect();
    TensorBytes {
        name: name.to_owned(),
        shape: shape.to_vec(),
        layout,
        bytes: layout::encode(name, layout, &values, &shape).expect("finite values"),
    }
}

#[test]
fn weights_below_each_other_make_one() {
    let parts = [
        weight("a", Layout::Q4, [5, 40]),
        weight("b", Layout::Q4, [3, 40]),
    ];
    let weight = PackedWeight::upload(&parts, &Device::flex()).expect("equal widths");
    assert_eq!((weight.d_out(), weight.d_in()), (8, 40));
}

#[test]
fn weights_that_do_not_belong_together_are_refused_by_name() {
    let first = weight("first", Layout::Q4, [2, 64]);
    let narrow = weight("second", Layout::Q4, [2, 32]);
    let other = weight("third", Layout::Q8, [2, 64]);
    let refusal = |parts: &[TensorBytes]| {
        PackedWeight::upload(parts, &Device::flex())
            .expect_err("they differ")
            .to_string()
    };
    assert!(refusal(&[first.clone(), narrow]).contains("second"));
    assert!(refusal(&[first.clone(), other]).contains("third"));
    let mut short = first;
    short.bytes.pop();
    assert!(refusal(&[short]).contains("first"));
}

#[test]
fn of_a_2b_every_weight_fits_the_least_that_webgpu_binds_and_of_a_4b_all_but_one_as_f32() {
    // Rows and columns of queries, keys and values; of gate and up; of down; of the merger.
    let of_2b = [[4096, 2048], [12_288, 2048], [2048, 6144], [4096, 4096]];
    let of_4b = [[6144, 2560], [19_456, 2560], [2560, 9728], [4096, 4096]];
    let too_large = |shapes: &[[usize; 2]], layout: Layout| {
        let large = |shape: &&[usize; 2]| {
            let size_bytes = layout
                .size_bytes(&shape[..])
                .expect("small enough to count");
            size_bytes > 128 << 20
        };
        shapes.iter().filter(large).copied().collect::<Vec<_>>()
    };
    for layout in [Layout::F32, Layout::F16, Layout::Q8, Layout::Q4] {
        assert!(too_large(&of_2b, layout).is_empty(), "{layout}");
        let expected: &[[usize; 2]] = match layout {
            Layout::F32 => &[[19_456, 2560]],
            _ => &[],
        };
        assert_eq!(too_large(&of_4b, layout), expected, "{layout}");
    }
}
