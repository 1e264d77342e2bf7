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

/// What the tables show.
pub const HEADING: &str = "How many times faster than burn's f32 matmul on the same device, and GFLOP/s in brackets; layers as `d_in x d_out`.";

/// Runs `linear` on both devices; a device that fails costs its table only.
pub fn measure(context: &Context) -> Result<Value> {
    let devices: Result<Vec<Value>> = DEVICES
        .into_iter()
        .map(|device| measure_on(context, device))
        .collect();
    Ok(json!({"devices": devices?, "adapter": context.adapter()}))
}

/// Runs `linear` on one device.
pub fn measure_on(context: &Context, device: &str) -> Result<Value> {
    let tools = context.tools()?;
    let [seconds, longest] = if context.quick {
        ["1", "2"]
    } else {
        ["5", "5"]
    };
    let mut linear = command(&tools.linear);
    linear.args([device, "64", "256", "1024"]);
    linear.args(["--seconds", seconds, "--longest", longest]);
    Ok(match watch(&mut linear, LIMIT) {
        Ok(finished) => {
            let rows = finished.output.lines().map(serde_json::from_str);
            json!({"device": device, "rows": rows.collect::<Result<Vec<Value>, _>>()?})
        }
        Err(error) => json!({"device": device, "error": format!("{error:#}")}),
    })
}

/// A table a device.
pub fn render(data: &Value) -> String {
    let devices = data["devices"].as_array().into_iter().flatten();
    let tables: String = devices
        .map(|device| render_device(device, &data["adapter"]))
        .collect();
    format!("{HEADING}\n\n{tables}")
}

/// One device's table under its name.
pub fn render_device(device: &Value, adapter: &Value) -> String {
    let name = match device["device"].as_str() {
        Some("cpu") => "CPU".to_owned(),
        _ => format!(
            "wgpu on {}",
            adapter["name"].as_str().unwrap_or("an unknown adapter")
        ),
    };
    let table = match device["error"].as_str() {
        Some(error) => format!("failed: {error}\n"),
        None => table(device["rows"].as_array().map_or(&[], Vec::as_slice)),
    };
    format!("{name}:\n\n{table}\n")
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
