//! Checks of the manifest before anything trusts it. It may come from anywhere, so nothing here allocates by
//! its numbers, panics or loops beyond its length.

use crate::error::PackError;
use crate::layout::impossible_shape;
use crate::manifest::{
    FORMAT_VERSION, FileEntry, Layout, MAX_SHARD_BYTES, Manifest, Part, TensorEntry, TextDims,
    VisionDims,
};
use crate::{MANIFEST_FILE, sha256_hex};
use std::collections::HashSet;

/// Largest manifest, in bytes.
const MAX_MANIFEST_BYTES: usize = 16 << 20;

/// Largest tokenizer file, in bytes.
const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// Most shards; with 32 MiB each that is 128 GiB.
const MAX_SHARDS: usize = 4096;

/// Largest width, vocabulary or count of positions.
const MAX_WIDTH: usize = 1 << 24;

/// Most layers of a tower.
const MAX_LAYERS: usize = 1024;

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
    check_files(manifest)?;
    check_tensors(manifest)
}

fn field(name: impl Into<String>, expected: impl ToString, found: impl ToString) -> PackError {
    PackError::Field {
        field: name.into(),
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn check_range(name: &str, found: usize, most: usize) -> Result<(), PackError> {
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

fn check_files(manifest: &Manifest) -> Result<(), PackError> {
    check_range("shards", manifest.shards.len(), MAX_SHARDS)?;
    let mut names = HashSet::from([MANIFEST_FILE.to_owned()]);
    let tokenizer = [(&manifest.tokenizer, MAX_TOKENIZER_BYTES)];
    for (file, most) in tokenizer
        .into_iter()
        .chain(manifest.shards.iter().map(|shard| (shard, MAX_SHARD_BYTES)))
    {
        check_file(file, most)?;
        // Compared without case: some file systems do not tell the two apart.
        if !names.insert(file.path.to_ascii_lowercase()) {
            return Err(PackError::Duplicate {
                kind: "file",
                name: file.path.clone(),
            });
        }
    }
    Ok(())
}

fn check_file(file: &FileEntry, most: u64) -> Result<(), PackError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if file.path.is_empty()
        || file.path.len() > 100
        || file.path.starts_with('.')
        || !file.path.bytes().all(plain)
    {
        return Err(PackError::Path {
            path: file.path.chars().take(100).collect(),
        });
    }
    if !(1..=most).contains(&file.size_bytes) {
        return Err(field(
            format!("size_bytes of `{}`", file.path),
            format!("1 to {most}"),
            file.size_bytes,
        ));
    }
    let is_hex = file
        .sha256
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if file.sha256.len() != sha256_hex(b"").len() || !is_hex {
        let found: String = file.sha256.chars().take(100).collect();
        return Err(field(
            format!("sha256 of `{}`", file.path),
            "64 lower-case hex digits",
            found,
        ));
    }
    Ok(())
}

fn check_tensors(manifest: &Manifest) -> Result<(), PackError> {
    if manifest.tensors.is_empty() {
        return Err(field("tensors", "at least one", 0));
    }
    let mut names = HashSet::new();
    let mut end = Part {
        shard: 0,
        offset: 0,
        length: 0,
    };
    for entry in &manifest.tensors {
        let plain_name = !entry.name.is_empty()
            && entry.name.len() <= 200
            && entry.name.bytes().all(|b| b.is_ascii_graphic());
        if !plain_name {
            let found: String = entry.name.chars().take(100).collect();
            return Err(field(
                "tensors.name",
                "1 to 200 visible ASCII characters",
                format!("{found:?}"),
            ));
        }
        if !names.insert(entry.name.as_str()) {
            return Err(PackError::Duplicate {
                kind: "tensor",
                name: entry.name.clone(),
            });
        }
        let expected = entry
            .layout
            .size_bytes(&entry.shape)
            .ok_or_else(|| impossible_shape(&entry.name, &entry.shape))?;
        let found = check_parts(entry, &manifest.shards, &mut end)?;
        if found != expected {
            let (tensor, shape, layout) = (entry.name.clone(), entry.shape.clone(), entry.layout);
            return Err(PackError::Length {
                tensor,
                shape,
                layout,
                expected,
                found,
            });
        }
    }
    Ok(())
}

/// Checks that the parts lie in the shards, in order and apart; `end` is the part before. Gives their bytes together.
///
/// Apart matters: parts that shared bytes could make a tensor larger than the whole pack.
fn check_parts(
    entry: &TensorEntry,
    shards: &[FileEntry],
    end: &mut Part,
) -> Result<u64, PackError> {
    let mut total = 0_u64;
    for (index, part) in entry.parts.iter().enumerate() {
        let bad = |expected: String, found: String| {
            Err(PackError::Part {
                tensor: entry.name.clone(),
                part: index,
                expected,
                found,
            })
        };
        let Some(shard) = shards.get(part.shard) else {
            return bad(
                format!("a shard below {}", shards.len()),
                format!("shard {}", part.shard),
            );
        };
        let found = format!(
            "{} bytes at {} of shard {}",
            part.length, part.offset, part.shard
        );
        let part_end = part.offset.checked_add(part.length);
        if part.length == 0 || part_end.is_none_or(|part_end| part_end > shard.size_bytes) {
            return bad(
                format!(
                    "1 byte or more within the {} bytes of `{}`",
                    shard.size_bytes, shard.path
                ),
                found,
            );
        }
        let least = if part.shard == end.shard {
            end.offset + end.length
        } else {
            0
        };
        if part.shard < end.shard || part.offset < least {
            let expected = format!(
                "a place after the part before it, which ends at {} of shard {}",
                end.offset + end.length,
                end.shard
            );
            return bad(expected, found);
        }
        *end = *part;
        // At most MAX_SHARDS x MAX_SHARD_BYTES together, since the parts lie apart.
        total += part.length;
    }
    Ok(total)
}
