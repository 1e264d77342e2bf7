//! Which backend holds a tensor, and the way from burn's tensors to the backends' own and back.

use burn::backend::{BackendTensor, Cube, DispatchTensorKind, Flex};
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_cubecl::tensor::CubeTensor;
use burn_flex::FlexTensor;

/// A tensor of one backend.
pub(crate) enum Held {
    /// WebGPU, natively through wgpu.
    Gpu(Box<CubeTensor>),
    /// CPU.
    Cpu(FlexTensor),
    /// A device that records gradients.
    #[cfg(not(target_family = "wasm"))]
    Recording,
}

fn held(kind: DispatchTensorKind) -> Held {
    match kind {
        DispatchTensorKind::Cube(BackendTensor::Float(tensor) | BackendTensor::Int(tensor)) => {
            Held::Gpu(Box::new(tensor))
        }
        DispatchTensorKind::Flex(BackendTensor::Float(tensor) | BackendTensor::Int(tensor)) => {
            Held::Cpu(tensor)
        }
        #[cfg(not(target_family = "wasm"))]
        _ => Held::Recording,
        #[cfg(target_family = "wasm")]
        _ => unreachable!("tensors of this crate hold floats or words"),
    }
}

/// Where a float tensor lies; the tensor itself, not a copy of its values.
pub(crate) fn hold<const D: usize>(tensor: Tensor<D>) -> Held {
    held(tensor.into_dispatch().kind)
}

/// The same for words.
pub(crate) fn hold_words(tensor: &Tensor<1, Int>) -> Held {
    held(tensor.clone().into_dispatch().kind)
}

/// A second operand on the GPU.
///
/// # Panics
/// Where it lies elsewhere: operands of one operation share a device.
pub(crate) fn on_gpu<const D: usize>(tensor: &Tensor<D>) -> CubeTensor {
    match hold(tensor.clone()) {
        Held::Gpu(tensor) => *tensor,
        _ => panic!("operands of one operation lie on different devices"),
    }
}

/// A second operand on the CPU; panics as [`on_gpu`].
pub(crate) fn on_cpu<const D: usize>(tensor: &Tensor<D>) -> FlexTensor {
    match hold(tensor.clone()) {
        Held::Cpu(tensor) => tensor.to_contiguous(),
        _ => panic!("operands of one operation lie on different devices"),
    }
}

/// Values of a contiguous CPU tensor.
pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice::<f32>()
        .expect("a contiguous tensor of f32")
}

pub(crate) fn gpu_tensor<const D: usize>(tensor: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<Cube>(tensor)
}

pub(crate) fn cpu_tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    debug_assert_eq!(values.len(), shape.iter().product::<usize>());
    let tensor = FlexTensor::from_data(TensorData::new(values, shape));
    debug_assert_eq!(tensor.dtype(), DType::F32);
    Tensor::from_primitive::<Flex>(tensor)
}
