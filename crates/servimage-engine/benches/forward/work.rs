//! How many operations one evaluation takes, counted from the dimensions: a multiplication and an addition are two.

use servimage_model::ModelInput;
use servimage_pack::Manifest;

/// Operations of the linear layers and of attention for one input, the first `kept` tokens of which are kept already. The
/// causal half of attention counts, the other half is not work. Norms, tables and heads are left out: under one percent.
pub fn operations(manifest: &Manifest, input: &ModelInput, kept: usize) -> f64 {
    vision(manifest, input) + text(manifest, input.ids.len() as f64, kept as f64)
}

fn vision(manifest: &Manifest, input: &ModelInput) -> f64 {
    let vision = &manifest.vision;
    let (d, d_hidden) = (vision.d_model as f64, vision.d_hidden as f64);
    let patches = |grid: &[u32; 3]| grid.iter().map(|&n| f64::from(n)).product::<f64>();
    let n_patches: f64 = input.grids.iter().map(patches).sum();
    let pairs: f64 = input
        .grids
        .iter()
        .map(|grid| patches(grid).powi(2) / f64::from(grid[0]))
        .sum();
    let n_layers = vision.n_layers as f64;
    let linear = 2.0 * n_patches * (4.0 * d * d + 2.0 * d * d_hidden);
    let attention = 4.0 * pairs * d;
    let embed = 2.0 * n_patches * vision.patch_dim() as f64 * d;
    let merge = vision.spatial_merge_size.pow(2) as f64;
    let (d_joined, n_mergers) = (merge * d, 1.0 + vision.deepstack_layers.len() as f64);
    let merged = 2.0 * n_patches / merge * d_joined * (d_joined + vision.d_out as f64);
    n_layers * (linear + attention) + embed + n_mergers * merged
}

fn text(manifest: &Manifest, n_ids: f64, kept: f64) -> f64 {
    let text = &manifest.text;
    let d = text.d_model as f64;
    let d_q = (text.n_heads * text.head_dim) as f64;
    let d_kv = (text.n_kv_heads * text.head_dim) as f64;
    let new = n_ids - kept;
    let weights = 2.0 * d * d_q + 2.0 * d * d_kv + 3.0 * d * text.d_hidden as f64;
    let pairs = new * (kept + (new + 1.0) / 2.0);
    text.n_layers as f64 * (2.0 * new * weights + 4.0 * pairs * d_q)
}
