//! Input files: `NAME.json` with tokens and grids, `NAME.f32` beside it with the patches, little-endian and row-major.
//!
//! Written once and read by ours and by the peers (`benches/peers/reference/inputs.py`), so that all are given the same.

use serde::{Deserialize, Serialize};
use servimage_bench::task::Task;
use servimage_engine::{processor, vectors_of};
use servimage_image::{Limits, decode, patchify};
use servimage_model::ModelInput;
use servimage_pack::dir::DirSource;
use servimage_pack::{Manifest, Pack};
use servimage_prompt::{ImageSlot, PromptBuilder, Role, Tokenizer, mrope_positions};
use std::error::Error;
use std::path::Path;

/// Grid of a 224 x 224 picture: 196 patches, 49 visual tokens.
const GRID: [u32; 3] = [1, 14, 14];
const N_PATCHES: usize = 196;
const N_VISUAL: usize = 49;

/// Tokens behind the last image.
const TAIL: usize = 8;

/// What a prompt is, without its patches and what follows from the rest.
#[derive(Serialize, Deserialize)]
pub struct InputFile {
    ids: Vec<u32>,
    grids: Vec<[u32; 3]>,
    prefix_len: usize,
    #[serde(skip)]
    patches: Vec<f32>,
}

impl InputFile {
    /// Writes `path` and the patches beside it.
    pub fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let bytes: Vec<u8> = self.patches.iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(path.with_extension("f32"), bytes)?;
        std::fs::write(path, serde_json::to_vec(self)?)?;
        Ok(())
    }

    /// Reads what [`InputFile::write`] wrote.
    pub fn read(path: &Path, manifest: &Manifest) -> Result<ModelInput, Box<dyn Error>> {
        let file: Self = serde_json::from_slice(&std::fs::read(path)?)?;
        let bytes = std::fs::read(path.with_extension("f32"))?;
        let (words, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(format!("{}: {} bytes left over", path.display(), rest.len()).into());
        }
        let merge = u32::try_from(manifest.vision.spatial_merge_size)?;
        let positions = mrope_positions(&file.ids, &file.grids, &manifest.special_tokens, merge)?;
        Ok(ModelInput {
            ids: file.ids,
            positions,
            patches: words.iter().map(|word| f32::from_le_bytes(*word)).collect(),
            grids: file.grids,
            prefix_len: file.prefix_len,
        })
    }
}

/// The input of the pack's self-test.
pub fn self_test(pack: &Pack<DirSource>) -> Result<InputFile, Box<dyn Error>> {
    let vectors = pollster::block_on(vectors_of(pack))?.ok_or("the pack has no self-test")?;
    let input = vectors.input;
    Ok(InputFile {
        ids: input.ids,
        grids: input.grids,
        prefix_len: input.prefix_len,
        patches: input.patches,
    })
}

/// What the page makes of a picture without others beside it, under the first deliverable of a task.
pub fn page(
    pack: &Pack<DirSource>,
    image: &Path,
    task: &Path,
) -> Result<InputFile, Box<dyn Error>> {
    let task = Task::from_json(&std::fs::read_to_string(task)?)?;
    let tokenizer = Tokenizer::from_json(&pollster::block_on(pack.tokenizer_json())?)?;
    let builder = PromptBuilder::new(tokenizer, pack.manifest())?;
    let decoded = decode(&std::fs::read(image)?, &Limits::default())?;
    let patches = patchify(&decoded.image, &processor(pack.manifest()));
    let slot = ImageSlot {
        role: Role::Candidate,
        grid: patches.grid,
    };
    let prompt = builder.build(&task, 1, &[slot])?;
    Ok(InputFile {
        ids: prompt.ids,
        grids: vec![patches.grid],
        prefix_len: prompt.prefix_len,
        patches: patches.rows,
    })
}

/// `n_text` tokens of text, the marks around `n_images` images of 49 tokens included; `seed` changes the pixels alone.
pub fn made_up(
    manifest: &Manifest,
    n_text: usize,
    n_images: usize,
    seed: u64,
) -> Result<InputFile, Box<dyn Error>> {
    let special = &manifest.special_tokens;
    let of_text = |i: usize| ordinary_token(manifest, i);
    let n_head = n_text
        .checked_sub(TAIL + 2 * n_images)
        .ok_or("too few text tokens for the images' marks")?;
    let mut ids: Vec<u32> = (0..n_head).map(of_text).collect();
    for _ in 0..n_images {
        ids.push(special.vision_start);
        ids.extend(std::iter::repeat_n(special.image, N_VISUAL));
        ids.push(special.vision_end);
    }
    ids.extend((0..TAIL).map(of_text));
    let n_values = n_images * N_PATCHES * manifest.vision.patch_dim();
    Ok(InputFile {
        ids,
        grids: vec![GRID; n_images],
        prefix_len: n_head + 1,
        patches: noise(seed + 1).take(n_values).collect(),
    })
}

/// Token ids that mark nothing: nano's special tokens stand at the start of its vocabulary, a Qwen's at the end.
fn ordinary_token(manifest: &Manifest, i: usize) -> u32 {
    let special = &manifest.special_tokens;
    let marks = [
        special.image,
        special.video,
        special.vision_start,
        special.vision_end,
    ];
    let first = match marks.iter().any(|&mark| mark < 300) {
        true => marks.into_iter().max().unwrap_or_default() + 1,
        false => 0,
    };
    first + i as u32 % 200
}

/// SplitMix64 as values in -1..1.
pub fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    })
}
