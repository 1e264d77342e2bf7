//! From the published checkpoint layout to a pack.
//!
//! A base folder of Hugging Face, plus a folder for each trained stage. Stage 1 is merged into the base, stage 2 stays
//! beside it as low-rank pairs; tensors pass through one at a time, some rows on each core.

mod checkpoint;
mod config;
mod error;
mod header;
mod json;
mod lora;
mod parallel;
mod self_test;
mod tensors;
mod values;
mod zero_shot;

pub use error::ConvertError;

use checkpoint::{Checkpoint, open_head};
use config::{read_config, read_processor};
use json::{read_bytes, read_json};
use lora::StageLora;
use serde::Serialize;
use servimage_bench::verdict::CONCEPTS;
use servimage_pack::manifest::{
    Adapter, Calibration, FORMAT_VERSION, FileEntry, Heads, Layout, Manifest, PackProvenance,
};
use servimage_pack::{ExpectedTensor, PackSink, PackWriter, expected_tensors, sha256_hex};
use servimage_prompt::default_template;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Default of [`ConvertOptions::piece_values`]: 2 MiB of f32, some 30 ms of work a core at q8.
const PIECE_VALUES: usize = 1 << 19;

/// What to convert.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// Base folder of Hugging Face.
    pub base: PathBuf,
    /// Folder of stage 1 (concepts).
    pub stage1: Option<PathBuf>,
    /// Folder of stage 2 (payment).
    pub stage2: Option<PathBuf>,
    /// JSON file with the prompt template; a default wording where absent.
    pub prompt: Option<PathBuf>,
    /// Layout of the linear weights.
    pub quant: Layout,
    /// Short name; the base folder's where absent.
    pub name: Option<String>,
    /// One sentence on what the labels behind the numbers are.
    pub labels: Option<String>,
    /// Licence of the weights.
    pub licence: Option<String>,
    /// Markdown file that becomes the pack's model card.
    pub card: Option<PathBuf>,
    /// Golden folder whose vectors become the pack's self-test.
    pub golden: Option<PathBuf>,
    /// Bound on the self-test's relative error.
    pub self_test_tolerance: f64,
    /// Values that a core holds at once, a row at least; the pack is the same for any number.
    pub piece_values: usize,
}

impl ConvertOptions {
    /// Plain f32 conversion of `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self {
            base: base.into(),
            stage1: None,
            stage2: None,
            prompt: None,
            quant: Layout::F32,
            name: None,
            labels: None,
            licence: None,
            card: None,
            golden: None,
            self_test_tolerance: 1e-3,
            piece_values: PIECE_VALUES,
        }
    }
}

/// What a conversion wrote.
#[derive(Clone, Debug, Serialize)]
pub struct ConvertReport {
    /// Name of the pack.
    pub name: String,
    /// SHA-256 of its manifest.
    pub pack_sha256: String,
    /// Layout of the linear weights.
    pub quant: Layout,
    /// Number of parameters of backbone and heads.
    pub n_parameters: u64,
    /// Tensors, self-test included.
    pub n_tensors: usize,
    /// Shards.
    pub n_shards: usize,
    /// Bytes of all shards.
    pub size_bytes: u64,
    /// Weights that a stage-1 adapter was merged into.
    pub n_merged: usize,
    /// Weights with a payment adapter beside them.
    pub n_adapted: usize,
    /// What a reader should know but need not act on.
    pub warnings: Vec<String>,
}

/// How far a conversion is: values written of all values.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Tensor being written.
    pub tensor: &'a str,
    /// Values written.
    pub done: u64,
    /// All values.
    pub total: u64,
}

/// A trained stage.
struct Stage {
    lora: StageLora,
    head: Checkpoint,
}

/// Converts a checkpoint into a pack written to `sink`.
///
/// # Errors
/// [`ConvertError`] with the file, tensor or field at fault; the pack's manifest is then not written.
pub fn convert<K: PackSink>(
    options: &ConvertOptions,
    sink: K,
    on_progress: impl FnMut(Progress<'_>),
) -> Result<ConvertReport, ConvertError> {
    let mut warnings = Vec::new();
    let base = Checkpoint::open_safetensors(&options.base, "model")?;
    let mut manifest = base_manifest(options, &base, &mut warnings)?;
    let weights = adaptable_weights(&manifest);
    let mut stage = |folder: &Option<PathBuf>, head| {
        read_stage(folder.as_deref(), head, &weights, &mut warnings)
    };
    let stage1 = stage(&options.stage1, "quality_decoder")?;
    let stage2 = stage(&options.stage2, "stage2_decoder")?;
    set_heads(&mut manifest, options, stage1.is_some(), stage2.as_ref())?;

    let stages = [stage1.as_ref(), stage2.as_ref()];
    let expected = base_and_heads(&manifest, stages);
    let sources = tensors::Sources {
        base: &base,
        stage1: stages[0],
        stage2: stages[1],
        piece_values: options.piece_values,
    };
    warnings.extend(sources.unused(&expected, manifest.text.tie_word_embeddings));

    let mut writer = PackWriter::new(sink);
    writer.tokenizer(&read_bytes(&options.base.join("tokenizer.json"))?)?;
    if let Some(card) = &options.card {
        writer.card(&read_bytes(card)?)?;
    }
    let total = sources.write_all(&expected, &manifest, &mut writer, on_progress)?;
    if let Some(golden) = &options.golden {
        let (stages, tolerance) = (
            stages.map(|stage| stage.is_some()),
            options.self_test_tolerance,
        );
        let self_test = self_test::embed_golden(&mut writer, golden, stages, tolerance)?;
        manifest.self_test = Some(self_test);
    }
    let manifest = writer.finish(manifest)?;
    Ok(report(&manifest, total, stages[0], warnings))
}

/// The tensors that are read from base and heads; the payment adapter's pairs are written beside their weights.
fn base_and_heads(manifest: &Manifest, stages: [Option<&Stage>; 2]) -> Vec<ExpectedTensor> {
    let head_shape = |name: &str| {
        let (stage, name) = name.split_once('.')?;
        let stage = stages[usize::from(stage != "stage1")];
        stage?.head.shape(name).map(<[usize]>::to_vec)
    };
    let without_adapter = Manifest {
        payment_adapter: None,
        ..manifest.clone()
    };
    expected_tensors(&without_adapter, head_shape)
}

fn report(
    manifest: &Manifest,
    n_parameters: u64,
    stage1: Option<&Stage>,
    warnings: Vec<String>,
) -> ConvertReport {
    let mut report = ConvertReport {
        name: manifest.name.clone(),
        pack_sha256: String::new(),
        quant: manifest.quant,
        n_parameters,
        n_tensors: 0,
        n_shards: 0,
        size_bytes: 0,
        n_merged: stage1.map_or(0, |stage| stage.lora.len()),
        n_adapted: manifest
            .payment_adapter
            .as_ref()
            .map_or(0, |adapter| adapter.targets.len()),
        warnings,
    };
    report.update(manifest);
    report
}

impl ConvertReport {
    /// Takes over hash, counts and size of a manifest that was written anew.
    pub fn update(&mut self, manifest: &Manifest) {
        self.pack_sha256 = sha256_hex(&manifest.to_json());
        self.n_tensors = manifest.tensors.len();
        self.n_shards = manifest.shards.len();
        self.size_bytes = manifest.shards.iter().map(|shard| shard.size_bytes).sum();
    }
}

/// The manifest of the base alone, without heads and tables.
fn base_manifest(
    options: &ConvertOptions,
    base: &Checkpoint,
    warnings: &mut Vec<String>,
) -> Result<Manifest, ConvertError> {
    let config = read_config(&options.base, base.shape("lm_head.weight").is_some())?;
    let image_processor = read_processor(&options.base, &config.vision, warnings)?;
    let template = match &options.prompt {
        Some(path) => read_json(path)?,
        None => default_template(),
    };
    let folder_name = options
        .base
        .file_name()
        .map_or("model".into(), |name| name.to_string_lossy().into_owned());
    let tokenizer = FileEntry {
        path: String::new(),
        size_bytes: 0,
        sha256: String::new(),
    };
    Ok(Manifest {
        format_version: FORMAT_VERSION,
        name: options.name.clone().unwrap_or(folder_name),
        labels: String::new(),
        quant: options.quant,
        text: config.text,
        vision: config.vision,
        special_tokens: config.special_tokens,
        image_processor,
        tokenizer,
        card: None,
        template,
        heads: Heads::default(),
        payment_adapter: None,
        calibration: Calibration {
            method: "none".into(),
            a: 1.0,
            b: 0.0,
            n: 0,
            reliability: Vec::new(),
        },
        threshold: 0.5,
        score_weights: ["brf", "veq", "cns"]
            .map(|group| (group.to_owned(), 1.0))
            .into(),
        self_test: None,
        provenance: provenance(options),
        shards: Vec::new(),
        tensors: Vec::new(),
    })
}

fn provenance(options: &ConvertOptions) -> PackProvenance {
    let name = |path: &Path| {
        path.file_name()
            .map_or("?".into(), |name| name.to_string_lossy().into_owned())
    };
    let parts = [
        ("base", Some(&options.base)),
        ("stage 1", options.stage1.as_ref()),
        ("stage 2", options.stage2.as_ref()),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(part, path)| path.map(|path| format!("{part} `{}`", name(path))));
    PackProvenance {
        source: parts.collect::<Vec<_>>().join(", "),
        licence: options
            .licence
            .clone()
            .unwrap_or_else(|| "not stated; see the source".into()),
        tool: format!("servimage convert {}", env!("CARGO_PKG_VERSION")),
    }
}

/// Names and shapes of the weights that an adapter may change.
fn adaptable_weights(manifest: &Manifest) -> BTreeMap<String, [usize; 2]> {
    let backbone = expected_tensors(manifest, |_| None);
    let matrices = backbone.into_iter().filter(|tensor| tensor.linear);
    matrices
        .map(|tensor| (tensor.name, [tensor.shape[0], tensor.shape[1]]))
        .collect()
}

fn read_stage(
    folder: Option<&Path>,
    head: &str,
    weights: &BTreeMap<String, [usize; 2]>,
    warnings: &mut Vec<String>,
) -> Result<Option<Stage>, ConvertError> {
    let Some(folder) = folder else {
        return Ok(None);
    };
    let head = open_head(&folder.join(head))?;
    Ok(Some(Stage {
        lora: lora::read_stage(folder, weights, warnings)?,
        head,
    }))
}

/// Fills heads, payment adapter and labels.
fn set_heads(
    manifest: &mut Manifest,
    options: &ConvertOptions,
    has_stage1: bool,
    stage2: Option<&Stage>,
) -> Result<(), ConvertError> {
    if has_stage1 {
        manifest.heads.concepts = CONCEPTS.map(str::to_owned).to_vec();
    }
    manifest.heads.payment = stage2.is_some();
    if !has_stage1 || stage2.is_none() {
        manifest.heads.zero_shot = Some(zero_shot::answer_tokens(
            &options.base.join("tokenizer.json"),
        )?);
    }
    let targets: Vec<String> = stage2
        .map(|stage| stage.lora.keys().cloned().collect())
        .unwrap_or_default();
    manifest.payment_adapter = (!targets.is_empty()).then_some(Adapter { targets });
    let labels = match (has_stage1, stage2.is_some()) {
        (true, true) => "Trained heads; the checkpoint's maker says on which labels.",
        (false, false) => {
            "Zero-shot: a general vision-language model, never trained on payment decisions."
        }
        _ => {
            "One trained head; the other figures are zero-shot, never trained on payment decisions."
        }
    };
    manifest.labels = options.labels.clone().unwrap_or_else(|| labels.into());
    Ok(())
}
