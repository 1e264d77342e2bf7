//! What quantization changes on a golden's network: its verdicts in each layout, over made-up pictures under the starter tasks.
//!
//! A random network has no calibration: its P(pay) is mostly the bias of its last layer and its decisions tend to be one, so agreement
//! there shows little. So the payment is compared twice: as the pack says it, and with each layout's log-odds standardized to median
//! 0 and deviation `SPREAD`, which blows up the little that such a network makes of its input, rounding noise included.

use crate::parity::{pack_of, staged_options};
use anyhow::Context;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::Serialize;
use servimage_bench::starter::starter_tasks;
use servimage_bench::task::Task;
use servimage_engine::{Engine, OpenDevice, processor};
use servimage_image::{Rgb8Image, patchify};
use servimage_model::heads::CONCEPT_HEADS;
use servimage_model::{ModelInput, ModelOutput};
use servimage_pack::{Layout, Manifest, MemorySource, Pack};
use servimage_prompt::{ImageSlot, PromptBuilder, Role, Tokenizer};
use std::collections::BTreeMap;
use std::path::Path;

/// Layouts that are held against f32.
pub const LAYOUTS: [Layout; 3] = [Layout::F16, Layout::Q8, Layout::Q4];

/// Standard deviation of the standardized log-odds: one deviation from the median is a P(pay) of 0.12 or 0.88.
const SPREAD: f64 = 2.0;

/// How far one layout's verdicts are from those of f32.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayoutQuality {
    /// The layout.
    pub quant: Layout,
    /// Decisions compared.
    pub n: usize,
    /// The payment as the pack says it.
    pub plain: PaymentDifference,
    /// The payment with standardized log-odds.
    pub standardized: PaymentDifference,
    /// Mean and largest |difference|, in points of 1..=5, by concept.
    pub concepts: BTreeMap<&'static str, [f64; 2]>,
}

/// How far one layout's payments are from those of f32.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PaymentDifference {
    /// Share of the same decision.
    pub agreement: f64,
    /// Mean |difference of P(pay)|.
    pub mean_dp: f64,
    /// Largest |difference of P(pay)|.
    pub max_dp: f64,
}

/// What a network says of one input.
struct Said {
    pay_log_odds: f64,
    concepts: [f64; 7],
}

/// Runs `n_inputs` through the golden's network in f32 and in each of [`LAYOUTS`].
///
/// # Errors
/// A golden without trained heads, one that cannot be converted, or a device that fails.
pub async fn quality(
    golden: &Path,
    n_inputs: usize,
    device: &OpenDevice,
) -> anyhow::Result<Vec<LayoutQuality>> {
    let mut options = staged_options(golden, Layout::F32);
    let expected = verdicts(pack_of(&options)?, n_inputs, device).await?;
    let mut rows = Vec::with_capacity(LAYOUTS.len());
    for quant in LAYOUTS {
        options.quant = quant;
        let found = verdicts(pack_of(&options)?, n_inputs, device).await?;
        rows.push(difference(quant, &expected, &found));
    }
    Ok(rows)
}

async fn verdicts(
    files: MemorySource,
    n_inputs: usize,
    device: &OpenDevice,
) -> anyhow::Result<Vec<Said>> {
    let inputs = inputs(&files, n_inputs).await?;
    let engine = Engine::load_unproven(files, device.clone(), &mut |_, _, _| ()).await?;
    let mut said = Vec::with_capacity(inputs.len());
    for input in &inputs {
        said.push(said_of(&engine.model().evaluate(input).await?)?);
    }
    Ok(said)
}

/// Starter tasks in turn, each over pictures of its own; the same for every pack of one golden.
async fn inputs(files: &MemorySource, n_inputs: usize) -> anyhow::Result<Vec<ModelInput>> {
    let pack = Pack::open(files.clone()).await?;
    let tokenizer = Tokenizer::from_json(&pack.tokenizer_json().await?)?;
    let prompts = PromptBuilder::new(tokenizer, pack.manifest())?;
    let tasks = starter_tasks();
    let mut rng = SmallRng::seed_from_u64(5);
    // Task after task, so that each prefix is computed once.
    (0..n_inputs)
        .map(|i| {
            made_up(
                pack.manifest(),
                &prompts,
                &tasks[i * tasks.len() / n_inputs],
                &mut rng,
            )
        })
        .collect()
}

fn made_up(
    manifest: &Manifest,
    prompts: &PromptBuilder,
    task: &Task,
    rng: &mut SmallRng,
) -> anyhow::Result<ModelInput> {
    let patches = patchify(&picture(rng)?, &processor(manifest));
    let slot = ImageSlot {
        role: Role::Candidate,
        grid: patches.grid,
    };
    let prompt = prompts.build(task, 1, &[slot])?;
    Ok(ModelInput {
        ids: prompt.ids,
        positions: prompt.positions,
        patches: patches.rows,
        grids: vec![patches.grid],
        prefix_len: prompt.prefix_len,
    })
}

/// Waves of random direction, frequency and strength a channel, under some noise.
fn picture(rng: &mut SmallRng) -> anyhow::Result<Rgb8Image> {
    const N_WAVES: usize = 4;
    let (width, height) = (rng.random_range(64..320), rng.random_range(64..320));
    let noise = rng.random_range(0.0..40.0_f32);
    let waves: [[[f32; 4]; N_WAVES]; 3] = std::array::from_fn(|_| {
        std::array::from_fn(|_| {
            let [x, y] = [0, 1].map(|_| rng.random_range(-0.3..0.3_f32).powi(3) * 20.0);
            [
                x,
                y,
                rng.random_range(0.0..6.3),
                rng.random_range(0.0..60.0),
            ]
        })
    });
    let base: [f32; 3] = std::array::from_fn(|_| rng.random_range(30.0..225.0));
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for i in 0..width * height {
        let (column, row) = ((i % width) as f32, (i / width) as f32);
        pixels.extend((0..3).map(|channel| {
            let wave = |[x, y, phase, size]: &[f32; 4]| (column * x + row * y + phase).sin() * size;
            let sum: f32 = waves[channel].iter().map(wave).sum();
            (base[channel] + sum + noise * rng.random_range(-1.0..1.0_f32)) as u8
        }));
    }
    Rgb8Image::new(width, height, pixels).context("the made-up picture has wrong sides")
}

fn said_of(output: &ModelOutput) -> anyhow::Result<Said> {
    let concepts = output
        .concept_logits
        .context("the golden has no stage 1: there are no concepts to compare")?;
    let [reject, accept] = output.pay_logits.map(f64::from);
    Ok(Said {
        pay_log_odds: accept - reject,
        concepts: concepts.map(|logits| expectation(&logits[..5])),
    })
}

/// Mean score of logits over the classes 1..=5.
fn expectation(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let weights = logits.iter().map(|z| f64::from(z - largest).exp());
    let (sum, total) = weights
        .zip(1..)
        .fold((0.0, 0.0), |(sum, total), (weight, score)| {
            (sum + weight * f64::from(score), total + weight)
        });
    sum / total
}

/// Median 0, standard deviation [`SPREAD`].
fn standardized(log_odds: &[f64]) -> Vec<f64> {
    let mut sorted = log_odds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len().max(1) as f64;
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let mean = sorted.iter().sum::<f64>() / n;
    let variance = sorted.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n;
    let factor = SPREAD / variance.sqrt().max(f64::MIN_POSITIVE);
    log_odds.iter().map(|z| (z - median) * factor).collect()
}

/// Mean and largest |difference|.
fn spread(pairs: impl Iterator<Item = (f64, f64)>) -> [f64; 2] {
    let (mut n, mut sum, mut max) = (0, 0.0, 0.0_f64);
    for (a, b) in pairs {
        let difference = (a - b).abs();
        (n, sum, max) = (n + 1, sum + difference, max.max(difference));
    }
    [sum / f64::from(n.max(1)), max]
}

fn payments(expected: &[f64], found: &[f64]) -> PaymentDifference {
    let p_pay = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
    let pairs = || expected.iter().copied().zip(found.iter().copied());
    let same = pairs().filter(|(a, b)| (*a >= 0.0) == (*b >= 0.0)).count();
    let [mean_dp, max_dp] = spread(pairs().map(|(a, b)| (p_pay(a), p_pay(b))));
    PaymentDifference {
        agreement: same as f64 / expected.len().max(1) as f64,
        mean_dp,
        max_dp,
    }
}

fn difference(quant: Layout, expected: &[Said], found: &[Said]) -> LayoutQuality {
    let [of_expected, of_found] =
        [expected, found].map(|all| all.iter().map(|said| said.pay_log_odds).collect::<Vec<_>>());
    let concept = |i: usize| {
        let pairs = expected.iter().zip(found);
        spread(pairs.map(|(a, b)| (a.concepts[i], b.concepts[i])))
    };
    let names = CONCEPT_HEADS.iter().enumerate();
    LayoutQuality {
        quant,
        n: expected.len(),
        plain: payments(&of_expected, &of_found),
        standardized: payments(&standardized(&of_expected), &standardized(&of_found)),
        concepts: names.map(|(i, (name, _))| (*name, concept(i))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_are_standardized_to_their_median_and_spread() {
        let odds = standardized(&[12.0, 10.0, 11.0]);
        assert!(odds[2].abs() < 1e-9 && (odds[0] - SPREAD * 1.5_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn differences_are_counted_over_all_inputs() {
        let said = |log_odds: [f64; 2]| {
            log_odds.map(|pay_log_odds| Said {
                pay_log_odds,
                concepts: [pay_log_odds; 7],
            })
        };
        let row = difference(Layout::Q4, &said([-1.0, 2.0]), &said([1.0, 2.0]));
        assert_eq!((row.n, row.plain.agreement), (2, 0.5));
        assert!((row.plain.max_dp - 0.4621).abs() < 1e-4);
        assert!((row.plain.mean_dp - 0.2311).abs() < 1e-4);
        assert_eq!(row.concepts["cns_set"], [1.0, 2.0]);
    }
}
