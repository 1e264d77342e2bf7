//! From the bytes of a request to the patches of at most six images, in the order of the prompt.

use crate::concepts::Given;
use crate::error::EngineError;
use crate::score::ScoreRequest;
use servimage_image::{
    Decoded, Limits, Patches, ProcessorConfig, Rgb8Image, composite_halves, decode, patchify,
};
use servimage_pack::manifest::Manifest;
use servimage_prompt::{ImageSlot, Role};

/// Decoded and cut images of one request.
pub(crate) struct Prepared {
    /// The image under evaluation.
    pub candidate: Decoded,
    /// One slot an image, in order.
    pub slots: Vec<ImageSlot>,
    /// `[n_patches, d_patch]`, image after image.
    pub patches: Vec<f32>,
}

impl Prepared {
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
pub(crate) fn prepare(
    request: &ScoreRequest<'_>,
    manifest: &Manifest,
) -> Result<Prepared, EngineError> {
    let limits = Limits::default();
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
    Ok(Prepared {
        candidate,
        slots,
        patches,
    })
}
