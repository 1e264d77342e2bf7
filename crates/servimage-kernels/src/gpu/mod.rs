//! WebGPU: hand-written WGSL, one small set of pipelines for every size.
//!
//! Sizes travel in a uniform, so a pipeline serves every length of prompt, and nothing compiles but on the first use of a
//! kernel. No subgroup operations, at most 128 invocations and 14 KiB of workgroup memory (attention with heads of 192):
//! within the limits that every WebGPU device has. Activations
//! may be f16 where the device can ([`crate::Storage`]). All buffers are declared `read_write`: native memory pools may cut several tensors from one buffer, which
//! wgpu refuses to bind as read-only and writable at once.

mod attention;
mod floats;
mod launch;
mod linear;
mod pool;
mod rows;

pub(crate) use attention::{attention, tiles};
pub(crate) use linear::linear;
pub(crate) use pool::{pool, record};
pub(crate) use rows::{add_rows, gather, norm, norm_rotate, swiglu};
