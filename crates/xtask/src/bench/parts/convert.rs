//! Converting a checkpoint with the 2B's true shapes and random weights.

use crate::bench::figures::{figure, megabytes, rows, word};
use crate::bench::tools::folder;
use crate::bench::watched::watch;
use crate::bench::{Context, table::Table};
use crate::command::command;
use anyhow::Result;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(600);

/// The folder of a made-up checkpoint, written where it is not there yet.
pub fn checkpoint(context: &Context, size: &str) -> Result<PathBuf> {
    let path = folder("made-up")?.join(size);
    if !path.join("model.safetensors.index.json").exists() {
        let mut made_up = command(&context.tools()?.made_up_checkpoint);
        watch(made_up.args(["--size", size, "--out"]).arg(&path), LIMIT)?;
    }
    Ok(path)
}

/// The folder of its pack, converted where it is not there yet.
pub fn pack(context: &Context, size: &str, quant: &str) -> Result<PathBuf> {
    let path = pack_folder(size, quant)?;
    if !path.join("manifest.json").exists() {
        convert(context, size, quant)?;
    }
    Ok(path)
}

fn pack_folder(size: &str, quant: &str) -> Result<PathBuf> {
    Ok(folder("packs")?.join(format!("{size}-{quant}")))
}

/// Converts anew and says what it took.
fn convert(context: &Context, size: &str, quant: &str) -> Result<Value> {
    let (base, out) = (checkpoint(context, size)?, pack_folder(size, quant)?);
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let mut convert = command(&context.tools()?.servimage);
    convert.args(["convert", "--quant", quant, "--self-test", "off", "--base"]);
    let finished = watch(convert.arg(base).arg("--out").arg(&out), LIMIT)?;
    Ok(json!({
        "quant": quant,
        "seconds": finished.seconds,
        "peak_bytes": finished.peak_bytes,
        "pack_bytes": size_bytes(&out)?,
    }))
}

fn size_bytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        sum += entry?.metadata()?.len();
    }
    Ok(sum)
}

/// q4 and q8; the q4 pack is kept for the part `prefix`.
pub fn measure(context: &Context) -> Result<Value> {
    let size = if context.quick { "nano" } else { "2b" };
    let rows: Result<Vec<Value>> = ["q4", "q8"]
        .map(|quant| convert(context, size, quant))
        .into_iter()
        .collect();
    fs::remove_dir_all(pack_folder(size, "q8")?)?;
    Ok(json!({"size": size, "rows": rows?}))
}

/// One row a layout.
pub fn render(data: &Value) -> String {
    let mut table = Table::new(&["layout", "wall", "pack", "peak memory"]);
    for row in rows(data) {
        table.row(&[
            word(&row["quant"]),
            format!("{} s", figure(&row["seconds"], 1.0)),
            megabytes(&row["pack_bytes"]),
            megabytes(&row["peak_bytes"]),
        ]);
    }
    let size = word(&data["size"]);
    format!("Made-up checkpoint `{size}`, bf16, random weights; one run each.\n\n{table}")
}
