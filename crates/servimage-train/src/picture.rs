//! A picture in floating point, as the damages and the scenes work on it.
//!
//! RGB, 0..=1, sRGB-encoded, HWC row-major. Nothing here clips until [`Picture::to_rgb8`].

use crate::error::TrainError;
use image::{RgbImage, imageops::FilterType};
use std::path::Path;

/// A picture: RGB, 0..=1, sRGB, HWC.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` pixels, row by row.
    pub pixels: Vec<[f32; 3]>,
}

impl Picture {
    /// A picture of one colour.
    #[must_use]
    pub fn filled(width: usize, height: usize, colour: [f32; 3]) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour; width * height],
        }
    }

    /// From 8-bit pixels.
    #[must_use]
    pub fn from_rgb8(image: &RgbImage) -> Self {
        let pixels = image
            .pixels()
            .map(|p| p.0.map(|v| f32::from(v) / 255.0))
            .collect();
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            pixels,
        }
    }

    /// To 8-bit pixels: clipped to 0..=1 and rounded.
    #[must_use]
    pub fn to_rgb8(&self) -> RgbImage {
        RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| {
            let pixel = self.pixels[y as usize * self.width + x as usize];
            image::Rgb(pixel.map(to_byte))
        })
    }

    /// The pixel at a column and row, clamped to the border.
    #[must_use]
    pub fn at(&self, x: isize, y: isize) -> [f32; 3] {
        let column = x.clamp(0, self.width as isize - 1) as usize;
        let row = y.clamp(0, self.height as isize - 1) as usize;
        self.pixels[row * self.width + column]
    }

    /// Bicubic, antialiased resize. Returns the picture itself where nothing changes.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let small = image::imageops::resize(
            &self.to_rgb8(),
            width as u32,
            height as u32,
            FilterType::CatmullRom,
        );
        Self::from_rgb8(&small)
    }

    /// A rectangle of the picture; it must lie inside.
    #[must_use]
    pub fn cropped(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        let rows = (top..top + height).map(|y| y * self.width + left);
        let pixels = rows
            .flat_map(|start| self.pixels[start..start + width].iter().copied())
            .collect();
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Left and right exchanged.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.pixels
            .chunks_exact_mut(self.width)
            .for_each(<[_]>::reverse);
        self
    }

    /// Largest size of the same shape with at most `area` pixels (never enlarged).
    #[must_use]
    pub fn shrunk_to_area(&self, area: usize) -> Self {
        let scale = (area as f64 / (self.width * self.height) as f64).sqrt();
        if scale >= 1.0 {
            return self.clone();
        }
        let side = |length: usize| ((length as f64 * scale).round() as usize).max(1);
        self.resized(side(self.width), side(self.height))
    }

    /// Every pixel through a function.
    #[must_use]
    pub fn map(mut self, change: impl Fn([f32; 3]) -> [f32; 3]) -> Self {
        self.pixels
            .iter_mut()
            .for_each(|pixel| *pixel = change(*pixel));
        self
    }

    /// Mean luma (Rec. 601), 0..=1.
    #[must_use]
    pub fn mean_luma(&self) -> f32 {
        self.pixels.iter().map(|p| luma(*p)).sum::<f32>() / self.pixels.len().max(1) as f32
    }

    /// Writes JPEG (quality 92) or PNG, by the file's ending.
    ///
    /// # Errors
    /// [`TrainError::Picture`] where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let wrap = |source| TrainError::Picture {
            path: path.to_path_buf(),
            source,
        };
        if path.extension().is_some_and(|ending| ending == "jpg") {
            let file = std::fs::File::create(path).map_err(|source| TrainError::File {
                path: path.to_path_buf(),
                source,
            })?;
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(
                std::io::BufWriter::new(file),
                92,
            );
            return self.to_rgb8().write_with_encoder(encoder).map_err(wrap);
        }
        self.to_rgb8().save(path).map_err(wrap)
    }
}

/// Luma of a pixel (Rec. 601), 0..=1.
#[must_use]
pub fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

fn to_byte(value: f32) -> u8 {
    // Rounds: the cast cuts off.
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_and_a_mirror_move_the_right_pixels() {
        let mut picture = Picture::filled(3, 2, [0.0; 3]);
        picture.pixels[4] = [1.0; 3];
        let part = picture.cropped(1, 1, 2, 1);
        assert_eq!(part.pixels, vec![[1.0; 3], [0.0; 3]]);
        assert_eq!(part.mirrored().pixels, vec![[0.0; 3], [1.0; 3]]);
    }

    #[test]
    fn eight_bit_pixels_survive_the_round_trip() {
        let image = RgbImage::from_fn(16, 16, |x, y| {
            image::Rgb([x as u8 * 16, y as u8 * 15, 255 - x as u8])
        });
        assert_eq!(Picture::from_rgb8(&image).to_rgb8(), image);
    }
}
