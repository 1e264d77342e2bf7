//! Image bytes to the rows of patches that the vision tower reads.
//!
//! Layer 0: knows nothing of tasks, burn or browsers, so the page and the command line see the same pixels.

mod colour;
mod composite;
mod decode;
mod error;
mod facts;
mod format;
mod jpeg;
mod patches;
mod pixels;
mod raster;
mod resize;

pub use composite::{CANVAS_SIDE, composite, composite_halves};
pub use decode::{Decoded, DecodedFacts, Limits, decode};
pub use error::DecodeError;
pub use format::{Format, browser_format};
pub use patches::{Patches, ProcessorConfig, patchify, target_size};
pub use pixels::Rgb8Image;
pub use resize::resize;
