//! `servimage parity`.

use super::device::DeviceArguments;
use super::{Outcome, layouts, print_json};
use crate::parity::{ParityRow, default_tolerance, parity};
use clap::Args;
use serde::Serialize;
use servimage_pack::Layout;
use std::path::PathBuf;

/// Arguments of `parity`.
#[derive(Args)]
pub struct ParityArguments {
    /// Golden folder: base, stage1, stage2, images, golden.json, golden.safetensors
    #[arg(long, value_name = "DIR")]
    golden: PathBuf,
    /// Layout of the linear weights
    #[arg(long, default_value = "f32", value_parser = layouts())]
    quant: Layout,
    #[command(flatten)]
    device: DeviceArguments,
    /// Bound on the largest difference over the largest expected value, per tensor; by default it follows the layout and the device
    #[arg(long, value_name = "RATIO")]
    tolerance: Option<f64>,
    /// Print the rows as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ParityReport<'a> {
    passed: bool,
    device: &'a str,
    quant: Layout,
    rows: &'a [ParityRow],
}

/// Runs `parity`.
pub(super) fn run(arguments: &ParityArguments) -> anyhow::Result<Outcome> {
    let device = arguments.device.open()?;
    let tolerance = arguments
        .tolerance
        .unwrap_or_else(|| default_tolerance(arguments.quant, &device));
    let rows = pollster::block_on(parity(
        &arguments.golden,
        arguments.quant,
        &device,
        tolerance,
    ))?;
    let passed = rows.iter().all(|row| row.passed);
    let report = ParityReport {
        passed,
        device: &device.name,
        quant: arguments.quant,
        rows: &rows,
    };
    if arguments.json {
        print_json(&report)?;
    } else {
        print_report(&report);
    }
    Ok(if passed {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

fn print_report(report: &ParityReport<'_>) {
    println!(
        "{:<24} {:>14} {:>11} {:>10}",
        "tensor", "max abs error", "relative", "allowed"
    );
    for row in report.rows {
        let mark = if row.passed { "" } else { "  FAILED" };
        println!(
            "{:<24} {:>14.3e} {:>11.3e} {:>10.1e}{mark}",
            row.tensor, row.max_abs_error, row.error, row.tolerance
        );
    }
    let verdict = if report.passed { "equal" } else { "NOT equal" };
    println!(
        "{verdict} to the reference on {} with {} weights",
        report.device, report.quant
    );
}
