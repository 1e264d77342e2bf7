//! Our linear layer against burn's, at the shapes of a Qwen3-VL-2B.

use crate::bench::Context;
use crate::bench::figures::{numbers, word};
use crate::bench::spread::{Spread, three_digits};
use crate::bench::table::Table;
use crate::bench::watched::watch;
use crate::command::command;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(400);
const DEVICES: [&str; 2] = ["cpu", "gpu"];
const KINDS: [&str; 5] = ["burn f32", "burn q4", "ours f32", "ours q8", "ours q4"];
const BASE: &str = "burn f32";

/// Runs `linear` on both devices; a device that fails costs its table only.
pub fn measure(context: &Context) -> Result<Value> {
    let tools = context.tools()?;
    let seconds = if context.quick { "1" } else { "5" };
    let longest = if context.quick { "2" } else { "5" };
    let mut devices = Vec::new();
    for device in DEVICES {
        let mut linear = command(&tools.linear);
        linear.args([
            device,
            "64",
            "256",
            "1024",
            "--seconds",
            seconds,
            "--longest",
            longest,
        ]);
        let finished = watch(&mut linear, LIMIT);
        devices.push(match finished {
            Ok(finished) => {
                let rows = finished.output.lines().map(serde_json::from_str);
                json!({"device": device, "rows": rows.collect::<Result<Vec<Value>, _>>()?})
            }
            Err(error) => json!({"device": device, "error": format!("{error:#}")}),
        });
    }
    Ok(json!({"devices": devices, "adapter": context.adapter()}))
}

/// A table a device.
pub fn render(data: &Value) -> String {
    let mut text = String::from(
        "How many times faster than burn's f32 matmul on the same device, and GFLOP/s in brackets; layers as `d_in x d_out`.\n\n",
    );
    for device in data["devices"].as_array().into_iter().flatten() {
        let name = match device["device"].as_str() {
            Some("cpu") => "CPU".to_owned(),
            _ => format!(
                "wgpu on {}",
                data["adapter"]["name"]
                    .as_str()
                    .unwrap_or("an unknown adapter")
            ),
        };
        text.push_str(&format!("{name}:\n\n"));
        text.push_str(&match device["error"].as_str() {
            Some(error) => format!("failed: {error}\n"),
            None => table(device["rows"].as_array().map_or(&[], Vec::as_slice)),
        });
        text.push('\n');
    }
    text
}

fn table(rows: &[Value]) -> String {
    let mut table = Table::new(&[
        "layer", "M", "burn f32", "burn q4", "ours f32", "ours q8", "ours q4",
    ]);
    let place = |row: &Value| (row["layer"].clone(), row["m"].clone());
    let mut places: Vec<_> = rows.iter().map(place).collect();
    places.dedup();
    let mut seen = Vec::new();
    for at in places {
        if seen.contains(&at) {
            continue;
        }
        let of_kind = |kind: &str| {
            rows.iter()
                .find(|row| place(row) == at && row["kind"] == kind)
        };
        let base = of_kind(BASE)
            .map(|row| numbers(&row["millis"]))
            .unwrap_or_default();
        let mut cells = vec![word(&at.0), at.1.to_string()];
        cells.extend(
            KINDS.map(|kind| of_kind(kind).map_or_else(String::new, |row| cell(row, &base))),
        );
        table.row(&cells);
        seen.push(at);
    }
    table.to_string()
}

fn cell(row: &Value, base: &[f64]) -> String {
    if let Some(reason) = row["not_run"].as_str() {
        return format!("not run: {reason}");
    }
    let times = numbers(&row["millis"]);
    let Some(spread) = Spread::of(&times) else {
        return "not run".to_owned();
    };
    let gflops = row["flops"].as_f64().unwrap_or_default() / spread.median / 1e6;
    let ratio = match Spread::of_ratio(base, &times) {
        _ if row["kind"] == BASE => "1".to_owned(),
        Some(ratio) => ratio.to_string(),
        None => "?".to_owned(),
    };
    format!("{ratio} [{}]", three_digits(gflops))
}
