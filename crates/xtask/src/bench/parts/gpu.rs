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

/// Networks with their packs' layouts and how activations are stored.
const RUNS: [(&str, &str, &str); 6] = [
    ("2b", "q4", "gpu"),
    ("2b", "q4", "gpu-f16"),
    ("2b", "q8", "gpu"),
    ("2b", "q8", "gpu-f16"),
    ("4b", "q4", "gpu"),
    ("4b", "q4", "gpu-f16"),
];
const SMALL_RUNS: [(&str, &str, &str); 2] = [("nano", "q4", "gpu"), ("nano", "q4", "gpu-f16")];

/// Name, whether the shared start of the prompt is kept, and images of one task at once.
const WAYS: [(&str, bool, usize); 3] = [
    ("whole prompt", false, 1),
    ("behind the prefix", true, 1),
    ("behind the prefix, 8 images at once", true, 8),
];

/// Every network, and the linear layers by themselves.
pub fn measure(context: &Context) -> Result<Value> {
    let adapter = context.adapter();
    if !context.has_gpu() && !context.force {
        return Ok(json!({"adapter": adapter, "rows": []}));
    }
    let runs = if context.has_gpu() {
        &RUNS[..]
    } else {
        &SMALL_RUNS
    };
    let mut rows = Vec::new();
    for (size, layout, device) in runs {
        let about = json!({"size": size, "layout": layout, "device": device});
        rows.push(match run(context, size, layout, device) {
            Ok(found) => json!({"about": about, "found": found}),
            Err(error) => json!({"about": about, "error": format!("{error:#}")}),
        });
    }
    let layers = parts::linear::measure_on(context, "gpu")?;
    Ok(json!({
        "adapter": adapter,
        "rows": rows,
        "layers": layers,
        "peak_tflops": context.peak_tflops,
    }))
}

fn run(context: &Context, size: &str, layout: &str, device: &str) -> Result<Value> {
    let pack = parts::convert::pack(context, size, layout)?;
    let tools = context.tools()?;
    let n_warm = if context.quick { 3 } else { N_WARM };
    let before = gpu_memory_bytes();
    let mut forward = tools.forward(&["serve"]);
    let mut ours = Evaluator::open(size, forward.arg(&pack).arg(device))?;
    let loaded = gpu_memory_bytes();
    let mut ways = Vec::new();
    for (way, prefix, copies) in WAYS {
        let (mut millis, mut operations) = (Vec::new(), 0.0);
        for seed in 0..=n_warm {
            let input = tools.made_up_input(&pack, N_TEXT, 1, seed)?;
            let request = json!({"input": input, "prefix": prefix, "copies": copies});
            let answer = ours.ask(&request)?;
            millis.push(number(&answer, "millis")? / copies as f64);
            operations = number(&answer, "operations")? / copies as f64;
        }
        let cold = millis.remove(0);
        ways.push(json!({"way": way, "cold": cold, "millis": millis, "operations": operations}));
    }
    let taken = |at: Option<f64>| at.zip(before).map(|(at, before)| at - before);
    Ok(json!({
        "ways": ways,
        "gpu_memory_loaded_bytes": taken(loaded),
        "gpu_memory_bytes": taken(gpu_memory_bytes()),
        "load_millis": ours.about["load_millis"],
    }))
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
        "activations",
        "prompt",
        "first, ms an image",
        "warm, ms an image",
        "TFLOP/s",
        "of the peak",
        "on the card, loaded",
        "and working",
        "loaded in",
    ]);
    for row in rows {
        let about = &row["about"];
        let device = match about["device"].as_str() {
            Some("gpu-f16") => "f16",
            _ => "f32",
        };
        let mut named = vec![word(&about["size"]), word(&about["layout"])];
        named.push(device.to_owned());
        if let Some(error) = row["error"].as_str() {
            named.push(format!("failed: {error}"));
            table.row(&named);
        }
        let found = &row["found"];
        for way in found["ways"].as_array().into_iter().flatten() {
            let measured = cells(found, way, data["peak_tflops"].as_f64());
            table.row(&[&named[..], &measured].concat());
        }
    }
    let layers = parts::linear::render_device(&data["layers"], adapter);
    format!(
        "On {name}; {N_TEXT} text tokens and one image, random weights.\n\n{table}\n{}\n\n{layers}",
        parts::linear::HEADING
    )
}

fn cells(row: &Value, way: &Value, peak_tflops: Option<f64>) -> [String; 8] {
    let spread = Spread::of(&numbers(&way["millis"]));
    let operations = way["operations"].as_f64().unwrap_or(f64::NAN);
    let tflops = spread.map(|spread| operations / spread.median / 1e9);
    let share = tflops.zip(peak_tflops);
    let share = share.map(|(found, peak)| format!("{:.0} %", found / peak * 100.0));
    [
        word(&way["way"]),
        figure(&way["cold"], 1.0),
        spread_or(spread, "?"),
        tflops.map_or("?".to_owned(), three_digits),
        share.unwrap_or_else(|| "no --peak-tflops given".to_owned()),
        megabytes(&row["gpu_memory_loaded_bytes"]),
        megabytes(&row["gpu_memory_bytes"]),
        format!("{} s", figure(&row["load_millis"], 1e-3)),
    ]
}
