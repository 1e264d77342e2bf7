//! Writes a made-up checkpoint: `made-up-checkpoint --size nano|2b|2b-shallow|4b --out DIR [--seed N]`.

use servimage_testkit::{MadeUpSize, write_made_up};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: made-up-checkpoint --size nano|2b|2b-shallow|4b --out DIR [--seed N]";

fn main() -> ExitCode {
    let (size, out, seed) = match arguments(std::env::args().skip(1)) {
        Ok(found) => found,
        Err(problem) => {
            eprintln!("error: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match write_made_up(size, seed, &out) {
        Ok(report) => {
            println!(
                "{}: {} parameters, {} files, {:.1} MB",
                out.display(),
                report.n_parameters,
                report.n_shards,
                report.size_bytes as f64 / 1e6
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}: {}", error.source);
            ExitCode::from(2)
        }
    }
}

fn arguments(mut list: impl Iterator<Item = String>) -> Result<(MadeUpSize, PathBuf, u64), String> {
    let (mut size, mut out, mut seed) = (None, None, 0);
    while let Some(name) = list.next() {
        let value = list
            .next()
            .ok_or_else(|| format!("`{name}` needs a value"))?;
        match (name.as_str(), value.as_str()) {
            ("--size", "nano") => size = Some(MadeUpSize::Nano),
            ("--size", "2b") => size = Some(MadeUpSize::Qwen2b),
            ("--size", "2b-shallow") => size = Some(MadeUpSize::Qwen2bShallow),
            ("--size", "4b") => size = Some(MadeUpSize::Qwen4b),
            ("--out", _) => out = Some(PathBuf::from(value)),
            ("--seed", _) => {
                let not_a_number = |_| format!("`--seed` expects a number, found `{value}`");
                seed = value.parse().map_err(not_a_number)?;
            }
            _ => return Err(format!("`{name} {value}` is not known")),
        }
    }
    let missing = |name: &str| format!("`{name}` is missing");
    Ok((
        size.ok_or_else(|| missing("--size"))?,
        out.ok_or_else(|| missing("--out"))?,
        seed,
    ))
}
