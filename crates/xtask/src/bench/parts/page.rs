//! The real page as a visitor meets it: open to ready, drop to verdict.

use crate::bench::Context;
use crate::bench::watched::watch;
use crate::checks::node_command;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);

/// Runs `tests/e2e/measure.mjs`, which makes its own table.
pub fn measure(context: &Context) -> Result<Value> {
    context.page()?;
    let table = watch(&mut node_command(&["measure.mjs"]), LIMIT)?.output;
    Ok(json!({"table": table.trim()}))
}

/// That table.
pub fn render(data: &Value) -> String {
    format!("{}\n", data["table"].as_str().unwrap_or("?"))
}
