//! Damages with a known severity, applied at the scale at which the network sees a picture (about 224 x 224).
//!
//! `severity` runs over 0..=1: at 0 a damage leaves the picture as it is, at 1 it is hopeless, and
//! between it grows steadily. What a damage is charged to is its [`Damage::concept`].

use crate::artifact;
use crate::degrade::{
    colour_cast, contrast, down_up, exposure, gaussian_blur, jpeg, motion_blur, noise,
    salt_and_pepper, saturate,
};
use crate::error::TrainError;
use crate::picture::Picture;
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
