//! What a training run promises: going on equals never having stopped, and its pack opens and scores.

mod going_on;

use burn::tensor::Device;
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, MemorySource, Pack};
use servimage_prompt::Role;
use servimage_train::batch::{Batch, Sampler};
use servimage_train::brief::Brief;
use servimage_train::compare::{Difference, difference, verdicts};
use servimage_train::decisions::decisions;
use servimage_train::error::TrainError;
use servimage_train::evaluate::payment_figures;
use servimage_train::export::{CalibrateOn, export};
use servimage_train::nano::{NanoConfig, prompt_builder, tokenizer_json};
use servimage_train::run::Run;
use servimage_train::schedule::Schedule;
use servimage_train::scorer::Scorer;
use servimage_train::source::{Part, scenes};
use servimage_train::world::World;
use std::path::Path;
use std::time::Instant;

/// What a test ends with.
type Tried = Result<(), Box<dyn std::error::Error>>;

const SCHEDULE: Schedule = Schedule {
    n_steps: 4,
    minutes: None,
    n_pairs: 2,
    n_parts: 1,
    peak_rate: 1e-3,
    vision_share: 0.3,
    small_share: 1.0,
    quant: Layout::Q4,
    quant_share: 0.5,
    seed: 3,
    distinct: None,
    shuffle_labels: false,
    goes_on: false,
    alone_share: 0.0,
    head_examples: 0,
    vision_layers: 2,
};

fn world(part: Part, n_scenes: u64) -> World {
    World {
        pictures: scenes(part, n_scenes).collect(),
        real_briefs: Vec::new(),
        part,
    }
}

/// A tiny network, its tokenizer, and a sampler over rendered scenes.
fn tiny() -> Result<(NanoConfig, String, Sampler), TrainError> {
    let tokenizer = tokenizer_json()?;
    let mut world = world(Part::Train, 4);
    world
        .real_briefs
        .push("A brief of a real client".to_owned());
    let sampler = Sampler {
        world,
        prompts: prompt_builder(&tokenizer)?,
        seed: 3,
        shuffle_labels: false,
    };
    Ok((NanoConfig::tiny(1024), tokenizer, sampler))
}

#[test]
fn a_run_that_stopped_and_went_on_ends_with_the_same_weights() -> Tried {
    let (config, _, sampler) = tiny()?;
    let (whole, parts) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut straight = Run::open(whole.path(), SCHEDULE, config.clone(), &Device::flex())?;
    straight.train(&sampler, 4, 1, Instant::now(), |_, _| ())?;
    for until in [2, 4] {
        // Opened anew each time, with other threads: everything that counts must come from the folder.
        let mut run = Run::open(parts.path(), SCHEDULE, config.clone(), &Device::flex())?;
        run.train(&sampler, until, 3, Instant::now(), |_, _| ())?;
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

/// The q4 pack of a run, without one of the concepts.
fn packed(
    run: &Run,
    config: &NanoConfig,
    tokenizer: &str,
) -> Result<Pack<MemorySource>, TrainError> {
    let mut memory = MemorySource::default();
    let on = CalibrateOn {
        calibrate: &world(Part::Calibrate, 12),
        held_out: &world(Part::HeldOut, 12),
        n_decisions: 8,
    };
    let left_out = ["cns_set".to_owned()];
    export(
        &run.weights,
        config,
        tokenizer,
        Layout::Q4,
        &on,
        &left_out,
        &mut memory,
    )?;
    Ok(pollster::block_on(Pack::open(memory))?)
}

#[test]
fn a_pack_of_a_run_opens_verifies_and_scores_the_same_each_time() -> Tried {
    let (config, tokenizer, sampler) = tiny()?;
    let folder = tempfile::tempdir()?;
    let mut run = Run::open(folder.path(), SCHEDULE, config.clone(), &Device::flex())?;
    run.train(&sampler, 4, 1, Instant::now(), |_, _| ())?;
    let held_out = world(Part::HeldOut, 12);
    let pack = packed(&run, &config, &tokenizer)?;
    assert!(pollster::block_on(pack.verify()).is_empty());
    let concepts = [
        "brf",
        "veq_clarity",
        "veq_realism",
        "veq_aesthetic",
        "veq_text",
        "cns_edit",
    ];
    assert_eq!(
        pack.manifest().heads.concepts,
        concepts,
        "all but what was left out"
    );
    assert!(pack.manifest().self_test.is_some());
    let scorer = Scorer::load(&pack, &Device::flex())?;
    let brief = Brief {
        requirement: "一张干净的图片".to_owned(),
        price_usd: 30.0,
    };
    let images = [(Role::Candidate, held_out.pictures[0].picture.clone())];
    let score = scorer.score(&images, &brief)?;
    assert_eq!(score, scorer.score(&images, &brief)?);
    assert!(
        score
            .concepts
            .iter()
            .all(|concept| (1.0..=5.0).contains(concept))
            && score.pay_logit.is_finite()
    );
    let figures = payment_figures(&decisions(&scorer, &held_out, 24)?, 1.0, 0.0);
    assert_eq!(figures.accuracy.n, 24);
    assert!(figures.bayes >= 0.5 && figures.bayes <= 1.0);
    Ok(())
}

/// What a batch says is true of its examples, with the labels shuffled or not.
fn batch_of(shuffle_labels: bool) -> Result<Batch, TrainError> {
    let (_, _, sampler) = tiny()?;
    let sampler = Sampler {
        shuffle_labels,
        ..sampler
    };
    let schedule = Schedule {
        n_pairs: 8,
        ..SCHEDULE
    };
    sampler.batch(1, &schedule.plan(1, 0.9))
}

#[test]
fn shuffled_labels_are_the_same_truths_in_front_of_other_pictures() -> Result<(), TrainError> {
    let (straight, shuffled) = (batch_of(false)?, batch_of(true)?);
    assert_eq!(straight.ids, shuffled.ids);
    // No example keeps its own truth or gets that of the other one of its pair.
    let pairs = |batch: &Batch| -> Vec<[f32; 2]> {
        let pairs = batch.targets.pay_logits.as_chunks::<2>();
        pairs.0.to_vec()
    };
    for (own, given) in pairs(&straight).iter().zip(pairs(&shuffled)) {
        assert!(given.iter().all(|logit| !own.contains(logit)), "{own:?}");
    }
    let sorted = |batch: &Batch| {
        let mut logits = batch.targets.pay_logits.clone();
        logits.sort_by(f32::total_cmp);
        logits
    };
    assert_eq!(sorted(&straight), sorted(&shuffled));
    Ok(())
}

/// The parts of the loss of each step.
type Losses = Vec<[f32; 7]>;

/// Trains the tiny network for 12 steps.
fn trained(quant: Layout) -> Result<(Run, Losses), Box<dyn std::error::Error>> {
    let (config, _, sampler) = tiny()?;
    let folder = tempfile::tempdir()?;
    let schedule = Schedule {
        n_steps: 12,
        quant,
        ..SCHEDULE
    };
    let mut run = Run::open(folder.path(), schedule, config, &Device::flex())?;
    let mut losses = Vec::new();
    run.train(&sampler, 12, 1, Instant::now(), |_, report| {
        losses.push(report.parts)
    })?;
    Ok((run, losses))
}

/// What the q4 pack of a run says beside its f32 pack.
fn q4_beside_f32(run: &Run) -> Result<Difference, TrainError> {
    let (config, tokenizer, _) = tiny()?;
    let held_out = world(Part::HeldOut, 12);
    let said = |layout| -> Result<_, TrainError> {
        let mut memory = MemorySource::default();
        export(
            &run.weights,
            &config,
            &tokenizer,
            layout,
            &CalibrateOn {
                calibrate: &held_out,
                held_out: &held_out,
                n_decisions: 8,
            },
            &[],
            &mut memory,
        )?;
        let pack = pollster::block_on(Pack::open(memory))?;
        verdicts(&Scorer::load(&pack, &Device::flex())?, &held_out, 24)
    };
    Ok(difference(&said(Layout::F32)?, &said(Layout::Q4)?))
}

#[test]
fn after_training_on_rounded_weights_the_q4_pack_says_what_the_f32_pack_says() -> Tried {
    let (plain, plain_losses) = trained(Layout::F32)?;
    let (rounded, rounded_losses) = trained(Layout::Q4)?;
    // The same up to the first step on rounded weights, and from there on another network.
    assert_eq!(plain_losses[..6], rounded_losses[..6]);
    assert_ne!(plain_losses[6], rounded_losses[6]);
    let (plain, rounded) = (q4_beside_f32(&plain)?, q4_beside_f32(&rounded)?);
    assert!(
        rounded.mean_concept < 0.05 * plain.mean_concept,
        "{rounded:?} beside {plain:?}"
    );
    Ok(())
}

#[test]
fn the_shipped_pack_is_q4_at_most_6_mb_and_sound() -> Tried {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../public/models/nano");
    let pack = pollster::block_on(Pack::open(DirSource::new(folder)))?;
    let manifest = pack.manifest();
    let size_bytes: u64 = manifest.shards.iter().map(|shard| shard.size_bytes).sum();
    assert_eq!(manifest.quant, Layout::Q4);
    assert!(size_bytes <= 6_000_000, "{size_bytes} bytes");
    assert_eq!(manifest.calibration.method, "platt");
    let findings = pollster::block_on(pack.verify());
    assert!(findings.is_empty(), "{findings:?}");
    Ok(())
}
