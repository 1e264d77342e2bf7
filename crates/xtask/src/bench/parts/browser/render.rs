//! Tables of what the browser's runner measured.

use crate::bench::figures::{numbers, rows, spread_or, word};
use crate::bench::spread::{Spread, three_digits};
use crate::bench::table::Table;
use serde_json::Value;

const GROUPS: [(&str, &str); 3] = [
    ("cpu", "On the CPU, one thread"),
    (
        "threads",
        "On the CPU, onnxruntime-web with a thread a core (its page has to be served with two isolation headers, ours runs as it is)",
    ),
    ("webgpu", "WebGPU"),
];

/// A table of cold figures and one of warm ones a group.
pub fn render(data: &Value) -> String {
    let report = &data["report"];
    let all = || rows(report).iter();
    let mut runtimes: Vec<&str> = all()
        .filter_map(|row| row["cold"][0]["runtime"].as_str())
        .collect();
    runtimes.sort_unstable();
    runtimes.dedup();
    let mut text = format!(
        "Chromium {}, WebGPU on {}; {}. The same pixels and tokens for all. Column `error`: by how much ours misses the payment probability \
         that follows from the reference, and the others its logits (q4 graphs of onnxruntime-web compute with int8 activations).\n",
        word(&report["chromium"]),
        word(&report["adapter"]),
        runtimes.join(", ")
    );
    if let Some(reason) = data["no_peers"].as_str() {
        text.push_str(&format!("\nThe others were **not measured**: {reason}\n"));
    }
    for (group, title) in GROUPS {
        let rows: Vec<&Value> = all().filter(|row| row["group"] == group).collect();
        if !rows.is_empty() {
            text.push_str(&format!(
                "\n{title}; a fresh browser each:\n\n{}",
                cold(&rows)
            ));
            text.push_str(&format!(
                "\n{title}; one browser, warm, in turn:\n\n{}",
                warm(&rows)
            ));
        }
    }
    text
}

fn cold(rows: &[&Value]) -> String {
    let mut table = Table::new(&[
        "contender",
        "ready, ms",
        "first evaluation, ms",
        "runtime, gzip (raw)",
        "weights, gzip (raw)",
        "all bytes, of ours",
        "peak memory, page + GPU process",
    ]);
    let ours = rows.first().map_or(f64::NAN, |row| bytes(row));
    for row in rows.iter().filter(|row| row["way"] == "whole") {
        table.row(&cold_cells(row, ours));
    }
    table.to_string()
}

/// All bytes after gzip.
fn bytes(row: &Value) -> f64 {
    let of = |group: &str| row["cold"][0]["fetched"][group]["gzip_bytes"].as_f64();
    of("runtime")
        .zip(of("weights"))
        .map_or(f64::NAN, |(runtime, weights)| runtime + weights)
}

fn cold_cells(row: &Value, ours: f64) -> Vec<String> {
    let runs = row["cold"].as_array().map_or(&[][..], Vec::as_slice);
    if runs.is_empty() {
        let reason = format!("not measured: {}", word(&row["error"]));
        return vec![word(&row["contender"]), reason];
    }
    let spread = |pick: &dyn Fn(&Value) -> &Value| {
        let values: Vec<f64> = runs.iter().filter_map(|run| pick(run).as_f64()).collect();
        Spread::of(&values)
    };
    let memory = |process: &str| {
        let spread = spread(&|run| &run["memory"][process]);
        spread.map_or("?".to_owned(), |spread| {
            format!("{:.0}", spread.median / 1e6)
        })
    };
    let size = |group: &str| {
        let fetched = &runs[0]["fetched"][group];
        let megabytes = |kind: &str| three_digits(fetched[kind].as_f64().unwrap_or(f64::NAN) / 1e6);
        format!("{} MB ({})", megabytes("gzip_bytes"), megabytes("bytes"))
    };
    vec![
        word(&row["contender"]),
        spread_or(spread(&|run| &run["ready_millis"]), "?"),
        spread_or(spread(&|run| &run["first_millis"]), "?"),
        size("runtime"),
        size("weights"),
        three_digits(bytes(row) / ours),
        format!("{} + {} MB", memory("renderer_bytes"), memory("gpu_bytes")),
    ]
}

fn warm(rows: &[&Value]) -> String {
    let mut table = Table::new(&[
        "contender",
        "page's prompt, ms",
        "x our time",
        "long brief, ms",
        "x our time",
        "error",
    ]);
    for (i, row) in rows.iter().enumerate() {
        let ours = rows.first().filter(|_| i > 0);
        table.row(&warm_cells(row, ours.copied()));
    }
    table.to_string()
}

/// `ours` is absent in the row that the others are held against.
fn warm_cells(row: &Value, ours: Option<&Value>) -> Vec<String> {
    let way = match row["way"].as_str() {
        Some("whole") if row["contender"] == "ours" => ", a new brief each time",
        Some("further") => ", a further image of a brief",
        Some("photo") => ", a further image, a photograph to decode",
        _ => "",
    };
    let mut cells = vec![word(&row["contender"]) + way];
    let reason = match row["error"].as_str() {
        Some(error) => format!("not measured: {error}"),
        None => "not measured".to_owned(),
    };
    for prompt in ["page", "long"] {
        let own = numbers(&row["warm"][prompt]);
        let ratio = ours.and_then(|ours| Spread::of_ratio(&own, &numbers(&ours["warm"][prompt])));
        cells.push(spread_or(Spread::of(&own), &reason));
        cells.push(spread_or(ratio, ""));
    }
    let checks = ["page", "long"]
        .iter()
        .filter_map(|prompt| row["check"][prompt].as_f64());
    let check = checks.reduce(f64::max);
    cells.push(check.map_or_else(String::new, |check| format!("{check:.0e}")));
    cells
}
