//! The operations of a forward pass on the CPU: row-major f32 slices in, row-major f32 slices out.
//!
//! Weights stay as they lie in a pack and are unpacked a tile at a time. Natively the work is spread over rayon's threads;
//! in the browser everything runs on the calling thread. Callers have checked the dimensions; a wrong one is a panic here.

mod activate;
mod attention;
#[cfg(not(target_family = "wasm"))]
mod backward;
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
pub(crate) mod tests;
mod transpose;

pub use crate::Activation;
pub use activate::activate;
pub use attention::{AttentionShape, Segment, attention};
#[cfg(not(target_family = "wasm"))]
pub(crate) use backward::{
    activate_backward, add_rows_to, add_to_rows, layer_norm_backward, norm_rotate_backward,
    rms_norm_backward, softmax_rows, softmax_rows_backward, swiglu_backward,
};
pub use dequantize::WeightView;
pub use linear::{Epilogue, linear};
pub use norm::{Heads, layer_norm, norm_rotate, rms_norm};
pub use panels::Panels;
pub use pool::pool;
pub use rows::{add_rows, gather, swiglu};
