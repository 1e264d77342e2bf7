//! What a training run promises: going on equals never having stopped, and its pack opens and scores.

use burn::tensor::Device;
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, MemorySource, Pack};
use servimage_train::batch::Sampler;
use servimage_train::brief::Brief;
use servimage_train::compare::{Difference, difference, verdicts};
use servimage_train::error::TrainError;
use servimage_train::evaluate::{decisions, payment_figures};
use servimage_train::export::export;
use servimage_train::nano::{NanoConfig, prompt_builder, tokenizer_json};
use servimage_train::run::Run;
use servimage_train::schedule::Schedule;
use servimage_train::scorer::Scorer;
use servimage_train::source::{Part, scenes};
use std::path::Path;

const SCHEDULE: Schedule = Schedule {
    n_steps: 4,
    n_pairs: 1,
    peak_rate: 1e-3,
    vision_share: 0.3,
    small_share: 0.75,
    quant: Layout::Q4,
    quant_share: 0.5,
    seed: 3,
    distinct: None,
};

/// A tiny network, its tokenizer, and a sampler over rendered scenes.
fn tiny() -> Result<(NanoConfig, String, Sampler), TrainError> {
    let tokenizer = tokenizer_json()?;
    let sampler = Sampler {
        pictures: scenes(Part::Train, 4).collect(),
        prompts: prompt_builder(&tokenizer)?,
        real_briefs: vec!["A brief of a real client".to_owned()],
        seed: 3,
    };
    Ok((NanoConfig::tiny(1024), tokenizer, sampler))
}

#[test]
fn a_run_that_stopped_and_went_on_ends_with_the_same_weights()
-> Result<(), Box<dyn std::error::Error>> {
    let (config, _, sampler) = tiny()?;
    let (whole, parts) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut straight = Run::open(whole.path(), SCHEDULE, config.clone(), &Device::flex())?;
    straight.train(&sampler, 4, |_, _| ())?;
    for until in [2, 4] {
        // Opened anew each time: everything that counts must come from the folder.
        Run::open(parts.path(), SCHEDULE, config.clone(), &Device::flex())?.train(
            &sampler,
            until,
            |_, _| (),
        )?;
    }
    let resumed = Run::open(parts.path(), SCHEDULE, config, &Device::flex())?;
    assert_eq!(resumed.step(), 4);
    assert_eq!(resumed.weights, straight.weights);
    assert_eq!(
        std::fs::read_to_string(whole.path().join("curve.csv"))?,
        std::fs::read_to_string(parts.path().join("curve.csv"))?
    );
    Ok(())
}

#[test]
fn a_pack_of_a_run_opens_verifies_and_scores_the_same_each_time()
-> Result<(), Box<dyn std::error::Error>> {
    let (config, tokenizer, sampler) = tiny()?;
    let folder = tempfile::tempdir()?;
    let mut run = Run::open(folder.path(), SCHEDULE, config.clone(), &Device::flex())?;
    run.train(&sampler, 4, |_, _| ())?;
    let pictures: Vec<_> = scenes(Part::HeldOut, 12).take(2).collect();
    let mut memory = MemorySource::default();
    export(
        &run.weights,
        &config,
        &tokenizer,
        Layout::Q4,
        &pictures,
        &pictures,
        &mut memory,
    )?;
    let pack = pollster::block_on(Pack::open(memory))?;
    assert!(pollster::block_on(pack.verify()).is_empty());
    assert_eq!(
        pack.manifest().heads.concepts,
        ["veq_clarity", "veq_aesthetic"]
    );
    assert!(pack.manifest().self_test.is_some());
    let scorer = Scorer::load(&pack, &Device::flex())?;
    let brief = Brief {
        requirement: "一张干净的图片".to_owned(),
        price_usd: 30.0,
    };
    let score = scorer.score(&pictures[0].picture, &brief)?;
    assert_eq!(score, scorer.score(&pictures[0].picture, &brief)?);
    assert!((1.0..=5.0).contains(&score.clarity) && score.pay_logit.is_finite());
    let figures = payment_figures(&decisions(&scorer, &pictures, true)?, 1.0, 0.0);
    assert_eq!(figures.accuracy.n, 24);
    assert!(figures.bayes >= 0.5 && figures.bayes <= 1.0);
    Ok(())
}

#[test]
fn a_run_does_not_go_on_with_another_schedule() -> Result<(), Box<dyn std::error::Error>> {
    let (config, _, sampler) = tiny()?;
    let folder = tempfile::tempdir()?;
    Run::open(folder.path(), SCHEDULE, config.clone(), &Device::flex())?.train(
        &sampler,
        1,
        |_, _| (),
    )?;
    let plain = Schedule {
        quant: Layout::F32,
        ..SCHEDULE
    };
    let refused = Run::open(folder.path(), plain, config, &Device::flex()).err();
    let message = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        message.contains("state.json")
            && message.contains("quant: Q4")
            && message.contains("quant: F32"),
        "{message}"
    );
    Ok(())
}

/// Trains the tiny network for 12 steps; its weights and the loss of each step.
fn trained(quant: Layout) -> Result<(Run, Vec<f32>), TrainError> {
    let (config, _, sampler) = tiny()?;
    let folder =
        std::env::temp_dir().join(format!("servimage-train-{}-{quant}", std::process::id()));
    let schedule = Schedule {
        n_steps: 12,
        quant,
        ..SCHEDULE
    };
    let mut run = Run::open(&folder, schedule, config, &Device::flex())?;
    let mut losses = Vec::new();
    run.train(&sampler, 12, |_, report| losses.push(report.guess))?;
    let _ = std::fs::remove_dir_all(&folder);
    Ok((run, losses))
}

/// What the q4 pack of a run says beside its f32 pack.
fn q4_beside_f32(run: &Run) -> Result<Difference, TrainError> {
    let (config, tokenizer, _) = tiny()?;
    let pictures: Vec<_> = scenes(Part::HeldOut, 12).take(2).collect();
    let said = |layout| -> Result<_, TrainError> {
        let mut memory = MemorySource::default();
        let weights = &run.weights;
        export(
            weights,
            &config,
            &tokenizer,
            layout,
            &pictures,
            &pictures,
            &mut memory,
        )?;
        let pack = pollster::block_on(Pack::open(memory))?;
        verdicts(&Scorer::load(&pack, &Device::flex())?, &pictures)
    };
    Ok(difference(&said(Layout::F32)?, &said(Layout::Q4)?))
}

#[test]
fn after_training_on_rounded_weights_the_q4_pack_says_what_the_f32_pack_says()
-> Result<(), Box<dyn std::error::Error>> {
    let (plain, plain_losses) = trained(Layout::F32)?;
    let (rounded, rounded_losses) = trained(Layout::Q4)?;
    // The same up to the first step on rounded weights, and from there on another network.
    assert_eq!(plain_losses[..6], rounded_losses[..6]);
    assert_ne!(plain_losses[6], rounded_losses[6]);
    let (plain, rounded) = (q4_beside_f32(&plain)?, q4_beside_f32(&rounded)?);
    assert!(
        rounded.mean_dp < 0.05 * plain.mean_dp && rounded.mean_clarity < 0.05 * plain.mean_clarity,
        "{rounded:?} beside {plain:?}"
    );
    Ok(())
}

#[test]
fn the_shipped_pack_is_q4_at_most_4_mb_and_sound() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public/models/nano");
    let pack = pollster::block_on(Pack::open(DirSource::new(folder)))?;
    let manifest = pack.manifest();
    let size_bytes: u64 = manifest.shards.iter().map(|shard| shard.size_bytes).sum();
    assert_eq!(manifest.quant, Layout::Q4);
    assert!(size_bytes <= 4_000_000, "{size_bytes} bytes");
    assert_eq!(manifest.calibration.method, "platt");
    let findings = pollster::block_on(pack.verify());
    assert!(findings.is_empty(), "{findings:?}");
    Ok(())
}
