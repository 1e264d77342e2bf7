//! What a visitor gets for the files that people drop: pixels that look right, or a sentence.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where a fixture is not as expected"
)]

mod fixtures;

use fixtures::*;
use image::ImageFormat;
use servimage_image::{DecodeError, Decoded, Format, Limits, Rgb8Image, decode};

fn decoded(bytes: &[u8]) -> Decoded {
    decode(bytes, &Limits::default()).unwrap()
}

fn error(bytes: &[u8]) -> DecodeError {
    decode(bytes, &Limits::default()).unwrap_err()
}

fn assert_near(found: [u8; 3], expected: [u8; 3], tolerance: u8) {
    let near = found
        .iter()
        .zip(expected)
        .all(|(found, expected)| found.abs_diff(expected) <= tolerance);
    assert!(
        near,
        "found {found:?}, expected {expected:?} within {tolerance}"
    );
}

#[test]
fn lossless_formats_keep_every_pixel_and_name_themselves() {
    let picture = corners(37, 21);
    for (image_format, format) in [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::Bmp, Format::Bmp),
        (ImageFormat::Tiff, Format::Tiff),
        (ImageFormat::WebP, Format::WebP),
    ] {
        let found = decoded(&encode(&picture, image_format));
        assert_eq!(found.facts.format, format);
        assert_eq!((found.facts.width, found.facts.height), (37, 21));
        assert_eq!(found.image.pixels, picture.as_raw().clone(), "{format}");
        assert!(!found.facts.has_alpha && !found.facts.oriented && !found.facts.colour_converted);
    }
}

#[test]
fn jpeg_and_gif_keep_the_colours_of_a_picture() {
    let picture = corners(64, 48);
    for (format, tolerance) in [(ImageFormat::Jpeg, 12), (ImageFormat::Gif, 12)] {
        let found = decoded(&encode(&picture, format));
        for [x, y] in [[4, 4], [60, 4], [4, 44], [60, 44]] {
            assert_near(found.image.at(x, y), picture.get_pixel(x, y).0, tolerance);
        }
    }
}

#[test]
fn every_orientation_comes_out_upright() {
    let picture = corners(64, 32);
    let upright =
        |orientation: u8| decoded(&jpeg_with_exif(&picture, &exif_block(orientation, None)));
    // Where the red top-left corner of the stored picture ends up, by orientation 1..=8.
    let expected = [
        [2, 2],
        [61, 2],
        [61, 29],
        [2, 29],
        [2, 2],
        [29, 2],
        [29, 61],
        [2, 61],
    ];
    for (orientation, [x, y]) in (1..=8).zip(expected) {
        let found = upright(orientation);
        let sides = if orientation < 5 { (64, 32) } else { (32, 64) };
        assert_eq!(
            (found.image.width, found.image.height),
            sides,
            "orientation {orientation}"
        );
        assert_eq!((found.facts.width, found.facts.height), sides);
        assert_eq!(found.facts.oriented, orientation != 1);
        assert_near(found.image.at(x, y), RED, 24);
    }
}

#[test]
fn transparent_pixels_lie_on_white_and_an_opaque_alpha_channel_is_none() {
    let mut picture = image::RgbaImage::from_pixel(8, 8, image::Rgba([200, 0, 0, 255]));
    assert!(!decoded(&encode(&picture, ImageFormat::Png)).facts.has_alpha);
    picture.put_pixel(1, 0, image::Rgba([200, 0, 0, 0]));
    picture.put_pixel(2, 0, image::Rgba([200, 0, 0, 128]));
    let found = decoded(&encode(&picture, ImageFormat::Png));
    assert!(found.facts.has_alpha);
    let row = [
        found.image.at(0, 0),
        found.image.at(1, 0),
        found.image.at(2, 0),
    ];
    assert_eq!(row, [[200, 0, 0], [255; 3], [227, 127, 127]]);
}

#[test]
fn sixteen_bit_grey_and_palette_pictures_decode() {
    let grey = image::ImageBuffer::from_fn(5, 4, |x, _| image::Luma([x as u16 * 257 * 50]));
    let found = decoded(&encode(&grey, ImageFormat::Png));
    assert_eq!(found.image.at(3, 1), [150; 3]);
    let alpha = image::ImageBuffer::from_pixel(5, 4, image::LumaA([100u8, 0]));
    assert_eq!(
        decoded(&encode(&alpha, ImageFormat::Png)).image.at(0, 0),
        [255; 3]
    );
}

#[test]
fn a_wide_gamut_profile_is_converted_and_an_srgb_profile_changes_nothing() {
    let flat = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 60, 60]));
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let srgb = moxcms::ColorProfile::new_srgb().encode().unwrap();
    let found = decoded(&png_with_icc(&flat, &p3));
    assert!(found.facts.colour_converted && !found.facts.profile_ignored);
    // Display P3 (200, 60, 60) in sRGB, by the two sets of primaries and the shared transfer curve.
    assert_near(found.image.at(0, 0), [216, 44, 53], 2);
    let found = decoded(&png_with_icc(&flat, &srgb));
    assert!(!found.facts.colour_converted && !found.facts.profile_ignored);
    assert_eq!(found.image.at(0, 0), [200, 60, 60]);
    let found = decoded(&png_with_icc(&flat, b"no profile at all"));
    assert!(found.facts.profile_ignored && !found.facts.colour_converted);
    assert_eq!(found.image.at(0, 0), [200, 60, 60]);
}

#[test]
fn inks_become_light_whether_or_not_adobe_inverted_them() {
    // Flat ink: cyan 255, the rest 0, is (0, 255, 255) on paper.
    for adobe in [false, true] {
        let found = decoded(&cmyk_jpeg([255, 0, 0, 0], adobe));
        assert!(found.facts.colour_converted);
        assert_near(found.image.at(3, 3), [0, 255, 255], 3);
    }
}

#[test]
fn resolution_is_read_from_every_header_that_has_one() {
    let picture = corners(16, 16);
    let jpeg = encode(&picture, ImageFormat::Jpeg);
    assert_eq!(
        decoded(&jpeg_with_density(&jpeg, 1, 300)).facts.dpi,
        Some(300.0)
    );
    assert_eq!(
        decoded(&jpeg_with_density(&jpeg, 2, 100)).facts.dpi,
        Some(254.0)
    );
    assert_eq!(decoded(&jpeg_with_density(&jpeg, 0, 1)).facts.dpi, None);
    let exif = jpeg_with_exif(&picture, &exif_block(1, Some(350)));
    assert_eq!(
        decoded(&jpeg_with_density(&exif, 0, 1)).facts.dpi,
        Some(350.0)
    );
    let png = encode(&picture, ImageFormat::Png);
    assert_eq!(decoded(&png).facts.dpi, None);
    assert_eq!(
        decoded(&png_with_phys(&png, 11_811, 1)).facts.dpi,
        Some(300.0)
    );
    assert_eq!(decoded(&png_with_phys(&png, 11_811, 0)).facts.dpi, None);
}

#[test]
fn a_uniform_border_is_the_background_and_a_busy_one_is_none() {
    let portrait = image::RgbImage::from_fn(30, 40, |x, y| {
        let is_person = y > 10 && (5..25).contains(&x) || y > 30;
        image::Rgb(if is_person {
            [90, 60, 50]
        } else {
            [250, 251, 252]
        })
    });
    assert_eq!(
        decoded(&encode(&portrait, ImageFormat::Png))
            .facts
            .background_rgb,
        Some([250, 251, 252])
    );
    assert_eq!(
        decoded(&encode(&corners(30, 40), ImageFormat::Png))
            .facts
            .background_rgb,
        None
    );
}

#[test]
fn an_empty_file_text_and_unsupported_formats_each_get_their_sentence() {
    assert!(matches!(error(b""), DecodeError::Empty));
    let text = error(b"Dear client, the picture follows tomorrow.\n");
    assert_eq!(text.code(), "image.not_an_image");
    assert!(text.to_string().contains("found plain text"), "{text}");
    assert!(
        error(b"<!doctype html><p>404")
            .to_string()
            .contains("web page")
    );
    assert!(
        error(&[0x17, 0, 0x80, 3, 9])
            .to_string()
            .contains("unknown data")
    );
    let named: [(&[u8], &str); 5] = [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF"),
        (
            b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "SVG",
        ),
        (b"  <svg/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
    ];
    for (bytes, name) in named {
        let found = error(bytes);
        assert_eq!(found.code(), "image.unsupported");
        assert!(found.to_string().starts_with(name), "{found}");
    }
}

#[test]
fn a_cut_off_file_of_any_format_is_an_error_never_half_a_picture() {
    let picture = noise(96, 64);
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let bytes = encode(&picture, format);
        assert!(decode(&bytes, &Limits::default()).is_ok(), "{format:?}");
        for hundredth in 1..100 {
            let cut = &bytes[..bytes.len() * hundredth / 100];
            let found = decode(cut, &Limits::default()).map(|found| found.facts);
            let Err(found) = found else {
                panic!("{format:?} cut to {hundredth} % decodes")
            };
            let codes = ["image.truncated", "image.damaged"];
            assert!(
                codes.contains(&found.code()) || cut.len() < 30,
                "{format:?} at {hundredth} %: {found}"
            );
        }
        let half = error(&bytes[..bytes.len() / 2]);
        assert_eq!(half.code(), "image.truncated", "{format:?}: {half}");
    }
}

#[test]
fn a_jpeg_whose_scan_is_short_but_properly_ended_is_damaged() {
    let bytes = encode(&noise(96, 64), ImageFormat::Jpeg);
    for percent in [60, 75, 90] {
        let mut short = bytes[..bytes.len() * percent / 100].to_vec();
        short.extend([0xff, 0xd9]);
        assert_eq!(error(&short).code(), "image.damaged", "at {percent} %");
    }
}

#[test]
fn a_bomb_is_refused_by_its_header_and_a_large_file_by_its_size() {
    let bomb = png_header_only(60_000, 60_000);
    let found = error(&bomb);
    assert!(
        matches!(
            found,
            DecodeError::TooManyPixels {
                width: 60_000,
                height: 60_000,
                ..
            }
        ),
        "{found}"
    );
    let small = encode(&corners(40, 40), ImageFormat::Png);
    let limits = Limits {
        max_bytes: 10,
        ..Limits::default()
    };
    assert!(matches!(
        decode(&small, &limits),
        Err(DecodeError::TooManyBytes {
            limit_bytes: 10,
            ..
        })
    ));
    let limits = Limits {
        max_decoder_bytes: 1000,
        ..Limits::default()
    };
    assert!(matches!(
        decode(&small, &limits),
        Err(DecodeError::TooMuchMemory {
            limit_bytes: 1000,
            ..
        })
    ));
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let limits = Limits {
            max_pixels: 1599,
            ..Limits::default()
        };
        let found = decode(&encode(&corners(40, 40), format), &limits).unwrap_err();
        assert_eq!(found.code(), "image.too_large", "{format:?}: {found}");
    }
}

#[test]
fn a_format_is_told_by_its_bytes() {
    let webp = encode(&corners(9, 9), ImageFormat::WebP);
    assert_eq!(decoded(&webp).facts.format.to_string(), "WEBP");
    assert!(
        Rgb8Image::new(2, 2, vec![0; 11]).is_none(),
        "pixels must fit the sides"
    );
}
