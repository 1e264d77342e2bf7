//! JPEG through `zune-jpeg` in strict mode, so that missing data is an error and not a grey half.
//!
//! The `image` crate decodes JPEG leniently and turns CMYK into RGB without the profile; both matter here.

use crate::decode::Limits;
use crate::error::DecodeError;
use crate::format::Format;
use crate::raster::{Raster, Samples};
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Largest side that the format can express.
const MAX_SIDE: usize = 65_535;

/// Most pixels that a byte of a JPEG can stand for: each block of 8 x 8 takes a bit at least.
const MAX_PIXELS_PER_BYTE: u64 = 512;

/// Bytes a pixel that the decoder takes for a picture in one scan, and in several, whose coefficients it keeps (measured over three
/// components of full size on 2026-11-25: 3.9 and 9.0, the file itself included).
const DECODER_BYTES: [u64; 2] = [4, 10];

/// More than the bit reader of the decoder reads ahead.
const LOOKAHEAD_BYTES: usize = 16;

/// What the markers of the file say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Structure {
    /// Where the first end-of-image marker stands; a file without one is cut off.
    pub(crate) end: Option<usize>,
    /// Whether all data lies in one sequential scan.
    pub(crate) one_scan: bool,
    /// Dots per inch of the JFIF header.
    pub(crate) dpi: Option<f64>,
    /// Whether Adobe's marker is there; CMYK is then stored inverted.
    pub(crate) adobe: bool,
}

impl Structure {
    /// Walks the markers up to the first end of image.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        let (mut at, mut n_scans, mut sequential) = (2, 0, false);
        while let Some(marker) = next_marker(bytes, &mut at) {
            match marker {
                0xd9 => {
                    found.end = Some(at - 2);
                    found.one_scan = sequential && n_scans == 1;
                    return found;
                }
                // Markers without a length: restarts, a repeated start, the temporary marker.
                0xd0..=0xd8 | 0x01 => continue,
                _ => {}
            }
            let Some(length) = bytes
                .get(at..at + 2)
                .map(|pair| usize::from(pair[0]) << 8 | usize::from(pair[1]))
            else {
                return found;
            };
            let segment = bytes.get(at + 2..at + length).unwrap_or_default();
            match marker {
                0xe0 if segment.starts_with(b"JFIF\0") => found.dpi = jfif_dpi(segment),
                0xee if segment.starts_with(b"Adobe") => found.adobe = true,
                0xc0 | 0xc1 => sequential = true,
                0xda => n_scans += 1,
                _ => {}
            }
            at += length.max(2);
        }
        found
    }
}

impl Structure {
    /// The bytes with a little padding in place of the end of a single sequential scan.
    ///
    /// At the marker zune-jpeg 0.5.15 fills a scan that is short of rows with grey even in strict mode; at the end of
    /// the buffer it reports it. Progressive files have no such gap: each scan covers the whole picture.
    fn without_end(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let end = self.end.filter(|_| self.one_scan)?;
        Some([&bytes[..end], &[0; LOOKAHEAD_BYTES]].concat())
    }
}

/// The next marker at or after `at`, entropy-coded data skipped; `at` then stands behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let skipped = bytes.get(*at..)?.iter().position(|byte| *byte == 0xff)?;
        *at += skipped + 1;
        match *bytes.get(*at)? {
            // A stuffed zero belongs to the data, a fill byte precedes a marker.
            0x00 => *at += 1,
            0xff => {}
            marker => {
                *at += 1;
                return Some(marker);
            }
        }
    }
}

/// Dots per inch in a JFIF segment; unit 0 is a mere aspect ratio.
fn jfif_dpi(segment: &[u8]) -> Option<f64> {
    let [unit, x_high, x_low, y_high, y_low] = *segment.get(7..12)?.first_chunk::<5>()?;
    let least = u16::from_be_bytes([x_high, x_low]).min(u16::from_be_bytes([y_high, y_low]));
    let per_inch = match unit {
        1 => 1.0,
        2 => 2.54,
        _ => return None,
    };
    (least > 0).then(|| f64::from(least) * per_inch)
}

/// Decodes a JPEG: pixels, profile, EXIF block.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raster, DecodeError> {
    let structure = Structure::read(bytes);
    let truncated = || DecodeError::Truncated {
        format: Format::Jpeg,
        found_bytes: bytes.len() as u64,
    };
    let problem = |error| {
        if structure.end.is_some() {
            problem(error)
        } else {
            truncated()
        }
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE);
    let open_ended = structure.without_end(bytes);
    let input = ZCursor::new(open_ended.as_deref().unwrap_or(bytes));
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(input, options);
    decoder.decode_headers().map_err(problem)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    limits.check_pixels(width as u32, height as u32)?;
    let n_pixels = width as u64 * height as u64;
    // A header alone, of whatever size, is not worth the memory of its pixels.
    if structure.end.is_none() || n_pixels > MAX_PIXELS_PER_BYTE * bytes.len() as u64 {
        return Err(truncated());
    }
    if n_pixels * DECODER_BYTES[usize::from(!structure.one_scan)] > limits.max_decoder_bytes {
        return Err(DecodeError::TooMuchMemory {
            format: Format::Jpeg,
            limit_bytes: limits.max_decoder_bytes,
        });
    }
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::YCbCr);
    let wanted = match stored {
        ColorSpace::Luma | ColorSpace::CMYK | ColorSpace::YCCK => stored,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let pixels = decoder.decode().map_err(problem)?;
    let samples = match wanted {
        ColorSpace::Luma => Samples::Gray(pixels),
        ColorSpace::CMYK => Samples::Cmyk(inks(pixels, structure.adobe)),
        ColorSpace::YCCK => Samples::Cmyk(inks(cmyk_of_ycck(pixels), structure.adobe)),
        _ => Samples::Rgb(pixels),
    };
    Ok(Raster {
        width: width as u32,
        height: height as u32,
        samples,
        alpha: None,
        icc: decoder.icc_profile(),
        exif: decoder.exif().cloned(),
        orientation: None,
    })
}

fn problem(error: DecodeErrors) -> DecodeError {
    match error {
        DecodeErrors::Unsupported(scheme) => DecodeError::UnsupportedFeature {
            format: Format::Jpeg,
            reason: format!("{scheme:?}"),
        },
        other => DecodeError::Damaged {
            format: Format::Jpeg,
            reason: format!("{other:?}"),
        },
    }
}

/// Ink amounts, 255 = full; Adobe's programs store paper as 255.
fn inks(mut pixels: Vec<u8>, inverted: bool) -> Vec<u8> {
    if inverted {
        pixels.iter_mut().for_each(|value| *value = 255 - *value);
    }
    pixels
}

/// Y, Cb, Cr, K to C, M, Y, K as stored: the first three are the complement of the RGB that they encode.
fn cmyk_of_ycck(mut pixels: Vec<u8>) -> Vec<u8> {
    for pixel in pixels.chunks_exact_mut(4) {
        let [luma, blue, red] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        let (blue, red) = (blue - 128.0, red - 128.0);
        let rgb = [
            luma + 1.402 * red,
            luma - 0.344_136 * blue - 0.714_136 * red,
            luma + 1.772 * blue,
        ];
        for (value, colour) in pixel.iter_mut().zip(rgb) {
            *value = 255 - colour.round().clamp(0.0, 255.0) as u8;
        }
    }
    pixels
}
