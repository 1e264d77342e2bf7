//! The ServImageModel network in burn: Qwen3-VL as a prefill-only scorer, with the concept and payment heads.
//!
//! Written once, for every size, device and quantization: every dimension comes from the pack, and how a
//! weight is stored is known only to [`linear`]. Equal to `Qwen3VLForConditionalGeneration` of the Python
//! package `transformers` (module `models/qwen3_vl`) and to the heads of the ServImage research code.
//!
//! Order of one evaluation: patches -> [`vision`] -> rows of tokens -> [`text`] -> [`heads`].

mod answer;
mod between;
mod check;
pub mod error;
pub mod heads;
pub mod linear;
pub mod model;
pub mod network;
pub mod norm;
pub mod positions;
mod prefix;
mod readback;
pub mod source;
pub mod text;
pub mod tokens;
pub mod trace;
pub mod vision;

pub use between::{Between, GoOn};
pub use error::LoadError;
pub use linear::Pass;
pub use model::{ModelInput, ModelOutput, ServImageModel};
pub use network::Network;
pub use servimage_kernels::Storage;
pub use source::{PackParams, ParamSource, RandomParams};
pub use trace::{Trace, head_rows};
