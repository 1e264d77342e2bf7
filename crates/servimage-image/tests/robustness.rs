//! Whatever is dropped, nothing panics, and every picture fits the token budget.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where a fixture is not as expected"
)]

#[expect(dead_code, reason = "this file needs few of the fixtures")]
mod fixtures;

use fixtures::{corners, encode, exif_block, jpeg_with_exif, png_with_phys};
use image::ImageFormat;
use proptest::prelude::*;
use servimage_image::{Limits, ProcessorConfig, Rgb8Image, decode, patchify, target_size};

/// Small limits keep a mutated size field from costing the test its memory.
const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_pixels: 1 << 16,
    max_decoder_bytes: 1 << 22,
};

fn seeds() -> Vec<Vec<u8>> {
    let picture = corners(24, 17);
    let mut seeds: Vec<_> = [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ]
    .map(|format| encode(&picture, format))
    .into();
    seeds.push(jpeg_with_exif(&picture, &exif_block(6, Some(300))));
    seeds.push(png_with_phys(&seeds[1], 11_811, 1));
    seeds
}

fn check(bytes: &[u8]) {
    match decode(bytes, &LIMITS) {
        Ok(decoded) => {
            let (width, height) = (decoded.image.width, decoded.image.height);
            assert!(Rgb8Image::new(width, height, decoded.image.pixels).is_some());
        }
        Err(error) => assert!(error.code().starts_with("image.") && error.to_string().len() > 20),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_pixels_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300), magic in 0usize..9) {
        let magics: [&[u8]; 9] = [
            b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8 ", b"BM", b"II*\0\x08\0\0\0",
            b"MM\0*\0\0\0\x08", b"RIFF\x40\0\0\0WEBPVP8L",
        ];
        check(&[magics[magic], &bytes].concat());
    }

    #[test]
    fn any_damage_to_a_real_file_is_pixels_or_an_error(
        seed in 0usize..8,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = seeds().swap_remove(seed);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let end = if cut { keep.index(bytes.len()) } else { bytes.len() };
        check(&bytes[..end]);
    }

    #[test]
    fn any_sides_fit_the_token_budget(width in 1u32..70_000, height in 1u32..70_000) {
        let config = ProcessorConfig::default();
        let (w, h) = target_size(width, height, &config);
        prop_assert!(w > 0 && h > 0 && w % 32 == 0 && h % 32 == 0, "{} x {}", w, h);
        prop_assert!((config.min_pixels..=config.max_pixels).contains(&(w * h)), "{} x {}", w, h);
    }

    #[test]
    fn thin_pictures_give_whole_grids(width in 1u32..40, height in 1u32..900, swap in any::<bool>()) {
        let (width, height) = if swap { (height, width) } else { (width, height) };
        let config = ProcessorConfig::default();
        let patches = patchify(&Rgb8Image::filled(width, height, [0, 127, 255]), &config);
        let n_patches: u32 = patches.grid.iter().product();
        prop_assert_eq!(patches.rows.len(), n_patches as usize * config.patch_dim());
        prop_assert!(patches.n_tokens(config.merge_size) <= 49);
        prop_assert!(patches.rows.iter().all(|value| (-1.0..=1.0).contains(value)));
    }
}

#[test]
fn sides_at_the_ends_of_their_type_do_not_overflow() {
    let config = ProcessorConfig::default();
    for (width, height) in [(u32::MAX, u32::MAX), (1, u32::MAX), (u32::MAX, 1), (1, 1)] {
        let (w, h) = target_size(width, height, &config);
        assert!(w >= 32 && h >= 32 && w.checked_mul(h).unwrap() <= config.max_pixels);
    }
}
