//! What happens between two layers: a long evaluation can be ended there.

use crate::error::RunError;
use burn::tensor::Tensor;

/// Asked behind every layer.
pub trait Between {
    /// Whether the device is waited for before that: a GPU is given one layer after the other without it.
    fn waits(&self) -> bool;

    /// Whether the evaluation goes on; the time for whatever else is to be done meanwhile.
    fn goes_on(&self) -> impl Future<Output = bool>;
}

/// Goes on without a pause.
#[derive(Clone, Copy, Debug)]
pub struct GoOn;

impl Between for GoOn {
    fn waits(&self) -> bool {
        false
    }

    async fn goes_on(&self) -> bool {
        true
    }
}

/// The pause behind a layer that gives `x`, `[rows, width]`.
///
/// # Errors
/// [`RunError::Stopped`] where `between` does not go on.
pub(crate) async fn pause(between: &impl Between, x: &Tensor<2>) -> Result<(), RunError> {
    if between.waits() {
        // What it says of a device that failed, the results say too.
        let _ = servimage_kernels::read(x.clone().slice([0..1, 0..1])).await;
    }
    match between.goes_on().await {
        true => Ok(()),
        false => Err(RunError::Stopped),
    }
}
