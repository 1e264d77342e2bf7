//! `servimage verify`.

use super::device::DeviceArguments;
use super::{Outcome, print_json};
use clap::Args;
use serde::Serialize;
use servimage_bench::message::SelfTestReport;
use servimage_engine::{Engine, EngineError};
use servimage_pack::dir::DirSource;
use servimage_pack::{Finding, MANIFEST_FILE, Pack, PackError};
use servimage_prompt::{PromptBuilder, Tokenizer};
use std::path::PathBuf;

/// Most tensor names printed for people; `--json` has all.
const MAX_NAMES: usize = 8;

/// Arguments of `verify`.
#[derive(Args)]
pub struct VerifyArguments {
    /// Folder of the pack
    pack: PathBuf,
    #[command(flatten)]
    device: DeviceArguments,
    /// Check files and tensors only
    #[arg(long)]
    no_self_test: bool,
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
    self_test: Option<SelfTestReport>,
    /// Whether the pack carries vectors to run.
    #[serde(skip)]
    has_vectors: bool,
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
    let mut report = match pollster::block_on(Pack::open(DirSource::new(&arguments.pack))) {
        Ok(pack) => pollster::block_on(check(&pack)),
        // No manifest: there is no pack to judge.
        Err(PackError::Source(error)) => {
            return Err(anyhow::Error::new(error)
                .context(format!("`{}` is no pack", arguments.pack.display())));
        }
        Err(error) => refused(error),
    };
    // A damaged pack is not put on a device.
    if report.ok && !arguments.no_self_test {
        if report.has_vectors {
            run_self_test(&mut report, arguments)?;
        } else {
            // Nothing to run: a network of gigabytes is not loaded for that.
            report.self_test = Some(SelfTestReport {
                passed: true,
                tolerance: 0.0,
                rows: Vec::new(),
            });
        }
    }
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

async fn check(pack: &Pack<DirSource>) -> VerifyReport {
    let findings = pack.verify().await.into_iter();
    let mut findings: Vec<FindingRow> = findings.map(FindingRow::from).collect();
    if findings.is_empty()
        && let Err(error) = prompts_of(pack).await
    {
        findings.push(FindingRow {
            code: error.code(),
            message: error.to_string(),
            file: Some(pack.manifest().tokenizer.path.clone()),
            tensors: Vec::new(),
        });
    }
    VerifyReport {
        ok: findings.is_empty(),
        name: Some(pack.manifest().name.clone()),
        pack_sha256: Some(pack.sha256().to_owned()),
        n_tensors: pack.manifest().tensors.len(),
        n_shards: pack.manifest().shards.len(),
        size_bytes: pack.size_bytes(),
        findings,
        self_test: None,
        has_vectors: pack.manifest().self_test.is_some(),
    }
}

/// Reads the tokenizer and the template, as an engine does before it loads any weight.
async fn prompts_of(pack: &Pack<DirSource>) -> Result<PromptBuilder, EngineError> {
    let tokenizer = Tokenizer::from_json(&pack.tokenizer_json().await?)?;
    Ok(PromptBuilder::new(tokenizer, pack.manifest())?)
}

/// Loads the pack onto the device and holds it against its own vectors.
fn run_self_test(report: &mut VerifyReport, arguments: &VerifyArguments) -> anyhow::Result<()> {
    let device = arguments.device.open()?;
    let source = DirSource::new(&arguments.pack);
    match pollster::block_on(Engine::load_unproven(source, device, &mut |_, _, _| ())) {
        Ok(engine) => {
            let self_test = engine.self_test().clone();
            report.ok = self_test.passed;
            report.self_test = Some(self_test);
        }
        Err(error) => {
            report.ok = false;
            let (code, message) = (error.code(), error.to_string());
            report.findings.push(FindingRow {
                code,
                message,
                file: None,
                tensors: Vec::new(),
            });
        }
    }
    Ok(())
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
        self_test: None,
        has_vectors: false,
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
    if let Some(self_test) = &report.self_test {
        for row in self_test
            .rows
            .iter()
            .filter(|row| row.max_relative_error > self_test.tolerance)
        {
            let (tensor, error) = (&row.tensor, row.max_relative_error);
            println!(
                "pack.self_test_failed: `{tensor}` differs by {error:.2e}, allowed {:.0e}",
                self_test.tolerance
            );
        }
    }
    let self_test = match &report.self_test {
        None => "self-test not run".to_owned(),
        Some(self_test) if self_test.rows.is_empty() => "no self-test vectors".to_owned(),
        Some(self_test) => format!("self-test over {} tensors passed", self_test.rows.len()),
    };
    match (report.ok, report.findings.len()) {
        (true, _) => {
            println!("ok: {tensors} tensors in {shards} shards, {megabytes:.1} MB, {self_test}")
        }
        (false, 0) => println!("unsound: the self-test failed"),
        (false, n) => println!("damaged: {n} findings"),
    }
}
