//! Makes the self-test vectors of a pack: a fixed input, and what this machine's CPU gives for it.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::self_test::{SelfTestVectors, merge_of};
use servimage_model::ModelInput;
use servimage_pack::{Manifest, PackSource};
use servimage_prompt::mrope_positions;

/// Bound that a device has to keep: WebGPU's shaders may round and reorder, a wrong kernel is off by far more.
const TOLERANCE: f64 = 1e-3;

/// Text tokens around the probe's image.
const N_TEXT_TOKENS: usize = 24;

impl<S: PackSource> Engine<S> {
    /// Runs the probe and gives it back with its results as [`SelfTestVectors`].
    ///
    /// Call it on the CPU: the vectors are what other devices are measured against.
    ///
    /// # Errors
    /// [`EngineError`] where the network cannot run the probe.
    pub async fn probe_vectors(&self) -> Result<SelfTestVectors, EngineError> {
        let input = probe_input(self.manifest())?;
        let expected = self.model().trace(&input).await?;
        Ok(SelfTestVectors {
            input,
            expected,
            tolerance: TOLERANCE,
        })
    }
}

/// One small image between text tokens spread over the vocabulary, the same for every pack of the same sizes.
fn probe_input(manifest: &Manifest) -> Result<ModelInput, EngineError> {
    let merge = merge_of(manifest);
    let grid = [1, 2 * merge, 3 * merge];
    let special = &manifest.special_tokens;
    let marks = [
        special.image,
        special.video,
        special.vision_start,
        special.vision_end,
    ];
    let vocabulary = manifest.text.vocab_size.max(1) as u64;
    let mut text = (0u64..)
        .map(|i| ((i * 7919 + 13) % vocabulary) as u32)
        .filter(|id| !marks.contains(id))
        .take(N_TEXT_TOKENS);
    let mut ids: Vec<u32> = text.by_ref().take(N_TEXT_TOKENS / 2).collect();
    ids.push(special.vision_start);
    ids.extend(std::iter::repeat_n(special.image, 6));
    ids.push(special.vision_end);
    ids.extend(text);
    let d_patch = manifest.vision.in_channels
        * manifest.vision.temporal_patch_size
        * manifest.vision.patch_size
        * manifest.vision.patch_size;
    let n_values = (grid[1] * grid[2]) as usize * d_patch;
    let positions = mrope_positions(&ids, &[grid], special, merge)?;
    Ok(ModelInput {
        ids,
        positions,
        patches: (0..n_values).map(pattern).collect(),
        grids: vec![grid],
    })
}

/// Value `i` of a fixed pattern over -1..=1: a slow wave with a hashed ripple.
fn pattern(i: usize) -> f32 {
    let hashed = (i as u32).wrapping_mul(2_654_435_761) >> 16;
    let ripple = hashed as f32 / 32_768.0 - 1.0;
    let wave = (i % 97) as f32 / 48.0 - 1.0;
    0.75 * wave + 0.25 * ripple
}
