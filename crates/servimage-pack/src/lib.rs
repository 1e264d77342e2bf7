//! The model pack: a folder with `manifest.json`, `tokenizer.json` and hashed shards.
//!
//! Layer 0: knows nothing of burn or browsers. A pack is read through a [`PackSource`], so that a folder,
//! a browser's cache and a network look the same to the loader. What comes from a source is hostile until
//! [`Pack::open`] has checked the manifest and [`Pack::read_tensor`] has checked the shard's hash.

#[cfg(not(target_family = "wasm"))]
pub mod dir;
mod encode;
mod error;
mod expected;
pub mod layout;
mod lists;
pub mod manifest;
mod pack;
mod quantize;
mod self_test;
mod sha256;
pub mod shelf;
mod source;
mod tables;
pub mod transfer;
mod validate;
mod verify;
mod writer;

pub use error::{PackError, SourceError};
pub use expected::{ExpectedTensor, expected_tensors};
pub use layout::TensorBytes;
pub use manifest::{Layout, Manifest, TensorEntry};
pub use pack::Pack;
pub use self_test::SelfTestVectors;
pub use sha256::{Hasher, sha256_hex};
pub use source::{MemorySource, PackSource};
pub use validate::MAX_MANIFEST_BYTES;
pub use verify::Finding;
pub use writer::{PackSink, PackWriter, TensorWriter};

/// File name of the manifest.
pub const MANIFEST_FILE: &str = "manifest.json";

/// File name under which [`PackWriter`] stores the model card.
pub const CARD_FILE: &str = "README.md";
/// File name under which [`PackWriter`] stores the tokenizer.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
