//! `config.json` and the image processor's file -> the manifest's dimensions.

use super::error::ConvertError;
use super::json::JsonFile;
use serde_json::{Value, json};
use servimage_pack::manifest::{ImageProcessor, SpecialTokens, TextDims, VisionDims};
use std::path::Path;

/// Area range of an image in the evaluator (spec: at most 49 visual tokens an image); a general checkpoint's own range is wider.
const EVALUATOR_PIXELS: (u32, u32) = (784, 50_176);

/// Dimensions of a base checkpoint.
pub(super) struct BaseConfig {
    pub text: TextDims,
    pub vision: VisionDims,
    pub special_tokens: SpecialTokens,
}

/// Reads `config.json`. `has_lm_head` decides on tied embeddings where the file does not say.
pub(super) fn read_config(base: &Path, has_lm_head: bool) -> Result<BaseConfig, ConvertError> {
    let config = JsonFile::read(base.join("config.json"))?;
    if config
        .get::<String>("model_type")?
        .is_none_or(|kind| kind != "qwen3_vl")
    {
        return Err(config.error("model_type", "\"qwen3_vl\""));
    }
    let text = config.need_object("text_config")?;
    let tied = config
        .get("tie_word_embeddings")?
        .or(text.get("tie_word_embeddings")?)
        .unwrap_or(!has_lm_head);
    let special_tokens = SpecialTokens {
        image: config.need("image_token_id")?,
        video: config.need("video_token_id")?,
        vision_start: config.need("vision_start_token_id")?,
        vision_end: config.need("vision_end_token_id")?,
    };
    let vision = vision_dims(&config.need_object("vision_config")?)?;
    Ok(BaseConfig {
        text: text_dims(&text, tied)?,
        vision,
        special_tokens,
    })
}

fn text_dims(text: &JsonFile, tie_word_embeddings: bool) -> Result<TextDims, ConvertError> {
    text.only("attention_bias", &[Value::Bool(false)])?;
    text.only("hidden_act", &[json!("silu")])?;
    let (d_model, n_heads): (usize, usize) =
        (text.need("hidden_size")?, text.need("num_attention_heads")?);
    // Newer checkpoints hold all of RoPE in `rope_parameters`, older ones split it over two fields.
    let (rope, rope_theta) = match text.object("rope_parameters") {
        Some(rope) => {
            let theta = rope.need("rope_theta")?;
            (rope, theta)
        }
        None => (text.need_object("rope_scaling")?, text.need("rope_theta")?),
    };
    rope.only("rope_type", &[json!("default")])?;
    rope.only("type", &[json!("default"), json!("mrope")])?;
    rope.only("mrope_interleaved", &[Value::Bool(true)])?;
    Ok(TextDims {
        vocab_size: text.need("vocab_size")?,
        d_model,
        n_layers: text.need("num_hidden_layers")?,
        n_heads,
        n_kv_heads: text.get("num_key_value_heads")?.unwrap_or(n_heads),
        head_dim: text.get("head_dim")?.unwrap_or(d_model / n_heads.max(1)),
        d_hidden: text.need("intermediate_size")?,
        rms_norm_eps: text.get("rms_norm_eps")?.unwrap_or(1e-6),
        rope_theta,
        mrope_section: rope.need("mrope_section")?,
        tie_word_embeddings,
    })
}

fn vision_dims(vision: &JsonFile) -> Result<VisionDims, ConvertError> {
    vision.only("hidden_act", &[json!("gelu_pytorch_tanh")])?;
    let rope_theta = match vision.object("rope_parameters") {
        Some(rope) => rope.get("rope_theta")?,
        None => None,
    };
    Ok(VisionDims {
        d_model: vision.need("hidden_size")?,
        n_layers: vision.need("depth")?,
        n_heads: vision.need("num_heads")?,
        d_hidden: vision.need("intermediate_size")?,
        in_channels: vision.get("in_channels")?.unwrap_or(3),
        patch_size: vision.need("patch_size")?,
        temporal_patch_size: vision.need("temporal_patch_size")?,
        spatial_merge_size: vision.need("spatial_merge_size")?,
        d_out: vision.need("out_hidden_size")?,
        n_position_embeddings: vision.need("num_position_embeddings")?,
        deepstack_layers: vision.get("deepstack_visual_indexes")?.unwrap_or_default(),
        rope_theta: rope_theta.unwrap_or(10_000.0),
    })
}

/// Reads `preprocessor_config.json`, or the `image_processor` of a newer `processor_config.json`.
pub(super) fn read_processor(
    base: &Path,
    vision: &VisionDims,
    warnings: &mut Vec<String>,
) -> Result<ImageProcessor, ConvertError> {
    let older = base.join("preprocessor_config.json");
    let newer = base.join("processor_config.json");
    let file = if older.exists() || !newer.exists() {
        JsonFile::read(older)?
    } else {
        JsonFile::read(newer)?.need_object("image_processor")?
    };
    for (field, expected) in [
        ("patch_size", vision.patch_size),
        ("temporal_patch_size", vision.temporal_patch_size),
        ("merge_size", vision.spatial_merge_size),
    ] {
        file.only(field, &[json!(expected)])?;
    }
    file.only("resample", &[json!(3)])?;
    let found = match file.object("size") {
        Some(size) => (
            size.get::<u64>("shortest_edge")?,
            size.get::<u64>("longest_edge")?,
        ),
        None => (file.get("min_pixels")?, file.get("max_pixels")?),
    };
    let (min_pixels, max_pixels) = EVALUATOR_PIXELS;
    if found != (Some(u64::from(min_pixels)), Some(u64::from(max_pixels))) {
        warnings.push(format!(
            "the image processor's area range {found:?} is replaced by the evaluator's {min_pixels}..={max_pixels} pixels"
        ));
    }
    Ok(ImageProcessor {
        min_pixels,
        max_pixels,
        mean: file.need("image_mean")?,
        std: file.need("image_std")?,
    })
}
