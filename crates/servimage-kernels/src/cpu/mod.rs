//! The operations of a forward pass on the CPU: row-major f32 slices in, row-major f32 slices out.
//!
//! Weights stay as they lie in a pack and are unpacked a tile at a time. Natively the work is spread over rayon's threads;
//! in the browser everything runs on the calling thread. Callers have checked the dimensions; a wrong one is a panic here.

mod activate;
mod attention;
mod dequantize;
mod linear;
mod math;
mod norm;
mod panels;
mod parallel;
mod pool;
mod product;
mod rows;
mod simd;
#[cfg(test)]
mod tests;
mod transpose;

pub use crate::Activation;
pub use activate::activate;
pub use attention::{AttentionShape, Segment, attention};
pub use dequantize::WeightView;
pub use linear::{Epilogue, linear};
pub use norm::{Heads, layer_norm, norm_rotate, rms_norm};
pub use panels::Panels;
pub use pool::pool;
pub use rows::{add_rows, gather, swiglu};
