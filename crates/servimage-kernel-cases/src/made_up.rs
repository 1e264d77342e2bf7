//! Made-up values, the same on every machine.

use burn::tensor::{DType, Device, Tensor, TensorData, f16};
use servimage_kernels::Storage;

/// Values that repeat only after 2^32 of them, in -1..=1.
pub(crate) fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// The same, `factor` times as large.
pub(crate) fn scaled_noise(n: usize, seed: u32, factor: f32) -> Vec<f32> {
    noise(n, seed).iter().map(|value| value * factor).collect()
}

/// `values` on a device.
pub(crate) fn tensor<const D: usize>(
    values: &[f32],
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// [`noise`] on a device.
pub(crate) fn noisy<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    tensor(&noise(shape.iter().product(), seed), shape, device)
}

/// All values, row after row.
pub(crate) fn flat(tensor: Tensor<2>) -> Tensor<1> {
    let n = tensor.dims().iter().product::<usize>();
    tensor.reshape([n])
}

/// Whether `device` is a GPU.
fn is_gpu(device: &Device) -> bool {
    *device != Device::flex() && !device.is_autodiff()
}

/// How `device` stores what a GPU stores as `storage`: f32 on a CPU.
pub(crate) fn storage_on(device: &Device, storage: Storage) -> Storage {
    if is_gpu(device) {
        storage
    } else {
        Storage::F32
    }
}

/// What is stored of a value.
fn share(storage: Storage) -> f32 {
    match storage {
        Storage::F32 | Storage::F16 => 1.0,
        Storage::F16Sixteenths => 16.0,
    }
}

/// `values` on a device as they come out of a kernel that stores them so; on a CPU f32 with what f16 leaves of them.
pub(crate) fn stored<const D: usize>(
    values: &[f32],
    shape: [usize; D],
    device: &Device,
    storage: Storage,
) -> Tensor<D> {
    if storage == Storage::F32 {
        return tensor(values, shape, device);
    }
    let halves = values
        .iter()
        .map(|value| f16::from_f32(value / share(storage)));
    if is_gpu(device) {
        let data = TensorData::new(halves.collect::<Vec<f16>>(), shape);
        return Tensor::from_data(data, (device, DType::F16));
    }
    let floats: Vec<f32> = halves.map(|half| half.to_f32() * share(storage)).collect();
    tensor(&floats, shape, device)
}

/// What a device stores as `storage`, on a CPU brought to what a GPU has stored: the share of it, within what f16 holds.
pub(crate) fn as_stored(tensor: Tensor<1>, storage: Storage) -> Tensor<1> {
    match is_gpu(&tensor.device()) || storage == Storage::F32 {
        true => tensor,
        false => (tensor / share(storage)).clamp(-f16::MAX.to_f32(), f16::MAX.to_f32()),
    }
}
