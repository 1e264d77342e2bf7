//! Packs of another width with random weights: what a network costs does not depend on what it says.

use crate::input::noise;
use servimage_bench::verdict::CONCEPTS;
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, Manifest, PackWriter, expected_tensors};
use std::error::Error;
use std::path::Path;

/// Writes a network of the depths of `like` whose towers are `width` wide, the feed-forward layers 2 and 3 times that.
pub fn write(
    like: &Manifest,
    width: usize,
    layout: &str,
    out: &Path,
) -> Result<(), Box<dyn Error>> {
    let layout: Layout = serde_json::from_value(layout.into())?;
    let manifest = widened(like, width, layout);
    let head_width = |name: &str| {
        let mut tensors = like.tensors.iter();
        let found = tensors.find(|tensor| tensor.name == name);
        found.map(|tensor| tensor.shape.clone())
    };
    let mut folder = DirSource::new(out);
    let mut writer = PackWriter::new(&mut folder);
    for tensor in expected_tensors(&manifest, head_width) {
        let n: usize = tensor.shape.iter().product();
        let d_in = tensor.shape.last().copied().unwrap_or(1) as f32;
        let values: Vec<f32> = match tensor.shape.len() {
            1 => vec![1.0; n],
            _ => noise(n as u64).take(n).map(|v| v / d_in.sqrt()).collect(),
        };
        let layout = match tensor.quantized {
            true => layout,
            false => Layout::F32,
        };
        writer.push(&tensor.name, &tensor.shape, layout, &values)?;
    }
    writer.tokenizer(b"{}")?;
    writer.finish(manifest)?;
    Ok(())
}

/// The manifest with other widths, and with every head: what reads the pack elsewhere knows no network without one.
fn widened(like: &Manifest, width: usize, layout: Layout) -> Manifest {
    let mut manifest = like.clone();
    manifest.name = format!("made-up-{width}");
    manifest.quant = layout;
    manifest.self_test = None;
    manifest.text.d_model = width;
    manifest.text.n_heads = width / 32;
    manifest.text.n_kv_heads = width / 64;
    manifest.text.d_hidden = 2 * width;
    manifest.vision.d_model = width;
    manifest.vision.n_heads = width / 32;
    manifest.vision.d_hidden = 3 * width;
    manifest.vision.d_out = width;
    manifest.heads.concepts = CONCEPTS.map(str::to_owned).to_vec();
    manifest
}
