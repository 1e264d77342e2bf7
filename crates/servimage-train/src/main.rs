//! `servimage-train`: renders pictures, previews the data, trains, exports and evaluates the nano checkpoint.

mod commands;

use clap::{Parser, Subcommand};
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
    /// Write a contact sheet: pictures of the training part under every damage.
    Preview {
        /// PNG or JPEG file.
        #[arg(long)]
        out: PathBuf,
        /// Pictures, a row each.
        #[arg(long, default_value_t = 8)]
        rows: usize,
        /// Only scenes that the project renders itself.
        #[arg(long)]
        scenes_only: bool,
    },
    /// Train, or go on where the run's folder stopped.
    Train(commands::TrainArgs),
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
    },
    /// What quantization changes: verdicts of packs against those of a reference pack on held-out pictures, as JSON lines.
    Compare {
        /// Pack to hold the others against, such as one exported as f32.
        #[arg(long)]
        reference: PathBuf,
        /// Packs to compare.
        packs: Vec<PathBuf>,
    },
    /// Figures of a pack on held-out pictures, as JSON on standard output and tables on standard error.
    Evaluate {
        /// Folder of the pack.
        #[arg(long, default_value = "public/models/nano")]
        pack: PathBuf,
        /// At most so many pictures (all where absent), evenly spread.
        #[arg(long)]
        pictures: Option<usize>,
        /// The scenes of the held-out part instead of the real pictures.
        #[arg(long)]
        scenes: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Render { samples, fixtures } => {
            Ok(servimage_train::render::render_all(&samples, &fixtures)?)
        }
        Command::Preview {
            out,
            rows,
            scenes_only,
        } => commands::preview(&out, rows, scenes_only),
        Command::Train(args) => commands::train(&args),
        Command::Export { run, out, quant } => commands::export(&run, &out, quant),
        Command::Compare { reference, packs } => commands::compare(&reference, &packs),
        Command::Evaluate {
            pack,
            pictures,
            scenes,
        } => commands::evaluate(&pack, pictures, scenes),
    }
}
