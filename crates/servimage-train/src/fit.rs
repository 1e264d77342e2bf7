//! Real decisions, the day there are any: fits the payment head and its calibration over the frozen backbone of a pack.
//!
//! Rows are upstream's (one human decision a deliverable). Every fifth task, by the SHA-1 of its id, is kept from the head and
//! fits the calibration and the figures. Concepts have no human labels and stay as they are.

use crate::error::TrainError;
use crate::export::self_test;
use crate::figures::fit_platt;
use crate::optimizer::{AdamW, learning_rate};
use crate::payment_head::differentiate;
use crate::scorer::Scorer;
use crate::source::{Part, decode};
use crate::trainee::{binary, column, log_odds, table};
use crate::truth::sigmoid;
use crate::weights::{NamedParams, Rounded, Values, Weights};
use burn::tensor::Device;
use serde::Serialize;
use servimage_bench::agreement::{auroc, brier, ece, reliability};
use servimage_bench::results::ResultRow;
use servimage_bench::task::Task;
use servimage_model::heads::{PAY_LOGIT_SCALE, PaymentHead};
use servimage_pack::manifest::{Calibration, Manifest, ReliabilityBin};
use servimage_pack::{MemorySource, Pack, PackSink, PackSource, PackWriter, SelfTestVectors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Steps over all rows at once.
const N_STEPS: u64 = 300;
const PEAK_RATE: f32 = 2e-3;
/// Fewer rows than this on either side say nothing.
const LEAST_ROWS: usize = 8;
const QUERY: &str = "stage2.attention_pooling.attention_query";

/// A decision with what the backbone sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// `[d_model]` pooled vector of the payment head.
    pub pooled: Vec<f32>,
    /// The human decision.
    pub paid: bool,
    /// Whether it is kept from the head.
    pub kept: bool,
}

/// Figures over the kept rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FitFigures {
    /// Rows that fitted the head.
    pub n_fitted: usize,
    /// Rows that fitted the calibration.
    pub n_kept: usize,
    /// AUROC before and after.
    pub auroc: [f64; 2],
    /// Brier score before and after.
    pub brier: [f64; 2],
    /// Calibration error after, over five bins of equal mass.
    pub ece: f64,
}

/// What the backbone makes of each row's image, and the rows without one.
///
/// The image of a row is `MODEL/TASK/SUBTASK.EXT` or `TASK/SUBTASK.EXT` below `images`.
///
/// # Errors
/// [`TrainError`] where an image cannot be decoded or the network fails.
pub fn see_rows<S: PackSource>(
    pack: &Pack<S>,
    scorer: &Scorer,
    rows: &[ResultRow],
    tasks: &[Task],
    images: &Path,
) -> Result<(Vec<Seen>, Vec<String>), TrainError> {
    let query = pollster::block_on(pack.read_tensor(QUERY))?.to_f32()?;
    let (mut seen, mut missing) = (Vec::new(), Vec::new());
    for row in rows {
        let id = row.task_id();
        let (deliverable, paid) = (
            row.deliverable().unwrap_or(1),
            row.accepted().unwrap_or_default(),
        );
        let task = tasks.iter().find(|task| task.task_id == id);
        let file = image_of(images, row.model().as_deref(), &id, deliverable);
        let (Some(task), Some(path)) = (task, file) else {
            missing.push(format!("{id}/subtask_{deliverable}"));
            continue;
        };
        let bytes = std::fs::read(&path).map_err(|source| TrainError::File {
            path: path.clone(),
            source,
        })?;
        let picture = decode(&bytes).map_err(|source| TrainError::Picture { path, source })?;
        let trace = scorer.trace(&scorer.input_of(task, deliverable, &picture)?)?;
        let hidden = trace
            .into_iter()
            .find(|(name, _)| name == "stage2.hidden_states");
        let hidden = hidden.map(|(_, values)| values).unwrap_or_default();
        let kept = Part::of(id.as_bytes()) == Part::HeldOut;
        seen.push(Seen {
            pooled: pool(&hidden, &query),
            paid,
            kept,
        });
    }
    Ok((seen, missing))
}

/// `softmax(q . h_i / sqrt(d))`-weighted sum of the rows `h_i`.
fn pool(hidden: &[f32], query: &[f32]) -> Vec<f32> {
    let d_model = query.len();
    let scale = (d_model as f32).sqrt();
    let dot = |row: &[f32]| row.iter().zip(query).map(|(h, q)| h * q).sum::<f32>() / scale;
    let scores: Vec<f32> = hidden.chunks_exact(d_model).map(dot).collect();
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let weights: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
    let total: f32 = weights.iter().sum();
    let mut pooled = vec![0.0; d_model];
    for (row, weight) in hidden.chunks_exact(d_model).zip(weights) {
        pooled
            .iter_mut()
            .zip(row)
            .for_each(|(sum, h)| *sum += h * weight / total);
    }
    pooled
}

/// The file of a row's image.
fn image_of(
    images: &Path,
    model: Option<&str>,
    task_id: &str,
    deliverable: u32,
) -> Option<PathBuf> {
    let folders = [
        images.join(model.unwrap_or_default()).join(task_id),
        images.join(task_id),
    ];
    let files = folders.iter().flat_map(|folder| {
        ["jpg", "jpeg", "png", "webp"]
            .map(|ending| folder.join(format!("subtask_{deliverable}.{ending}")))
    });
    files.into_iter().find(|path| path.is_file())
}

/// Fits the payment head of `pack` and its calibration to `seen` and writes the pack anew.
///
/// # Errors
/// [`TrainError::TooFewRows`] where either side has hardly any; [`TrainError`] from the pack or the network.
pub fn fit<S: PackSource>(
    pack: &Pack<S>,
    seen: &[Seen],
    sink: impl PackSink,
) -> Result<(FitFigures, Manifest), TrainError> {
    let (kept, fitted): (Vec<&Seen>, Vec<&Seen>) = seen.iter().partition(|row| row.kept);
    for (side, rows) in [("fit the head", &fitted), ("fit the calibration", &kept)] {
        if rows.len() < LEAST_ROWS {
            return Err(TrainError::TooFewRows {
                side,
                expected: LEAST_ROWS,
                found: rows.len(),
            });
        }
    }
    let (mut weights, widths) = head_of(pack)?;
    let before = logits(&weights, widths, &kept)?;
    train_head(&mut weights, widths, &fitted)?;
    let after = logits(&weights, widths, &kept)?;
    let paid: Vec<bool> = kept.iter().map(|row| row.paid).collect();
    let targets: Vec<f64> = paid.iter().map(|paid| f64::from(u8::from(*paid))).collect();
    let (a, b) = fit_platt(&after, &targets);
    let old = &pack.manifest().calibration;
    let predicted = |logits: &[f64], a: f64, b: f64| {
        logits
            .iter()
            .map(|z| sigmoid(a * z + b))
            .collect::<Vec<f64>>()
    };
    let (first, last) = (predicted(&before, old.a, old.b), predicted(&after, a, b));
    let bins = reliability(&last, &paid, 5);
    let figures = FitFigures {
        n_fitted: fitted.len(),
        n_kept: kept.len(),
        auroc: [auroc(&first, &paid), auroc(&last, &paid)],
        brier: [brier(&first, &paid), brier(&last, &paid)],
        ece: ece(&bins),
    };
    let table = bins.iter().map(|bin| ReliabilityBin {
        predicted: bin.predicted,
        observed: bin.observed,
        n: bin.n,
    });
    let manifest = Manifest {
        labels: format!(
            "Payment: fitted on {} human decisions, calibrated on {} others. Concepts: {}",
            fitted.len(),
            kept.len(),
            pack.manifest().labels
        ),
        calibration: Calibration {
            method: "platt".to_owned(),
            a,
            b,
            n: kept.len() as u64,
            reliability: table.collect(),
        },
        self_test: None,
        ..pack.manifest().clone()
    };
    Ok((figures, rewrite(pack, &weights, manifest, sink)?))
}

/// Weights of the payment head with the model's factor multiplied in, and its widths.
fn head_of<S: PackSource>(pack: &Pack<S>) -> Result<(Weights, [usize; 6]), TrainError> {
    let mut weights = Weights::default();
    let mut widths = [0; 6];
    for layer in 1..=5 {
        for part in ["weight", "bias"] {
            let name = format!("stage2.fc{layer}.{part}");
            let tensor = pollster::block_on(pack.read_tensor(&name))?;
            let mut data = tensor.to_f32()?;
            if layer == 5 {
                data.iter_mut()
                    .for_each(|value| *value *= PAY_LOGIT_SCALE as f32);
            }
            if part == "weight" {
                (widths[layer - 1], widths[layer]) = (tensor.shape[1], tensor.shape[0]);
            }
            weights.tensors.insert(
                name,
                Values {
                    shape: tensor.shape,
                    data,
                },
            );
        }
    }
    Ok((weights, widths))
}

/// `[rows, d_model]`
fn pooled(rows: &[&Seen]) -> Vec<f32> {
    rows.iter().flat_map(|row| row.pooled.clone()).collect()
}

fn logits(weights: &Weights, widths: [usize; 6], rows: &[&Seen]) -> Result<Vec<f64>, TrainError> {
    let (rounded, device) = (Rounded::new(), Device::flex());
    let mut source = NamedParams::new(weights, &rounded, 0, &device);
    let head = pollster::block_on(PaymentHead::load(&mut source, widths))?;
    let said = head.forward(table(&pooled(rows), rows.len(), &device));
    let odds = log_odds(said).into_data();
    Ok(odds.iter::<f32>().map(f64::from).collect())
}

fn train_head(weights: &mut Weights, widths: [usize; 6], rows: &[&Seen]) -> Result<(), TrainError> {
    let pooled = pooled(rows);
    let paid: Vec<f32> = rows
        .iter()
        .map(|row| if row.paid { 1.0 } else { 0.0 })
        .collect();
    let mut optimizer = AdamW {
        weight_decay: 0.05,
        moments: Weights::default(),
    };
    for step in 0..N_STEPS {
        let (gradients, _) = differentiate(weights, widths, &pooled, |said, device| {
            binary(log_odds(said), column(&paid, device))
        })?;
        optimizer.step(
            weights,
            &gradients,
            step,
            learning_rate(step as f32 / N_STEPS as f32, PEAK_RATE),
        );
    }
    Ok(())
}

/// The pack with other weights in the payment head, with a self-test of its own.
fn rewrite<S: PackSource>(
    pack: &Pack<S>,
    head: &Weights,
    manifest: Manifest,
    sink: impl PackSink,
) -> Result<Manifest, TrainError> {
    let mut head = head.clone();
    for name in ["stage2.fc5.weight", "stage2.fc5.bias"] {
        let values = head.tensors.get_mut(name).map(|values| &mut values.data);
        values
            .into_iter()
            .flatten()
            .for_each(|value| *value /= PAY_LOGIT_SCALE as f32);
    }
    let mut memory = MemorySource::default();
    let mut writer = PackWriter::new(&mut memory);
    copy(pack, &head, &mut writer)?;
    writer.finish(manifest.clone())?;
    let scorer = Scorer::load(&pollster::block_on(Pack::open(memory))?, &Device::flex())?;
    let (input, expected) = self_test(&scorer)?;
    let mut writer = PackWriter::new(sink);
    copy(pack, &head, &mut writer)?;
    let vectors = SelfTestVectors {
        input_ids: &input.ids,
        image_grids: &input.grids,
        pixel_values: &input.patches,
        expected: &expected,
    };
    let self_test = writer.self_test(&vectors, crate::export::SELF_TEST_TOLERANCE)?;
    Ok(writer.finish(Manifest {
        self_test: Some(self_test),
        ..manifest
    })?)
}

/// All tensors of the network, those of `head` in place of the pack's own; not the old self-test.
fn copy<S: PackSource, K: PackSink>(
    pack: &Pack<S>,
    head: &Weights,
    writer: &mut PackWriter<K>,
) -> Result<(), TrainError> {
    writer.tokenizer(&pollster::block_on(pack.tokenizer_json())?)?;
    let names: BTreeMap<_, _> = pack
        .manifest()
        .tensors
        .iter()
        .map(|entry| (&entry.name, entry))
        .collect();
    for (name, entry) in names {
        if name.starts_with("self_test") {
            continue;
        }
        match head.tensors.get(name) {
            Some(values) => writer.push(name, &values.shape, entry.layout, &values.data)?,
            None => {
                let tensor = pollster::block_on(pack.read_tensor(name))?;
                writer.push_bytes(name, &tensor.shape, tensor.layout, &tensor.bytes)?;
            }
        }
    }
    Ok(())
}
