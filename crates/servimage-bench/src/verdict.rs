//! The verdict: one JSON object, the same from the command line, the worker and every export.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the verdict's JSON schema; raised when a field changes its meaning.
pub const VERDICT_SCHEMA_VERSION: u32 = 1;

/// The seven concepts in the order in which they are shown and exported.
pub const CONCEPTS: [&str; 7] = [
    "brf",
    "veq_clarity",
    "veq_realism",
    "veq_aesthetic",
    "veq_text",
    "cns_edit",
    "cns_set",
];

/// What the evaluator says of one image against one deliverable of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// [`VERDICT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// File name as it was given.
    pub image: String,
    /// Task id, such as `product-003`.
    pub task_id: String,
    /// 1-based deliverable (the number in upstream's `subtask_N`).
    pub deliverable: u32,
    /// Calibrated probability that the client pays, 0..=1.
    pub p_pay: f64,
    /// `p_pay >= threshold`.
    pub pay: bool,
    /// Decision threshold on `p_pay`, 0..=1.
    pub threshold: f64,
    /// Price of the deliverable in US dollars; absent where the task names none.
    pub price_usd: Option<f64>,
    /// `p_pay * price_usd`, in US dollars.
    pub expected_usd: Option<f64>,
    /// ServImageScore, 0..=100 (ours; the weights lie in the pack); absent without any concept.
    pub servimage_score: Option<f64>,
    /// The seven concepts by name, see [`CONCEPTS`].
    pub concepts: BTreeMap<String, ConceptScore>,
    /// Hard rules of the deliverable, in the order of the task.
    pub rules: Vec<RuleResult>,
    /// What was done to the file's pixels before they were judged, see [`ImageNote`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_notes: Vec<ImageNote>,
    /// Where the payment head's pooling lies on the image; absent without that head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// What made this verdict.
    pub provenance: Provenance,
}

/// The pooling weights of the payment head on the image under evaluation, a cell a visual token. They say what that head took its
/// numbers from, not why it judged as it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// Cells along the image's width.
    pub columns: u32,
    /// Share of the whole pooling weight that lies on the image, 0..=1; the rest lies on the text and on the other images.
    pub share: f64,
    /// Weight of each cell among those of the image, row by row from the top left: they sum to 1, each rounded to five digits.
    pub weights: Vec<f64>,
}

/// Something about the file that changes what is seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageNote {
    /// It has transparent pixels, which were put on white.
    AlphaOnWhite,
    /// It was turned or mirrored as its EXIF block says.
    TurnedUpright,
    /// Its colours were converted to sRGB from a profile or from inks (CMYK).
    ColoursConverted,
    /// It has a colour profile that could not be used; its colours may be off.
    ProfileIgnored,
}

/// One concept's score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConceptScore {
    /// Whether the concept applies to this task and this pack.
    pub applicable: bool,
    /// Why it does not apply, in one plain sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// Expectation of the distribution, 1..=5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Probabilities of the scores 1, 2, 3, 4, 5; they sum to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<[f64; 5]>,
}

/// How a hard rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleOutcome {
    /// Measured and met.
    Pass,
    /// Measured and missed.
    Fail,
    /// Missed, but the rule reads as a default or the value as damaged.
    Warning,
    /// A dropped raster image cannot show it (source files, print, style words).
    CannotCheck,
}

/// One hard rule, required beside measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleResult {
    /// Rule name as in the benchmark, such as `visual_specs.aspect_ratio`.
    pub rule: String,
    /// What the task requires, in words.
    pub required: String,
    /// What the image shows, in words; empty where it was not measured.
    pub measured: String,
    /// How it came out.
    pub outcome: RuleOutcome,
}

/// What made a verdict: enough to make it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// SHA-256 of the pack's `manifest.json`, lower-case hex; it covers every shard's hash.
    pub pack_sha256: String,
    /// Name of the pack, such as `nano`.
    pub pack_name: String,
    /// What the labels behind the numbers are, such as `proxy labels` or `zero-shot`.
    pub labels: String,
    /// Layout of the linear weights: `f32`, `f16`, `q8`, `q4`.
    pub quant: String,
    /// Calibration method: `none`, `temperature`, `platt`.
    pub calibration: String,
    /// Version of the task text: SHA-256 of its canonical JSON, first 16 hex digits.
    pub task_version: String,
    /// Device that ran the network, such as `webgpu (...)` or `cpu (flex)`.
    pub device: String,
    /// How the device did in the self-test, such as `passed: 2.1e-6 of 1e-3 allowed`; empty where the pack carries no vectors.
    #[serde(default)]
    pub self_test: String,
    /// `rust` or `browser`.
    pub decoder: String,
    /// Version and target of the build.
    pub build: String,
}

/// A failed image, in its place among the verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedImage {
    /// File name as it was given.
    pub image: String,
    /// What went wrong.
    pub error: ErrorInfo,
}

/// An error as it crosses a boundary: a stable code and one sentence for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorInfo {
    /// Stable, machine-readable, such as `image.truncated`.
    pub code: String,
    /// What, which, expected, found.
    pub message: String,
}

/// A verdict or a failed image: what one line of a JSONL export holds.
#[expect(
    clippy::large_enum_variant,
    reason = "rows are written out at once, never kept in bulk as this enum"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VerdictRow {
    /// The image was judged.
    Verdict(Verdict),
    /// The image could not be judged.
    Failed(FailedImage),
}
