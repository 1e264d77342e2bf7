//! `servimage-train`: renders pictures, previews the data, trains, exports and evaluates the nano checkpoint.

mod commands;
mod tables;
mod training;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use servimage_model::heads::CONCEPT_HEADS;
use std::path::PathBuf;

/// Trains the nano checkpoint on proxy labels, made by construction.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render the page's sample pictures and the tests' fixtures.
    Render {
        /// Folder for the samples and their index.
        #[arg(long, default_value = "public/samples")]
        samples: PathBuf,
        /// Folder for the fixtures.
        #[arg(long, default_value = "tests/fixtures")]
        fixtures: PathBuf,
    },
    /// Render pictures that training never saw, every other one damaged, as PNG files.
    HeldOut {
        /// Folder.
        #[arg(long)]
        out: PathBuf,
        /// Pictures.
        #[arg(long, default_value_t = 50)]
        count: usize,
    },
    /// Write a contact sheet: pairs of examples of the training part, and a text file with their truth.
    Preview {
        /// PNG or JPEG file.
        #[arg(long)]
        out: PathBuf,
        /// Pairs, a row each.
        #[arg(long, default_value_t = 8)]
        rows: usize,
        /// Only scenes that the project renders itself.
        #[arg(long)]
        scenes_only: bool,
    },
    /// Shrink the benchmark's training pictures into a folder that `train --data` reads on another machine.
    PackPictures {
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Train, or go on where the run's folder stopped.
    ///
    /// By default as nano was at first. On Linux `GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592` spares it the
    /// time in which large buffers go back to the system and come again at each step.
    Train(training::TrainArgs),
    /// Train anew as a pack was: every run that it went on from, one after another; goes on where it was stopped.
    Retrain(training::RetrainArgs),
    /// Turn a run into a pack: quantized weights, self-test, calibration.
    Export {
        /// Folder of the run.
        #[arg(long)]
        run: PathBuf,
        /// Folder of the pack.
        #[arg(long, default_value = "public/models/nano")]
        out: PathBuf,
        /// Layout of the weights: f32, f16, q8 or q4.
        #[arg(long, default_value = "q4")]
        quant: servimage_pack::Layout,
        /// Decisions that the calibration is fitted on, and that its table shows.
        #[arg(long, default_value_t = 2400)]
        decisions: usize,
        /// A concept that the network has not learned: its score is not shown. Can be given again.
        #[arg(long, value_parser = PossibleValuesParser::new(CONCEPT_HEADS.map(|(name, _)| name)))]
        without: Vec<String>,
        /// File for the heads that only training has (safetensors), for `train --from` of the pack.
        #[arg(long)]
        training_heads: Option<PathBuf>,
    },
    /// Fit the payment head and the calibration of a pack to real decisions in upstream's result format.
    Fit {
        /// Result file, JSON Lines.
        #[arg(long)]
        results: PathBuf,
        /// Folder with `MODEL/TASK/SUBTASK.png` or `TASK/SUBTASK.png`.
        #[arg(long)]
        images: PathBuf,
        /// Folder of the pack to start from.
        #[arg(long, default_value = "public/models/nano")]
        pack: PathBuf,
        /// Folder of the fitted pack.
        #[arg(long)]
        out: PathBuf,
    },
    /// What quantization changes: verdicts of packs against those of a reference pack on held-out pictures, as JSON lines.
    Compare {
        /// Pack to hold the others against, such as one exported as f32.
        #[arg(long)]
        reference: PathBuf,
        /// Packs to compare.
        packs: Vec<PathBuf>,
        /// Decisions to compare.
        #[arg(long, default_value_t = 1600)]
        decisions: usize,
    },
    /// Figures of a pack on held-out pictures, as JSON on standard output or in a file, and as tables on standard error.
    Evaluate(commands::EvaluateArgs),
    /// Write the model card of a pack, `README.md`, from what `evaluate` wrote.
    Card {
        /// Evaluations: the pack's own, other layouts of its run, other networks beside it, a run with shuffled labels.
        #[arg(required = true)]
        evaluations: Vec<PathBuf>,
        /// Folder of the pack.
        #[arg(long, default_value = "public/models/nano")]
        pack: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Render { samples, fixtures } => {
            Ok(servimage_train::render::render_all(&samples, &fixtures)?)
        }
        Command::HeldOut { out, count } => {
            Ok(servimage_train::render::render_held_out(&out, count)?)
        }
        Command::Preview {
            out,
            rows,
            scenes_only,
        } => commands::preview(&out, rows, scenes_only),
        Command::PackPictures { out } => commands::pack_pictures(&out),
        Command::Train(args) => training::train(&args),
        Command::Retrain(args) => training::retrain(&args),
        Command::Export {
            run,
            out,
            quant,
            decisions,
            without,
            training_heads,
        } => {
            commands::export(&run, &out, quant, decisions, &without)?;
            match training_heads {
                Some(out) => commands::export_training_heads(&run, &out),
                None => Ok(()),
            }
        }
        Command::Fit {
            results,
            images,
            pack,
            out,
        } => commands::fit(&results, &images, &pack, &out),
        Command::Compare {
            reference,
            packs,
            decisions,
        } => commands::compare(&reference, &packs, decisions),
        Command::Evaluate(args) => commands::evaluate(&args),
        Command::Card { evaluations, pack } => commands::card(&evaluations, &pack),
    }
}
