//! The commands behind the arguments.

use anyhow::Context as _;
use burn::tensor::Device;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, Pack};
use servimage_train::batch::Sampler;
use servimage_train::compare::{difference, verdicts};
use servimage_train::evaluate::Figures;
use servimage_train::nano::{NanoConfig, prompt_builder, tokenizer_json};
use servimage_train::preview::contact_sheet;
use servimage_train::run::Run;
use servimage_train::schedule::Schedule;
use servimage_train::scorer::Scorer;
use servimage_train::source::{self, CleanPicture, Part};
use servimage_train::weights::{Weights, write_whole};
use std::path::{Path, PathBuf};

/// Scenes beside the real pictures; the split takes its share of them.
const N_SCENES: u64 = 210;

/// Arguments of `train`.
#[derive(Args)]
pub struct TrainArgs {
    /// Folder of the run.
    #[arg(long)]
    run: PathBuf,
    /// Steps in all.
    #[arg(long, default_value_t = 2000)]
    steps: u64,
    /// Stop after this step; the run can go on later.
    #[arg(long)]
    until: Option<u64>,
    /// Pairs of copies a step.
    #[arg(long, default_value_t = 8)]
    pairs: usize,
    /// Highest learning rate.
    #[arg(long, default_value_t = 1.2e-3)]
    rate: f32,
    /// Share of the steps in which only the vision tower learns.
    #[arg(long, default_value_t = 0.25)]
    vision_share: f32,
    /// Share of the steps on small windows.
    #[arg(long, default_value_t = 0.78)]
    small_share: f32,
    /// Layout that the network runs in towards the end, so that a pack of that layout loses nothing; f32: plain weights throughout.
    #[arg(long, default_value = "q4")]
    quant: Layout,
    /// Share of the steps at the end that run on rounded weights.
    #[arg(long, default_value_t = 0.4)]
    quant_share: f32,
    /// Seed of weights and data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this many batches, over and over, to see whether the network can learn at all.
    #[arg(long)]
    distinct: Option<u64>,
    /// `cpu` or `gpu`: the same code runs on both.
    #[arg(long, default_value = "cpu")]
    device: String,
}

/// Writes a contact sheet.
pub fn preview(out: &Path, rows: usize, scenes_only: bool) -> anyhow::Result<()> {
    let pictures = match scenes_only {
        true => source::scenes(Part::Train, N_SCENES).take(rows).collect(),
        false => source::load_part(&source::bench_dir(), Part::Train, N_SCENES)?,
    };
    let step = (pictures.len() / rows.max(1)).max(1);
    let chosen: Vec<_> = pictures.iter().step_by(step).take(rows).collect();
    Ok(contact_sheet(&chosen)?.save(out)?)
}

/// Trains.
pub fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let tokenizer = run_tokenizer(&args.run)?;
    let prompts = prompt_builder(&tokenizer)?;
    let config = NanoConfig::shipped(vocab_size(&tokenizer)?);
    let schedule = Schedule {
        n_steps: args.steps,
        n_pairs: args.pairs,
        peak_rate: args.rate,
        vision_share: args.vision_share,
        small_share: args.small_share,
        quant: args.quant,
        quant_share: args.quant_share,
        seed: args.seed,
        distinct: args.distinct,
    };
    let bench = source::bench_dir();
    let sampler = Sampler {
        pictures: source::load_part(&bench, Part::Train, N_SCENES)?,
        prompts,
        real_briefs: source::real_briefs(&bench)?,
        seed: args.seed,
    };
    eprintln!(
        "{} pictures, {} real briefs",
        sampler.pictures.len(),
        sampler.real_briefs.len()
    );
    let mut run = Run::open(&args.run, schedule, config, &device(&args.device)?)?;
    let bar = ProgressBar::new(args.steps).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} {per_sec} {eta} {msg}",
    )?);
    bar.set_position(run.step());
    run.train(
        &sampler,
        args.until.unwrap_or(args.steps),
        |step, report| {
            bar.set_position(step);
            bar.set_message(format!(
                "guess {:.3} concept {:.3} pay {:.3} order {:.3}",
                report.guess, report.concept, report.pay, report.order
            ));
            if step.is_multiple_of(20) && bar.is_hidden() {
                eprintln!("{step}: {report:?}");
            }
        },
    )?;
    eprintln!(
        "{} parameters, {} steps",
        run.weights.n_parameters(),
        run.step()
    );
    Ok(())
}

/// Writes the pack of a run.
pub fn export(run: &Path, out: &Path, quant: Layout) -> anyhow::Result<()> {
    let tokenizer = run_tokenizer(run)?;
    let config = NanoConfig::shipped(vocab_size(&tokenizer)?);
    let weights = Weights::read(&run.join("weights.safetensors"))?;
    let bench = source::bench_dir();
    let calibrate = source::load_part(&bench, Part::Calibrate, N_SCENES)?;
    let held_out = source::load_part(&bench, Part::HeldOut, 0)?;
    let sink = DirSource::new(out);
    let manifest = servimage_train::export::export(
        &weights, &config, &tokenizer, quant, &calibrate, &held_out, sink,
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

/// Prints how far packs are from a reference.
pub fn compare(reference: &Path, packs: &[PathBuf]) -> anyhow::Result<()> {
    let load = |path: &Path| -> anyhow::Result<Scorer> {
        let pack = pollster::block_on(Pack::open(DirSource::new(path)))?;
        Ok(Scorer::load(&pack, &Device::flex())?)
    };
    let pictures = source::load_part(&source::bench_dir(), Part::HeldOut, 0)?;
    let expected = verdicts(&load(reference)?, &pictures)?;
    for path in packs {
        let scorer = load(path)?;
        let difference = difference(&expected, &verdicts(&scorer, &pictures)?);
        let quant = scorer.manifest.quant;
        println!(
            "{}",
            serde_json::json!({ "quant": quant, "pack": path, "difference": difference })
        );
    }
    Ok(())
}

/// Prints the figures of a pack.
pub fn evaluate(pack: &Path, most: Option<usize>, scenes: bool) -> anyhow::Result<()> {
    let pack = pollster::block_on(Pack::open(DirSource::new(pack)))?;
    let scorer = Scorer::load(&pack, &Device::flex())?;
    let mut pictures: Vec<CleanPicture> = match scenes {
        true => source::scenes(Part::HeldOut, N_SCENES).collect(),
        false => source::load_part(&source::bench_dir(), Part::HeldOut, 0)?,
    };
    if let Some(most) = most.filter(|most| *most > 0 && *most < pictures.len()) {
        let step = pictures.len() as f64 / most as f64;
        pictures = (0..most)
            .map(|i| pictures[(i as f64 * step) as usize].clone())
            .collect();
    }
    let bar = ProgressBar::new(pictures.len() as u64);
    let figures = servimage_train::evaluate::evaluate(&scorer, &pictures, || bar.inc(1))?;
    bar.finish_and_clear();
    print_figures(&figures);
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

fn print_figures(figures: &Figures) {
    let share = |s: &servimage_train::figures::Share| {
        format!(
            "{:.1} % ({:.1} to {:.1}, n = {})",
            100.0 * s.value,
            100.0 * s.low,
            100.0 * s.high,
            s.n
        )
    };
    eprintln!(
        "pairs in order, damages of training: {}",
        share(&figures.pairs)
    );
    eprintln!(
        "pairs in order, damages never trained on: {}",
        share(&figures.pairs_unseen)
    );
    for cell in &figures.cells {
        eprintln!(
            "  {:18} {:.2}  {}",
            cell.damage,
            cell.severity,
            share(&cell.in_order)
        );
    }
    eprintln!(
        "Spearman with severity: clarity {:.3}, aesthetic {:.3}",
        figures.spearman_clarity, figures.spearman_aesthetic
    );
    let payment = &figures.payment;
    eprintln!(
        "payment: accuracy {}, majority {:.1} %, Bayes {:.1} %, AUROC {:.3}, ECE {:.3}",
        share(&payment.accuracy),
        100.0 * payment.majority,
        100.0 * payment.bayes,
        payment.auroc,
        payment.ece
    );
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
