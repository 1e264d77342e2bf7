//! What can be measured. Each part has `measure`, which gives raw figures, and `render`, which makes tables of them.

pub mod agreement;
pub mod browser;
pub mod convert;
pub mod cost;
pub mod folder;
pub mod gpu;
pub mod gradients;
pub mod linear;
pub mod native;
pub mod page;
pub mod prefix;
pub mod soak;
pub mod tab;
