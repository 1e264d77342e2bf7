//! Whether all devices say the same: native CPU, native GPU and both devices of Chromium on held-out pictures.

use crate::bench::figures::{rows, word};
use crate::bench::tools::empty_folder;
use crate::bench::watched::watch;
use crate::bench::{Context, table::Table};
use crate::checks::node_command;
use crate::{setup, workspace};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Largest difference of P(pay) from the native CPU's.
const TOLERANCE: f64 = 1e-3;
const N_PICTURES: usize = 50;
const TASK: &str = "starter-product-001";
const LIMIT: Duration = Duration::from_secs(1800);

/// P(pay) and the decision of each image, by its name.
type Said = BTreeMap<String, (f64, bool)>;

/// Pictures that the project rendered itself, judged four times.
pub fn measure(context: &Context) -> Result<Value> {
    let images = pictures(context)?;
    let native = |device: &str| -> Result<Command> {
        let mut score = crate::command::command(&context.tools()?.servimage);
        score.arg("score").arg("--pack").arg(workspace::nano());
        score.args(["--task", TASK, "--format", "jsonl", "--device", device]);
        score.args(&images);
        Ok(score)
    };
    let in_page = |webgpu: &str| -> Result<Command> {
        context.page()?;
        let mut page = node_command(&["agreement.mjs", webgpu]);
        page.arg(workspace::nano()).arg(TASK).args(&images);
        Ok(page)
    };
    let (expected, first) = said(native("cpu")?, images.len())?;
    let mut rows = vec![json!({"where": "command line, CPU", "device": first})];
    for (name, command) in [
        ("command line, GPU", native("gpu")?),
        ("Chromium, WebGPU", in_page("swiftshader")?),
        ("Chromium, CPU", in_page("no-adapter")?),
    ] {
        let (found, device) = said(command, images.len())?;
        let mut row = difference(&expected, &found)?;
        row["where"] = name.into();
        row["device"] = device.into();
        rows.push(row);
    }
    let p_pay: Vec<f64> = expected.values().map(|(p, _)| *p).collect();
    let range = [f64::min, f64::max].map(|of| p_pay.iter().copied().reduce(of));
    Ok(json!({"rows": rows, "n": images.len(), "range": range}))
}

/// Held-out pictures as files.
fn pictures(context: &Context) -> Result<Vec<PathBuf>> {
    let n = if context.quick { 4 } else { N_PICTURES };
    let folder = empty_folder("held-out")?;
    let trainer = context.tools()?.servimage.with_file_name("servimage-train");
    let mut render = crate::command::command(&trainer);
    render.args(["held-out", "--count", &n.to_string(), "--out"]);
    watch(render.arg(&folder), LIMIT)?;
    let names = std::fs::read_dir(&folder)?;
    let mut images = names
        .map(|name| Ok(name?.path()))
        .collect::<Result<Vec<_>>>()?;
    images.sort();
    ensure!(
        images.len() == n,
        "{} pictures were rendered, not {n}",
        images.len()
    );
    Ok(images)
}

/// The verdicts that a command prints, and the device that made them.
fn said(mut command: Command, n: usize) -> Result<(Said, String)> {
    setup::for_testing()?;
    let output = watch(&mut command, LIMIT)?.output;
    let mut said = Said::new();
    let mut device = String::new();
    for line in output.lines().filter(|line| line.starts_with('{')) {
        let row: Value = serde_json::from_str(line)?;
        let both = row["p_pay"].as_f64().zip(row["pay"].as_bool());
        let (p_pay, pay) = both.with_context(|| format!("no verdict: {line}"))?;
        let name = row["image"].as_str().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        said.insert(name.to_owned(), (p_pay, pay));
        device = word(&row["provenance"]["device"]);
    }
    ensure!(said.len() == n, "{} verdicts for {n} images", said.len());
    Ok((said, device))
}

/// How far one device is from another; above the tolerance it is an error.
fn difference(expected: &Said, found: &Said) -> Result<Value> {
    let (mut largest, mut sum, mut same) = (0.0_f64, 0.0, 0);
    for (name, (p_pay, pay)) in expected {
        let (other, decision) = found
            .get(name)
            .with_context(|| format!("no verdict for {name}"))?;
        let apart = (p_pay - other).abs();
        ensure!(
            apart <= TOLERANCE,
            "{name}: P(pay) {p_pay} on the command line's CPU, {other} here; allowed are {TOLERANCE}"
        );
        largest = largest.max(apart);
        sum += apart;
        same += usize::from(pay == decision);
    }
    Ok(json!({"max": largest, "mean": sum / expected.len().max(1) as f64, "same": same}))
}

/// A row a device.
pub fn render(data: &Value) -> String {
    let mut table = Table::new(&[
        "where",
        "device",
        "same decision",
        "mean difference of P(pay)",
        "largest",
    ]);
    let n = data["n"].as_u64().unwrap_or_default();
    for row in rows(data) {
        let small = |name: &str| {
            let found = row[name].as_f64();
            found.map_or_else(|| "reference".to_owned(), |x| format!("{x:.1e}"))
        };
        let same = row["same"]
            .as_u64()
            .map_or_else(String::new, |same| format!("{same} of {n}"));
        table.row(&[
            word(&row["where"]),
            word(&row["device"]),
            same,
            small("mean"),
            small("max"),
        ]);
    }
    let end = |i: usize| data["range"][i].as_f64().unwrap_or(f64::NAN);
    format!(
        "{n} pictures that the project renders itself, none of them used in training, half of them damaged, under `{TASK}`; P(pay) from {:.2} to {:.2}. \
         More than {TOLERANCE} apart is an error.\n\n{table}",
        end(0),
        end(1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(p_pay: f64) -> Said {
        [("a.png".to_owned(), (p_pay, p_pay >= 0.5))].into()
    }

    #[test]
    fn a_device_that_says_something_else_is_an_error() -> Result<()> {
        let near = difference(&said(0.5), &said(0.4995))?;
        assert_eq!(near["same"], 0, "the decisions differ, and that is said");
        assert!(difference(&said(0.5), &said(0.498)).is_err());
        assert!(difference(&said(0.5), &Said::new()).is_err());
        Ok(())
    }
}
