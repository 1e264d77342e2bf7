//! Our network against the outputs of the reference implementation in a golden folder.
//!
//! The golden's base alone and its base with both stages are converted in memory, loaded onto the device and run on
//! the golden's inputs; besides, its images are cut to patches and its prompt is tokenized by our own code.

use crate::convert::{ConvertOptions, convert};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use servimage_engine::{Compute, Engine, OpenDevice, processor};
use servimage_image::{Limits, decode, patchify};
use servimage_pack::{Layout, MemorySource, Pack};
use servimage_prompt::Tokenizer;
use std::path::{Path, PathBuf};

/// Bound on the largest difference of a patch value, in normalised units: decoders and bicubic rounding differ
/// by at most a few of 255 steps at hard edges.
const PIXEL_TOLERANCE: f64 = 0.05;

/// Bound on the relative difference between prompts run whole and behind a kept prefix: the same sums in another order.
const PREFIX_TOLERANCE: f64 = 1e-5;

/// One compared tensor.
#[derive(Clone, Debug, Serialize)]
pub struct ParityRow {
    /// Name as in the golden.
    pub tensor: String,
    /// Largest absolute difference.
    pub max_abs_error: f64,
    /// What is held against the tolerance: the largest difference over the largest expected value
    /// (for `pixel_values` and `input_ids` the absolute difference).
    pub error: f64,
    /// Bound on `error`.
    pub tolerance: f64,
    /// Whether it is kept.
    pub passed: bool,
}

impl ParityRow {
    fn new(tensor: impl Into<String>, max_abs_error: f64, error: f64, tolerance: f64) -> Self {
        // Not `error > tolerance`: NaN must fail.
        Self {
            tensor: tensor.into(),
            max_abs_error,
            error,
            tolerance,
            passed: error <= tolerance,
        }
    }
}

/// The part of `golden.json` that is compared.
#[derive(Deserialize)]
struct GoldenFile {
    prompt: String,
    images: Vec<PathBuf>,
}

/// Bound on the relative error by layout, for networks of the goldens' size.
///
/// Worst rows over goldens `a` and `b` (seed 5), CPU, 2026-11-25: f32 2.4e-6, f16 1.4e-3, q8 3.1e-2, q4 0.62. Random weights
/// four layers deep and 48 to 96 wide are the worst case of quantization: nothing averages out. On the CPU the bound of f32 is
/// tight: an exact GELU in place of the tanh form moves golden `a` by 6.5e-5 only. GPUs may round and reorder more.
///
/// With f16 activations a GPU adds their rounding, layer after layer.
pub fn default_tolerance(quant: Layout, device: &OpenDevice) -> f64 {
    let weights = match quant {
        Layout::F32 | Layout::U32 if device.compute == Compute::Cpu => 2e-5,
        Layout::F32 | Layout::U32 => 1e-4,
        Layout::F16 => 5e-3,
        Layout::Q8 => 5e-2,
        Layout::Q4 => 0.7,
    };
    weights + device.rounding()
}

/// Compares everything in `golden` that our code computes.
///
/// # Errors
/// A golden that cannot be read or converted, or a device that fails.
pub async fn parity(
    golden: &Path,
    quant: Layout,
    device: &OpenDevice,
    tolerance: f64,
) -> anyhow::Result<Vec<ParityRow>> {
    let staged = ConvertOptions {
        golden: Some(golden.to_owned()),
        ..staged_options(golden, quant)
    };
    let base = ConvertOptions {
        stage1: None,
        stage2: None,
        ..staged.clone()
    };
    let pack = pack_of(&base)?;
    let mut rows = input_rows(golden, &pack).await?;
    rows.extend(network_rows(pack, device, tolerance).await?);
    if staged.stage1.is_some() || staged.stage2.is_some() {
        rows.extend(network_rows(pack_of(&staged)?, device, tolerance).await?);
    }
    Ok(rows)
}

/// The golden's base with the stages that it has, without its vectors.
pub(crate) fn staged_options(golden: &Path, quant: Layout) -> ConvertOptions {
    let stage = |name: &str| Some(golden.join(name)).filter(|path| path.exists());
    ConvertOptions {
        quant,
        stage1: stage("stage1"),
        stage2: stage("stage2"),
        ..ConvertOptions::new(golden.join("base"))
    }
}

pub(crate) fn pack_of(options: &ConvertOptions) -> anyhow::Result<MemorySource> {
    let mut files = MemorySource::default();
    convert(options, &mut files, |_| ())?;
    Ok(files)
}

async fn network_rows(
    pack: MemorySource,
    device: &OpenDevice,
    tolerance: f64,
) -> anyhow::Result<Vec<ParityRow>> {
    let engine = Engine::load_unproven(pack, device.clone(), &mut |_, _, _| ()).await?;
    let rows = engine.self_test().rows.iter();
    let stage = match engine.manifest().heads.payment {
        true => "stage2",
        false => "base",
    };
    let difference = engine.prefix_difference().await?.unwrap_or(f64::NAN);
    let prefix = ParityRow::new(
        format!("{stage}.prefix_cache"),
        difference,
        difference,
        PREFIX_TOLERANCE + device.rounding(),
    );
    Ok(rows
        .map(|row| {
            ParityRow::new(
                &row.tensor,
                row.max_abs_error,
                row.max_relative_error,
                tolerance,
            )
        })
        .chain([prefix])
        .collect())
}

/// Patches from the golden's images and ids from its prompt, against the golden's own.
async fn input_rows(golden: &Path, pack: &MemorySource) -> anyhow::Result<Vec<ParityRow>> {
    let path = golden.join("golden.json");
    let text = std::fs::read(&path).with_context(|| format!("`{}`", path.display()))?;
    let file: GoldenFile =
        serde_json::from_slice(&text).with_context(|| format!("`{}`", path.display()))?;
    let pack = Pack::open(pack).await?;

    let expected = pack.read_tensor("self_test.pixel_values").await?.to_f32()?;
    let mut found = Vec::new();
    for image in &file.images {
        let path = golden.join(image);
        let bytes = std::fs::read(&path).with_context(|| format!("`{}`", path.display()))?;
        let decoded =
            decode(&bytes, &Limits::default()).with_context(|| format!("`{}`", path.display()))?;
        found.extend(patchify(&decoded.image, &processor(pack.manifest())).rows);
    }
    let error = max_abs_error(&found, &expected);

    let ids = Tokenizer::from_json(&pack.tokenizer_json().await?)?.encode(&file.prompt)?;
    let expected_ids = pack.read_tensor("self_test.input_ids").await?.to_u32()?;
    let differing = ids
        .iter()
        .zip(&expected_ids)
        .filter(|(a, b)| a != b)
        .count()
        + ids.len().abs_diff(expected_ids.len());
    Ok(vec![
        ParityRow::new("input_ids", differing as f64, differing as f64, 0.0),
        ParityRow::new("pixel_values", error, error, PIXEL_TOLERANCE),
    ])
}

/// Infinite for different lengths and for NaN.
fn max_abs_error(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let errors = found
        .iter()
        .zip(expected)
        .map(|(a, b)| f64::from((a - b).abs()));
    errors.fold(0.0, |worst: f64, error| {
        if error.is_nan() {
            f64::INFINITY
        } else {
            worst.max(error)
        }
    })
}
