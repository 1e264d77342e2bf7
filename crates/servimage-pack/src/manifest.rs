//! `manifest.json`: everything about a checkpoint that is not a weight.
//!
//! Every dimension, wording, weight and threshold that belongs to a checkpoint lies here, never in code.

use crate::layout::BLOCK;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the manifest that this build writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Largest shard, in bytes (32 MiB).
pub const MAX_SHARD_BYTES: u64 = 32 << 20;

/// The manifest of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Short name, such as `nano`.
    pub name: String,
    /// One sentence on what the labels behind the numbers are; shown wherever a number stands.
    pub labels: String,
    /// Layout of the linear weights.
    pub quant: Layout,
    /// Text tower.
    pub text: TextDims,
    /// Vision tower.
    pub vision: VisionDims,
    /// Ids of the special tokens.
    pub special_tokens: SpecialTokens,
    /// How an image becomes patches.
    pub image_processor: ImageProcessor,
    /// Tokenizer file beside the manifest.
    pub tokenizer: FileEntry,
    /// Model card beside the manifest, in Markdown: what the checkpoint was trained on, its measured figures and its limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<FileEntry>,
    /// Wording that the checkpoint was trained with.
    pub template: PromptTemplate,
    /// Which heads the pack carries.
    pub heads: Heads,
    /// Low-rank matrices kept beside the base for the payment pass; absent where both heads share one pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_adapter: Option<Adapter>,
    /// Calibration of P(pay).
    pub calibration: Calibration,
    /// Decision threshold on the calibrated P(pay), 0..=1.
    pub threshold: f64,
    /// Weight of each group (`brf`, `veq`, `cns`) in the ServImageScore.
    pub score_weights: BTreeMap<String, f64>,
    /// Vectors that the device must reproduce before it may score; they lie in the pack as tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_test: Option<SelfTest>,
    /// Where the weights come from.
    pub provenance: PackProvenance,
    /// Shards in order.
    pub shards: Vec<FileEntry>,
    /// Tensors in the order in which they lie in the shards.
    pub tensors: Vec<TensorEntry>,
}

impl Manifest {
    /// Every file beside the manifest: the tokenizer, the model card where there is one, then the shards.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        std::iter::once(&self.tokenizer)
            .chain(&self.card)
            .chain(&self.shards)
    }

    /// The bytes of `manifest.json`, as [`PackWriter`](crate::PackWriter) writes them.
    ///
    /// # Panics
    /// Never: a manifest has only string keys, and JSON holds every number that a checked one has.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("a manifest has only string keys")
    }
}

/// How the values of a tensor lie in its bytes. All little-endian, row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// 4 bytes a value.
    F32,
    /// 2 bytes a value, IEEE half precision.
    F16,
    /// 4 bytes a value, unsigned: token ids and grids of the self-test.
    U32,
    /// Symmetric, block 32 along the input: first all words (4 values a u32, low byte first), then one f16 scale a block.
    Q8,
    /// Symmetric, block 32 along the input: first all words (8 values a u32, low nibble first, value = nibble - 8), then one f16 scale a block.
    Q4,
}

/// Text tower; names as in the checkpoint's `text_config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextDims {
    /// `vocab_size`
    pub vocab_size: usize,
    /// `hidden_size`
    pub d_model: usize,
    /// `num_hidden_layers`
    pub n_layers: usize,
    /// `num_attention_heads`
    pub n_heads: usize,
    /// `num_key_value_heads`
    pub n_kv_heads: usize,
    /// `head_dim`
    pub head_dim: usize,
    /// `intermediate_size`
    pub d_hidden: usize,
    /// `rms_norm_eps`
    pub rms_norm_eps: f64,
    /// `rope_theta`
    pub rope_theta: f64,
    /// `mrope_section`: frequencies of the time, height and width axes; they sum to `head_dim / 2`.
    pub mrope_section: [usize; 3],
    /// Whether the LM head is the token embedding.
    pub tie_word_embeddings: bool,
}

/// Vision tower; names as in the checkpoint's `vision_config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisionDims {
    /// `hidden_size`
    pub d_model: usize,
    /// `depth`
    pub n_layers: usize,
    /// `num_heads`
    pub n_heads: usize,
    /// `intermediate_size`
    pub d_hidden: usize,
    /// `in_channels`
    pub in_channels: usize,
    /// `patch_size`
    pub patch_size: usize,
    /// `temporal_patch_size`
    pub temporal_patch_size: usize,
    /// `spatial_merge_size`
    pub spatial_merge_size: usize,
    /// `out_hidden_size`
    pub d_out: usize,
    /// `num_position_embeddings`, a square number.
    pub n_position_embeddings: usize,
    /// `deepstack_visual_indexes`
    pub deepstack_layers: Vec<usize>,
    /// `rope_theta` of the axial rotary positions.
    pub rope_theta: f64,
}

/// Ids of the special tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialTokens {
    /// `image_token_id`
    pub image: u32,
    /// `video_token_id`
    pub video: u32,
    /// `vision_start_token_id`
    pub vision_start: u32,
    /// `vision_end_token_id`
    pub vision_end: u32,
}

/// How an image becomes patches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageProcessor {
    /// Least area after the resize, in pixels.
    pub min_pixels: u32,
    /// Largest area after the resize, in pixels.
    pub max_pixels: u32,
    /// Channel means over 0..=1.
    pub mean: [f32; 3],
    /// Channel standard deviations over 0..=1.
    pub std: [f32; 3],
}

/// Wording of the prompt: text with named slots in braces.
///
/// Slots of `text`: `{requirement}`, `{subtasks}` (numbered lines), `{output_quantity}`, `{price_usd}`,
/// `{deliverable}` (1-based), `{n_deliverables}`, `{subtask}`, `{points}` (numbered lines), `{image_lines}`.
/// A doubled brace stands for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptTemplate {
    /// The whole prompt up to the first image, with chat marks.
    pub text: String,
    /// Put around the image pads of each image.
    pub image_prefix: String,
    /// Put around the image pads of each image.
    pub image_suffix: String,
    /// After the last image, with chat marks.
    pub tail: String,
    /// The same where the zero-shot head is asked for one concept's digit (1 to 5), by concept; a concept without one is not asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub concept_tails: BTreeMap<String, String>,
    /// One line an image in `{image_lines}`, by role: `candidate`, `input`, `others`, `references`; slot `{index}` (1-based).
    pub image_lines: BTreeMap<String, String>,
    /// Words for what a task does not name, by slot.
    #[serde(default)]
    pub missing: BTreeMap<String, String>,
    /// Most tokens of the brief (`{requirement}`); a longer one is cut, with a mark in the verdict's log.
    pub max_brief_tokens: usize,
}

/// Which heads the pack carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    /// Concepts that the stage-1 head was trained for; empty without that head.
    pub concepts: Vec<String>,
    /// Whether the stage-2 payment head is there.
    pub payment: bool,
    /// Answer tokens of the zero-shot head; used where a trained head is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_shot: Option<ZeroShot>,
}

/// Answer tokens of the zero-shot head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroShot {
    /// Id of the token that means reject ("0").
    pub reject: u32,
    /// Id of the token that means accept ("1").
    pub accept: u32,
    /// Ids of "1", "2", "3", "4", "5".
    pub digits: [u32; 5],
}

/// Low-rank adapter of the payment pass: `y += scale * (x A^T) B^T`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Names of the linear weights that have `NAME.lora_a` `[rank, d_in]` and `NAME.lora_b` `[d_out, rank]` in the pack; the scale is already in `lora_b`.
    pub targets: Vec<String>,
}

/// Calibration of P(pay): `sigmoid(a * logit + b)` over the logit difference accept - reject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// `none`, `temperature` or `platt`.
    pub method: String,
    /// Slope (1 / temperature).
    pub a: f64,
    /// Offset.
    pub b: f64,
    /// Number of examples behind the fit.
    pub n: u64,
    /// Reliability table on examples not used for the fit.
    #[serde(default)]
    pub reliability: Vec<ReliabilityBin>,
}

/// One bin of the reliability table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of accepted.
    pub observed: f64,
    /// Examples in the bin.
    pub n: u64,
}

/// Self-test: inputs and expected outputs are tensors of the pack named `self_test.NAME`.
///
/// Inputs: `self_test.input_ids` `[seq_len]` U32, `self_test.image_grid_thw` `[n_images, 3]` U32,
/// `self_test.pixel_values` `[n_patches, patch_dim]` F32. Expected (each optional), F32: `base.vision_embeds`,
/// `base.hidden_states`, `base.logits_last`, `stage1.hidden_states`, `stage1.<concept>` `[6]`,
/// `stage2.hidden_states`, `stage2.pay_logits` `[2]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// Bound on `max |found - expected| / max |expected|`, per tensor.
    pub tolerance: f64,
    /// Names of the expected tensors without the prefix `self_test.`.
    pub expected: Vec<String>,
}

/// Where the weights come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackProvenance {
    /// What was converted, in words.
    pub source: String,
    /// Licence of the weights (SPDX where one exists).
    pub licence: String,
    /// Tool and version that wrote the pack.
    pub tool: String,
}

/// A file of the pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Plain file name beside the manifest.
    pub path: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// A tensor of the pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorEntry {
    /// Name as in the checkpoint.
    pub name: String,
    /// Shape; linear weights are `[d_out, d_in]`.
    pub shape: Vec<usize>,
    /// How the values lie.
    pub layout: Layout,
    /// Values of one block of a quantized row. Only 32 is read, and it is not written: the field is there for packs
    /// that will have other blocks, so that this build refuses them.
    #[serde(default = "default_block", skip_serializing_if = "is_default_block")]
    pub block: usize,
    /// Where the bytes lie, in order; more than one part where a tensor is larger than the rest of a shard.
    pub parts: Vec<Part>,
}

fn default_block() -> usize {
    BLOCK
}

fn is_default_block(block: &usize) -> bool {
    *block == BLOCK
}

/// A run of bytes in one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Index into [`Manifest::shards`].
    pub shard: usize,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}
