//! The one asynchronous way from a device to the CPU.

use crate::backend::{Held, hold, values};
use burn::tensor::{DType, Tensor, f16};

/// A device that did not give its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// What the device said.
    pub reason: String,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ReadError {}

/// All values, row-major, of a tensor of f32 or on a GPU also f16. Everything queued before runs first.
///
/// # Errors
/// [`ReadError`] where the device is lost or refused something that the values depend on.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ReadError> {
    let failed = |reason: String| ReadError { reason };
    match hold(tensor.clone()) {
        // Straight from the buffer: burn's own way would link its kernels for strided views into the browser's bundle.
        Held::Gpu(tensor) => {
            assert!(tensor.is_contiguous(), "a strided view was read back");
            let (n, dtype) = (tensor.meta.num_elements(), tensor.dtype);
            let n_bytes = n * dtype.size();
            let read = tensor.client.read_async(vec![tensor.handle]).await;
            let parts = read.map_err(|error| failed(format!("{error:?}")))?;
            let bytes = parts.first().map_or(&[][..], |part| &part[..]);
            let bytes = bytes
                .get(..n_bytes)
                .ok_or_else(|| failed(format!("{} bytes of {n_bytes}", bytes.len())))?;
            Ok(match dtype {
                DType::F16 => {
                    let halves = bytes.as_chunks::<2>().0.iter();
                    halves.map(|b| f16::from_le_bytes(*b).to_f32()).collect()
                }
                _ => {
                    let floats = bytes.as_chunks::<4>().0.iter();
                    floats.map(|b| f32::from_le_bytes(*b)).collect()
                }
            })
        }
        Held::Cpu(tensor) => Ok(values(&tensor.to_contiguous()).to_vec()),
        #[cfg(not(target_family = "wasm"))]
        Held::Recording => {
            let data = tensor.into_data_async().await;
            let data = data.map_err(|error| failed(format!("{error:?}")))?;
            data.try_to_vec()
                .map_err(|error| failed(format!("{error:?}")))
        }
    }
}
