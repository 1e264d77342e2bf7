//! From weights to the pack that ships: quantized weights, self-test vectors, and a calibration fitted on what the quantized
//! network says.

use crate::brief::Brief;
use crate::decisions::{Decision, decisions};
use crate::error::TrainError;
use crate::figures::fit_platt;
use crate::nano::{NanoConfig, SPECIAL_IDS, processor, template};
use crate::scene::{Scene, SceneKind};
use crate::scorer::Scorer;
use crate::weights::Weights;
use crate::world::World;
use burn::tensor::Device;
use servimage_bench::agreement::reliability;
use servimage_model::heads::{CONCEPT_HEADS, PAY_LOGIT_SCALE};
use servimage_pack::manifest::{
    Calibration, FORMAT_VERSION, FileEntry, Heads, ImageProcessor, Layout, Manifest,
    PackProvenance, ReliabilityBin,
};
use servimage_pack::{MemorySource, Pack, PackSink, PackWriter, SelfTestVectors, expected_tensors};
use servimage_prompt::Role;

/// Largest relative difference that a device may show.
pub(crate) const SELF_TEST_TOLERANCE: f64 = 1e-3;

/// Sentence shown wherever a number of this checkpoint stands.
pub const LABELS: &str = "Proxy labels: pictures were made and damaged on purpose and a formula, not people, decided what is paid for.";

/// What a pack's calibration is fitted on.
#[derive(Clone, Copy, Debug)]
pub struct CalibrateOn<'a> {
    /// Fits it.
    pub calibrate: &'a World,
    /// Gives its reliability table.
    pub held_out: &'a World,
    /// Decisions over each.
    pub n_decisions: usize,
}

/// Writes the pack: weights as `quant`, and the calibration of what they say once they are packed. Concepts that are `left_out`, as the network
/// has not learned them, have their heads in the pack, but no score is shown.
///
/// # Errors
/// [`TrainError`] from the pack, the network or a damage.
pub fn export(
    weights: &Weights,
    config: &NanoConfig,
    tokenizer_json: &str,
    quant: Layout,
    on: &CalibrateOn<'_>,
    left_out: &[String],
    sink: impl PackSink,
) -> Result<Manifest, TrainError> {
    let weights = scaled(weights);
    let device = Device::flex();
    let raw = load(
        &write(&weights, manifest(config, quant), tokenizer_json)?,
        &device,
    )?;
    let fitted = decisions(&raw, on.calibrate, on.n_decisions)?;
    let calibration = calibrated(&fitted, &decisions(&raw, on.held_out, on.n_decisions)?);
    let mut manifest = Manifest {
        calibration,
        ..manifest(config, quant)
    };
    let is_shown = |concept: &String| !left_out.contains(concept);
    manifest.heads.concepts.retain(is_shown);
    let vectors = self_test(&raw)?;
    let mut writer = PackWriter::new(sink);
    fill(&mut writer, &weights, &manifest, tokenizer_json)?;
    let (input, expected) = &vectors;
    let vectors = SelfTestVectors {
        input_ids: &input.ids,
        image_grids: &input.grids,
        pixel_values: &input.patches,
        expected,
    };
    let self_test = writer.self_test(&vectors, SELF_TEST_TOLERANCE)?;
    Ok(writer.finish(Manifest {
        self_test: Some(self_test),
        ..manifest
    })?)
}

pub(crate) type Vectors = (servimage_model::ModelInput, servimage_model::Trace);

/// Whether a pack holds a tensor; the heads that exist only while training ([`crate::guesses`]) are in none.
pub(crate) fn is_packed(name: &str) -> bool {
    ["model.", "stage1.", "stage2."]
        .iter()
        .any(|part| name.starts_with(part))
}

/// What a run has beside its pack: heads that exist only while training. A run that goes on from the pack starts on them, or has
/// to learn them anew.
#[must_use]
pub fn training_heads(mut weights: Weights) -> Weights {
    weights.tensors.retain(|name, _| !is_packed(name));
    weights
}

/// The last payment layer divided by the factor that the network multiplies with.
fn scaled(weights: &Weights) -> Weights {
    multiplied(weights.clone(), 1.0 / PAY_LOGIT_SCALE as f32)
}

/// Weights of a pack as training has them: the last payment layer with its factor.
pub(crate) fn unscaled(weights: Weights) -> Weights {
    multiplied(weights, PAY_LOGIT_SCALE as f32)
}

fn multiplied(mut weights: Weights, factor: f32) -> Weights {
    for name in ["stage2.fc5.weight", "stage2.fc5.bias"] {
        if let Some(values) = weights.tensors.get_mut(name) {
            values.data.iter_mut().for_each(|value| *value *= factor);
        }
    }
    weights
}

fn write(
    weights: &Weights,
    manifest: Manifest,
    tokenizer_json: &str,
) -> Result<MemorySource, TrainError> {
    let mut memory = MemorySource::default();
    let mut writer = PackWriter::new(&mut memory);
    fill(&mut writer, weights, &manifest, tokenizer_json)?;
    writer.finish(manifest)?;
    Ok(memory)
}

fn load(memory: &MemorySource, device: &Device) -> Result<Scorer, TrainError> {
    let pack = pollster::block_on(Pack::open(memory.clone()))?;
    Scorer::load(&pack, device)
}

fn fill<K: PackSink>(
    writer: &mut PackWriter<K>,
    weights: &Weights,
    manifest: &Manifest,
    tokenizer_json: &str,
) -> Result<(), TrainError> {
    writer.tokenizer(tokenizer_json.as_bytes())?;
    let whole = Manifest {
        heads: Heads {
            concepts: CONCEPT_HEADS.map(|(name, _)| name.to_owned()).to_vec(),
            ..manifest.heads.clone()
        },
        ..manifest.clone()
    };
    for tensor in expected_tensors(&whole, |name| {
        weights.tensors.get(name).map(|values| values.shape.clone())
    }) {
        let missing = || TrainError::MissingTensor {
            name: tensor.name.clone(),
        };
        let values = weights.tensors.get(&tensor.name).ok_or_else(missing)?;
        let layout = tensor.layout(manifest.quant);
        writer.push(&tensor.name, &tensor.shape, layout, &values.data)?;
    }
    Ok(())
}

/// A small rendered picture and what the packed weights make of it on the CPU.
pub(crate) fn self_test(scorer: &Scorer) -> Result<Vectors, TrainError> {
    let picture = Scene {
        kind: SceneKind::Mug,
        seed: 21,
    }
    .render(96, 64);
    let brief = Brief {
        requirement: "A mug for a web shop, 白色".to_owned(),
        price_usd: 40.0,
    };
    let input = scorer.input(&[(Role::Candidate, picture)], &brief)?;
    let trace = scorer.trace(&input)?;
    Ok((input, trace))
}

fn calibrated(fitted: &[Decision], held_out: &[Decision]) -> Calibration {
    let logits: Vec<f64> = fitted.iter().map(|d| d.score.pay_logit).collect();
    let targets: Vec<f64> = fitted.iter().map(|d| f64::from(u8::from(d.paid))).collect();
    let (a, b) = fit_platt(&logits, &targets);
    let predicted: Vec<f64> = held_out
        .iter()
        .map(|d| crate::truth::sigmoid(a * d.score.pay_logit + b))
        .collect();
    let paid: Vec<bool> = held_out.iter().map(|d| d.paid).collect();
    let bins = reliability(&predicted, &paid, 10);
    let table = bins.iter().map(|bin| ReliabilityBin {
        predicted: bin.predicted,
        observed: bin.observed,
        n: bin.n,
    });
    Calibration {
        method: "platt".to_owned(),
        a,
        b,
        n: fitted.len() as u64,
        reliability: table.collect(),
    }
}

/// The manifest before calibration, self-test and tables.
pub(crate) fn manifest(config: &NanoConfig, quant: Layout) -> Manifest {
    let processor = processor();
    let blank = FileEntry {
        path: String::new(),
        size_bytes: 0,
        sha256: String::new(),
    };
    Manifest {
        format_version: FORMAT_VERSION,
        name: "nano".to_owned(),
        labels: LABELS.to_owned(),
        quant,
        text: config.text.clone(),
        vision: config.vision.clone(),
        special_tokens: SPECIAL_IDS,
        image_processor: ImageProcessor {
            min_pixels: processor.min_pixels,
            max_pixels: processor.max_pixels,
            mean: processor.mean,
            std: processor.std,
        },
        tokenizer: blank,
        card: None,
        template: template(),
        heads: Heads { concepts: CONCEPT_HEADS.map(|(name, _)| name.to_owned()).to_vec(), payment: true, zero_shot: None },
        payment_adapter: None,
        calibration: Calibration { method: "none".to_owned(), a: 1.0, b: 0.0, n: 0, reliability: Vec::new() },
        threshold: 0.5,
        score_weights: ["brf", "veq", "cns"].map(|group| (group.to_owned(), 1.0)).into(),
        self_test: None,
        provenance: PackProvenance {
            source: "servimage-train: seeded training on proxy labels over ServImageBench pictures and rendered scenes".to_owned(),
            licence: "MIT OR Apache-2.0".to_owned(),
            tool: format!("servimage-train {}", env!("CARGO_PKG_VERSION")),
        },
        shards: Vec::new(),
        tensors: Vec::new(),
    }
}
