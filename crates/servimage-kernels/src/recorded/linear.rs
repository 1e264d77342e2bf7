//! Linear layers: one product forwards, two backwards.

use super::{Gradient, matmul, record, recorded, recorded_or_empty, tensor_of, turned};
use crate::Activation;
use crate::backend::values;
use crate::cpu::{activate, activate_backward, add_rows_to, add_to_rows};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

/// As [`crate::linear_float`]; `None` where nothing is recorded on a CPU.
pub(crate) fn linear(
    x: &Tensor<2>,
    weight: &Tensor<2>,
    bias: Option<&Tensor<1>>,
    addend: Option<&Tensor<2>>,
    activation: Activation,
) -> Option<Tensor<2>> {
    let x = recorded(x)?;
    let weight = recorded(weight)?;
    let bias_operand = recorded_or_empty(bias)?;
    let addend_operand = recorded_or_empty(addend)?;
    let operands = [
        x.node(),
        weight.node(),
        bias_operand.node(),
        addend_operand.node(),
    ];
    let x = x.into_primitive().to_contiguous();
    let weight = weight.into_primitive().to_contiguous();
    let mut y = matmul(x.clone(), turned(&weight));
    if bias.is_some() {
        let bias = bias_operand.into_primitive().to_contiguous();
        add_to_rows(y.storage_mut::<f32>(), values(&bias));
    }
    if addend.is_some() {
        let addend = addend_operand.into_primitive().to_contiguous();
        add_to_rows(y.storage_mut::<f32>(), values(&addend));
    }
    let before = (activation != Activation::None).then(|| y.clone());
    activate(activation, y.storage_mut::<f32>());
    Some(record(operands, y, || Multiplied {
        x,
        weight,
        before: before.map(|before| (before, activation)),
    }))
}

/// What the gradient of a linear layer needs.
#[derive(Clone, Debug)]
struct Multiplied {
    /// `[n_rows, d_in]`
    x: FlexTensor,
    /// `[d_out, d_in]`
    weight: FlexTensor,
    /// `[n_rows, d_out]` what went into the activation, where there is one.
    before: Option<(FlexTensor, Activation)>,
}

impl Gradient<4> for Multiplied {
    /// Of `x`, the weight, the bias and the addend.
    fn of_operands(self, of_result: FlexTensor, wanted: [bool; 4]) -> [Option<FlexTensor>; 4] {
        let mut of_sum = of_result;
        if let Some((before, activation)) = self.before {
            activate_backward(activation, values(&before), of_sum.storage_mut::<f32>());
        }
        let [of_x, of_weight, of_bias, of_addend] = wanted;
        [
            of_x.then(|| matmul(of_sum.clone(), self.weight)),
            of_weight.then(|| matmul(turned(&of_sum), self.x)),
            of_bias.then(|| column_sums(&of_sum)),
            of_addend.then_some(of_sum),
        ]
    }
}

/// Sums over the rows.
fn column_sums(tensor: &FlexTensor) -> FlexTensor {
    let d = tensor.layout().shape()[1];
    let mut sums = vec![0.0; d];
    add_rows_to(&mut sums, values(tensor));
    tensor_of(sums, &[d])
}
