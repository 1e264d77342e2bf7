//! `servimage bench check`.

use super::{Outcome, print_json};
use crate::bench_folder::BenchFolder;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `bench`.
#[derive(Args)]
pub struct BenchArguments {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Subcommand)]
enum BenchCommand {
    /// Read a benchmark folder; print counts and what is odd in it
    Check {
        /// Folder with Portrait.json, Product.json, Digital.json, or with their folders
        dir: PathBuf,
        /// Print counts and warnings as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Counts over some tasks.
#[derive(Clone, Debug, Default, Serialize)]
struct Counts {
    tasks: usize,
    deliverables: usize,
    /// Sum of the tasks' prices.
    price_usd: f64,
    /// Tasks that come with an input image.
    with_inputs: usize,
    /// Tasks that come with reference images.
    with_references: usize,
}

#[derive(Serialize)]
struct CheckReport {
    files: Vec<PathBuf>,
    all: Counts,
    categories: BTreeMap<String, Counts>,
    warnings: Vec<String>,
}

/// Runs `bench`.
pub(super) fn run(arguments: &BenchArguments) -> anyhow::Result<Outcome> {
    let BenchCommand::Check { dir, json } = &arguments.command;
    let bench = BenchFolder::open(dir)?;
    let mut report = CheckReport {
        files: bench.files.clone(),
        all: Counts::default(),
        categories: BTreeMap::new(),
        warnings: bench.warnings.iter().map(ToString::to_string).collect(),
    };
    for entry in &bench.tasks {
        let category = report
            .categories
            .entry(entry.task.category.clone())
            .or_default();
        for counts in [&mut report.all, category] {
            counts.tasks += 1;
            counts.deliverables += entry.task.deliverables.len();
            counts.price_usd += entry.task.price_usd.unwrap_or(0.0);
            counts.with_inputs += usize::from(!entry.inputs().is_empty());
            counts.with_references += usize::from(!entry.references().is_empty());
        }
    }
    if *json {
        print_json(&report)?;
    } else {
        print_report(&report);
    }
    Ok(Outcome::Done)
}

fn print_report(report: &CheckReport) {
    println!(
        "{:<12} {:>6} {:>13} {:>14} {:>12} {:>16}",
        "category", "tasks", "deliverables", "price (USD)", "with inputs", "with references"
    );
    let rows = report
        .categories
        .iter()
        .map(|(name, counts)| (name.as_str(), counts));
    for (name, counts) in rows.chain([("all", &report.all)]) {
        let Counts {
            tasks,
            deliverables,
            price_usd,
            with_inputs,
            with_references,
        } = counts;
        println!(
            "{name:<12} {tasks:>6} {deliverables:>13} {price_usd:>14.2} {with_inputs:>12} {with_references:>16}"
        );
    }
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    println!(
        "{} files, {} warnings",
        report.files.len(),
        report.warnings.len()
    );
}
