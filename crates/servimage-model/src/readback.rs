//! Between device and CPU: rows to pool, rows to judge, and the one asynchronous way to read a tensor back.

use crate::error::RunError;
use burn::tensor::{Device, Tensor, TensorData};

/// Vectors on the CPU backend as rows.
pub(crate) fn matrix(rows: &[Vec<f32>]) -> Tensor<2> {
    let width = rows.first().map_or(0, Vec::len);
    let data = TensorData::new(rows.concat(), [rows.len(), width]);
    Tensor::from_data(data, &Device::flex())
}

pub(crate) fn pair(values: &[f32]) -> [f32; 2] {
    [values[0], values[1]]
}

/// Reads a tensor back and refuses values that are no numbers.
pub(crate) async fn read<const D: usize>(
    tensor: Tensor<D>,
    name: &'static str,
) -> Result<Vec<f32>, RunError> {
    let values = servimage_kernels::read(tensor).await;
    let values = values.map_err(|error| RunError::Device {
        reason: error.reason,
    })?;
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(RunError::NotFinite { tensor: name }),
    }
}
