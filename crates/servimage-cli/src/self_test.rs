//! Self-test vectors for a pack that brings none: what the CPU backend computes from the pack itself.
//!
//! Every other device must then reproduce them before it may score. They prove the device, not the conversion; for
//! that there are goldens, see [`crate::parity`].

use anyhow::{Context, anyhow};
use servimage_bench::starter::starter_tasks;
use servimage_engine::{Compute, Engine, open_device, processor};
use servimage_image::{Rgb8Image, patchify};
use servimage_model::ModelInput;
use servimage_pack::dir::DirSource;
use servimage_pack::{Manifest, PackSource, PackWriter, SelfTestVectors};
use servimage_prompt::{ImageSlot, PromptBuilder, Role, Tokenizer};
use std::path::Path;

/// Sides of the made-up image, in pixels; not a multiple of a patch, so that the resize takes part.
const IMAGE_SIDES: (u32, u32) = (150, 100);

/// Computes vectors on the CPU and adds them to the pack in `folder`.
///
/// # Errors
/// A pack that does not load or run.
pub fn add_computed(folder: &Path, tolerance: f64) -> anyhow::Result<Manifest> {
    pollster::block_on(add(folder, tolerance)).context("the pack's self-test could not be computed")
}

async fn add(folder: &Path, tolerance: f64) -> anyhow::Result<Manifest> {
    let source = DirSource::new(folder);
    let device = open_device(Compute::Cpu, "").await?;
    let engine = Engine::load(source.clone(), device, &mut |_, _, _| ()).await?;
    let mut manifest = engine.manifest().clone();
    let tokenizer = source.read(&manifest.tokenizer.path, None).await?;
    let input = made_up_input(&manifest, Tokenizer::from_json(&tokenizer)?)?;
    let trace = engine.model().trace(&input).await?;

    let mut writer = PackWriter::extend(source, &manifest);
    let vectors = SelfTestVectors {
        input_ids: &input.ids,
        image_grids: &input.grids,
        pixel_values: &input.patches,
        expected: &trace,
    };
    manifest.self_test = Some(writer.self_test(&vectors, tolerance)?);
    Ok(writer.finish(manifest)?)
}

/// The prompt of a starter task over a made-up picture.
fn made_up_input(manifest: &Manifest, tokenizer: Tokenizer) -> anyhow::Result<ModelInput> {
    let task = starter_tasks()
        .into_iter()
        .next()
        .ok_or_else(|| anyhow!("there are no starter tasks"))?;
    let (width, height) = IMAGE_SIDES;
    let pixel = |i: u32| {
        [
            (i % width) as u8,
            (i / width * 2) as u8,
            (i * i / 97 % 251) as u8,
        ]
    };
    let pixels = (0..width * height).flat_map(pixel).collect();
    let image = Rgb8Image::new(width, height, pixels)
        .ok_or_else(|| anyhow!("the made-up picture has wrong sides"))?;
    let patches = patchify(&image, &processor(manifest));
    let slots = [ImageSlot {
        role: Role::Candidate,
        grid: patches.grid,
    }];
    let prompt = PromptBuilder::new(tokenizer, manifest)?.build(&task, 1, &slots)?;
    Ok(ModelInput {
        ids: prompt.ids,
        positions: prompt.positions,
        patches: patches.rows,
        grids: vec![patches.grid],
        prefix_len: prompt.prefix_len,
    })
}
