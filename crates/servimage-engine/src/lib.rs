//! The engine: opens a device, loads a pack onto it, proves it against the pack's vectors, and scores images.
//!
//! Layer 3: knows nothing of DOM, URLs or file paths. Bytes come through a [`servimage_pack::PackSource`] and a
//! [`ScoreRequest`]; what leaves is a [`servimage_bench::verdict::Verdict`] or an error with a stable code.

mod attention;
mod concepts;
mod device;
mod engine;
mod error;
mod images;
mod preflight;
mod rehearsal;
mod score;
mod self_test;

pub use device::{Compute, OpenDevice, open_device};
pub use engine::{Engine, LoadProgress};
pub use error::EngineError;
pub use images::processor;
pub use preflight::{doubts, image_flop};
pub use score::{ReadyImage, ScoreRequest};
pub use self_test::{SelfTestVectors, max_errors, vectors_of};
pub use servimage_model::{Between, Storage};
