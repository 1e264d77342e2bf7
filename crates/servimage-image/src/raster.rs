//! What a decoder gave: 8-bit samples in the file's own colour space, beside its profile and EXIF block.

use image::DynamicImage;
use image::metadata::Orientation;

/// Decoded, not yet sRGB, not yet turned.
pub(crate) struct Raster {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) samples: Samples,
    /// One value a pixel, 255 = opaque.
    pub(crate) alpha: Option<Vec<u8>>,
    pub(crate) icc: Option<Vec<u8>>,
    /// TIFF structure without the `Exif` mark.
    pub(crate) exif: Option<Vec<u8>>,
    /// As the decoder says; `None` where it lies in `exif`.
    pub(crate) orientation: Option<Orientation>,
}

/// Samples of all pixels, row by row.
pub(crate) enum Samples {
    /// One value a pixel.
    Gray(Vec<u8>),
    /// Three values a pixel.
    Rgb(Vec<u8>),
    /// Four ink amounts a pixel, 255 = full.
    Cmyk(Vec<u8>),
}

/// Samples and alpha at 8 bits of whatever the `image` crate decoded.
pub(crate) fn split(image: DynamicImage) -> (Samples, Option<Vec<u8>>) {
    match image {
        DynamicImage::ImageLuma8(image) => (Samples::Gray(image.into_raw()), None),
        DynamicImage::ImageLuma16(_) => (Samples::Gray(image.into_luma8().into_raw()), None),
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageLumaA16(_) => {
            let (gray, alpha) = image
                .into_luma_alpha8()
                .into_raw()
                .chunks_exact(2)
                .map(|pixel| (pixel[0], pixel[1]))
                .unzip();
            (Samples::Gray(gray), Some(alpha))
        }
        other if !other.color().has_alpha() => (Samples::Rgb(other.into_rgb8().into_raw()), None),
        other => {
            let mut pixels = other.into_rgba8().into_raw();
            let alpha = pixels.iter().skip(3).step_by(4).copied().collect();
            let n_pixels = pixels.len() / 4;
            for i in 0..n_pixels {
                pixels.copy_within(4 * i..4 * i + 3, 3 * i);
            }
            pixels.truncate(3 * n_pixels);
            (Samples::Rgb(pixels), Some(alpha))
        }
    }
}
