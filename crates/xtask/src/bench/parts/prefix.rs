//! Twenty images of one deliverable under a 600-token brief, with and without the prefix cache.

use crate::bench::evaluator::{Evaluator, number};
use crate::bench::figures::{figure, megabytes, numbers, rows, spread_or, word};
use crate::bench::spread::Spread;
use crate::bench::{Context, parts, table::Table};
use crate::workspace;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const N_TEXT: usize = 600;
const N_IMAGES: usize = 20;

/// A slow machine does fewer images of a large network after this.
const TIME: Duration = Duration::from_secs(200);

/// A network on a device, and how many of its images are also run without the cache.
struct Case {
    name: &'static str,
    pack: PathBuf,
    device: &'static str,
    n_whole: usize,
}

/// Nano on both devices, and a network with the 2B's true shapes on the CPU.
pub fn measure(context: &Context) -> Result<Value> {
    let nano = |name, device| Case {
        name,
        pack: workspace::nano(),
        device,
        n_whole: N_IMAGES,
    };
    let mut cases = vec![nano("nano, CPU", "cpu"), nano("nano, wgpu", "gpu")];
    if !context.quick {
        cases.push(Case {
            name: "2B, q4, random weights, CPU",
            pack: parts::convert::pack(context, "2b", "q4")?,
            device: "cpu",
            n_whole: 3,
        });
    }
    let rows = cases.iter().map(|case| match run(context, case) {
        Ok(row) => row,
        Err(error) => json!({"case": case.name, "error": format!("{error:#}")}),
    });
    Ok(json!({"rows": rows.collect::<Vec<_>>(), "adapter": context.adapter()}))
}

fn run(context: &Context, case: &Case) -> Result<Value> {
    let tools = context.tools()?;
    let n_images = if context.quick { 4 } else { N_IMAGES };
    let inputs: Result<Vec<PathBuf>> = (0..n_images)
        .map(|seed| tools.made_up_input(&case.pack, N_TEXT, 1, seed))
        .collect();
    let inputs = inputs?;
    let mut forward = tools.forward(&["serve"]);
    let mut ours = Evaluator::open(case.name, forward.arg(&case.pack).arg(case.device))?;
    // The first one computes what is kept, and compiles; where whole prompts are cheap, one of them warms up too.
    let first = Answer::of(&mut ours, &inputs[0], true)?;
    if case.n_whole >= n_images {
        Answer::of(&mut ours, &inputs[0], false)?;
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let every = n_images / case.n_whole.min(n_images);
    let start = Instant::now();
    for (i, input) in inputs.iter().enumerate() {
        if start.elapsed() > TIME && without.len() == case.n_whole {
            break;
        }
        with.push(Answer::of(&mut ours, input, true)?);
        if i % every == 0 && without.len() < case.n_whole {
            without.push(Answer::of(&mut ours, input, false)?);
        }
    }
    let millis = |answers: &[Answer]| -> Vec<f64> { answers.iter().map(|a| a.millis).collect() };
    let last = [&with, &without].map(|answers| answers.last());
    Ok(json!({
        "case": case.name,
        "first": first.millis,
        "with": millis(&with),
        "without": millis(&without),
        "operations": last.map(|answer| answer.map(|answer| answer.operations)),
        "peak_bytes": last[1].and_then(|answer| answer.peak_bytes),
        "load_millis": ours.about["load_millis"],
    }))
}

/// What an evaluation took.
struct Answer {
    millis: f64,
    operations: f64,
    peak_bytes: Option<f64>,
}

impl Answer {
    fn of(ours: &mut Evaluator, input: &Path, prefix: bool) -> Result<Self> {
        let answer = ours.ask(&json!({"input": input, "prefix": prefix}))?;
        Ok(Self {
            millis: number(&answer, "millis")?,
            operations: number(&answer, "operations")?,
            peak_bytes: answer["peak_bytes"].as_f64(),
        })
    }
}

/// A row a case.
pub fn render(data: &Value) -> String {
    let mut table = Table::new(&[
        "network, device",
        "first image, ms",
        "further image, ms",
        "without the cache, ms",
        "runs",
        "times less",
        "GFLOP with, without",
        "peak memory",
    ]);
    for row in rows(data) {
        match row["error"].as_str() {
            Some(error) => table.row(&[word(&row["case"]), format!("failed: {error}")]),
            None => table.row(&cells(row)),
        }
    }
    format!(
        "{N_IMAGES} images of 196 patches under a brief of {N_TEXT} tokens, one after the other, whole prompts in between; `runs`: how many \
         with and without the cache. wgpu runs on {}. Ratio of the medians, its spread from the quartiles.\n\n{table}",
        word(&data["adapter"]["name"])
    )
}

fn cells(row: &Value) -> [String; 8] {
    let (with, without) = (numbers(&row["with"]), numbers(&row["without"]));
    let spreads = Spread::of(&with).zip(Spread::of(&without));
    let ratio = spreads.map(|(with, without)| Spread {
        median: without.median / with.median,
        low: without.low / with.high,
        high: without.high / with.low,
    });
    let tera = |i: usize| figure(&row["operations"][i], 1e-9);
    [
        word(&row["case"]),
        figure(&row["first"], 1.0),
        spread_or(Spread::of(&with), "not run"),
        spread_or(Spread::of(&without), "not run"),
        format!("{}, {}", with.len(), without.len()),
        spread_or(ratio, ""),
        format!("{}, {}", tera(0), tera(1)),
        megabytes(&row["peak_bytes"]),
    ]
}
