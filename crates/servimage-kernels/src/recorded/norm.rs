//! Norms of rows.

use super::{Gradient, record, recorded, tensor_of};
use crate::backend::values;
use crate::cpu;
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

/// As [`crate::rms_norm`]; `None` where nothing is recorded on a CPU.
pub(crate) fn rms_norm(x: &Tensor<2>, gamma: &Tensor<1>, epsilon: f64) -> Option<Tensor<2>> {
    let (shape, epsilon) = (x.dims(), epsilon as f32);
    let (x, gamma) = (recorded(x)?, recorded(gamma)?);
    let operands = [x.node(), gamma.node()];
    let x = x.into_primitive().to_contiguous();
    let gamma = gamma.into_primitive().to_contiguous();
    let mut out = vec![0.0; shape[0] * shape[1]];
    cpu::rms_norm(values(&x), values(&gamma), epsilon, &mut out);
    Some(record(operands, tensor_of(out, &shape), || Rms {
        x,
        gamma,
        epsilon,
    }))
}

/// What the gradient of an RMSNorm needs.
#[derive(Clone, Debug)]
struct Rms {
    /// `[n_rows, d]`
    x: FlexTensor,
    /// `[d]`
    gamma: FlexTensor,
    epsilon: f32,
}

impl Gradient<2> for Rms {
    /// Of `x` and the gain.
    fn of_operands(self, mut of_result: FlexTensor, _: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let d = values(&self.gamma).len();
        let mut of_gamma = vec![0.0; d];
        cpu::rms_norm_backward(
            values(&self.x),
            values(&self.gamma),
            self.epsilon,
            of_result.storage_mut::<f32>(),
            &mut of_gamma,
        );
        [Some(of_result), Some(tensor_of(of_gamma, &[d]))]
    }
}

/// As [`crate::layer_norm`]; `None` where nothing is recorded on a CPU.
pub(crate) fn layer_norm(
    x: &Tensor<2>,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
    epsilon: f64,
) -> Option<Tensor<2>> {
    let (shape, epsilon) = (x.dims(), epsilon as f32);
    let (x, gamma, beta) = (recorded(x)?, recorded(gamma)?, recorded(beta)?);
    let operands = [x.node(), gamma.node(), beta.node()];
    let x = x.into_primitive().to_contiguous();
    let gamma = gamma.into_primitive().to_contiguous();
    let beta = beta.into_primitive().to_contiguous();
    let mut out = vec![0.0; shape[0] * shape[1]];
    cpu::layer_norm(values(&x), values(&gamma), values(&beta), epsilon, &mut out);
    Some(record(operands, tensor_of(out, &shape), || Layer {
        x,
        gamma,
        epsilon,
    }))
}

/// What the gradient of a LayerNorm needs.
#[derive(Clone, Debug)]
struct Layer {
    /// `[n_rows, d]`
    x: FlexTensor,
    /// `[d]`
    gamma: FlexTensor,
    epsilon: f32,
}

impl Gradient<3> for Layer {
    /// Of `x`, the gain and the shift.
    fn of_operands(self, mut of_result: FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let d = values(&self.gamma).len();
        let mut of_gamma = vec![0.0; d];
        let mut of_beta = vec![0.0; d];
        cpu::layer_norm_backward(
            values(&self.x),
            values(&self.gamma),
            self.epsilon,
            of_result.storage_mut::<f32>(),
            [&mut of_gamma, &mut of_beta],
        );
        let vector = |values| Some(tensor_of(values, &[d]));
        [Some(of_result), vector(of_gamma), vector(of_beta)]
    }
}
