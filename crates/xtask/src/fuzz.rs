//! `fuzz`: libFuzzer over the targets of `servimage-fuzz`, by the stable toolchain.
//!
//! `cargo fuzz` wants nightly for its sanitizers; the coverage that guides libFuzzer is an LLVM pass, which stable has too. A reader's
//! panics, overflows, hangs and hunger for memory are found without an address sanitizer: our crates hold no `unsafe`.

use crate::command::{command, output, run, words};
use crate::workspace;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Seeds by target.
const CORPUS: &str = "crates/servimage-fuzz/corpus";

/// Coverage for libFuzzer, and checks that a release build leaves out.
const FLAGS: &str = "--cfg fuzzing -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1 -Cpasses=sancov-module \
                     -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What one input may take: seconds, and megabytes in one piece and in all.
const LIMITS: [&str; 4] = [
    "-timeout=10",
    "-malloc_limit_mb=256",
    "-rss_limit_mb=2048",
    "-max_len=65536",
];

/// Runs one target or all, `seconds` each; inputs that break one lie in `target/fuzz/found/` and belong into its corpus.
pub fn run_targets(target: Option<&str>, seconds: u32) -> Result<()> {
    let mut targets = targets()?;
    if let Some(name) = target {
        let all = targets.join(", ");
        targets.retain(|known| known == name);
        ensure!(
            !targets.is_empty(),
            "no fuzz target `{name}`; there are {all}"
        );
    }
    let program = build()?;
    let found = folder("found")?;
    let mut broken = Vec::new();
    println!("| target | seconds | inputs | edges covered | outcome |\n|---|---:|---:|---:|---|");
    for name in targets {
        let outcome = fuzz(&program, &name, seconds, &found)?;
        println!(
            "| {name} | {seconds} | {} | {} | {} |",
            outcome.n_inputs,
            outcome.n_edges,
            if outcome.is_sound { "sound" } else { "BROKEN" }
        );
        if !outcome.is_sound {
            broken.push(name);
        }
    }
    if !broken.is_empty() {
        bail!(
            "{} broke: see target/fuzz/NAME.log and {}",
            broken.join(", "),
            found.display()
        );
    }
    Ok(())
}

/// The targets: each has a folder of seeds in the crate's `corpus/`, which is called as the target is.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace::root().join(CORPUS))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// What a run of one target showed.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    n_inputs: u64,
    n_edges: u64,
    is_sound: bool,
}

/// Builds the fuzzer; the program.
fn build() -> Result<PathBuf> {
    let version = output(&mut words("rustc -vV")).context("`rustc -vV` failed")?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?;
    let target_dir = workspace::target().join("fuzz");
    // For a named target, so that the flags do not reach build scripts.
    let mut build = words(&format!(
        "cargo build --release --locked -p servimage-fuzz --features libfuzzer --target {host} --target-dir"
    ));
    run(build.arg(&target_dir).env("RUSTFLAGS", FLAGS))?;
    Ok(target_dir.join(host).join("release/servimage-fuzz"))
}

fn fuzz(program: &Path, name: &str, seconds: u32, found: &Path) -> Result<Outcome> {
    let work = folder(&format!("corpus/{name}"))?;
    let seeds = workspace::root().join(CORPUS).join(name);
    let log = workspace::target().join(format!("fuzz/{name}.log"));
    let status = command(program)
        .env("SERVIMAGE_FUZZ_TARGET", name)
        .args([&work, &seeds])
        .args(LIMITS)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{name}-", found.display()))
        .arg("-print_final_stats=1")
        .stderr(File::create(&log)?)
        .status()
        .with_context(|| format!("{} did not start", program.display()))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    Ok(outcome(&text, status.success()))
}

/// Reads libFuzzer's log.
fn outcome(log: &str, is_sound: bool) -> Outcome {
    let number = |text: &str| text.split_whitespace().next()?.parse().ok();
    let last = |mark: &str| {
        let after = log.rsplit_once(mark)?.1;
        number(after)
    };
    Outcome {
        n_inputs: last("stat::number_of_executed_units:").unwrap_or(0),
        n_edges: last(" cov: ").unwrap_or(0),
        is_sound,
    }
}

fn folder(name: &str) -> Result<PathBuf> {
    let path = workspace::target().join("fuzz").join(name);
    fs::create_dir_all(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_inputs_and_edges() {
        let log = "#2\tINITED cov: 81 ft: 82 corp: 1/8b\n#99\tNEW    cov: 120 ft: 300\n\
                   Done 99 runs in 1 second(s)\nstat::number_of_executed_units: 99\n";
        let expected = Outcome {
            n_inputs: 99,
            n_edges: 120,
            is_sound: true,
        };
        assert_eq!(outcome(log, true), expected);
    }
}
