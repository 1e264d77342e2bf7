//! The commands behind the arguments.

use crate::tables;
use anyhow::Context as _;
use burn::tensor::Device;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use servimage_bench::results::read_rows;
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, Pack};
use servimage_train::about::{self, Evaluation, PackFacts, TrainingFacts};
use servimage_train::batch::Sampler;
use servimage_train::compare::{difference, verdicts};
use servimage_train::evaluate::Amount;
use servimage_train::export::CalibrateOn;
use servimage_train::nano::{NanoConfig, prompt_builder, tokenizer_json};
use servimage_train::preview::contact_sheet;
use servimage_train::run::Run;
use servimage_train::schedule::Schedule;
use servimage_train::scorer::Scorer;
use servimage_train::source::{self, Part};
use servimage_train::weights::{Weights, write_whole};
use servimage_train::world::World;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Scenes beside the real pictures; the split takes its share of them.
const N_SCENES: u64 = 210;

/// Arguments of `train`.
#[derive(Args)]
pub struct TrainArgs {
    /// Folder of the run.
    #[arg(long)]
    run: PathBuf,
    /// Folder of a run from whose weights this one goes on, without its moments, or of a pack, with --past.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Evaluation of the pack of --from, which says how it was trained: what that training alone had is learned anew first.
    #[arg(long, requires = "from")]
    past: Option<PathBuf>,
    /// Folder of `pack-pictures` in place of the benchmark.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Steps in all.
    #[arg(long, default_value_t = 60_000)]
    steps: u64,
    /// Minutes in all; the run ends when its steps or its minutes are up.
    #[arg(long, default_value = "110")]
    minutes: Option<f32>,
    /// Stop after this step; the run can go on later.
    #[arg(long)]
    until: Option<u64>,
    /// Pairs of examples in a part of a step.
    #[arg(long, default_value_t = 6)]
    pairs: usize,
    /// Parts of a step, each worked out on a thread of its own; 1 on a GPU. By default as many as there are cores.
    #[arg(long)]
    parts: Option<usize>,
    /// Highest learning rate.
    #[arg(long, default_value_t = 2.2e-3)]
    rate: f32,
    /// Share of the run in which only the vision tower learns.
    #[arg(long, default_value_t = 0.35)]
    vision_share: f32,
    /// Share of the run on small windows.
    #[arg(long, default_value_t = 0.55)]
    small_share: f32,
    /// Layout that the network runs in towards the end, so that a pack of that layout loses nothing; f32: plain weights throughout.
    #[arg(long, default_value = "q4")]
    quant: Layout,
    /// Share of the run at the end that runs on rounded weights.
    #[arg(long, default_value_t = 0.0)]
    quant_share: f32,
    /// Seed of weights and data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this many batches, over and over, to see whether the network can learn at all.
    #[arg(long)]
    distinct: Option<u64>,
    /// Give each example another one's truth, to see what figures fall to by chance.
    #[arg(long)]
    shuffle_labels: bool,
    /// `cpu` or `gpu`: the same code runs on both.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Threads that make batches; by default one less than there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

/// Arguments of `evaluate`.
#[derive(Args)]
pub struct EvaluateArgs {
    /// Folder of the pack.
    #[arg(long, default_value = "public/models/nano")]
    pack: PathBuf,
    /// Folder of the run that it comes from: its steps stand beside the figures.
    #[arg(long)]
    run: Option<PathBuf>,
    /// What tables call the checkpoint.
    #[arg(long, default_value = "nano")]
    label: String,
    /// Payment decisions; a quarter as many pairs of briefs.
    #[arg(long, default_value_t = 2400)]
    decisions: usize,
    /// At most so many pictures for pairs of clean and damaged (all where absent), evenly spread.
    #[arg(long)]
    pictures: Option<usize>,
    /// Payment and concepts only, no pairs.
    #[arg(long)]
    decisions_only: bool,
    /// File for the JSON; standard output where absent.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl EvaluateArgs {
    /// The command, without paths.
    fn words(&self) -> String {
        let mut words = format!("servimage-train evaluate --decisions {}", self.decisions);
        if let Some(pictures) = self.pictures {
            words.push_str(&format!(" --pictures {pictures}"));
        }
        if self.decisions_only {
            words.push_str(" --decisions-only");
        }
        words
    }
}

/// The world of one part of a folder's pictures, with its share of the rendered scenes.
fn world(data: &Path, part: Part) -> anyhow::Result<World> {
    Ok(World {
        pictures: source::load_part(data, part, N_SCENES)?,
        real_briefs: match part {
            Part::Train => source::real_briefs(data)?,
            _ => Vec::new(),
        },
        part,
    })
}

/// Shrinks the benchmark's training pictures into a folder.
pub fn pack_pictures(out: &Path) -> anyhow::Result<()> {
    let n = servimage_train::packed::pack_pictures(&source::bench_dir(), &[Part::Train], out)?;
    eprintln!("{n} pictures in {}", out.display());
    Ok(())
}

/// Writes a contact sheet and its truth beside it.
pub fn preview(out: &Path, rows: usize, scenes_only: bool) -> anyhow::Result<()> {
    let world = match scenes_only {
        true => World {
            pictures: source::scenes(Part::Train, N_SCENES).collect(),
            real_briefs: Vec::new(),
            part: Part::Train,
        },
        false => world(&source::bench_dir(), Part::Train)?,
    };
    let (sheet, words) = contact_sheet(&world, rows)?;
    sheet.save(out)?;
    Ok(write_whole(&out.with_extension("txt"), words.as_bytes())?)
}

/// Trains.
pub fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let clock = Instant::now();
    let tokenizer = run_tokenizer(&args.run)?;
    let config = NanoConfig::shipped(vocab_size(&tokenizer)?);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let default_parts = if args.device == "cpu" { cores } else { 1 };
    let schedule = Schedule {
        n_steps: args.steps,
        minutes: args.minutes,
        n_pairs: args.pairs,
        n_parts: args.parts.unwrap_or(default_parts),
        peak_rate: args.rate,
        vision_share: args.vision_share,
        small_share: args.small_share,
        quant: args.quant,
        quant_share: args.quant_share,
        seed: args.seed,
        distinct: args.distinct,
        shuffle_labels: args.shuffle_labels,
        goes_on: args.from.is_some(),
        alone_share: if args.past.is_some() { 0.03 } else { 0.0 },
    };
    let data = args.data.clone().unwrap_or_else(source::bench_dir);
    let sampler = Sampler {
        world: world(&data, Part::Train)?,
        prompts: prompt_builder(&tokenizer)?,
        seed: args.seed,
        shuffle_labels: args.shuffle_labels,
    };
    if schedule.n_parts > 1 {
        // Each part has a thread of its own; more would only wait for each other. It fails where a pool runs already.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build_global();
    }
    let n_threads = args.threads.unwrap_or(cores.saturating_sub(1).max(1));
    eprintln!(
        "{:.1} s: {} pictures, {} real briefs",
        clock.elapsed().as_secs_f32(),
        sampler.world.pictures.len(),
        sampler.world.real_briefs.len()
    );
    let mut run = Run::open(&args.run, schedule, config, &device(&args.device)?)?;
    match (&args.from, &args.past) {
        (Some(pack), Some(past)) => {
            let pack = pollster::block_on(Pack::open(DirSource::new(pack)))?;
            run.go_on_from_pack(&pack, &about::read_json(past)?)?;
        }
        (Some(other), None) => run.go_on_from(other)?,
        (None, _) => {}
    }
    let bar = ProgressBar::new(args.steps).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {per_sec} {eta} {msg}",
    )?);
    bar.set_position(run.step());
    let until = args.until.unwrap_or(args.steps);
    run.train(&sampler, until, n_threads, clock, |step, report| {
        bar.set_position(step);
        let [guess, asked, met, brf, concept, pay, order] = report.parts;
        let line = format!(
            "{:.1} % guess {guess:.3} asked {asked:.3} met {met:.3} brf {brf:.3} concept {concept:.3} pay {pay:.3} order {order:.3}",
            100.0 * report.done
        );
        if bar.is_hidden() && step.is_multiple_of(10) {
            eprintln!("{:.0} s, step {step}: {line}", clock.elapsed().as_secs_f32());
        }
        bar.set_message(line);
    })?;
    eprintln!(
        "{} parameters, {} steps",
        run.weights.n_parameters(),
        run.step()
    );
    Ok(())
}

/// Writes the pack of a run.
pub fn export(
    run: &Path,
    out: &Path,
    quant: Layout,
    n_decisions: usize,
    left_out: &[String],
) -> anyhow::Result<()> {
    let tokenizer = run_tokenizer(run)?;
    let config = NanoConfig::shipped(vocab_size(&tokenizer)?);
    let weights = Weights::read(&run.join("weights.safetensors"))?;
    let bench = source::bench_dir();
    let (calibrate, held_out) = (
        world(&bench, Part::Calibrate)?,
        world(&bench, Part::HeldOut)?,
    );
    let sink = DirSource::new(out);
    let manifest = servimage_train::export::export(
        &weights,
        &config,
        &tokenizer,
        quant,
        &CalibrateOn {
            calibrate: &calibrate,
            held_out: &held_out,
            n_decisions,
        },
        left_out,
        sink,
    )?;
    let size_bytes: u64 = manifest.shards.iter().map(|shard| shard.size_bytes).sum();
    eprintln!(
        "{} tensors, {:.2} MB, calibration {:?}",
        manifest.tensors.len(),
        size_bytes as f64 / 1e6,
        manifest.calibration
    );
    Ok(())
}

/// Fits a pack's payment head to real decisions and prints its figures before and after.
pub fn fit(results: &Path, images: &Path, pack: &Path, out: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(results).with_context(|| results.display().to_string())?;
    let read = read_rows(&text);
    for error in &read.errors {
        eprintln!("{error}");
    }
    let tasks = source::tasks(&source::bench_dir())?;
    let pack = pollster::block_on(Pack::open(DirSource::new(pack)))?;
    let scorer = Scorer::load(&pack, &Device::flex())?;
    let (seen, missing) =
        servimage_train::fit::see_rows(&pack, &scorer, &read.rows, &tasks, images)?;
    if !missing.is_empty() {
        eprintln!(
            "{} rows without a task or an image, such as {}",
            missing.len(),
            missing[0]
        );
    }
    let (figures, _) = servimage_train::fit::fit(&pack, &seen, DirSource::new(out))?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

/// Prints how far packs are from a reference.
pub fn compare(reference: &Path, packs: &[PathBuf], n_decisions: usize) -> anyhow::Result<()> {
    let load = |path: &Path| -> anyhow::Result<Scorer> {
        let pack = pollster::block_on(Pack::open(DirSource::new(path)))?;
        Ok(Scorer::load(&pack, &Device::flex())?)
    };
    let world = world(&source::bench_dir(), Part::HeldOut)?;
    let expected = verdicts(&load(reference)?, &world, n_decisions)?;
    for path in packs {
        let scorer = load(path)?;
        let difference = difference(&expected, &verdicts(&scorer, &world, n_decisions)?);
        let quant = scorer.manifest.quant;
        println!(
            "{}",
            serde_json::json!({ "quant": quant, "pack": path, "difference": difference })
        );
    }
    Ok(())
}

/// Prints or writes the figures of a pack.
pub fn evaluate(args: &EvaluateArgs) -> anyhow::Result<()> {
    let pack = pollster::block_on(Pack::open(DirSource::new(&args.pack)))?;
    let scorer = Scorer::load(&pack, &Device::flex())?;
    let world = world(&source::bench_dir(), Part::HeldOut)?;
    let training = args.run.as_deref().map(TrainingFacts::read).transpose()?;
    let amount = Amount {
        n_decisions: args.decisions,
        n_pictures: match args.decisions_only {
            true => 0,
            false => args.pictures.unwrap_or(usize::MAX),
        },
    };
    let bar = ProgressBar::new(amount.n_pictures.min(world.pictures.len()) as u64);
    let figures = servimage_train::evaluate::evaluate(&scorer, &world, amount, || bar.inc(1))?;
    bar.finish_and_clear();
    tables::print(&figures);
    let evaluation = Evaluation {
        label: args.label.clone(),
        pack: PackFacts::of(&pack),
        training,
        command: args.words(),
        machine: about::machine(),
        date: about::today(),
        figures,
    };
    let json = serde_json::to_string_pretty(&evaluation)?;
    match &args.out {
        Some(out) => write_whole(out, format!("{json}\n").as_bytes())?,
        None => println!("{json}"),
    }
    Ok(())
}

/// Writes the model card into a pack's folder.
pub fn card(evaluations: &[PathBuf], pack: &Path) -> anyhow::Result<()> {
    let read: Result<Vec<Evaluation>, _> = evaluations
        .iter()
        .map(|path| about::read_json(path))
        .collect();
    let opened = pollster::block_on(Pack::open(DirSource::new(pack)))?;
    let card = servimage_train::card::card(&read?, opened.sha256())?;
    Ok(write_whole(&pack.join("README.md"), card.as_bytes())?)
}

/// The run's tokenizer, trained at its first start.
fn run_tokenizer(run: &Path) -> anyhow::Result<String> {
    let path = run.join("tokenizer.json");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text);
    }
    let text = tokenizer_json()?;
    write_whole(&path, text.as_bytes())?;
    Ok(text)
}

/// Number of token ids, rounded up to a multiple of 32 (the quantization block).
fn vocab_size(tokenizer_json: &str) -> anyhow::Result<usize> {
    let value: serde_json::Value = serde_json::from_str(tokenizer_json)?;
    let merges = value["model"]["vocab"]
        .as_object()
        .context("the tokenizer has no vocabulary")?
        .len();
    Ok(merges.next_multiple_of(32))
}

fn device(name: &str) -> anyhow::Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        "gpu" => Ok(pollster::block_on(Device::wgpu_options().init_async())?),
        other => anyhow::bail!("--device {other}: expected cpu or gpu"),
    }
}
