//! `servimage`: convert, verify and score from the command line.
//!
//! Exit codes: 0 done, 1 judged and failed, 2 unusable input. Progress goes to stderr, results to stdout.

use clap::Parser;
use servimage_cli::commands::Command;
use std::process::ExitCode;

/// Judge images the way a paying client would.
#[derive(Parser)]
#[command(name = "servimage", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
