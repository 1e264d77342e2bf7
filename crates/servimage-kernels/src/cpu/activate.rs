//! Activations, by themselves and behind the sum of a linear layer.

use super::math;
use super::parallel::for_each_rows;
use super::simd::vectorize;
use crate::Activation;

/// Applies `activation` to every value.
pub fn activate(activation: Activation, values: &mut [f32]) {
    if activation == Activation::None {
        return;
    }
    for_each_rows(values, 1, |_, part| {
        vectorize(
            #[inline(always)]
            || activate_by(activation, part),
        );
    });
}

/// [`activate`] inside of a loop that is already compiled for the processor.
#[inline(always)]
pub(super) fn activate_by(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::GeluTanh => map(values, math::gelu_tanh),
        Activation::Gelu => map(values, math::gelu),
        Activation::Relu => map(values, math::relu),
    }
}

#[inline(always)]
fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
    for value in values {
        *value = f(*value);
    }
}
