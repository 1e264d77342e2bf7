//! What can be wrong with a pack; each error says what, which, expected and found.

use crate::manifest::Layout;

/// A [`PackSource`](crate::PackSource) could not give a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no such file.
    #[error("file `{path}` is missing")]
    Missing {
        /// Plain file name.
        path: String,
    },
    /// The file is larger than a pack's file may be.
    #[error("file `{path}` has {found} bytes, at most {limit} are read")]
    TooLarge {
        /// Plain file name.
        path: String,
        /// Its size in bytes.
        found: u64,
        /// Largest size in bytes.
        limit: u64,
    },
    /// Anything else: permissions, network, quota.
    #[error("file `{path}` could not be read: {reason}")]
    Other {
        /// Plain file name.
        path: String,
        /// The platform's words.
        reason: String,
    },
}

/// A pack is refused.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The manifest is not the JSON that this build reads.
    #[error("manifest.json is not a pack manifest: {0}")]
    Json(#[source] serde_json::Error),
    /// The manifest has another format version.
    #[error("manifest.json has format version {found}, this build reads version {expected}")]
    FormatVersion {
        /// [`crate::manifest::FORMAT_VERSION`].
        expected: u32,
        /// In the manifest.
        found: u64,
    },
    /// A file name is not a plain name beside the manifest.
    #[error(
        "file name `{path}` is not a plain name (letters, digits, `.`, `_`, `-`; no folder, no leading dot)"
    )]
    Path {
        /// As in the manifest, cut to 100 characters.
        path: String,
    },
    /// A field of the manifest has a value that cannot be.
    #[error("manifest field `{field}`: expected {expected}, found {found}")]
    Field {
        /// Dotted path of the field.
        field: String,
        /// What is allowed.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Two entries bear one name.
    #[error("{kind} `{name}` is listed twice")]
    Duplicate {
        /// `tensor` or `file`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A tensor's place in the shards cannot be.
    #[error("tensor `{tensor}`, part {part}: expected {expected}, found {found}")]
    Part {
        /// Name of the tensor.
        tensor: String,
        /// 0-based part.
        part: usize,
        /// What is allowed.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A tensor's shape cannot be, or disagrees with the manifest's dimensions.
    #[error("tensor `{tensor}` has a wrong shape: expected {expected}, found {found:?}")]
    Shape {
        /// Name of the tensor.
        tensor: String,
        /// The expected shape, or what is allowed.
        expected: String,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A tensor is quantized in blocks that this build does not read.
    #[error(
        "tensor `{tensor}`: expected blocks of {expected} values along the input, found {found}"
    )]
    Block {
        /// Name of the tensor.
        tensor: String,
        /// [`crate::layout::BLOCK`].
        expected: usize,
        /// As the manifest says.
        found: usize,
    },
    /// A tensor's bytes are more or fewer than shape and layout need.
    #[error(
        "tensor `{tensor}`: shape {shape:?} as {layout} (blocks of 32 along the input where quantized) needs {expected} bytes, found {found}"
    )]
    Length {
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its layout.
        layout: Layout,
        /// Bytes needed.
        expected: u64,
        /// Bytes there.
        found: u64,
    },
    /// A file has another size than the manifest says.
    #[error("file `{path}` has a wrong size: expected {expected} bytes, found {found}")]
    Size {
        /// Plain file name.
        path: String,
        /// As in the manifest.
        expected: u64,
        /// As read.
        found: u64,
    },
    /// A file's bytes are not those that were written.
    #[error("file `{path}` is damaged: expected SHA-256 {expected}, found {found}")]
    Hash {
        /// Plain file name.
        path: String,
        /// As in the manifest.
        expected: String,
        /// As read.
        found: String,
    },
    /// The manifest lists no such tensor.
    #[error("the pack has no tensor `{tensor}`{}", expected.as_ref().map(|shape| format!(", expected shape {shape}")).unwrap_or_default())]
    MissingTensor {
        /// The name asked for.
        tensor: String,
        /// The shape that it should have, where known.
        expected: Option<String>,
    },
    /// A tensor does not fit into memory.
    #[error("tensor `{tensor}` needs {size_bytes} bytes of memory, which cannot be had here")]
    Memory {
        /// Name of the tensor.
        tensor: String,
        /// Bytes that it takes.
        size_bytes: u64,
    },
    /// A value or a scale is NaN or infinite, or does not fit the layout.
    #[error(
        "tensor `{tensor}`, {place} {index}: expected a finite value that fits {layout}, found {found}"
    )]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// `value` or `scale of block`.
        place: &'static str,
        /// Flat index.
        index: usize,
        /// Layout of the tensor.
        layout: Layout,
        /// The value.
        found: f32,
    },
    /// A tensor has another layout than the caller needs.
    #[error("tensor `{tensor}`: expected {expected}, found layout {found}")]
    WrongLayout {
        /// Name of the tensor.
        tensor: String,
        /// What the caller needs.
        expected: &'static str,
        /// The tensor's layout.
        found: Layout,
    },
    /// A pack could not be written.
    #[error("file `{path}` could not be written: {reason}")]
    Write {
        /// Plain file name.
        path: String,
        /// The platform's words.
        reason: String,
    },
}

impl PackError {
    /// Stable, machine-readable code, such as `pack.hash`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(SourceError::Missing { .. }) => "pack.missing_file",
            Self::Source(_) => "pack.source",
            Self::Json(_) => "pack.json",
            Self::FormatVersion { .. } => "pack.format_version",
            Self::Path { .. } => "pack.path",
            Self::Field { .. } => "pack.field",
            Self::Duplicate { .. } => "pack.duplicate",
            Self::Part { .. } => "pack.part",
            Self::Shape { .. } => "pack.shape",
            Self::Block { .. } => "pack.block",
            Self::Length { .. } => "pack.length",
            Self::Size { .. } => "pack.size",
            Self::Hash { .. } => "pack.hash",
            Self::MissingTensor { .. } => "pack.missing_tensor",
            Self::Memory { .. } => "pack.memory",
            Self::NotFinite { .. } => "pack.not_finite",
            Self::WrongLayout { .. } => "pack.wrong_layout",
            Self::Write { .. } => "pack.write",
        }
    }
}
