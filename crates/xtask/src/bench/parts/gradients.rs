//! Layers of nano forwards and backwards: our gradients against burn's own.

use crate::bench::figures::{numbers, rows, word};
use crate::bench::spread::Spread;
use crate::bench::watched::watch;
use crate::bench::{Context, table::Table};
use crate::command::command;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// Runs `gradients`.
pub fn measure(context: &Context) -> Result<Value> {
    let seconds = if context.quick { "0.5" } else { "15" };
    let mut gradients = command(&context.tools()?.gradients);
    let finished = watch(gradients.args(["--seconds", seconds]), LIMIT)?;
    let rows = finished.output.lines().map(serde_json::from_str);
    Ok(json!({"rows": rows.collect::<Result<Vec<Value>, _>>()?}))
}

/// One row a layer.
pub fn render(data: &Value) -> String {
    let mut table = Table::new(&["layer", "rows", "burn", "ours", "times faster"]);
    let of_kind = |kind: &'static str| rows(data).iter().filter(move |row| row["kind"] == kind);
    for (burn, ours) in of_kind("burn").zip(of_kind("ours")) {
        let [burn_ms, ours_ms] = [burn, ours].map(|row| numbers(&row["millis"]));
        let shown = |spread: Option<Spread>, unit: &str| {
            spread.map_or_else(|| "?".to_owned(), |spread| format!("{spread}{unit}"))
        };
        table.row(&[
            word(&burn["layer"]),
            burn["rows"].to_string(),
            shown(Spread::of(&burn_ms), " ms"),
            shown(Spread::of(&ours_ms), " ms"),
            shown(Spread::of_ratio(&burn_ms, &ours_ms), ""),
        ]);
    }
    format!("Result and all gradients of one layer with nano's shapes, on one thread.\n\n{table}")
}
