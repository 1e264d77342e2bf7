//! From the bytes of a request to the patches of at most six images, in the order of the prompt.

use crate::concepts::Given;
use crate::error::EngineError;
use crate::score::ScoreRequest;
use servimage_bench::message::Beside;
use servimage_bench::rules::ImageFacts;
use servimage_bench::verdict::ImageNote;
use servimage_image::{
    Decoded, Limits, Patches, ProcessorConfig, Rgb8Image, composite_halves, decode, patchify,
};
use servimage_pack::manifest::Manifest;
use servimage_prompt::{ImageSlot, Role};

/// Decoded and cut images of one request.
pub(crate) struct CutImages {
    /// What the hard rules need to know of the image under evaluation.
    pub facts: ImageFacts,
    /// What was done to its pixels.
    pub notes: Vec<ImageNote>,
    /// Who decoded it: `rust` or `browser`.
    pub decoder: &'static str,
    /// One slot an image, in order.
    pub slots: Vec<ImageSlot>,
    /// `[n_patches, d_patch]`, image after image.
    pub patches: Vec<f32>,
}

impl CutImages {
    /// What the prompt shows beside the image.
    pub fn given(&self) -> Given {
        let has = |role| self.slots.iter().any(|slot| slot.role == role);
        Given {
            input: has(Role::Input),
            others: has(Role::Others),
        }
    }
}

/// A picture beside the image; a damaged one is left out, because it must not take this image's verdict with it.
fn readable(bytes: &[u8], role: Role, limits: &Limits) -> Option<Rgb8Image> {
    match decode(bytes, limits) {
        Ok(decoded) => Some(decoded.image),
        Err(error) => {
            log::warn!("one of the {} was left out: {error}", role.key());
            None
        }
    }
}

/// The pack's image processor in the terms of `servimage-image`.
pub fn processor(manifest: &Manifest) -> ProcessorConfig {
    ProcessorConfig {
        min_pixels: manifest.image_processor.min_pixels,
        max_pixels: manifest.image_processor.max_pixels,
        patch_size: manifest.vision.patch_size as u32,
        temporal_patch_size: manifest.vision.temporal_patch_size as u32,
        merge_size: manifest.vision.spatial_merge_size as u32,
        mean: manifest.image_processor.mean,
        std: manifest.image_processor.std,
    }
}

/// Decodes everything and cuts it to patches; the error of the image or the input image names its role.
pub(crate) fn cut_images(
    request: &ScoreRequest<'_>,
    manifest: &Manifest,
) -> Result<CutImages, EngineError> {
    let limits = request.limits;
    let read = |bytes: &[u8], role| {
        decode(bytes, &limits).map_err(|source| EngineError::Image { role, source })
    };
    let processor = processor(manifest);
    let candidate = read(request.image, "the image")?;
    let mut cut = vec![(Role::Candidate, patchify(&candidate.image, &processor))];
    if let Some(input) = request.input {
        cut.push((
            Role::Input,
            patchify(&read(input, "the input image")?.image, &processor),
        ));
    }
    for (role, images) in [
        (Role::Others, request.others),
        (Role::References, request.references),
    ] {
        let images: Vec<_> = images
            .iter()
            .filter_map(|bytes| readable(bytes, role, &limits))
            .collect();
        let tiles = composite_halves(&images);
        cut.extend(
            tiles
                .iter()
                .map(|tiles| (role, patchify(tiles, &processor))),
        );
    }
    let slots = cut
        .iter()
        .map(|(role, Patches { grid, .. })| ImageSlot {
            role: *role,
            grid: *grid,
        })
        .collect();
    let patches = cut
        .into_iter()
        .flat_map(|(_, patches)| patches.rows)
        .collect();
    Ok(CutImages {
        facts: facts(&candidate, request.browser_format),
        notes: notes(&candidate),
        decoder: match request.browser_format {
            Some(_) => "browser",
            None => "rust",
        },
        slots,
        patches,
    })
}

/// What was done to the image's pixels, for people.
fn notes(candidate: &Decoded) -> Vec<ImageNote> {
    let facts = &candidate.facts;
    let all = [
        (facts.has_alpha, ImageNote::AlphaOnWhite),
        (facts.oriented, ImageNote::TurnedUpright),
        (facts.colour_converted, ImageNote::ColoursConverted),
        (facts.profile_ignored, ImageNote::ProfileIgnored),
    ];
    let found = all.into_iter().filter(|(is_so, _)| *is_so);
    found.map(|(_, note)| note).collect()
}

/// What the hard rules need to know of the image: of the file that was brought, not of what a browser made of it.
fn facts(candidate: &Decoded, browser_format: Option<&str>) -> ImageFacts {
    let facts = &candidate.facts;
    ImageFacts {
        file_type: browser_format
            .unwrap_or_else(|| facts.format.name())
            .to_owned(),
        width: facts.width,
        height: facts.height,
        dpi: facts.dpi,
        has_alpha: facts.has_alpha,
        background_rgb: facts.background_rgb,
    }
}

/// The slots of an image that comes with `beside`, in the order of the prompt. Their grids are the smallest there are: the
/// text before the first image does not depend on them.
pub(crate) fn slots_beside(beside: Beside, manifest: &Manifest) -> Vec<ImageSlot> {
    let side = manifest.vision.spatial_merge_size as u32;
    // Composites: `composite_halves` makes one of one picture and two of more.
    let roles = [
        (Role::Candidate, 1),
        (Role::Input, usize::from(beside.input)),
        (Role::Others, beside.n_others.min(2)),
        (Role::References, beside.n_references.min(2)),
    ];
    let slot = |role| ImageSlot {
        role,
        grid: [1, side, side],
    };
    roles
        .into_iter()
        .flat_map(|(role, n)| std::iter::repeat_n(slot(role), n))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use servimage_bench::starter::starter_tasks;
    use servimage_pack::Pack;
    use servimage_pack::dir::DirSource;
    use std::path::Path;

    /// What is prepared for is what comes: the same roles, in the same order.
    #[test]
    fn the_slots_to_expect_are_those_that_the_images_take() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let nano = DirSource::new(root.join("public/models/nano"));
        let nano = pollster::block_on(Pack::open(nano)).expect("nano");
        let picture = std::fs::read(root.join("tests/fixtures/scene-1.jpg")).expect("a picture");
        let task = &starter_tasks()[0];
        for (n_others, n_references, input) in [(0, 0, false), (1, 2, false), (3, 1, true)] {
            let request = ScoreRequest {
                input: input.then_some(&picture[..]),
                others: &vec![picture.clone(); n_others],
                references: &vec![picture.clone(); n_references],
                ..ScoreRequest::new(task, 1, "scene-1.jpg", &picture)
            };
            let beside = Beside {
                input,
                n_others,
                n_references,
            };
            let cut = cut_images(&request, nano.manifest()).expect("a good picture");
            let roles =
                |slots: &[ImageSlot]| slots.iter().map(|slot| slot.role).collect::<Vec<_>>();
            assert_eq!(
                roles(&slots_beside(beside, nano.manifest())),
                roles(&cut.slots),
                "{beside:?}"
            );
        }
    }
}
