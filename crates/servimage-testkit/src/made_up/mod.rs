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

/// Writes a base checkpoint into `folder` with every file of the published ones: configuration, tokenizer, processors, chat
/// template, bf16 weights in shards with an index.
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
    for (name, text) in texts(&dims) {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(failed(path))?;
    }
    weights::write(&dims, seed, folder)
}

/// The published folder's files but for the weights.
fn texts(dims: &shapes::Dims) -> Vec<(&'static str, String)> {
    let json = |value: serde_json::Value| format!("{value:#}\n");
    vec![
        ("config.json", json(config::config(dims))),
        ("generation_config.json", json(config::generation(dims))),
        ("preprocessor_config.json", json(config::preprocessor())),
        (
            "video_preprocessor_config.json",
            json(config::video_preprocessor()),
        ),
        ("tokenizer.json", json(tokenizer::tokenizer(dims))),
        (
            "tokenizer_config.json",
            json(tokenizer::tokenizer_config(dims)),
        ),
        ("vocab.json", json(tokenizer::vocab(dims))),
        ("merges.txt", tokenizer::merges()),
        ("chat_template.json", json(tokenizer::chat_template())),
        ("chat_template.jinja", tokenizer::CHAT_TEMPLATE.to_owned()),
    ]
}
