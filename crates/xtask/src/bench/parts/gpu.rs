//! True 2B and 4B shapes on a discrete GPU, natively through wgpu; on a machine without one it says so.
//!
//! `--force` runs the same on whatever wgpu finds, on a small network unless the adapter is a GPU: to see that it runs at all.

use crate::bench::evaluator::{Evaluator, number};
use crate::bench::figures::{figure, megabytes, numbers, rows, spread_or, word};
use crate::bench::spread::{Spread, three_digits};
use crate::bench::{Context, parts, table::Table};
use crate::command::{output, words};
use anyhow::Result;
use serde_json::{Value, json};

const N_TEXT: usize = 600;
const N_WARM: usize = 12;

/// Every size and layout that fits.
pub fn measure(context: &Context) -> Result<Value> {
    let adapter = context.adapter();
    if !context.has_gpu() && !context.force {
        return Ok(json!({"adapter": adapter, "rows": []}));
    }
    let sizes: &[&str] = if context.has_gpu() {
        &["2b", "4b"]
    } else {
        &["nano"]
    };
    let mut rows = Vec::new();
    for size in sizes {
        for layout in ["q4", "q8"] {
            let row = run(context, size, layout);
            rows.push(row.unwrap_or_else(
                |error| json!({"size": size, "layout": layout, "error": format!("{error:#}")}),
            ));
        }
    }
    Ok(json!({"adapter": adapter, "rows": rows, "peak_tflops": context.peak_tflops}))
}

fn run(context: &Context, size: &str, layout: &str) -> Result<Value> {
    let pack = parts::convert::pack(context, size, layout)?;
    let tools = context.tools()?;
    let n_warm = if context.quick { 3 } else { N_WARM };
    let before = gpu_memory_bytes();
    let mut forward = tools.forward(&["serve"]);
    let mut ours = Evaluator::open(size, forward.arg(&pack).arg("gpu"))?;
    let mut ways = serde_json::Map::new();
    for (way, prefix) in [("whole prompt", false), ("behind the prefix", true)] {
        let (mut millis, mut operations) = (Vec::new(), 0.0);
        for seed in 0..=n_warm {
            let input = tools.made_up_input(&pack, N_TEXT, 1, seed)?;
            let answer = ours.ask(&json!({"input": input, "prefix": prefix}))?;
            millis.push(number(&answer, "millis")?);
            operations = number(&answer, "operations")?;
        }
        ways.insert(
            way.to_owned(),
            json!({"cold": millis[0], "millis": millis[1..], "operations": operations}),
        );
    }
    let memory = gpu_memory_bytes()
        .zip(before)
        .map(|(after, before)| after - before);
    Ok(
        json!({"size": size, "layout": layout, "ways": ways, "gpu_memory_bytes": memory, "load_millis": ours.about["load_millis"]}),
    )
}

/// Memory in use on the first card, where its vendor's tool is there to say.
fn gpu_memory_bytes() -> Option<f64> {
    let said = output(&mut words(
        "nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits",
    ))?;
    let mebibytes: f64 = said.lines().next()?.trim().parse().ok()?;
    Some(mebibytes * 1024.0 * 1024.0)
}

/// A row a size, layout and way.
pub fn render(data: &Value) -> String {
    let adapter = &data["adapter"];
    let name = format!(
        "{} ({})",
        adapter["name"].as_str().unwrap_or("none"),
        adapter["kind"].as_str().unwrap_or("no adapter")
    );
    let rows = rows(data);
    if rows.is_empty() {
        return format!("Not measured: no GPU at hand; wgpu found {name}.\n");
    }
    let mut table = Table::new(&[
        "network",
        "layout",
        "prompt",
        "cold, ms",
        "warm, ms",
        "TFLOP/s",
        "of the peak",
        "memory on the card",
        "loaded in",
    ]);
    for row in rows {
        if let Some(error) = row["error"].as_str() {
            let failed = format!("failed: {error}");
            table.row(&[word(&row["size"]), word(&row["layout"]), failed]);
        }
        for (way, found) in row["ways"].as_object().into_iter().flatten() {
            table.row(&cells(row, way, found, data["peak_tflops"].as_f64()));
        }
    }
    format!("On {name}; {N_TEXT} text tokens and one image, random weights.\n\n{table}")
}

fn cells(row: &Value, way: &str, found: &Value, peak_tflops: Option<f64>) -> [String; 9] {
    let spread = Spread::of(&numbers(&found["millis"]));
    let operations = found["operations"].as_f64().unwrap_or(f64::NAN);
    let tflops = spread.map(|spread| operations / spread.median / 1e9);
    let share = tflops.zip(peak_tflops);
    let share = share.map(|(found, peak)| format!("{:.0} %", found / peak * 100.0));
    [
        word(&row["size"]),
        word(&row["layout"]),
        way.to_owned(),
        figure(&found["cold"], 1.0),
        spread_or(spread, "?"),
        tflops.map_or("?".to_owned(), three_digits),
        share.unwrap_or_else(|| "no --peak-tflops given".to_owned()),
        megabytes(&row["gpu_memory_bytes"]),
        format!("{} s", figure(&row["load_millis"], 1e-3)),
    ]
}
