//! Errors of the engine, each with the stable code that crosses to the page and the exports.

use servimage_bench::verdict::ErrorInfo;
use servimage_image::DecodeError;
use servimage_model::error::{LoadError, RunError};
use servimage_pack::PackError;
use servimage_prompt::PromptError;
use thiserror::Error;

/// What can go wrong from a pack to a verdict.
#[derive(Debug, Error)]
pub enum EngineError {
    /// No GPU could be opened.
    #[error("no GPU could be opened: {reason}")]
    NoGpu {
        /// What the graphics layer said.
        reason: String,
    },
    /// The device cannot store activations as f16.
    #[error("f16 activations need a GPU with shader-f16, which {device} is not")]
    NoF16 {
        /// The device that was asked.
        device: String,
    },
    /// The pack is damaged or incomplete.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The pack does not make a network.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// This device does not reproduce the pack's vectors.
    #[error(
        "self-test failed on {device}: `{tensor}` differs by {found:.2e} of its largest value, at most {tolerance:.0e} is allowed"
    )]
    SelfTest {
        /// The device that was tested.
        device: String,
        /// The worst tensor.
        tensor: String,
        /// Its relative error.
        found: f64,
        /// The bound.
        tolerance: f64,
    },
    /// The pack's self-test vectors are not usable.
    #[error("self-test vectors: {what}: expected {expected}, found {found}")]
    BadVectors {
        /// Which part.
        what: String,
        /// What would fit.
        expected: String,
        /// What is there.
        found: String,
    },
    /// An image could not be read.
    #[error("{role}: {source}")]
    Image {
        /// `the image` or `the input image`.
        role: &'static str,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// The prompt could not be made.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// The task has no such deliverable.
    #[error("task {task_id} has deliverables 1 to {n_deliverables}, found {found}")]
    NoDeliverable {
        /// The task.
        task_id: String,
        /// How many it has.
        n_deliverables: usize,
        /// What was asked for.
        found: u32,
    },
    /// The network failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl EngineError {
    /// Stable, machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoGpu { .. } => "device.no_gpu",
            Self::NoF16 { .. } => "device.no_f16",
            Self::Pack(error) => error.code(),
            Self::Load(LoadError::Pack(error)) => error.code(),
            Self::Load(LoadError::TooLarge(_)) => "device.weight_too_large",
            Self::Load(_) => "pack.network",
            Self::SelfTest { .. } => "pack.self_test_failed",
            Self::BadVectors { .. } => "pack.self_test_vectors",
            Self::Image { source, .. } => source.code(),
            Self::Prompt(_) => "prompt",
            Self::NoDeliverable { .. } => "task.no_deliverable",
            Self::Run(RunError::Device { .. }) => "device.failed",
            Self::Run(RunError::NotFinite { .. }) => "device.not_finite",
            Self::Run(RunError::Input { .. }) => "input",
            Self::Run(RunError::Stopped) => "stopped",
        }
    }

    /// Code and sentence, as they cross a boundary.
    pub fn info(&self) -> ErrorInfo {
        ErrorInfo {
            code: self.code().to_owned(),
            message: self.to_string(),
        }
    }
}
