//! Image bytes to the rows of patches that the vision tower reads.
//!
//! Layer 0: knows nothing of tasks, burn or browsers, so the page and the command line see the same pixels.

mod composite;
mod patches;
mod pixels;
mod resize;

pub use composite::{CANVAS_SIDE, composite, composite_halves};
pub use patches::{Patches, ProcessorConfig, patchify, target_size};
pub use pixels::Rgb8Image;
pub use resize::resize;
