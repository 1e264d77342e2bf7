//! Bytes of a file to RGB pixels: sniff, check the header against the limits, decode, sRGB, white behind, turned upright.

use crate::colour::{onto_white, to_srgb};
use crate::error::DecodeError;
use crate::facts;
use crate::format::{Format, sniff};
use crate::jpeg;
use crate::pixels::Rgb8Image;
use crate::raster::{Raster, split};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};
use std::io::Cursor;

/// Most memory that a file's colour profile and other notes may take once they are unpacked; profiles have some MB at most.
const MAX_NOTES_BYTES: u64 = 16 << 20;

/// What may be decoded; checked against the header before anything is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Largest picture, in pixels.
    pub max_pixels: u64,
    /// Most memory that a decoder may take, in bytes.
    pub max_decoder_bytes: u64,
}

impl Default for Limits {
    /// 256 MB, 200 megapixels, 1 GiB.
    fn default() -> Self {
        Self {
            max_bytes: 256_000_000,
            max_pixels: 200_000_000,
            max_decoder_bytes: 1 << 30,
        }
    }
}

impl Limits {
    /// For a visitor who insists: 2 GB, a gigapixel, 3 GiB. What is larger does not fit a tab's memory.
    pub fn insisted() -> Self {
        Self {
            max_bytes: 2_000_000_000,
            max_pixels: 1_000_000_000,
            max_decoder_bytes: 3 << 30,
        }
    }

    pub(crate) fn check_pixels(&self, width: u32, height: u32) -> Result<(), DecodeError> {
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(DecodeError::TooManyPixels {
                width,
                height,
                limit_pixels: self.max_pixels,
            });
        }
        Ok(())
    }
}

/// A decoded picture and what its file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Pixels, upright, on white.
    pub image: Rgb8Image,
    /// What the file says.
    pub facts: DecodedFacts,
}

/// What the file says, as far as tasks ask.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DecodedFacts {
    /// Format of the bytes; the file's name is not asked.
    pub format: Format,
    /// Width in pixels after turning upright.
    pub width: u32,
    /// Height in pixels after turning upright.
    pub height: u32,
    /// Dots per inch stated in the file.
    pub dpi: Option<f64>,
    /// Whether any pixel is not opaque; an alpha channel that is opaque everywhere does not count.
    pub has_alpha: bool,
    /// Whether the picture was turned or mirrored as its EXIF block says.
    pub oriented: bool,
    /// Whether colours were converted to sRGB from another colour space.
    pub colour_converted: bool,
    /// Whether the file has a colour profile that could not be used; the colours may then be off.
    pub profile_ignored: bool,
    /// Colour of the border where it is uniform.
    pub background_rgb: Option<[u8; 3]>,
}

/// Decodes a file to upright sRGB pixels on white.
///
/// # Errors
/// [`DecodeError`] says what is wrong with the file; a cut-off file never gives half a picture.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let found_bytes = bytes.len() as u64;
    if found_bytes == 0 {
        return Err(DecodeError::Empty);
    }
    if found_bytes > limits.max_bytes {
        return Err(DecodeError::TooManyBytes {
            found_bytes,
            limit_bytes: limits.max_bytes,
        });
    }
    let format = sniff(bytes)?;
    let raster = match format {
        Format::Jpeg => jpeg::decode(bytes, limits)?,
        _ => decode_with_image(bytes, format, limits)?,
    };
    finish(raster, bytes, format)
}

/// Decodes every format but JPEG.
fn decode_with_image(bytes: &[u8], format: Format, limits: &Limits) -> Result<Raster, DecodeError> {
    let problem = |error| problem(error, bytes, format, limits);
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(limits.max_decoder_bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(format));
    // PNG unpacks its profile while the header is read: a bomb of zeros would otherwise fill the whole of the limit.
    let mut notes = memory.clone();
    notes.max_alloc = Some(limits.max_decoder_bytes.min(MAX_NOTES_BYTES));
    reader.limits(notes);
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    limits.check_pixels(width, height)?;
    memory.reserve(decoder.total_bytes()).map_err(problem)?;
    decoder.set_limits(memory).map_err(problem)?;
    // Metadata that cannot be read is as good as none: the pixels are what is judged.
    let icc = decoder.icc_profile().ok().flatten();
    let exif = decoder.exif_metadata().ok().flatten();
    let orientation = decoder.orientation().ok();
    let image = DynamicImage::from_decoder(decoder).map_err(problem)?;
    let (samples, alpha) = split(image);
    Ok(Raster {
        width,
        height,
        samples,
        alpha,
        icc,
        exif,
        orientation,
    })
}

fn image_format(format: Format) -> image::ImageFormat {
    match format {
        Format::Jpeg => image::ImageFormat::Jpeg,
        Format::Png => image::ImageFormat::Png,
        Format::WebP => image::ImageFormat::WebP,
        Format::Gif => image::ImageFormat::Gif,
        Format::Bmp => image::ImageFormat::Bmp,
        Format::Tiff => image::ImageFormat::Tiff,
    }
}

fn finish(raster: Raster, bytes: &[u8], format: Format) -> Result<Decoded, DecodeError> {
    let dpi = facts::dpi(bytes, format, raster.exif.as_deref());
    let from_exif = || {
        raster
            .exif
            .as_deref()
            .and_then(Orientation::from_exif_chunk)
    };
    let orientation = raster
        .orientation
        .or_else(from_exif)
        .unwrap_or(Orientation::NoTransforms);
    let (mut pixels, conversion) = to_srgb(raster.samples, raster.icc.as_deref());
    let has_alpha = raster
        .alpha
        .is_some_and(|alpha| onto_white(&mut pixels, &alpha));
    let image = upright(raster.width, raster.height, pixels, orientation).ok_or_else(|| {
        DecodeError::Damaged {
            format,
            reason: format!(
                "the decoder gave no {} x {} picture",
                raster.width, raster.height
            ),
        }
    })?;
    let facts = DecodedFacts {
        format,
        width: image.width,
        height: image.height,
        dpi,
        has_alpha,
        oriented: orientation != Orientation::NoTransforms,
        colour_converted: conversion.converted,
        profile_ignored: conversion.profile_ignored,
        background_rgb: facts::background_rgb(&image),
    };
    Ok(Decoded { image, facts })
}

/// Turns and mirrors; `None` where the pixels do not fit the sides.
fn upright(
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    orientation: Orientation,
) -> Option<Rgb8Image> {
    let mut image = DynamicImage::ImageRgb8(image::RgbImage::from_raw(width, height, pixels)?);
    image.apply_orientation(orientation);
    Rgb8Image::new(image.width(), image.height(), image.into_rgb8().into_raw())
}

fn problem(error: ImageError, bytes: &[u8], format: Format, limits: &Limits) -> DecodeError {
    let reason = error.to_string();
    match error {
        ImageError::Limits(_) => DecodeError::TooMuchMemory {
            format,
            limit_bytes: limits.max_decoder_bytes,
        },
        ImageError::Unsupported(_) => DecodeError::UnsupportedFeature { format, reason },
        error if is_cut_off(&error, bytes, format) => DecodeError::Truncated {
            format,
            found_bytes: bytes.len() as u64,
        },
        _ => DecodeError::Damaged { format, reason },
    }
}

/// Whether a file that does not decode ends too early, by the decoder's word or the size in its own header.
fn is_cut_off(error: &ImageError, bytes: &[u8], format: Format) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::UnexpectedEof;
        }
        source = error.source();
    }
    let stated =
        |at: usize| Some(u32::from_le_bytes(*bytes.get(at..at + 4)?.first_chunk()?) as usize);
    match format {
        Format::Png => !bytes.ends_with(b"IEND\xaeB`\x82"),
        Format::WebP => stated(4).is_none_or(|size| size + 8 > bytes.len()),
        Format::Bmp => stated(2).is_none_or(|size| size > bytes.len()),
        Format::Gif => bytes.last() != Some(&0x3b),
        Format::Tiff => directory_is_outside(bytes),
        Format::Jpeg => false,
    }
}

/// Whether a TIFF's first directory, which many writers put last, lies behind the end of the file.
fn directory_is_outside(bytes: &[u8]) -> bool {
    let Some(offset) = bytes.get(4..8).and_then(|offset| offset.first_chunk::<4>()) else {
        return true;
    };
    let big_endian = bytes.starts_with(b"MM");
    let offset = if big_endian {
        u32::from_be_bytes(*offset)
    } else {
        u32::from_le_bytes(*offset)
    };
    offset as usize >= bytes.len()
}
