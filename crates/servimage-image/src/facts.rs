//! What the hard rules of a task ask about the file: dots per inch, and the colour behind the subject.

use crate::format::Format;
use crate::jpeg::Structure;
use crate::pixels::Rgb8Image;
use exif::{Exif, In, Tag, Value};

/// A border pixel is of the background where no channel is further than this from the median.
const BACKGROUND_TOLERANCE: u8 = 16;

/// Least share of border pixels of the background, as parts of four: shoulders and products cut into the sides.
const BACKGROUND_QUARTERS: usize = 3;

/// Dots per inch that the file states, rounded to hundredths; of two axes the lesser.
pub(crate) fn dpi(bytes: &[u8], format: Format, exif_block: Option<&[u8]>) -> Option<f64> {
    let read_exif = |block: &[u8]| exif_dpi(&exif::Reader::new().read_raw(block.to_vec()).ok()?);
    let from_exif = || exif_block.and_then(read_exif);
    let dpi = match format {
        Format::Jpeg => Structure::read(bytes).dpi.or_else(from_exif),
        Format::Png => png_dpi(bytes).or_else(from_exif),
        Format::Tiff => exif_dpi(
            &exif::Reader::new()
                .read_from_container(&mut std::io::Cursor::new(bytes))
                .ok()?,
        ),
        Format::Bmp => bmp_dpi(bytes),
        Format::WebP | Format::Gif => from_exif(),
    }?;
    let dpi = (dpi * 100.0).round() / 100.0;
    (dpi.is_finite() && dpi > 0.0).then_some(dpi)
}

fn exif_dpi(exif: &Exif) -> Option<f64> {
    let resolution = |tag| match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Rational(values) => values.first().map(|value| value.to_f64()),
        _ => None,
    };
    let x = resolution(Tag::XResolution)?;
    let least = resolution(Tag::YResolution).map_or(x, |y| x.min(y));
    let unit = exif
        .get_field(Tag::ResolutionUnit, In::PRIMARY)
        .and_then(|field| field.value.get_uint(0));
    match unit.unwrap_or(2) {
        2 => Some(least),
        3 => Some(least * 2.54),
        _ => None,
    }
}

/// The chunk `pHYs`: pixels per metre, where its unit is the metre.
fn png_dpi(bytes: &[u8]) -> Option<f64> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(*bytes.get(at..at + 4)?.first_chunk()?) as usize;
        let kind = bytes.get(at + 4..at + 8)?;
        match kind {
            b"pHYs" => {
                let data = bytes.get(at + 8..at + 17)?;
                let axis = |start: usize| {
                    data[start..]
                        .first_chunk()
                        .map(|axis| u32::from_be_bytes(*axis))
                };
                return (data[8] == 1).then(|| axis(0).min(axis(4)))?.map(per_inch);
            }
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// `biXPelsPerMeter` and `biYPelsPerMeter` of headers that have them.
fn bmp_dpi(bytes: &[u8]) -> Option<f64> {
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..at + 4)?.first_chunk()?));
    let least = word(38)?.min(word(42)?);
    (word(14)? >= 40).then(|| per_inch(least))
}

fn per_inch(per_metre: u32) -> f64 {
    f64::from(per_metre) * 0.0254
}

/// Median colour of the top, left and right edge where at least three quarters of them are that colour, else `None`.
///
/// The bottom edge is left out: people and things stand on it.
pub(crate) fn background_rgb(image: &Rgb8Image) -> Option<[u8; 3]> {
    let (right, bottom) = (image.width - 1, image.height - 1);
    let mut border: Vec<[u8; 3]> = (0..image.width).map(|x| image.at(x, 0)).collect();
    border.extend((1..=bottom).flat_map(|y| [image.at(0, y), image.at(right, y)]));
    let median = [0, 1, 2].map(|channel| {
        let mut values: Vec<u8> = border.iter().map(|pixel| pixel[channel]).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable(middle).1
    });
    let is_near = |pixel: &&[u8; 3]| {
        pixel
            .iter()
            .zip(median)
            .all(|(a, b)| a.abs_diff(b) <= BACKGROUND_TOLERANCE)
    };
    let n_near = border.iter().filter(is_near).count();
    (4 * n_near >= BACKGROUND_QUARTERS * border.len()).then_some(median)
}
