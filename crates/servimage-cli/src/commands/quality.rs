//! `servimage quality`.

use super::device::DeviceArguments;
use super::{Outcome, print_json};
use crate::quality::{LayoutQuality, quality};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::path::PathBuf;

/// Arguments of `quality`.
#[derive(Args)]
pub struct QualityArguments {
    /// Golden folder with trained heads: base, stage1, stage2
    #[arg(long, value_name = "DIR")]
    golden: PathBuf,
    /// Made-up pictures, spread over the starter tasks
    #[arg(long, value_name = "N", default_value = "480", value_parser = RangedU64ValueParser::<usize>::new().range(2..=100_000))]
    inputs: usize,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the rows as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `quality`.
pub(super) fn run(arguments: &QualityArguments) -> anyhow::Result<Outcome> {
    let device = arguments.device.open()?;
    let rows = pollster::block_on(quality(&arguments.golden, arguments.inputs, &device))?;
    if arguments.json {
        print_json(&rows)?;
    } else {
        print_rows(&rows);
    }
    Ok(Outcome::Done)
}

fn print_rows(rows: &[LayoutQuality]) {
    println!("against f32; concepts: mean / max, in points of 1 to 5");
    for row in rows {
        println!("{}, {} inputs", row.quant, row.n);
        for (what, payment) in [("plain", row.plain), ("standardized", row.standardized)] {
            println!(
                "    {what:<14} same decision {:.1} %, |dP| mean {:.4}, max {:.3}",
                100.0 * payment.agreement,
                payment.mean_dp,
                payment.max_dp
            );
        }
        for (concept, [mean, max]) in &row.concepts {
            println!("    {concept:<14} {mean:.4} / {max:.3}");
        }
    }
}
