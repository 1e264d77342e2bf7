//! Each operation and its gradients against burn's own operations and theirs.

use super::in_steps;
use crate::{Activation, AttentionShape, Heads, Segment, Segments, Storage};
use burn::tensor::{Device, Tensor, TensorData};

/// Sums in another order, and another exponential.
const TOLERANCE: f32 = 2e-5;

/// Rows of most cases: no multiple of a vector.
const N_ROWS: usize = 7;

/// An operation of some tensors, each a `[n_rows, d]`.
type Operation<'a> = dyn Fn(&[Tensor<2>]) -> Tensor<2> + 'a;

fn device() -> Device {
    Device::flex().autodiff()
}

/// Values in -2..2, the same for the same seed.
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 22) as f32 - 2.0
    };
    (0..n).map(next).collect()
}

fn tensor(shape: [usize; 2], seed: u64) -> Tensor<2> {
    let values = noise(shape[0] * shape[1], seed);
    Tensor::from_data(TensorData::new(values, shape), &device())
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The result and the gradient of each operand under a gradient of the result that differs everywhere.
fn run(operation: &Operation<'_>, shapes: &[[usize; 2]]) -> Vec<Vec<f32>> {
    let operands: Vec<Tensor<2>> = (1..)
        .zip(shapes)
        .map(|(seed, &shape)| tensor(shape, seed).require_grad())
        .collect();
    let result = operation(&operands);
    let weights = tensor(result.dims(), 99);
    let gradients = (result.clone() * weights).sum().backward();
    let of_operands = operands.iter().map(|operand| {
        let gradient = operand.grad(&gradients).expect("an operand that counts");
        values(gradient)
    });
    let of_operands: Vec<_> = of_operands.collect();
    [vec![values(result.inner())], of_operands].concat()
}

/// Holds the operation against burn's, for operands of these shapes.
fn check(what: &str, shapes: &[[usize; 2]], operation: &Operation<'_>) {
    let found = run(operation, shapes);
    let expected = in_steps(|| run(operation, shapes));
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let largest = expected
            .iter()
            .fold(1.0_f32, |max, value| max.max(value.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs();
            assert!(
                error <= TOLERANCE * largest,
                "{what}, {}: {found}, expected {expected}",
                if i == 0 {
                    "result".to_owned()
                } else {
                    format!("gradient of operand {i}")
                }
            );
        }
        assert_eq!(found.len(), expected.len(), "{what}: values of {i}");
    }
}

fn vector(row: &Tensor<2>) -> Tensor<1> {
    row.clone().flatten(0, 1)
}

#[test]
fn linear_layers_with_every_activation() {
    let activations = [
        Activation::None,
        Activation::GeluTanh,
        Activation::Gelu,
        Activation::Relu,
    ];
    for activation in activations {
        check(
            &format!("{activation:?}"),
            &[[N_ROWS, 11], [5, 11], [1, 5], [N_ROWS, 5]],
            &|x| {
                let bias = Some(vector(&x[2]));
                let (input, weight) = (x[0].clone() * 0.5, x[1].clone());
                crate::linear_float(input, weight, bias, Some(x[3].clone()), activation)
            },
        );
    }
    check("no bias, no addend", &[[N_ROWS, 11], [5, 11]], &|x| {
        crate::linear_float(x[0].clone(), x[1].clone(), None, None, Activation::None)
    });
}

#[test]
fn an_input_that_does_not_learn_gets_no_gradient_and_the_weight_gets_its_own() {
    let weight_of = |in_burn: bool| {
        let (x, weight) = (tensor([N_ROWS, 11], 1), tensor([5, 11], 2).require_grad());
        let forward =
            || crate::linear_float(x.clone(), weight.clone(), None, None, Activation::GeluTanh);
        let result = if in_burn {
            in_steps(forward)
        } else {
            forward()
        };
        let gradients = result.sum().backward();
        assert!(x.grad(&gradients).is_none());
        values(weight.grad(&gradients).expect("a weight that learns"))
    };
    let (found, expected) = (weight_of(false), weight_of(true));
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= TOLERANCE * 10.0,
            "{found}, expected {expected}"
        );
    }
}

#[test]
fn norms() {
    check("rms norm", &[[N_ROWS, 37], [1, 37]], &|x| {
        crate::rms_norm(x[0].clone(), &vector(&x[1]), 1e-6, Storage::F32)
    });
    check("layer norm", &[[N_ROWS, 37], [1, 37], [1, 37]], &|x| {
        let (gamma, beta) = (vector(&x[1]), vector(&x[2]));
        crate::layer_norm(x[0].clone() + 3.0, &gamma, &beta, 1e-6, Storage::F32)
    });
}

#[test]
fn activations_between_layers() {
    check("swiglu", &[[N_ROWS, 26]], &|x| {
        crate::swiglu(x[0].clone() * 3.0)
    });
    check("gelu", &[[N_ROWS, 13]], &|x| {
        crate::gelu(x[0].clone() * 2.0)
    });
}

#[test]
fn heads_are_normed_and_rotated_where_they_are_asked_for() {
    let (cos, sin) = (tensor([N_ROWS, 6], 7), tensor([N_ROWS, 6], 8));
    let heads = Heads { first: 1, count: 2 };
    check("rotation", &[[N_ROWS, 24]], &|x| {
        crate::norm_rotate(x[0].clone(), heads, None, &cos, &sin)
    });
    check("norm and rotation", &[[N_ROWS, 24], [1, 6]], &|x| {
        let gamma = vector(&x[1]);
        crate::norm_rotate(x[0].clone(), heads, Some((&gamma, 1e-6)), &cos, &sin)
    });
}

#[test]
fn attention_of_equal_and_of_unequal_segments() {
    let shape = |n_kv_heads, causal| AttentionShape {
        n_heads: 4,
        n_kv_heads,
        head_dim: 6,
        causal,
    };
    let segments = |lengths: &[usize]| {
        let mut start = 0;
        let list = lengths.iter().map(|&len| {
            start += len;
            Segment {
                start: start - len,
                len,
            }
        });
        Segments::new(list.collect(), &device())
    };
    for (lengths, n_kv_heads, causal) in [
        (&[5, 5, 5][..], 4, false),
        (&[5, 5, 5], 2, true),
        (&[4, 7], 2, true),
    ] {
        let (shape, segments) = (shape(n_kv_heads, causal), segments(lengths));
        let n_rows = lengths.iter().sum();
        check(
            &format!("{lengths:?}, {shape:?}"),
            &[[n_rows, shape.row_len()]],
            &|x| crate::attention(x[0].clone(), None, &segments, shape),
        );
    }
}
