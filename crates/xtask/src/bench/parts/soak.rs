//! A thousand images through one worker: does what it holds stay as it is?

use crate::bench::Context;
use crate::bench::watched::watch;
use crate::checks::node_command;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(3600);

/// Runs `tests/e2e/soak.mjs`, which makes its own table, as [`super::page`] shows it.
pub fn measure(context: &Context) -> Result<Value> {
    context.page()?;
    let n_images = if context.quick { "40" } else { "1000" };
    let per_drop = if context.quick { "10" } else { "100" };
    let mut soak = node_command(&["soak.mjs", n_images, per_drop]);
    let table = watch(&mut soak, LIMIT)?.output;
    Ok(json!({"table": table.trim()}))
}
