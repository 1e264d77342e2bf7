//! `servimage check-host`.

use super::{Outcome, print_json};
use crate::http::Client;
use clap::Args;
use indicatif::ProgressBar;
use servimage_host::check::{CheckOptions, HostReport, Level, check_host};

/// Most file names printed for people; `--json` has all.
const MAX_FILES: usize = 4;

/// Arguments of `check-host`.
#[derive(Args)]
pub struct CheckHostArguments {
    /// Address of the pack: its folder or its manifest.json
    url: String,
    /// Origin of the page that will load the pack
    #[arg(
        long,
        value_name = "ORIGIN",
        default_value = "https://page.example",
        conflicts_with = "same_origin"
    )]
    page: String,
    /// The page lies on the same host, which then need not share the pack
    #[arg(long)]
    same_origin: bool,
    /// Shards to fetch whole and hash, spread over the pack
    #[arg(long, value_name = "N", default_value_t = 1)]
    sample: usize,
    /// Fetch and hash every shard
    #[arg(long, conflicts_with = "sample")]
    all: bool,
    /// Also fail for what merely costs: no ranges, redirects and such
    #[arg(long)]
    strict: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `check-host`.
pub(super) fn run(arguments: &CheckHostArguments) -> anyhow::Result<Outcome> {
    let options = CheckOptions {
        page_origin: (!arguments.same_origin).then(|| arguments.page.clone()),
        n_sampled: if arguments.all {
            usize::MAX
        } else {
            arguments.sample
        },
    };
    let bar = ProgressBar::new(0);
    let report = check_host(
        &Client::new(),
        &arguments.url,
        &options,
        |file, index, n_files| {
            bar.set_length(n_files as u64);
            bar.set_position(index as u64);
            bar.set_message(file.to_owned());
        },
    )?;
    bar.finish_and_clear();
    if arguments.json {
        print_json(&report)?;
    } else {
        print_report(&report, arguments.same_origin);
    }
    let is_sound = report.ok && (report.findings.is_empty() || !arguments.strict);
    Ok(if is_sound {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

fn print_report(report: &HostReport, same_origin: bool) {
    for finding in &report.findings {
        let level = match finding.level {
            Level::Fails => "fails",
            Level::Costs => "costs",
        };
        println!("{level}  {}: {}", finding.code, finding.message);
        let shown = finding.files.len().min(MAX_FILES);
        let more = match finding.files.len() - shown {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        println!("       {}{more}", finding.files[..shown].join(", "));
        println!("       {}", finding.advice);
    }
    let name = report.name.as_deref().unwrap_or("no pack");
    let megabytes = report.size_bytes as f64 / 1e6;
    let verdict = match (report.ok, report.findings.is_empty()) {
        (true, true) => "ok",
        (true, false) => "ok, but it costs",
        (false, _) => "the page cannot load it",
    };
    println!(
        "{verdict}: {name} at {}, {} files, {megabytes:.1} MB; hashed {}",
        report.url,
        report.n_files,
        report.hashed.join(", ")
    );
    if !same_origin {
        println!(
            "a page on another host needs `connect-src {}` in its Content-Security-Policy",
            report.connect_src.join(" ")
        );
    }
}
