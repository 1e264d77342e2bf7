//! What can go wrong between a pack and a network on a device.

use servimage_kernels::UploadError;
use servimage_pack::PackError;
use thiserror::Error;

/// A pack that does not make a network.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The pack could not be read.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A weight is larger than the device takes.
    #[error(transparent)]
    TooLarge(UploadError),
    /// A tensor has another shape than the manifest's dimensions ask for.
    #[error("tensor `{name}`: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// Name in the pack.
        name: String,
        /// Shape by the manifest's dimensions.
        expected: Vec<usize>,
        /// Shape in the pack.
        found: Vec<usize>,
    },
    /// A tensor that the network needs is not in the pack.
    #[error("tensor `{name}` is missing in the pack")]
    Missing {
        /// Name in the pack.
        name: String,
    },
    /// The dimensions of the manifest contradict each other.
    #[error("{what}: expected {expected}, found {found}")]
    Dims {
        /// Which dimension.
        what: &'static str,
        /// What would fit.
        expected: String,
        /// What stands in the manifest.
        found: String,
    },
}

impl From<UploadError> for LoadError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Pack(error) => Self::Pack(error),
            too_large @ UploadError::TooLarge { .. } => Self::TooLarge(too_large),
        }
    }
}

/// An evaluation that could not be carried out.
#[derive(Debug, Error)]
pub enum RunError {
    /// Ids, positions, grids and patches do not belong together.
    #[error("{what}: expected {expected}, found {found}")]
    Input {
        /// Which part of the input.
        what: &'static str,
        /// What would fit.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The device failed; the work can be repeated on a fresh one.
    #[error("the device failed while computing: {reason}")]
    Device {
        /// What the device said.
        reason: String,
    },
    /// Whoever asked for it does not want it any more.
    #[error("the evaluation was stopped")]
    Stopped,
    /// The device gave a value that is no number.
    #[error("the device returned a value that is not finite in `{tensor}`")]
    NotFinite {
        /// Which result.
        tensor: &'static str,
    },
}
