//! The operations of a transformer's forward pass, each in one step: on WebGPU, on the CPU and, for training, in burn's own
//! differentiable operations.
//!
//! The network calls the functions of this crate on burn tensors. Where a tensor lies decides what runs:
//! - on a WebGPU device, hand-written WGSL (`gpu`); weights stay as they lie in the pack and are unpacked inside the matmul;
//! - on the CPU backend, SIMD loops (`cpu`), with weights unpacked a tile at a time, small ones once;
//! - on a CPU that records gradients, the same loops with gradients of their own (`recorded`, native only);
//! - on a GPU that records gradients, burn's operations (`composite`, native only): slow, differentiable, and the reference
//!   that the tests hold the others against.
//!
//! All tensors are f32, contiguous and two-dimensional unless a function says otherwise; on a GPU activations between two
//! kernels may be f16 ([`Storage`]).

mod backend;
#[cfg(not(target_family = "wasm"))]
mod composite;
pub mod cpu;
mod gpu;
mod ops;
mod pooling;
mod readback;
#[cfg(not(target_family = "wasm"))]
mod recorded;
mod segments;
mod storage;
mod weight;

pub use cpu::{AttentionShape, Segment};
#[cfg(not(target_family = "wasm"))]
pub use ops::linear_float;
pub use ops::{
    add_rows, attention, columns, gather, gelu, layer_norm, linear, linear_stored, norm_rotate,
    rms_norm, swiglu,
};
pub use pooling::{Pooled, Pooler};
pub use readback::{ReadError, read};
#[cfg(not(target_family = "wasm"))]
pub use recorded::by_burn;
pub use segments::Segments;
pub use storage::Storage;
pub use weight::{PackedWeight, UploadError, binding_limit};

/// Function between a linear layer's sum and its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The sum itself.
    None,
    /// GELU in its tanh form.
    GeluTanh,
    /// GELU with the error function.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

/// Widest head that every GPU takes: its queries lie in workgroup memory, of which 16 KiB are certain.
pub const MAX_HEAD_DIM: usize = 192;

impl AttentionShape {
    /// Columns of a row of queries, keys and values.
    pub fn row_len(&self) -> usize {
        (self.n_heads + 2 * self.n_kv_heads) * self.head_dim
    }
}

/// Consecutive heads of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Heads {
    /// First head.
    pub first: usize,
    /// Number of heads.
    pub count: usize,
}
