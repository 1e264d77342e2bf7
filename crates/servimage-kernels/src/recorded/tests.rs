//! Each operation and its gradients against burn's own operations and theirs.

use super::by_burn;
use crate::cpu::tests::values as made_up;
use crate::{Activation, AttentionShape, Heads, Segment, composite};
use burn::tensor::{Device, Tensor, TensorData};

/// Sums in another order, and another exponential.
const TOLERANCE: f32 = 2e-5;

const EPSILON: f64 = 1e-6;

/// Rows of most cases: no multiple of a vector.
const N_ROWS: usize = 7;

/// An operation of some tensors, each a `[n_rows, d]`.
type Operation<'a> = dyn Fn(&[Tensor<2>]) -> Tensor<2> + 'a;

/// The same as one step of the record.
type Step<'a> = dyn Fn(&[Tensor<2>]) -> Option<Tensor<2>> + 'a;

fn device() -> Device {
    Device::flex().autodiff()
}

/// Values in -2..2, the same for the same seed.
fn tensor(shape: [usize; 2], seed: u64) -> Tensor<2> {
    let values = made_up(shape[0] * shape[1], seed);
    Tensor::from_data(TensorData::new(values, shape), &device()) * 2.0
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The result and the gradient of each operand under a gradient of the result that differs everywhere.
fn run(operation: &Operation<'_>, shapes: &[[usize; 2]]) -> Vec<Vec<f32>> {
    let operands: Vec<Tensor<2>> = (1..)
        .zip(shapes)
        .map(|(seed, &shape)| tensor(shape, seed).detach().require_grad())
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

/// Holds a step against the same in burn's own operations, for operands of these shapes.
fn check(what: &str, shapes: &[[usize; 2]], step: &Step<'_>, burn: &Operation<'_>) {
    let found = run(&|x| step(x).expect("a step of its own"), shapes);
    let expected = run(burn, shapes);
    let names = ["the result".to_owned()].into_iter();
    let names = names.chain((1..).map(|i| format!("the gradient of operand {i}")));
    for ((found, expected), name) in found.iter().zip(&expected).zip(names) {
        assert_close(found, expected, &format!("{what}, {name}"));
    }
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let larger = |max: f32, value: &f32| max.max(value.abs());
    let largest = expected.iter().fold(1.0_f32, larger);
    for (found, expected) in found.iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= TOLERANCE * largest,
            "{what}: {found}, expected {expected}"
        );
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
        let operands = |x: &[Tensor<2>]| (x[0].clone() * 0.5, x[1].clone(), vector(&x[2]));
        check(
            &format!("{activation:?}"),
            &[[N_ROWS, 11], [5, 11], [1, 5], [N_ROWS, 5]],
            &|x| {
                let (input, weight, bias) = operands(x);
                super::linear(&input, &weight, Some(&bias), Some(&x[3]), activation)
            },
            &|x| {
                let (input, weight, bias) = operands(x);
                composite::linear(input, weight, Some(bias), Some(x[3].clone()), activation)
            },
        );
    }
    check(
        "no bias, no addend",
        &[[N_ROWS, 11], [5, 11]],
        &|x| super::linear(&x[0], &x[1], None, None, Activation::None),
        &|x| composite::linear(x[0].clone(), x[1].clone(), None, None, Activation::None),
    );
}

#[test]
fn an_input_that_does_not_learn_gets_no_gradient_and_the_weight_gets_its_own() {
    let x = tensor([N_ROWS, 11], 1).detach();
    check(
        "a weight alone",
        &[[5, 11]],
        &|weight| super::linear(&x, &weight[0], None, None, Activation::GeluTanh),
        &|weight| {
            let weight = weight[0].clone();
            composite::linear(x.clone(), weight, None, None, Activation::GeluTanh)
        },
    );
    let weight = tensor([5, 11], 2).detach().require_grad();
    let result = super::linear(&x, &weight, None, None, Activation::GeluTanh);
    let gradients = result.expect("a step of its own").sum().backward();
    assert!(x.grad(&gradients).is_none());
}

#[test]
fn norms() {
    check(
        "rms norm",
        &[[N_ROWS, 37], [1, 37]],
        &|x| super::rms_norm(&x[0], &vector(&x[1]), EPSILON),
        &|x| composite::rms_norm(x[0].clone(), &vector(&x[1]), EPSILON),
    );
    check(
        "layer norm",
        &[[N_ROWS, 37], [1, 37], [1, 37]],
        &|x| {
            super::layer_norm(
                &(x[0].clone() + 3.0),
                &vector(&x[1]),
                &vector(&x[2]),
                EPSILON,
            )
        },
        &|x| composite::layer_norm(x[0].clone() + 3.0, &vector(&x[1]), &vector(&x[2]), EPSILON),
    );
}

#[test]
fn activations_between_layers() {
    check(
        "swiglu",
        &[[N_ROWS, 26]],
        &|x| super::swiglu(&(x[0].clone() * 3.0)),
        &|x| composite::swiglu(x[0].clone() * 3.0),
    );
    check(
        "gelu",
        &[[N_ROWS, 13]],
        &|x| super::gelu(&(x[0].clone() * 2.0)),
        &|x| burn::tensor::activation::gelu(x[0].clone() * 2.0),
    );
}

#[test]
fn heads_are_normed_and_rotated_where_they_are_asked_for() {
    let (cos, sin) = (tensor([N_ROWS, 6], 7), tensor([N_ROWS, 6], 8));
    let heads = Heads { first: 1, count: 2 };
    check(
        "rotation",
        &[[N_ROWS, 24]],
        &|x| super::norm_rotate(&x[0], heads, None, &cos, &sin),
        &|x| composite::norm_rotate(x[0].clone(), heads, None, &cos, &sin),
    );
    check(
        "norm and rotation",
        &[[N_ROWS, 24], [1, 6]],
        &|x| super::norm_rotate(&x[0], heads, Some((&vector(&x[1]), EPSILON)), &cos, &sin),
        &|x| {
            let norm = Some((&vector(&x[1]), EPSILON));
            composite::norm_rotate(x[0].clone(), heads, norm, &cos, &sin)
        },
    );
}

/// Segments of these lengths, one behind the other.
fn segments(lengths: &[usize]) -> Vec<Segment> {
    let starts = lengths.iter().scan(0, |end, len| {
        *end += len;
        Some(*end - len)
    });
    let each = starts.zip(lengths);
    each.map(|(start, &len)| Segment { start, len }).collect()
}

fn shape(n_kv_heads: usize, causal: bool) -> AttentionShape {
    AttentionShape {
        n_heads: 4,
        n_kv_heads,
        head_dim: 6,
        causal,
    }
}

#[test]
fn attention_with_keys_of_its_own_and_with_shared_ones() {
    let segments = segments(&[5, 5, 5]);
    for shape in [shape(4, false), shape(2, true)] {
        check(
            &format!("{shape:?}"),
            &[[15, shape.row_len()]],
            &|x| super::attention(&x[0], &segments, shape),
            &|x| composite::attention(x[0].clone(), None, &segments, shape),
        );
    }
}

#[test]
fn segments_that_are_not_alike_are_left_to_burn() {
    let shape = shape(4, false);
    let qkv = tensor([11, shape.row_len()], 1);
    assert!(super::attention(&qkv, &segments(&[4, 7]), shape).is_none());
    assert!(super::attention(&qkv, &segments(&[5, 5]), shape).is_none());
}

#[test]
fn a_cpu_that_records_takes_these_steps_and_burns_own_where_asked() {
    let x = tensor([N_ROWS, 26], 1);
    let taken = values(crate::swiglu(x.clone()));
    let burns = values(by_burn(|| crate::swiglu(x.clone())));
    assert_eq!(taken, values(super::swiglu(&x).expect("a step of its own")));
    assert_eq!(burns, values(composite::swiglu(x)));
    assert_ne!(taken, burns, "the last digits tell them apart");
}
