//! What a table has to say about where its figures come from.

use crate::command::{output, words};
use serde_json::{Value, json};
use std::fs;

/// Day, processor, memory and commit of this run.
pub fn facts() -> Value {
    let said = |line: &str| output(&mut words(line)).map(|text| text.trim().to_owned());
    json!({
        "date": said("date -u +%F"),
        "processor": processor(),
        "memory_gb": memory_kb().map(|kb| (kb as f64 / 1e6).round()),
        "rustc": said("rustc --version"),
        "commit": said("git rev-parse --short HEAD"),
        "changed": said("git status --porcelain --untracked-files=no").is_some_and(|text| !text.is_empty()),
    })
}

/// The facts in one line.
pub fn sentence(facts: &Value) -> String {
    let text = |name: &str| facts[name].as_str().unwrap_or("?").to_owned();
    let memory = facts["memory_gb"].as_f64().unwrap_or_default();
    let state = if facts["changed"] == true {
        " with changes"
    } else {
        ""
    };
    format!(
        "{}, {}, {memory} GB, commit {}{state}, {}",
        text("date"),
        text("processor"),
        text("commit"),
        text("rustc")
    )
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = |line: &&str| line.starts_with("model name");
    let name = info
        .lines()
        .find(named)
        .and_then(|line| line.split(':').nth(1));
    let n_cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{n_cores} x {}", name.unwrap_or("unknown processor").trim())
}

fn memory_kb() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("MemTotal:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
