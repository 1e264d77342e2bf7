//! Damages with a known severity, applied at the scale at which the network sees a picture (about 224 x 224).
//!
//! `severity` runs over 0..=1: at 0 a damage leaves the picture as it is, at 1 it is hopeless, and
//! between it grows steadily. What a damage is charged to is its [`Damage::concept`].

use crate::artifact;
use crate::error::TrainError;
use crate::picture::{Picture, luma};
use image::codecs::jpeg::JpegEncoder;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// A way to spoil a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Gaussian blur, sigma up to 3 pixels.
    Blur,
    /// Blur along a line of up to 15 pixels, any direction.
    MotionBlur,
    /// Shrunk by up to 5 and enlarged again, smoothly.
    DownUp,
    /// JPEG, quality from 60 down to 3.
    Jpeg,
    /// Additive Gaussian noise, sigma up to 0.2, per channel or grey.
    Noise,
    /// A colour cast: channel gains up to +-0.45.
    ColourCast,
    /// Over- or under-exposure by up to 2 stops.
    Exposure,
    /// Contrast taken away (down to 0.2) or overdone (up to 3).
    Contrast,
    /// Turned by up to 20 degrees, with plain corners.
    Tilt,
    /// A part off the middle, down to a third of each side.
    Crop,
    /// Whirls that bend parts of the picture.
    Warp,
    /// Patches exchanged.
    SwapPatches,
    /// One patch repeated over others.
    RepeatPatch,
    /// A shifted copy shining through.
    Ghost,
    /// A pattern of small squares.
    Checkerboard,
    /// Detail painted over, edges kept.
    Oversmooth,
    /// Shrunk by up to 6 and enlarged in squares. Never trained on.
    Pixelate,
    /// Up to a quarter of the pixels black or white. Never trained on.
    SaltPepper,
    /// Saturation overdone by up to 4. Never trained on.
    Oversaturate,
    /// Rows in slices shifted against each other. Never trained on.
    Slices,
}

/// Concept that a damage is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concept {
    /// `veq_clarity`
    Clarity,
    /// `veq_realism`
    Realism,
    /// `veq_aesthetic`
    Aesthetic,
}

impl Damage {
    /// Damages of training that are charged to clarity.
    pub const CLARITY: [Self; 5] = [
        Self::Blur,
        Self::MotionBlur,
        Self::DownUp,
        Self::Jpeg,
        Self::Noise,
    ];
    /// Damages of training that are charged to the aesthetic.
    pub const AESTHETIC: [Self; 5] = [
        Self::ColourCast,
        Self::Exposure,
        Self::Contrast,
        Self::Tilt,
        Self::Crop,
    ];
    /// Damages of training that are charged to realism.
    pub const REALISM: [Self; 6] = [
        Self::Warp,
        Self::SwapPatches,
        Self::RepeatPatch,
        Self::Ghost,
        Self::Checkerboard,
        Self::Oversmooth,
    ];
    /// Damages kept for figures.
    pub const UNSEEN: [Self; 4] = [
        Self::Pixelate,
        Self::SaltPepper,
        Self::Oversaturate,
        Self::Slices,
    ];

    /// Damages of training, in the order of their declaration.
    #[must_use]
    pub fn trained() -> Vec<Self> {
        [&Self::CLARITY[..], &Self::AESTHETIC, &Self::REALISM].concat()
    }

    /// Whether it moves what is in the picture, so that place and number are no longer known.
    #[must_use]
    pub fn moves(self) -> bool {
        matches!(self, Self::Crop | Self::Tilt)
    }

    /// The concept that pays for it.
    #[must_use]
    pub fn concept(self) -> Concept {
        match self {
            Self::ColourCast
            | Self::Exposure
            | Self::Contrast
            | Self::Tilt
            | Self::Crop
            | Self::Oversaturate => Concept::Aesthetic,
            Self::Blur
            | Self::MotionBlur
            | Self::DownUp
            | Self::Jpeg
            | Self::Noise
            | Self::Pixelate
            | Self::SaltPepper => Concept::Clarity,
            _ => Concept::Realism,
        }
    }

    /// Name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::MotionBlur => "motion blur",
            Self::DownUp => "down-up sampling",
            Self::Jpeg => "JPEG",
            Self::Noise => "noise",
            Self::ColourCast => "colour cast",
            Self::Exposure => "exposure",
            Self::Contrast => "contrast",
            Self::Tilt => "tilt",
            Self::Crop => "careless crop",
            Self::Warp => "warps",
            Self::SwapPatches => "swapped patches",
            Self::RepeatPatch => "repeated patch",
            Self::Ghost => "ghosting",
            Self::Checkerboard => "checkerboard",
            Self::Oversmooth => "over-smoothing",
            Self::Pixelate => "pixelation",
            Self::SaltPepper => "salt and pepper",
            Self::Oversaturate => "over-saturation",
            Self::Slices => "shifted slices",
        }
    }

    /// The damaged copy. `severity` is clamped to 0..=1; what is random (direction, grain) comes from `rng`.
    ///
    /// # Errors
    /// [`TrainError::Jpeg`] where the codec fails, which it does not for a picture with pixels.
    pub fn apply(
        self,
        picture: &Picture,
        severity: f32,
        rng: &mut impl Rng,
    ) -> Result<Picture, TrainError> {
        let severity = severity.clamp(0.0, 1.0);
        if severity == 0.0 {
            return Ok(picture.clone());
        }
        Ok(match self {
            Self::Blur => gaussian_blur(picture, 3.0 * severity),
            Self::MotionBlur => motion_blur(
                picture,
                14.0 * severity,
                rng.random_range(0.0..std::f32::consts::PI),
            ),
            Self::DownUp => down_up(
                picture,
                1.0 + 4.0 * severity,
                image::imageops::FilterType::CatmullRom,
            ),
            Self::Pixelate => down_up(
                picture,
                1.0 + 5.0 * severity,
                image::imageops::FilterType::Nearest,
            ),
            Self::Jpeg => jpeg(picture, 3 + (57.0 * (1.0 - severity).powf(1.5)) as u8)?,
            Self::Noise => noise(picture, 0.2 * severity, rng),
            Self::SaltPepper => salt_and_pepper(picture, 0.25 * severity, rng),
            Self::ColourCast => colour_cast(picture, 0.45 * severity, rng),
            Self::Exposure => exposure(picture, 2.0 * severity, rng.random()),
            Self::Contrast => contrast(picture, severity, rng.random()),
            Self::Oversaturate => saturate(picture, 1.0 + 3.0 * severity),
            Self::Tilt => artifact::tilt(picture, severity, rng),
            Self::Crop => artifact::careless_crop(picture, severity, rng),
            Self::Warp => artifact::warp(picture, severity, rng),
            Self::SwapPatches => artifact::move_patches(picture, severity, false, rng),
            Self::RepeatPatch => artifact::move_patches(picture, severity, true, rng),
            Self::Ghost => artifact::ghost(picture, severity, rng),
            Self::Checkerboard => artifact::checkerboard(picture, severity, rng),
            Self::Oversmooth => artifact::oversmooth(picture, severity),
            Self::Slices => artifact::slices(picture, severity, rng),
        })
    }
}

fn gaussian_blur(picture: &Picture, sigma: f32) -> Picture {
    let radius = (3.0 * sigma).ceil() as isize;
    let weights: Vec<f32> = (-radius..=radius)
        .map(|i| (-(i * i) as f32 / (2.0 * sigma * sigma)).exp())
        .collect();
    let taps = |dx: isize, dy: isize| -> Vec<(isize, isize, f32)> {
        (-radius..=radius)
            .zip(&weights)
            .map(|(i, w)| (i * dx, i * dy, *w))
            .collect()
    };
    convolve(&convolve(picture, &taps(1, 0)), &taps(0, 1))
}

/// Mean along a line of `length` pixels through each pixel, one sample half a pixel.
fn motion_blur(picture: &Picture, length: f32, angle: f32) -> Picture {
    let (sin, cos) = angle.sin_cos();
    let n_steps = (length * 2.0).ceil().max(1.0) as isize;
    let mut taps = Vec::new();
    for step in 0..=n_steps {
        let t = (step as f32 / n_steps as f32 - 0.5) * length;
        push_bilinear(&mut taps, t * cos, t * sin);
    }
    convolve(picture, &taps)
}

fn push_bilinear(taps: &mut Vec<(isize, isize, f32)>, x: f32, y: f32) {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    for (dx, wx) in [(0, 1.0 - fx), (1, fx)] {
        for (dy, wy) in [(0, 1.0 - fy), (1, fy)] {
            taps.push((left as isize + dx, top as isize + dy, wx * wy));
        }
    }
}

/// Weighted mean over taps `(dx, dy, weight)`.
fn convolve(picture: &Picture, taps: &[(isize, isize, f32)]) -> Picture {
    let total: f32 = taps.iter().map(|tap| tap.2).sum();
    let mut out = picture.clone();
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % picture.width) as isize, (i / picture.width) as isize);
        let mut sum = [0.0; 3];
        for (dx, dy, weight) in taps {
            let source = picture.at(x + dx, y + dy);
            (0..3).for_each(|c| sum[c] += source[c] * weight);
        }
        *pixel = sum.map(|value| value / total);
    }
    out
}

fn down_up(picture: &Picture, factor: f32, up: image::imageops::FilterType) -> Picture {
    let side = |length: usize| ((length as f32 / factor).round() as usize).max(2);
    let small = picture.resized(side(picture.width), side(picture.height));
    let large = image::imageops::resize(
        &small.to_rgb8(),
        picture.width as u32,
        picture.height as u32,
        up,
    );
    Picture::from_rgb8(&large)
}

fn jpeg(picture: &Picture, quality: u8) -> Result<Picture, TrainError> {
    let mut bytes = Vec::new();
    picture
        .to_rgb8()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    let decoded = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg)?;
    Ok(Picture::from_rgb8(&decoded.to_rgb8()))
}

fn noise(picture: &Picture, sigma: f32, rng: &mut impl Rng) -> Picture {
    let grey: bool = rng.random_bool(0.4);
    let mut out = picture.clone();
    for pixel in &mut out.pixels {
        let grain = if grey {
            [normal(rng); 3]
        } else {
            [normal(rng), normal(rng), normal(rng)]
        };
        (0..3).for_each(|c| pixel[c] = (pixel[c] + sigma * grain[c]).clamp(0.0, 1.0));
    }
    out
}

/// One draw of the standard normal distribution (Box-Muller).
pub(crate) fn normal(rng: &mut impl Rng) -> f32 {
    let radius = (-2.0 * rng.random_range(f32::MIN_POSITIVE..1.0).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}

fn salt_and_pepper(picture: &Picture, share: f32, rng: &mut impl Rng) -> Picture {
    let mut out = picture.clone();
    for pixel in &mut out.pixels {
        if rng.random::<f32>() < share {
            *pixel = if rng.random() { [1.0; 3] } else { [0.0; 3] };
        }
    }
    out
}

/// Gains of mean 1 in a random direction of hue.
fn colour_cast(picture: &Picture, strength: f32, rng: &mut impl Rng) -> Picture {
    let hue = rng.random_range(0.0..std::f32::consts::TAU);
    let gain = |shift: f32| 1.0 + strength * (hue + shift * std::f32::consts::TAU / 3.0).cos();
    let gains = [gain(0.0), gain(1.0), gain(2.0)];
    picture
        .clone()
        .map(|p| [p[0] * gains[0], p[1] * gains[1], p[2] * gains[2]].map(|v| v.clamp(0.0, 1.0)))
}

/// Light scaled by `2^+-stops` in linear light, then clipped.
fn exposure(picture: &Picture, stops: f32, over: bool) -> Picture {
    let gain = if over { stops.exp2() } else { (-stops).exp2() };
    picture.clone().map(|p| {
        p.map(|v| {
            (v.max(0.0).powf(2.2) * gain)
                .clamp(0.0, 1.0)
                .powf(1.0 / 2.2)
        })
    })
}

fn contrast(picture: &Picture, severity: f32, overdone: bool) -> Picture {
    let mean = picture.mean_luma();
    let gain = if overdone {
        1.0 + 2.0 * severity
    } else {
        1.0 - 0.8 * severity
    };
    picture
        .clone()
        .map(|p| p.map(|v| (mean + (v - mean) * gain).clamp(0.0, 1.0)))
}

fn saturate(picture: &Picture, gain: f32) -> Picture {
    picture
        .clone()
        .map(|p| p.map(|v| (luma(p) + (v - luma(p)) * gain).clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    fn textured() -> Picture {
        let mut picture = Picture::filled(64, 48, [0.0; 3]);
        for (i, pixel) in picture.pixels.iter_mut().enumerate() {
            let (x, y) = ((i % 64) as f32, (i / 64) as f32);
            *pixel = [
                0.5 + 0.4 * (x * 0.9).sin(),
                0.5 + 0.3 * (y * 0.7).cos(),
                0.3 + 0.2 * ((x + y) * 0.5).sin(),
            ];
        }
        picture
    }

    fn distance(a: &Picture, b: &Picture) -> f32 {
        let sum: f32 = a
            .pixels
            .iter()
            .zip(&b.pixels)
            .flat_map(|(p, q)| (0..3).map(|c| (p[c] - q[c]).abs()))
            .sum();
        sum / (3 * a.pixels.len()) as f32
    }

    #[test]
    fn every_damage_grows_with_its_severity_and_keeps_the_size() -> Result<(), TrainError> {
        let clean = textured();
        for damage in Damage::trained().into_iter().chain(Damage::UNSEEN) {
            let mut last = 0.0;
            for severity in [0.0, 0.3, 0.6, 1.0] {
                let copy = damage.apply(&clean, severity, &mut SmallRng::seed_from_u64(3))?;
                assert_eq!(
                    (copy.width, copy.height),
                    (clean.width, clean.height),
                    "{damage:?}"
                );
                let found = distance(&clean, &copy);
                // Where things are moved, how far the pixels are apart depends on what happens to lie there.
                let grows = !damage.moves() && damage.concept() != Concept::Realism;
                assert!(
                    severity == 0.0 || found > if grows { last } else { 0.0 },
                    "{damage:?} at {severity}: {found} after {last}"
                );
                last = found;
            }
        }
        Ok(())
    }

    #[test]
    fn severity_zero_leaves_the_picture_alone() -> Result<(), TrainError> {
        let clean = textured();
        for damage in Damage::trained() {
            assert_eq!(
                damage.apply(&clean, 0.0, &mut SmallRng::seed_from_u64(1))?,
                clean,
                "{damage:?}"
            );
        }
        Ok(())
    }
}
