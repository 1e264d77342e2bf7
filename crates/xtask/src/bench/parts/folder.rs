//! A folder of images through the page, from the first paint to the report: what a visitor waits for, and what holds the page up.

use crate::bench::Context;
use crate::bench::watched::watch;
use crate::checks::node_command;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(900);

/// Runs `tests/e2e/measure-folder.mjs`, which makes its own table, as [`super::page`] shows it.
pub fn measure(context: &Context) -> Result<Value> {
    context.page()?;
    let n_images = if context.quick { "20" } else { "200" };
    let table = watch(&mut node_command(&["measure-folder.mjs", n_images]), LIMIT)?.output;
    Ok(json!({"table": table.trim()}))
}
