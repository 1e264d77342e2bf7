//! What can go wrong while training, and whose fault it is.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A picture could not be decoded or encoded.
    #[error("picture {}: {source}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What the codec said.
        #[source]
        source: image::ImageError,
    },
    /// A JPEG round trip in memory failed.
    #[error("JPEG in memory: {0}")]
    Jpeg(#[from] image::ImageError),
    /// A folder holds no usable picture.
    #[error("{}: no picture found; is SERVIMAGE_SHARED right?", path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// JSON could not be read or written.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The tokenizer could not be trained or written.
    #[error("tokenizer: {reason}")]
    Tokenizer {
        /// What the library said.
        reason: String,
    },
    /// A prompt could not be made.
    #[error(transparent)]
    Prompt(#[from] servimage_prompt::PromptError),
    /// The benchmark's tasks could not be read.
    #[error(transparent)]
    Bench(#[from] servimage_bench::error::BenchError),
    /// A weights file is damaged.
    #[error("{}: {source}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// Weights and network do not fit each other.
    #[error(transparent)]
    Load(#[from] servimage_model::LoadError),
    /// The loss is no number any more.
    #[error("the loss is not finite at step {step}: a lower rate is needed")]
    Diverged {
        /// The step.
        step: u64,
    },
    /// A run goes on with other numbers than it was started with.
    #[error(
        "{}: this run has the schedule {found}, expected {expected}; go on with its numbers or name another folder",
        path.display()
    )]
    OtherSchedule {
        /// The run's state.
        path: PathBuf,
        /// What was asked for.
        expected: String,
        /// What the run has.
        found: String,
    },
    /// A run is to go on from another that is still under way.
    #[error("{}: this run has not ended, and its weights are not yet averaged; end it with its own command, or name another", .0.display())]
    Unfinished(PathBuf),
    /// An evaluation is to say how a pack was trained, and does not.
    #[error(
        "the evaluation of the pack {sha256} does not say how it was trained; name one that `evaluate --run` wrote"
    )]
    NoPast {
        /// SHA-256 of the pack's manifest.
        sha256: String,
    },
    /// A run is to go on from a pack with the evaluation of another.
    #[error(
        "the evaluation is of the pack {found}, expected {expected}; name the evaluation of the pack that the run goes on from"
    )]
    OtherPack {
        /// SHA-256 of the pack's manifest.
        expected: String,
        /// That of the evaluation.
        found: String,
    },
    /// A vision tower is to have a depth that it cannot grow to.
    #[error(
        "a vision tower of {found} layers cannot become one of {expected}: layers are only added, to each half at most as many as it has"
    )]
    OtherDepth {
        /// Layers that were asked for.
        expected: usize,
        /// Layers that there are.
        found: usize,
    },
    /// A pack could not be read or written.
    #[error(transparent)]
    Pack(#[from] servimage_pack::PackError),
    /// The network could not run.
    #[error(transparent)]
    Run(#[from] servimage_model::error::RunError),
    /// Too few decisions to fit anything.
    #[error("too few rows with an image to {side}: expected at least {expected}, found {found}")]
    TooFewRows {
        /// What they were for.
        side: &'static str,
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A tensor that the pack needs was never trained.
    #[error("tensor `{name}` is missing among the weights")]
    MissingTensor {
        /// Its name in the pack.
        name: String,
    },
    /// Heads that only training has lack one.
    #[error(
        "tensor `{name}` is missing among the training heads; name the file that `export --training-heads` wrote of the run behind the pack, or none: then they are learned anew"
    )]
    OtherHeads {
        /// Its name in the run.
        name: String,
    },
    /// A card needs the figures of its pack.
    #[error(
        "no evaluation with pairs is of the pack {expected}, found {found:?}; run `evaluate` on it without --decisions-only"
    )]
    NotEvaluated {
        /// SHA-256 of the pack's manifest.
        expected: String,
        /// Those of the evaluations.
        found: Vec<String>,
    },
    /// A card is of figures on held-out pictures.
    #[error(
        "the evaluation of {label} is not on held-out pictures (`{command}`); run `evaluate` without --on-training for a card"
    )]
    NotHeldOut {
        /// What it calls its checkpoint.
        label: String,
        /// How it was made.
        command: String,
    },
}
