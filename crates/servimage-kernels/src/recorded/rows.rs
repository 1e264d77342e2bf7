//! Operations on rows by themselves: SwiGLU, GELU, norm and rotation of heads.

use super::{Gradient, record, recorded, recorded_or_empty, tensor_of};
use crate::backend::values;
use crate::{Activation, Heads, cpu};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

/// As [`crate::swiglu`]; `None` where nothing is recorded on a CPU.
pub(crate) fn swiglu(gate_up: &Tensor<2>) -> Option<Tensor<2>> {
    let [n_rows, width] = gate_up.dims();
    let operand = recorded(gate_up)?;
    let operands = [operand.node()];
    let gate_up = operand.into_primitive().to_contiguous();
    let mut out = vec![0.0; n_rows * width / 2];
    cpu::swiglu(values(&gate_up), width / 2, &mut out);
    let result = tensor_of(out, &[n_rows, width / 2]);
    Some(record(operands, result, || Gated { gate_up }))
}

/// What the gradient of a SwiGLU needs.
#[derive(Clone, Debug)]
struct Gated {
    /// `[n_rows, 2 * d_hidden]`
    gate_up: FlexTensor,
}

impl Gradient<1> for Gated {
    fn of_operands(self, of_result: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let shape = self.gate_up.layout().shape();
        let (n_rows, width) = (shape[0], shape[1]);
        let mut out = vec![0.0; n_rows * width];
        cpu::swiglu_backward(
            values(&self.gate_up),
            width / 2,
            values(&of_result),
            &mut out,
        );
        [Some(tensor_of(out, &[n_rows, width]))]
    }
}

/// As [`crate::gelu`]; `None` where nothing is recorded on a CPU.
pub(crate) fn gelu(x: &Tensor<2>) -> Option<Tensor<2>> {
    let operand = recorded(x)?;
    let operands = [operand.node()];
    let x = operand.into_primitive().to_contiguous();
    let mut out = values(&x).to_vec();
    cpu::activate(Activation::Gelu, &mut out);
    let result = tensor_of(out, &[x.layout().shape()[0], x.layout().shape()[1]]);
    Some(record(operands, result, || Activated { x }))
}

/// What the gradient of a GELU needs.
#[derive(Clone, Debug)]
struct Activated {
    x: FlexTensor,
}

impl Gradient<1> for Activated {
    fn of_operands(self, mut of_result: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let of_x = of_result.storage_mut::<f32>();
        cpu::activate_backward(Activation::Gelu, values(&self.x), of_x);
        [Some(of_result)]
    }
}

/// As [`crate::norm_rotate`]; `None` where nothing is recorded on a CPU. Sines and cosines get no gradient.
pub(crate) fn norm_rotate(
    x: &Tensor<2>,
    heads: Heads,
    norm: Option<(&Tensor<1>, f64)>,
    cos: &Tensor<2>,
    sin: &Tensor<2>,
) -> Option<Tensor<2>> {
    let ([n_rows, row_len], [_, head_dim]) = (x.dims(), cos.dims());
    let x = recorded(x)?;
    let gamma = recorded_or_empty(norm.map(|(gamma, _)| gamma))?;
    let epsilon = norm.map(|(_, epsilon)| epsilon as f32);
    let operands = [x.node(), gamma.node()];
    let turn = Turned {
        x: x.into_primitive().to_contiguous(),
        gamma: gamma.into_primitive().to_contiguous(),
        epsilon,
        cos: recorded(cos)?.into_primitive().to_contiguous(),
        sin: recorded(sin)?.into_primitive().to_contiguous(),
        heads,
    };
    let mut out = values(&turn.x).to_vec();
    let (cos, sin) = (values(&turn.cos), values(&turn.sin));
    cpu::norm_rotate(&mut out, row_len, head_dim, &[turn.heads()], cos, sin);
    Some(record(operands, tensor_of(out, &[n_rows, row_len]), || {
        turn
    }))
}

/// What the gradient of a norm and rotation needs.
#[derive(Clone, Debug)]
struct Turned {
    /// `[n_rows, row_len]`
    x: FlexTensor,
    /// `[head_dim]`, where there is a norm.
    gamma: FlexTensor,
    epsilon: Option<f32>,
    /// `[n_rows, head_dim]`
    cos: FlexTensor,
    sin: FlexTensor,
    heads: Heads,
}

impl Turned {
    fn heads(&self) -> cpu::Heads<'_> {
        cpu::Heads {
            first: self.heads.first,
            count: self.heads.count,
            norm: self.epsilon.map(|epsilon| (values(&self.gamma), epsilon)),
        }
    }
}

impl Gradient<2> for Turned {
    /// Of `x` and the norm's gain.
    fn of_operands(self, mut of_result: FlexTensor, _: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let head_dim = self.cos.layout().shape()[1];
        let mut of_gamma = vec![0.0; values(&self.gamma).len()];
        cpu::norm_rotate_backward(
            values(&self.x),
            self.x.layout().shape()[1],
            head_dim,
            self.heads(),
            [values(&self.cos), values(&self.sin)],
            of_result.storage_mut::<f32>(),
            &mut of_gamma,
        );
        let n = of_gamma.len();
        let of_gamma = (n > 0).then(|| tensor_of(of_gamma, &[n]));
        [Some(of_result), of_gamma]
    }
}
