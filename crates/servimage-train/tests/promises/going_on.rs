//! Runs that go on: from another run, from a pack, and all of them again.

use crate::{SCHEDULE, Tried, packed, tiny};
use burn::tensor::Device;
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, MemorySource, Pack};
use servimage_train::about::{Evaluation, PackFacts, TrainingFacts, read_json};
use servimage_train::again::{folders, train_again};
use servimage_train::batch::Sampler;
use servimage_train::error::TrainError;
use servimage_train::export::training_heads;
use servimage_train::nano::NanoConfig;
use servimage_train::payment_head::HeadWork;
use servimage_train::run::{Run, StepReport};
use servimage_train::schedule::Schedule;
use servimage_train::trainee::Trainee;
use servimage_train::weights::{Rounded, Values, Weights};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

/// A tiny run in a folder that has ended, and what it was made of.
fn ended(folder: &Path) -> Result<(NanoConfig, String, Sampler, Run), TrainError> {
    let (config, tokenizer, sampler) = tiny()?;
    let mut run = Run::open(folder, SCHEDULE, config.clone(), &Device::flex())?;
    run.train(&sampler, 4, 1, Instant::now(), |_, _| ())?;
    Ok((config, tokenizer, sampler, run))
}

/// The evaluation of the pack that ships.
fn shipped() -> Result<Evaluation, TrainError> {
    read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("evaluations/nano.json"))
}

/// The same as if it were of another pack, that of a run.
fn evaluated(pack: &Pack<MemorySource>, run: &Path) -> Result<Evaluation, TrainError> {
    Ok(Evaluation {
        pack: PackFacts::of(pack),
        training: Some(TrainingFacts::read(run)?),
        ..shipped()?
    })
}

/// What an error says; nothing where there is none.
fn said<T>(tried: Result<T, TrainError>) -> String {
    (tried.err()).map_or_else(String::new, |error| error.to_string())
}

/// How far two tensors are apart at most.
fn apart(one: &Values, other: &Values) -> f32 {
    let both = one.data.iter().zip(&other.data);
    both.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_run_that_goes_on_from_another_starts_on_its_weights_and_counts_its_examples() -> Tried {
    let (config, _, sampler) = tiny()?;
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut before = Run::open(first.path(), SCHEDULE, config.clone(), &Device::flex())?;
    before.train(&sampler, 2, 1, Instant::now(), |_, _| ())?;
    // Nothing is learned at this rate: what is there afterwards was there before.
    let still = Schedule {
        n_steps: 2,
        peak_rate: 0.0,
        quant_share: 0.0,
        vision_share: 0.0,
        goes_on: true,
        ..SCHEDULE
    };
    let mut run = Run::open(second.path(), still, config, &Device::flex())?;
    let message = said(run.go_on_from(first.path()));
    assert!(message.contains("has not ended"), "{message}");
    before.train(&sampler, 4, 1, Instant::now(), |_, _| ())?;
    run.go_on_from(first.path())?;
    run.train(&sampler, 2, 1, Instant::now(), |_, _| ())?;
    assert_eq!(run.weights, before.weights);
    let facts = TrainingFacts::read(second.path())?;
    assert_eq!(facts.n_examples(), 4 * 4 + 2 * 4);
    Ok(())
}

#[test]
fn a_run_goes_on_from_a_pack_and_what_the_pack_lacks_learns_first() -> Tried {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (config, tokenizer, sampler, before) = ended(first.path())?;
    let pack = packed(&before, &config, &tokenizer)?;
    let others = shipped()?;
    let alone = Schedule {
        n_steps: 3,
        quant_share: 0.0,
        goes_on: true,
        alone_share: 1.0,
        ..SCHEDULE
    };
    let mut run = Run::open(second.path(), alone, config.clone(), &Device::flex())?;
    let message = said(run.go_on_from_pack(&pack, &others, None));
    assert!(
        message.contains(pack.sha256()) && message.contains(&others.pack.sha256),
        "{message}"
    );
    let evaluation = evaluated(&pack, first.path())?;
    run.go_on_from_pack(&pack, &evaluation, None)?;
    // A run of the same schedule that goes on from the run of the pack starts on the same tensors.
    let third = tempfile::tempdir()?;
    let mut beside = Run::open(third.path(), alone, config, &Device::flex())?;
    beside.go_on_from(first.path())?;
    let [one, other] = [&beside, &run].map(|run| run.weights.tensors.keys());
    assert!(one.eq(other));
    run.train(&sampler, 2, 1, Instant::now(), |_, _| ())?;
    let own = |name: &str| (pack.manifest().tensors.iter()).any(|entry| entry.name == name);
    let two_steps = run.weights.clone();
    let mut n_packed = 0;
    for (name, values) in &before.weights.tensors {
        let most = apart(&two_steps.tensors[name], values);
        match own(name) {
            // The run before ended on the grid of its pack.
            true => assert!(most < 1e-5, "{name}: {most}"),
            false => assert!(most > 0.0, "{name}: it is not in the pack: {most}"),
        }
        n_packed += usize::from(own(name));
    }
    assert!(n_packed > 20, "{n_packed}");
    let facts = TrainingFacts::read(second.path())?;
    assert_eq!(facts.n_examples(), 4 * 4 + 2 * 4);
    Ok(())
}

#[test]
fn a_run_goes_on_from_a_pack_and_the_heads_beside_it_as_from_its_run() -> Tried {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (config, tokenizer, _, before) = ended(first.path())?;
    let pack = packed(&before, &config, &tokenizer)?;
    let evaluation = evaluated(&pack, first.path())?;
    let on = Schedule {
        goes_on: true,
        ..SCHEDULE
    };
    let mut run = Run::open(second.path(), on, config, &Device::flex())?;
    let heads = training_heads(before.weights.clone());
    let mut some = heads.clone();
    some.tensors.remove("guess.fc1.weight");
    let message = said(run.go_on_from_pack(&pack, &evaluation, Some(some)));
    assert!(message.contains("guess.fc1.weight"), "{message}");
    run.go_on_from_pack(&pack, &evaluation, Some(heads))?;
    assert_eq!(run.weights.tensors.len(), before.weights.tensors.len());
    for (name, values) in &before.weights.tensors {
        assert!(apart(&run.weights.tensors[name], values) < 1e-5, "{name}");
    }
    Ok(())
}

#[test]
fn a_run_goes_on_from_the_shipped_pack_and_the_heads_that_lie_beside_its_evaluation() -> Tried {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = DirSource::new(own.join("../../public/models/nano"));
    let pack = pollster::block_on(Pack::open(source))?;
    let evaluation = shipped()?;
    let heads = Weights::read(&own.join("training-heads/nano.safetensors"))?;
    let (text, vision) = (&pack.manifest().text, &pack.manifest().vision);
    let on = Schedule {
        goes_on: true,
        vision_layers: vision.n_layers,
        ..SCHEDULE
    };
    let config = NanoConfig::starting(text.vocab_size).with_vision_layers(vision.n_layers);
    let folder = tempfile::tempdir()?;
    let mut run = Run::open(folder.path(), on, config.clone(), &Device::flex())?;
    run.go_on_from_pack(&pack, &evaluation, Some(heads.clone()))?;
    // They know what the pack's vision tower sees: heads that are drawn do not.
    let (_, _, sampler) = tiny()?;
    let batch = sampler.batch(1, &on.plan(1, 0.0))?;
    assert!(batch.vision_only);
    let device = Device::flex();
    let loss = |weights: &Weights| -> Result<f32, TrainError> {
        let (trainee, _, _) = Trainee::build(weights, &Rounded::new(), &config, 1, &device)?;
        let loss = trainee.vision_loss(&batch, &device);
        Ok(loss.into_data().iter::<f32>().sum())
    };
    let known = loss(&run.weights)?;
    let mut without = run.weights.clone();
    without
        .tensors
        .retain(|name, _| !heads.tensors.contains_key(name));
    let drawn = loss(&without)?;
    assert!(
        known < 0.5 * drawn,
        "{known} with them, {drawn} with drawn ones"
    );
    Ok(())
}

#[test]
fn a_run_goes_on_with_a_deeper_vision_tower_that_sees_the_same_until_it_learns() -> Tried {
    let (first, second, third) = (
        tempfile::tempdir()?,
        tempfile::tempdir()?,
        tempfile::tempdir()?,
    );
    let (config, tokenizer, sampler, before) = ended(first.path())?;
    let deep = Schedule {
        n_steps: 2,
        goes_on: true,
        quant_share: 0.0,
        vision_share: 1.0,
        vision_layers: 4,
        ..SCHEDULE
    };
    let mut run = Run::open(second.path(), deep, config.clone(), &Device::flex())?;
    run.go_on_from(first.path())?;
    let batch = sampler.batch(1, &deep.plan(1, 0.0))?;
    let loss = |weights: &Weights, n_layers| -> Result<f32, TrainError> {
        let config = config.clone().with_vision_layers(n_layers);
        let nothing = Rounded::new();
        let (trainee, _, drawn) = Trainee::build(weights, &nothing, &config, 1, &Device::flex())?;
        assert_eq!(drawn.tensors.into_keys().next(), None, "nothing is missing");
        let loss = trainee.vision_loss(&batch, &Device::flex());
        Ok(loss.into_data().iter::<f32>().sum())
    };
    let [two, four] = [loss(&before.weights, 2)?, loss(&run.weights, 4)?];
    assert!(
        (two - four).abs() < 1e-5,
        "{two} with 2 layers, {four} with 4"
    );
    // From the pack too, but for what rounding left.
    let pack = packed(&before, &config, &tokenizer)?;
    let evaluation = evaluated(&pack, first.path())?;
    let mut beside = Run::open(third.path(), deep, config.clone(), &Device::flex())?;
    let heads = training_heads(before.weights.clone());
    beside.go_on_from_pack(&pack, &evaluation, Some(heads))?;
    let from_pack = loss(&beside.weights, 4)?;
    assert!((two - from_pack).abs() < 1e-3, "{two} and {from_pack}");

    run.train(&sampler, 2, 1, Instant::now(), |_, _| ())?;
    for name in ["attn.proj.weight", "mlp.linear_fc2.weight"] {
        let values = &run.weights.tensors[&format!("model.visual.blocks.1.{name}")];
        assert!(values.data.iter().any(|value| *value != 0.0), "{name}");
    }
    assert_eq!(
        TrainingFacts::read(second.path())?.schedule.vision_layers,
        4
    );
    // A run on top of it knows; one that is to have less is told.
    let less = Schedule {
        vision_layers: 3,
        ..deep
    };
    let fourth = tempfile::tempdir()?;
    let mut shallow = Run::open(fourth.path(), less, config, &Device::flex())?;
    let message = said(shallow.go_on_from(second.path()));
    assert!(
        message.contains("of 4 layers cannot become one of 3"),
        "{message}"
    );
    Ok(())
}

#[test]
fn a_run_without_steps_trains_the_payment_head_and_nothing_else() -> Tried {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (config, _, sampler, before) = ended(first.path())?;
    let heads = Schedule {
        n_steps: 0,
        goes_on: true,
        head_examples: 8,
        ..SCHEDULE
    };
    let mut run = Run::open(second.path(), heads, config, &Device::flex())?;
    run.go_on_from(first.path())?;
    let told = Mutex::new(Vec::new());
    let tell = |_, report: StepReport| told.lock().expect("one thread").push(report.payment_head);
    run.train(&sampler, 0, 1, Instant::now(), tell)?;
    let told = told.into_inner()?;
    assert_eq!(told.first(), Some(&Some(HeadWork::Showing(0.5))));
    assert_eq!(told.last(), Some(&Some(HeadWork::Learning(1.0))));
    let changed = |name: &str| run.weights.tensors[name] != before.weights.tensors[name];
    assert!(changed("stage2.fc1.weight"));
    let mut names = before.weights.tensors.keys();
    assert!(names.all(|name| name.starts_with("stage2.fc") || !changed(name)));
    let facts = TrainingFacts::read(second.path())?;
    assert_eq!((facts.step, facts.n_examples()), (0, 4 * 4 + 8));
    assert!(facts.was_rounded(), "it lies on the grid of its pack");
    Ok(())
}

#[test]
fn training_again_by_what_a_network_was_trained_by_ends_at_the_same_weights() -> Tried {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (config, _, mut sampler, _) = ended(first.path())?;
    let on = Schedule {
        n_steps: 3,
        goes_on: true,
        alone_share: 0.4,
        vision_layers: 4,
        seed: 5,
        ..SCHEDULE
    };
    sampler.seed = on.seed;
    let mut run = Run::open(second.path(), on, config.clone(), &Device::flex())?;
    run.go_on_from(first.path())?;
    run.train(&sampler, 3, 1, Instant::now(), |_, _| ())?;

    let past = TrainingFacts::read(second.path())?;
    let runs = tempfile::tempdir()?;
    let mut again = || -> Result<Vec<(usize, u64)>, TrainError> {
        let mut steps = Vec::new();
        let tell = |number, step, _| steps.push((number, step));
        let (device, folder) = (Device::flex(), runs.path());
        train_again(&past, folder, &config, &mut sampler, &device, 1, tell)?;
        Ok(steps)
    };
    let numbers = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3)];
    assert_eq!(again()?, numbers);
    assert_eq!(again()?, [], "both runs have ended");
    let made = folders(&past, runs.path())[1].join("weights.safetensors");
    assert_eq!(Weights::read(&made)?, run.weights);
    Ok(())
}

#[test]
fn a_run_does_not_go_on_with_another_schedule() -> Tried {
    let (config, _, sampler) = tiny()?;
    let folder = tempfile::tempdir()?;
    let mut run = Run::open(folder.path(), SCHEDULE, config.clone(), &Device::flex())?;
    run.train(&sampler, 1, 1, Instant::now(), |_, _| ())?;
    let plain = Schedule {
        quant: Layout::F32,
        ..SCHEDULE
    };
    let message = said(Run::open(folder.path(), plain, config, &Device::flex()));
    assert!(
        message.contains("state.json")
            && message.contains("quant: Q4")
            && message.contains("quant: F32"),
        "{message}"
    );
    Ok(())
}
