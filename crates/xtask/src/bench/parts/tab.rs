//! Packs in a tab of a Chromium on a real GPU; on a machine without one it says so.

use crate::bench::watched::watch;
use crate::bench::{Context, parts};
use crate::checks::node_command;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(1200);

/// Runs `tests/e2e/tab.mjs`, which makes its own table, as [`super::page`] shows it.
pub fn measure(context: &Context) -> Result<Value> {
    if !context.has_gpu() && !context.force {
        return Ok(json!({"table": "Not measured: no GPU at hand."}));
    }
    context.page()?;
    let mut tab = if context.has_gpu() {
        let mut tab = node_command(&["tab.mjs", "hardware"]);
        tab.arg(parts::convert::pack(context, "2b", "q4")?);
        tab
    } else {
        node_command(&["tab.mjs", "swiftshader"])
    };
    let table = watch(&mut tab, LIMIT)?.output;
    Ok(json!({"table": table.trim()}))
}
