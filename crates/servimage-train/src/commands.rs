//! The commands behind the arguments.

use crate::tables;
use anyhow::Context as _;
use burn::tensor::Device;
use clap::Args;
use indicatif::ProgressBar;
use servimage_bench::results::read_rows;
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, Pack};
use servimage_train::about::{self, Evaluation, PackFacts, TrainingFacts};
use servimage_train::compare::{difference, verdicts};
use servimage_train::evaluate::Amount;
use servimage_train::export::CalibrateOn;
use servimage_train::nano::{NanoConfig, tokenizer_json};
use servimage_train::preview::contact_sheet;
use servimage_train::scorer::Scorer;
use servimage_train::source::{self, Part};
use servimage_train::weights::{Weights, write_whole};
use servimage_train::world::World;
use std::path::{Path, PathBuf};

/// Scenes beside the real pictures; the split takes its share of them.
const N_SCENES: u64 = 210;

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
    /// On the pictures and sentences of training instead: what figures there are better is learned by heart. The card refuses them.
    #[arg(long)]
    on_training: bool,
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
        if self.on_training {
            words.push_str(" --on-training");
        }
        words
    }
}

/// The world of one part of a folder's pictures, with its share of the rendered scenes.
pub(crate) fn world(data: &Path, part: Part) -> anyhow::Result<World> {
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

/// Writes the pack of a run.
pub fn export(
    run: &Path,
    out: &Path,
    quant: Layout,
    n_decisions: usize,
    left_out: &[String],
) -> anyhow::Result<()> {
    let tokenizer = run_tokenizer(run)?;
    let n_layers = TrainingFacts::read(run)?.schedule.vision_layers;
    let config = NanoConfig::starting(vocab_size(&tokenizer)?).with_vision_layers(n_layers);
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

/// Writes what a run has beside its pack.
pub fn export_training_heads(run: &Path, out: &Path) -> anyhow::Result<()> {
    let weights = Weights::read(&run.join("weights.safetensors"))?;
    Ok(servimage_train::export::training_heads(weights).write(out)?)
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
    let part = match args.on_training {
        true => Part::Train,
        false => Part::HeldOut,
    };
    let world = world(&source::bench_dir(), part)?;
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
        part,
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
pub(crate) fn run_tokenizer(run: &Path) -> anyhow::Result<String> {
    let path = run.join("tokenizer.json");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text);
    }
    let text = tokenizer_json()?;
    write_whole(&path, text.as_bytes())?;
    Ok(text)
}

/// Number of token ids, rounded up to a multiple of 32 (the quantization block).
pub(crate) fn vocab_size(tokenizer_json: &str) -> anyhow::Result<usize> {
    let value: serde_json::Value = serde_json::from_str(tokenizer_json)?;
    let merges = value["model"]["vocab"]
        .as_object()
        .context("the tokenizer has no vocabulary")?
        .len();
    Ok(merges.next_multiple_of(32))
}

pub(crate) fn device(name: &str) -> anyhow::Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        "gpu" => Ok(pollster::block_on(Device::wgpu_options().init_async())?),
        other => anyhow::bail!("--device {other}: expected cpu or gpu"),
    }
}
