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
