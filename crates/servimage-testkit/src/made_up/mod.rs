//! Made-up checkpoints: the published folder layout and the true shapes, with random weights.
//!
//! For what depends on sizes and not on what the network says: conversion, loading, speed, memory. The folder is written
//! as a stream: a checkpoint of 4 GB costs a few MB of memory.

mod config;
mod shapes;
mod tokenizer;
mod weights;

use std::path::{Path, PathBuf};

/// Which network is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeUpSize {
    /// As small as the pack that ships: under a million parameters.
    Nano,
    /// Qwen3-VL-2B.
    Qwen2b,
    /// Qwen3-VL-2B with two layers a tower: its largest tensors in a quarter of its bytes.
    Qwen2bShallow,
    /// Qwen3-VL-4B.
    Qwen4b,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeUpReport {
    /// Number of weights.
    pub n_parameters: u64,
    /// Weight files.
    pub n_shards: usize,
    /// Bytes of all weight files.
    pub size_bytes: u64,
}

/// A made-up checkpoint could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path} could not be written")]
pub struct MadeUpError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Writes a base checkpoint into `folder`: configuration, tokenizer, bf16 weights in shards with an index.
///
/// The same size and seed give the same bytes. The embedding is tied, as in the published checkpoints of these sizes.
///
/// # Errors
/// [`MadeUpError`] with the file at fault.
pub fn write_made_up(
    size: MadeUpSize,
    seed: u64,
    folder: &Path,
) -> Result<MadeUpReport, MadeUpError> {
    let failed = |path: PathBuf| move |source| MadeUpError { path, source };
    std::fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
    let dims = shapes::Dims::of(size);
    let files = [
        ("config.json", config::config(&dims)),
        ("preprocessor_config.json", config::preprocessor()),
        ("tokenizer.json", tokenizer::tokenizer(&dims)),
    ];
    for (name, value) in files {
        let path = folder.join(name);
        std::fs::write(&path, format!("{value:#}")).map_err(failed(path))?;
    }
    weights::write(&dims, seed, folder)
}
