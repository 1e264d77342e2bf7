//! Why bytes did not become pixels. Every variant is one sentence that a visitor can act on.

use crate::format::Format;

/// Why bytes did not become pixels.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A file of 0 bytes.
    #[error("the file is empty; expected an image, found 0 bytes")]
    Empty,
    /// More bytes than the limit.
    #[error("the file is too large: {found_bytes} bytes, at most {limit_bytes} are read")]
    TooManyBytes {
        /// Size of the file.
        found_bytes: u64,
        /// Limit.
        limit_bytes: u64,
    },
    /// More pixels than the limit; nothing was decoded.
    #[error(
        "the picture is too large: {width} x {height} pixels, at most {limit_pixels} in all are decoded"
    )]
    TooManyPixels {
        /// Width in the header.
        width: u32,
        /// Height in the header.
        height: u32,
        /// Limit on width x height.
        limit_pixels: u64,
    },
    /// Decoding would take more memory than the limit.
    #[error(
        "the {format} picture needs more than {limit_bytes} bytes of memory to decode, which is the limit"
    )]
    TooMuchMemory {
        /// Format of the file.
        format: Format,
        /// Limit.
        limit_bytes: u64,
    },
    /// No image format at all, whatever the file's name says.
    #[error("this is not an image: expected JPEG, PNG, WebP, GIF, BMP or TIFF, found {found}")]
    NotAnImage {
        /// What the bytes look like.
        found: &'static str,
    },
    /// An image in a format that is not read here.
    #[error(
        "{found} images are not supported; save the picture as JPEG, PNG, WebP, GIF, BMP or TIFF"
    )]
    UnsupportedFormat {
        /// Name of the format.
        found: &'static str,
    },
    /// A supported format with a feature that is not.
    #[error("this kind of {format} is not supported: {reason}")]
    UnsupportedFeature {
        /// Format of the file.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
    /// The file ends before the image does.
    #[error(
        "the {format} file is cut off: it ends after {found_bytes} bytes, before its image does"
    )]
    Truncated {
        /// Format of the file.
        format: Format,
        /// Size of the file.
        found_bytes: u64,
    },
    /// The data contradicts itself.
    #[error("the {format} file is damaged: {reason}")]
    Damaged {
        /// Format of the file.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
}

impl DecodeError {
    /// Stable code of this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "image.empty",
            Self::TooManyBytes { .. } | Self::TooManyPixels { .. } | Self::TooMuchMemory { .. } => {
                "image.too_large"
            }
            Self::NotAnImage { .. } => "image.not_an_image",
            Self::UnsupportedFormat { .. } | Self::UnsupportedFeature { .. } => "image.unsupported",
            Self::Truncated { .. } => "image.truncated",
            Self::Damaged { .. } => "image.damaged",
        }
    }
}
