//! `servimage verify`.

use super::{Outcome, print_json};
use clap::Args;
use serde::Serialize;
use servimage_pack::dir::DirSource;
use servimage_pack::{Finding, MANIFEST_FILE, Pack, PackError};
use std::path::PathBuf;

/// Most tensor names printed for people; `--json` has all.
const MAX_NAMES: usize = 8;

/// Arguments of `verify`.
#[derive(Args)]
pub struct VerifyArguments {
    /// Folder of the pack
    pack: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct VerifyReport {
    ok: bool,
    name: Option<String>,
    pack_sha256: Option<String>,
    n_tensors: usize,
    n_shards: usize,
    size_bytes: u64,
    findings: Vec<FindingRow>,
}

#[derive(Serialize)]
struct FindingRow {
    code: &'static str,
    message: String,
    file: Option<String>,
    tensors: Vec<String>,
}

impl From<Finding> for FindingRow {
    fn from(
        Finding {
            error,
            file,
            tensors,
        }: Finding,
    ) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            file,
            tensors,
        }
    }
}

/// Runs `verify`.
pub(super) fn run(arguments: &VerifyArguments) -> anyhow::Result<Outcome> {
    let report = match pollster::block_on(Pack::open(DirSource::new(&arguments.pack))) {
        Ok(pack) => check(&pack),
        // No manifest: there is no pack to judge.
        Err(PackError::Source(error)) => {
            return Err(anyhow::Error::new(error)
                .context(format!("`{}` is no pack", arguments.pack.display())));
        }
        Err(error) => refused(error),
    };
    if arguments.json {
        print_json(&report)?;
    } else {
        print_report(&report);
    }
    Ok(if report.ok {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

fn check(pack: &Pack<DirSource>) -> VerifyReport {
    let findings: Vec<FindingRow> = pollster::block_on(pack.verify())
        .into_iter()
        .map(FindingRow::from)
        .collect();
    VerifyReport {
        ok: findings.is_empty(),
        name: Some(pack.manifest().name.clone()),
        pack_sha256: Some(pack.sha256().to_owned()),
        n_tensors: pack.manifest().tensors.len(),
        n_shards: pack.manifest().shards.len(),
        size_bytes: pack.size_bytes(),
        findings,
    }
}

/// The report of a manifest that does not open.
fn refused(error: PackError) -> VerifyReport {
    let finding = Finding {
        error,
        file: Some(MANIFEST_FILE.to_owned()),
        tensors: Vec::new(),
    };
    let findings = vec![finding.into()];
    VerifyReport {
        ok: false,
        name: None,
        pack_sha256: None,
        n_tensors: 0,
        n_shards: 0,
        size_bytes: 0,
        findings,
    }
}

fn print_report(report: &VerifyReport) {
    for finding in &report.findings {
        println!("{}: {}", finding.code, finding.message);
        if !finding.tensors.is_empty() {
            let more = finding.tensors.len().saturating_sub(MAX_NAMES);
            let names = finding.tensors[..finding.tensors.len().min(MAX_NAMES)].join(", ");
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            println!("  affects {names}{more}");
        }
    }
    let (tensors, shards, megabytes) = (
        report.n_tensors,
        report.n_shards,
        report.size_bytes as f64 / 1e6,
    );
    match report.findings.len() {
        0 => println!("ok: {tensors} tensors in {shards} shards, {megabytes:.1} MB"),
        n => println!("damaged: {n} findings"),
    }
}
