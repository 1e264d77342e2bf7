//! Nano end to end in headless Chromium: ours, onnxruntime-web and transformers.js on the same weights and inputs.

mod render;

use crate::bench::tools::{empty_folder, folder, nano_with_long_briefs};
use crate::bench::watched::watch;
use crate::bench::{Context, peers};
use crate::command::command;
use crate::{setup, workspace};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use render::render;

/// Tokens of the long brief; nano itself reads far fewer.
const LONG_BRIEF: usize = 280;

const EXPORT_LIMIT: Duration = Duration::from_secs(300);
const RUN_LIMIT: Duration = Duration::from_secs(900);

/// Side of the picture that needs neither decoding nor resizing: 196 patches.
const SIDE: usize = 224;

const SENTENCE: &str = "A clean product photograph on a plain background, sharp from edge to edge, with true colours and soft shadows. ";

/// Input files of the two prompts, the same picture under a short and a long brief.
pub struct Inputs {
    /// What the page asks of nano.
    pub page: PathBuf,
    /// The same with a brief of [`LONG_BRIEF`] tokens, for a copy of nano that reads so many.
    pub long: PathBuf,
    /// That copy.
    pub long_pack: PathBuf,
}

/// Writes picture, tasks and input files.
pub fn inputs(context: &Context) -> Result<Inputs> {
    let at = folder("inputs")?;
    let picture = at.join("pixels.bmp");
    fs::write(&picture, bitmap())?;
    let long_pack = nano_with_long_briefs(LONG_BRIEF)?;
    let write = |name: &str, pack: &Path, n_sentences: usize| -> Result<PathBuf> {
        let path = at.join(format!("task-{name}.json"));
        fs::write(&path, task(&SENTENCE.repeat(n_sentences)).to_string())?;
        let what = [
            "page",
            &picture.display().to_string(),
            &path.display().to_string(),
        ];
        context.tools()?.input(pack, name, &what)
    };
    Ok(Inputs {
        page: write("page", &workspace::nano(), 1)?,
        long: write("long", &long_pack, 20)?,
        long_pack,
    })
}

/// A task in the benchmark's published form.
fn task(brief: &str) -> Value {
    json!({
        "task_id": "bench-001",
        "task_category": "C-Product",
        "original_task_data": {
            "task_name_original": "Product photograph",
            "requirements_original": brief,
            "input_assets_original": "",
            "constraints_original": "",
            "output_quantity": 1,
            "price_usd": 999.0
        },
        "hard_rules": {"deliverables": [{"subtask": "Product photograph", "rules": {}, "price_usd": "$999.00"}]},
        "soft_rules": {"points": []}
    })
}

/// A bitmap of [`SIDE`] x [`SIDE`] pixels with smooth colours and a few edges: 24 bits, rows from the bottom.
fn bitmap() -> Vec<u8> {
    const HEADER_BYTES: usize = 54;
    let n_bytes = HEADER_BYTES + 3 * SIDE * SIDE;
    let mut file = b"BM".to_vec();
    let words = [
        n_bytes as u32,
        0,
        HEADER_BYTES as u32,
        40,
        SIDE as u32,
        SIDE as u32,
        24 << 16 | 1,
        0,
        0,
        2835,
        2835,
        0,
        0,
    ];
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    for y in 0..SIDE {
        for x in 0..SIDE {
            let edge = if (x / 32 + y / 48) % 3 == 0 { 60 } else { 0 };
            file.extend([(x + edge) as u8, (y / 2 + edge) as u8, ((x + y) / 3) as u8]);
        }
    }
    file
}

/// Where the peers' models lie.
struct Models {
    onnx: PathBuf,
    transformers: PathBuf,
}

/// Exports the graphs and runs `benches/peers/browser`; without the graphs ours alone.
pub fn measure(context: &Context) -> Result<Value> {
    context.page()?;
    let inputs = inputs(context)?;
    peers::npm()?;
    let models = Models {
        onnx: empty_folder("onnx")?,
        transformers: empty_folder("transformers_js")?,
    };
    let graphs = export_all(context, &inputs, &models);
    let mut node = command("node");
    node.arg(peers::scripts().join("browser/run.mjs"));
    node.arg("--onnx").arg(&models.onnx);
    node.arg("--transformers").arg(&models.transformers);
    node.arg("--inputs").arg(folder("inputs")?);
    node.arg("--pack").arg(workspace::nano());
    node.arg("--long-pack").arg(&inputs.long_pack);
    if context.quick {
        node.args(["--cold", "1", "--seconds", "2"]);
    }
    if graphs.is_err() {
        node.arg("--only-ours");
    }
    let adapter = if context.has_gpu() {
        "gpu"
    } else {
        "swiftshader"
    };
    node.args(["--adapter", adapter]);
    node.env("SERVIMAGE_CHROMIUM", setup::chromium());
    let report = watch(&mut node, RUN_LIMIT)?.output;
    let report: Value =
        serde_json::from_str(&report).context("the browser's report cannot be read")?;
    Ok(match graphs {
        Ok(graphs) => json!({"report": report, "graphs": graphs}),
        Err(error) => json!({"report": report, "no_peers": format!("{error:#}")}),
    })
}

/// The graphs of both peers; only those of onnxruntime-web must be there.
fn export_all(context: &Context, inputs: &Inputs, models: &Models) -> Result<Value> {
    let python = context.python()?;
    let export = |script: &str, out: &Path| -> Result<Value> {
        let mut export = peers::script(&python, script);
        export.arg("--pack").arg(workspace::nano());
        export.arg("--out").arg(out);
        for prompt in [&inputs.page, &inputs.long] {
            export.arg("--prompt").arg(prompt);
        }
        let report = watch(&mut export, EXPORT_LIMIT)?.output;
        Ok(serde_json::from_str(&report)?)
    };
    let graphs = export("nano_to_onnx.py", &models.onnx)?;
    if let Err(error) = export("nano_to_transformers_js.py", &models.transformers) {
        eprintln!("xtask: the rows of transformers.js will fail: {error:#}");
    }
    Ok(graphs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitmap_says_its_own_size() {
        let file = bitmap();
        assert_eq!(file.len(), 54 + 3 * SIDE * SIDE);
        assert_eq!(file[2..6], (file.len() as u32).to_le_bytes());
        assert_eq!(file[26..30], [1, 0, 24, 0], "one plane of 24 bits");
    }
}
