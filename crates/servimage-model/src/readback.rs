//! Between device and CPU: rows to pool, rows to judge, and the one asynchronous way to read a tensor back.

use crate::error::RunError;
use burn::tensor::{Device, Tensor, TensorData};

/// Last row of a batch of one: `[1, d_model]`.
pub(crate) fn last_row(hidden: Tensor<3>) -> Tensor<2> {
    let [_, seq_len, d_model] = hidden.dims();
    hidden
        .slice([0..1, seq_len - 1..seq_len, 0..d_model])
        .reshape([1, d_model])
}

/// A vector on the CPU backend as one row.
pub(crate) fn row(values: &[f32]) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [1, values.len()]),
        &Device::flex(),
    )
}

pub(crate) fn pair(values: &[f32]) -> [f32; 2] {
    [values[0], values[1]]
}

/// Reads a tensor back and refuses values that are no numbers.
pub(crate) async fn read<const D: usize>(
    tensor: Tensor<D>,
    name: &'static str,
) -> Result<Vec<f32>, RunError> {
    let failed = |reason: String| RunError::Device { reason };
    let data = tensor.into_data_async().await;
    let data = data.map_err(|error| failed(format!("{error:?}")))?;
    let values = data.convert::<f32>().try_to_vec::<f32>();
    let values = values.map_err(|error| failed(format!("{error:?}")))?;
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err(RunError::NotFinite { tensor: name }),
    }
}
