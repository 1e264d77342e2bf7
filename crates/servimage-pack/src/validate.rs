//! Checks of the manifest before anything trusts it. It may come from anywhere, so nothing here allocates by
//! its numbers, panics or loops beyond its length.

use crate::error::PackError;
use crate::lists::check_lists;
use crate::manifest::{FORMAT_VERSION, Layout, Manifest, TextDims, VisionDims};
use crate::tables::{check_files, check_tensors};

/// Largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 16 << 20;

/// Largest width, vocabulary or count of positions.
const MAX_WIDTH: usize = 1 << 24;

/// Most layers of a tower.
const MAX_LAYERS: usize = 1024;

impl Manifest {
    /// Reads and checks the bytes of a `manifest.json`.
    ///
    /// # Errors
    /// Whatever makes it unfit: see [`PackError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, PackError> {
        parse(bytes)
    }
}

/// Parses and checks a manifest.
pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, PackError> {
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(field(
            "manifest.json",
            format!("at most {MAX_MANIFEST_BYTES} bytes"),
            bytes.len(),
        ));
    }
    // The version alone first: a newer manifest must be refused for its version, not for a field.
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u64,
    }
    let found = serde_json::from_slice::<Version>(bytes)
        .map_err(PackError::Json)?
        .format_version;
    if found != u64::from(FORMAT_VERSION) {
        return Err(PackError::FormatVersion {
            expected: FORMAT_VERSION,
            found,
        });
    }
    let manifest = serde_json::from_slice(bytes).map_err(PackError::Json)?;
    validate(&manifest)?;
    Ok(manifest)
}

/// Checks everything that a manifest alone can show.
pub(crate) fn validate(manifest: &Manifest) -> Result<(), PackError> {
    if !matches!(
        manifest.quant,
        Layout::F32 | Layout::F16 | Layout::Q8 | Layout::Q4
    ) {
        return Err(field("quant", "f32, f16, q8 or q4", manifest.quant));
    }
    check_text(&manifest.text)?;
    check_vision(&manifest.vision)?;
    check_numbers(manifest)?;
    check_lists(manifest)?;
    check_files(manifest)?;
    check_tensors(manifest)
}

pub(crate) fn field(
    name: impl Into<String>,
    expected: impl ToString,
    found: impl ToString,
) -> PackError {
    PackError::Field {
        field: name.into(),
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

pub(crate) fn check_range(name: &str, found: usize, most: usize) -> Result<(), PackError> {
    if (1..=most).contains(&found) {
        Ok(())
    } else {
        Err(field(name, format!("1 to {most}"), found))
    }
}

fn check_text(text: &TextDims) -> Result<(), PackError> {
    for (name, found, most) in [
        ("text.vocab_size", text.vocab_size, MAX_WIDTH),
        ("text.d_model", text.d_model, MAX_WIDTH),
        ("text.n_layers", text.n_layers, MAX_LAYERS),
        ("text.n_heads", text.n_heads, MAX_WIDTH),
        ("text.n_kv_heads", text.n_kv_heads, text.n_heads),
        ("text.head_dim", text.head_dim, MAX_WIDTH),
        (
            "text.n_heads x text.head_dim",
            text.n_heads.saturating_mul(text.head_dim),
            MAX_WIDTH,
        ),
        ("text.d_hidden", text.d_hidden, MAX_WIDTH),
    ] {
        check_range(name, found, most)?;
    }
    if !text.n_heads.is_multiple_of(text.n_kv_heads) {
        return Err(field(
            "text.n_kv_heads",
            format!("a divisor of n_heads = {}", text.n_heads),
            text.n_kv_heads,
        ));
    }
    let sum = text
        .mrope_section
        .iter()
        .fold(0_usize, |sum, &section| sum.saturating_add(section));
    if !text.head_dim.is_multiple_of(2) || sum != text.head_dim / 2 {
        let expected = format!(
            "three numbers with the sum head_dim / 2, head_dim = {}",
            text.head_dim
        );
        return Err(field(
            "text.mrope_section",
            expected,
            format!("{:?}", text.mrope_section),
        ));
    }
    check_positive("text.rms_norm_eps", text.rms_norm_eps)?;
    check_positive("text.rope_theta", text.rope_theta)
}

fn check_vision(vision: &VisionDims) -> Result<(), PackError> {
    for (name, found, most) in [
        ("vision.d_model", vision.d_model, MAX_WIDTH),
        ("vision.n_layers", vision.n_layers, MAX_LAYERS),
        ("vision.n_heads", vision.n_heads, vision.d_model),
        ("vision.d_hidden", vision.d_hidden, MAX_WIDTH),
        ("vision.in_channels", vision.in_channels, 16),
        ("vision.patch_size", vision.patch_size, 256),
        ("vision.temporal_patch_size", vision.temporal_patch_size, 16),
        ("vision.spatial_merge_size", vision.spatial_merge_size, 16),
        ("vision.d_out", vision.d_out, MAX_WIDTH),
        (
            "vision.n_position_embeddings",
            vision.n_position_embeddings,
            MAX_WIDTH,
        ),
    ] {
        check_range(name, found, most)?;
    }
    // The mergers' width; on a 32-bit machine the product itself could overflow.
    let d_merged = vision
        .d_model
        .saturating_mul(vision.spatial_merge_size.saturating_pow(2));
    check_range(
        "vision.d_model x vision.spatial_merge_size^2",
        d_merged,
        MAX_WIDTH,
    )?;
    if !vision.d_model.is_multiple_of(vision.n_heads) {
        return Err(field(
            "vision.n_heads",
            format!("a divisor of d_model = {}", vision.d_model),
            vision.n_heads,
        ));
    }
    if vision.n_position_embeddings.isqrt().pow(2) != vision.n_position_embeddings {
        return Err(field(
            "vision.n_position_embeddings",
            "a square number",
            vision.n_position_embeddings,
        ));
    }
    let ascending = vision
        .deepstack_layers
        .windows(2)
        .all(|pair| pair[0] < pair[1]);
    if !ascending
        || vision
            .deepstack_layers
            .last()
            .is_some_and(|&last| last >= vision.n_layers)
    {
        let expected = format!(
            "ascending layer numbers below n_layers = {}",
            vision.n_layers
        );
        let found = format!(
            "{:?}",
            &vision.deepstack_layers[..vision.deepstack_layers.len().min(32)]
        );
        return Err(field("vision.deepstack_layers", expected, found));
    }
    check_positive("vision.rope_theta", vision.rope_theta)
}

fn check_positive(name: &str, found: f64) -> Result<(), PackError> {
    if found.is_finite() && found > 0.0 {
        Ok(())
    } else {
        Err(field(name, "a finite number above 0", found))
    }
}

fn check_numbers(manifest: &Manifest) -> Result<(), PackError> {
    let images = &manifest.image_processor;
    if images.min_pixels == 0
        || images.min_pixels > images.max_pixels
        || images.max_pixels > 1 << 26
    {
        let found = format!("{}..={}", images.min_pixels, images.max_pixels);
        return Err(field(
            "image_processor.min_pixels..=max_pixels",
            "a range within 1..=2^26",
            found,
        ));
    }
    for std in images.std {
        check_positive("image_processor.std", f64::from(std))?;
    }
    let calibration = &manifest.calibration;
    let weights = manifest
        .score_weights
        .iter()
        .map(|(name, weight)| (format!("score_weights.{name}"), *weight));
    let means = images
        .mean
        .map(|mean| ("image_processor.mean".to_owned(), f64::from(mean)));
    let calibration = [
        ("calibration.a".to_owned(), calibration.a),
        ("calibration.b".to_owned(), calibration.b),
    ];
    for (name, found) in weights.clone().chain(means).chain(calibration) {
        if !found.is_finite() {
            return Err(field(name, "a finite number", found));
        }
    }
    if let Some((name, found)) = weights.into_iter().find(|(_, weight)| *weight < 0.0) {
        return Err(field(name, "a number from 0 up", found));
    }
    if !(0.0..=1.0).contains(&manifest.threshold) {
        return Err(field("threshold", "0 to 1", manifest.threshold));
    }
    let tokens = &manifest.special_tokens;
    for (name, id) in [
        ("special_tokens.image", tokens.image),
        ("special_tokens.video", tokens.video),
        ("special_tokens.vision_start", tokens.vision_start),
        ("special_tokens.vision_end", tokens.vision_end),
    ] {
        if id as usize >= manifest.text.vocab_size {
            return Err(field(
                name,
                format!("an id below vocab_size = {}", manifest.text.vocab_size),
                id,
            ));
        }
    }
    match &manifest.self_test {
        Some(self_test) => check_positive("self_test.tolerance", self_test.tolerance),
        None => Ok(()),
    }
}
