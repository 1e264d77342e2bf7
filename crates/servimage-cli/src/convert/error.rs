//! Why a checkpoint cannot be converted; each error says what, which, expected and found.

use servimage_pack::PackError;
use std::path::PathBuf;

/// A checkpoint is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A file could not be read.
    #[error("`{}` could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("`{}` is not valid JSON of its kind", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A configuration field is missing or has a value that ServImage does not support.
    #[error("`{}`, field `{field}`: expected {expected}, found {found}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Dotted path of the field.
        field: String,
        /// What is supported.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A weights file is damaged or of another kind.
    #[error("`{}` is not a readable weights file: {reason}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The reader's words.
        reason: String,
    },
    /// A tensor is not where it should be.
    #[error("`{}` has no tensor `{tensor}`, expected shape {expected:?}", path.display())]
    MissingTensor {
        /// The file or folder.
        path: PathBuf,
        /// The tensor's name there.
        tensor: String,
        /// Its shape.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than its configuration says.
    #[error("`{}`, tensor `{tensor}`: expected shape {expected:?}, found {found:?}", path.display())]
    Shape {
        /// The file or folder.
        path: PathBuf,
        /// The tensor's name there.
        tensor: String,
        /// By the configuration.
        expected: Vec<usize>,
        /// In the file.
        found: Vec<usize>,
    },
    /// A tensor has an element type that is no weight.
    #[error("`{}`, tensor `{tensor}`: expected f64, f32, f16 or bf16, found {found}", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor's name there.
        tensor: String,
        /// Its element type.
        found: String,
    },
    /// An adapter's tensor belongs to no weight of the checkpoint.
    #[error("`{}`: adapter tensor `{tensor}` has no home: {reason}", path.display())]
    NoHome {
        /// The adapter's file.
        path: PathBuf,
        /// The tensor's name there.
        tensor: String,
        /// What was looked for.
        reason: String,
    },
    /// Two adapters of one stage change one weight in different ways.
    #[error("`{first}` and `{second}` both adapt `{weight}`, but differ")]
    AdapterConflict {
        /// Weight in the checkpoint.
        weight: String,
        /// Adapter folder and tensor.
        first: String,
        /// The other adapter folder and tensor.
        second: String,
    },
    /// The tokenizer lacks a token that the zero-shot head answers with.
    #[error("`{}` has no single token for \"{token}\", which the zero-shot head answers with", path.display())]
    AnswerToken {
        /// The tokenizer file.
        path: PathBuf,
        /// The digit.
        token: String,
    },
    /// The pack's writer refused.
    #[error(transparent)]
    Pack(#[from] PackError),
}
