//! The operations on a CPU that records gradients: each one step of the record, with its gradient in one step too.
//!
//! Burn's own operations ([`crate::composite`]) take a pass over memory for every sign of a formula, and keep what each pass
//! gave. Here an operation keeps what its gradient needs and no more, products read their factors where they lie, and what
//! stands between products runs as in [`crate::cpu`]. Training is made of these.

mod attention;
mod linear;
mod norm;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use attention::attention;
pub(crate) use linear::linear;
pub(crate) use norm::{layer_norm, rms_norm};
pub(crate) use rows::{gelu, norm_rotate, swiglu};

use crate::backend::values;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, AutodiffBackend, Flex};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use burn_flex::ops::matmul::matmul;
use burn_flex::{FlexTensor, Layout};
use std::cell::Cell;
use std::fmt::Debug;

/// A tensor of the record.
type Recorded = <Autodiff<Flex> as burn::backend::BackendTypes>::FloatTensorPrimitive;

thread_local! {
    static BY_BURN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with burn's own operations wherever gradients are recorded, also where this crate has its own for that: the
/// reference of tests.
pub fn by_burn<R>(work: impl FnOnce() -> R) -> R {
    /// Goes back also where `work` panics.
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            BY_BURN.set(self.0);
        }
    }
    let _back = Back(BY_BURN.replace(true));
    work()
}

/// The recorded tensor behind `tensor`, where it lies on the CPU and [`by_burn`] is not at work.
pub(crate) fn recorded<const D: usize>(tensor: &Tensor<D>) -> Option<Recorded> {
    if BY_BURN.get() {
        return None;
    }
    let tensor = tensor.clone().try_into_primitive::<Autodiff<Flex>>();
    tensor.ok()
}

/// [`recorded`] of an operand that an operation may have; something empty stands in its place.
fn recorded_or_empty<const D: usize>(tensor: Option<&Tensor<D>>) -> Option<Recorded> {
    let empty = || Autodiff::<Flex>::from_inner(tensor_of(Vec::new(), &[0]));
    tensor.map_or_else(|| Some(empty()), recorded)
}

/// What an operation computes backwards: from its result's gradient those of its `N` operands.
trait Gradient<const N: usize>: Clone + Debug + Send + 'static {
    /// The gradient of each operand for which `wanted` is true; what it gives for others is dropped.
    fn of_operands(self, of_result: FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N];
}

/// The step backwards of a [`Gradient`], which is its state.
#[derive(Debug)]
struct Step<G>(std::marker::PhantomData<fn() -> G>);

impl<G: Gradient<N>, const N: usize> Backward<Flex, N> for Step<G> {
    type State = G;

    fn backward(self, ops: Ops<G, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let of_result = exact(gradients.consume::<Flex>(&ops.node));
        let nodes: [Option<NodeId>; N] = ops.parents.map(|node| node.map(|node| node.id));
        let found = ops
            .state
            .of_operands(of_result, nodes.map(|node| node.is_some()));
        for (node, gradient) in nodes.into_iter().zip(found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<Flex>(node, gradient);
            }
        }
    }
}

/// Puts `result` into the record, made from `operands`.
fn record<G: Gradient<N>, const N: usize, const D: usize>(
    operands: [NodeGuard; N],
    result: FlexTensor,
    gradient: impl FnOnce() -> G,
) -> Tensor<D> {
    let step = Step::<G>(std::marker::PhantomData);
    let recorded = match step
        .prepare::<NoCheckpointing>(operands)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prepared) => prepared.finish(gradient(), result),
        OpsKind::UnTracked(prepared) => prepared.finish(result),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(recorded)
}

/// With storage that holds its values, row-major, and no others.
fn exact(tensor: FlexTensor) -> FlexTensor {
    let tensor = tensor.to_contiguous();
    let found = values(&tensor);
    if std::mem::size_of_val(found) == tensor.bytes().len() {
        return tensor;
    }
    FlexTensor::from_data(TensorData::new(
        found.to_vec(),
        tensor.layout().shape().clone(),
    ))
}

fn tensor_of(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

/// `tensor`, which is contiguous, read from value `start` on in another shape.
fn view(tensor: &FlexTensor, start: usize, shape: &[usize], strides: &[usize]) -> FlexTensor {
    let strides = strides.iter().map(|&stride| stride as isize).collect();
    let start = tensor.layout().start_offset() + start;
    let layout = Layout::new(Shape::from(shape.to_vec()), strides, start);
    FlexTensor::from_arc(tensor.data_arc(), layout, DType::F32)
}

/// Rows and columns exchanged.
fn turned(tensor: &FlexTensor) -> FlexTensor {
    tensor.transpose(0, 1)
}
