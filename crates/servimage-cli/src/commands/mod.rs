//! The subcommands: arguments in, printed result and [`Outcome`] out.

mod bench;
mod check_host;
mod convert;
mod device;
mod judge;
mod output;
mod parity;
mod quality;
mod score;
mod score_outputs;
mod serve;
mod verify;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use servimage_pack::Layout;
use std::process::ExitCode;

/// How a command that ran to its end came out; input that it could not use at all is an error instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Judged and failed: exit code 1.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
        }
    }
}

/// A subcommand with its arguments.
#[derive(Subcommand)]
pub enum Command {
    /// Turn a checkpoint (a Hugging Face folder, with or without ServImage stages) into a pack
    Convert(convert::ConvertArguments),
    /// Check a pack: hashes, sizes, shapes and values of every file and tensor, then its self-test
    Verify(verify::VerifyArguments),
    /// Compare the network with the outputs of the reference implementation in a golden folder
    Parity(parity::ParityArguments),
    /// What quantization changes: a golden's network in each layout against f32, over made-up pictures
    Quality(quality::QualityArguments),
    /// Judge images against a deliverable of a task
    Score(score::ScoreArguments),
    /// Serve packs to browsers: ranges, validators, sharing with pages of other hosts
    Serve(serve::ServeArguments),
    /// Say what a host does wrong for the page that will load a pack from there
    CheckHost(check_host::CheckHostArguments),
    /// Work with a benchmark folder
    Bench(bench::BenchArguments),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// Input that cannot be used (exit code 2).
    pub fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Convert(arguments) => convert::run(arguments),
            Self::Verify(arguments) => verify::run(&arguments),
            Self::Parity(arguments) => parity::run(&arguments),
            Self::Quality(arguments) => quality::run(&arguments),
            Self::Score(arguments) => score::run(&arguments),
            Self::Serve(arguments) => serve::run(&arguments),
            Self::CheckHost(arguments) => check_host::run(&arguments),
            Self::Bench(arguments) => bench::run(&arguments),
        }
    }
}

/// Prints `value` as one JSON object.
fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Reads the layouts that linear weights may have.
fn layouts() -> impl TypedValueParser<Value = Layout> {
    PossibleValuesParser::new(["f32", "f16", "q8", "q4"])
        .map(|text| text.parse().unwrap_or(Layout::F32))
}
