//! What a training run promises: going on equals never having stopped, and its pack opens and scores.

use burn::tensor::Device;
use servimage_pack::{Layout, MemorySource, Pack};
use servimage_train::batch::Sampler;
use servimage_train::brief::Brief;
use servimage_train::error::TrainError;
use servimage_train::evaluate::{decisions, payment_figures};
use servimage_train::export::export;
use servimage_train::nano::{NanoConfig, prompt_builder, tokenizer_json};
use servimage_train::run::{Run, Schedule};
use servimage_train::scorer::Scorer;
use servimage_train::source::{Part, scenes};

const SCHEDULE: Schedule = Schedule {
    n_steps: 4,
    n_pairs: 1,
    peak_rate: 1e-3,
    vision_share: 0.3,
    small_share: 0.75,
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
