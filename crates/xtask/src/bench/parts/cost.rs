//! What an evaluation costs against its work: length of the text, number of images, width of the network.

use crate::bench::evaluator::Evaluator;
use crate::bench::figures::{rows, spread_or, word};
use crate::bench::rounds::{in_turn, millis};
use crate::bench::spread::{Spread, three_digits};
use crate::bench::tools::empty_folder;
use crate::bench::watched::watch;
use crate::bench::{Context, peers, table::Table};
use crate::workspace;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const OURS: &str = "ours";
/// The same network with packed weights.
const OURS_Q4: &str = "ours, q4";
const TORCH: &str = "PyTorch";
const LENGTHS: [usize; 6] = [50, 100, 200, 400, 700, 1000];
const IMAGES: [usize; 6] = [1, 2, 3, 4, 5, 6];
const WIDTHS: [usize; 4] = [128, 256, 512, 1024];
const BATCHES: [usize; 4] = [1, 2, 4, 8];
const N_TEXT: usize = 300;

/// Rows whose times and work are shared by that many images.
const IN_ONE_PASS: &str = "images of a brief in one pass, each";

/// Nano by length and images, made-up networks of its depths by width.
pub fn measure(context: &Context) -> Result<Value> {
    let mut rows = Vec::new();
    let nano = workspace::nano();
    let lengths = LENGTHS.map(|length| ("text tokens", length, length, 1));
    let images = IMAGES.map(|n| ("images", n, N_TEXT, n));
    let points: Vec<_> = lengths.into_iter().chain(images).collect();
    let mut open = pair(context, &nano, &nano)?;
    for (varied, n, n_text, n_images) in points {
        let input = context.tools()?.made_up_input(&nano, n_text, n_images, 0)?;
        rows.push(json!({"varied": varied, "n": n, "layout": "nano", "found": point(context, &mut open, &whole(&input))}));
    }
    for copies in BATCHES {
        let input = context.tools()?.made_up_input(&nano, N_TEXT, 1, 0)?;
        let request = json!({"input": input, "prefix": true, "copies": copies});
        let found = point(context, &mut open[..1], &request);
        rows.push(json!({"varied": IN_ONE_PASS, "n": copies, "layout": "nano", "found": found}));
    }
    drop(open);
    for width in WIDTHS {
        let (plain, packed) = (
            made_up(context, width, "f32")?,
            made_up(context, width, "q4")?,
        );
        let input = context.tools()?.made_up_input(&plain, N_TEXT, 1, 0)?;
        let mut open = pair(context, &plain, &plain)?;
        open.insert(1, ours(context, OURS_Q4, &packed)?);
        let found = point(context, &mut open, &whole(&input));
        for (layout, name) in [("f32", OURS), ("q4", OURS_Q4)] {
            rows.push(json!({"varied": "width", "n": width, "layout": layout, "ours": name, "found": found}));
        }
    }
    Ok(json!({"rows": rows}))
}

fn whole(input: &Path) -> Value {
    json!({"input": input, "prefix": false})
}

fn point(context: &Context, open: &mut [(Evaluator, Value)], request: &Value) -> Value {
    for (_, of_evaluator) in open.iter_mut() {
        *of_evaluator = request.clone();
    }
    in_turn(open, context.effort(10, 4))
}

/// Ours on a pack, and PyTorch, where it can be had, on a pack of the same shapes.
fn pair(context: &Context, own: &Path, plain: &Path) -> Result<Vec<(Evaluator, Value)>> {
    let mut open = vec![ours(context, OURS, own)?];
    let torch = context.python().and_then(|python| {
        let mut torch = peers::script(&python, "torch_cpu.py");
        torch.args(["--implementation", "plain"]);
        torch.args(["--threads", &context.n_cores().to_string()]);
        Evaluator::open(TORCH, torch.arg("--pack").arg(plain))
    });
    match torch {
        Ok(torch) => open.push((torch, Value::Null)),
        Err(error) => eprintln!("xtask: PyTorch is left out: {error:#}"),
    }
    Ok(open)
}

fn ours(context: &Context, name: &str, pack: &Path) -> Result<(Evaluator, Value)> {
    let mut forward = context.tools()?.forward(&["serve"]);
    Ok((
        Evaluator::open(name, forward.arg(pack).arg("cpu"))?,
        Value::Null,
    ))
}

/// A network of nano's depths and another width, written anew: the format of packs may have changed.
fn made_up(context: &Context, width: usize, layout: &str) -> Result<PathBuf> {
    let out = empty_folder(&format!("packs/width-{width}-{layout}"))?;
    let mut forward = context.tools()?.forward(&["made-up"]);
    forward.arg(workspace::nano()).arg(&out);
    forward.args([&width.to_string(), layout]);
    watch(&mut forward, Duration::from_secs(120))?;
    Ok(out)
}

/// One row a point.
pub fn render(data: &Value) -> String {
    let mut table = Table::new(&[
        "varied",
        "",
        "layout",
        "ours, ms",
        "GFLOP",
        "GFLOP/s",
        "PyTorch f32, ms",
        "x our time",
    ]);
    for row in rows(data) {
        table.row(&cells(row));
    }
    format!(
        "On the CPU, whole prompts of {N_TEXT} text tokens and one image (196 patches, 49 visual tokens) but for what is varied; nano as it \
         ships, and networks of its depths and another width with random weights.\n\n{table}"
    )
}

fn cells(row: &Value) -> [String; 8] {
    let found = &row["found"];
    let name = row["ours"].as_str().unwrap_or(OURS);
    let (ours, torch) = (millis(found, name), millis(found, TORCH));
    let shared_by = match row["n"].as_f64() {
        Some(n) if row["varied"] == IN_ONE_PASS => n,
        _ => 1.0,
    };
    let own = Spread::of(&ours).map(|own| own.times(1.0 / shared_by));
    let operations = found[name]["last"]["operations"].as_f64();
    let gflop = operations.unwrap_or(f64::NAN) / 1e9 / shared_by;
    let failed = |name: &str| match found[name]["error"].as_str() {
        Some(error) => format!("failed: {error}"),
        None => "not measured".to_owned(),
    };
    [
        word(&row["varied"]),
        row["n"].to_string(),
        word(&row["layout"]),
        spread_or(own, &failed(name)),
        three_digits(gflop),
        own.map_or_else(String::new, |own| three_digits(gflop / own.median * 1e3)),
        spread_or(Spread::of(&torch), &failed(TORCH)),
        spread_or(Spread::of_ratio(&torch, &ours), ""),
    ]
}
