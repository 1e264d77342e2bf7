//! From the file's colour space to sRGB, and transparent pixels onto white.

use crate::raster::Samples;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// A profile that moves no colour by more than this (of 255) is sRGB under another name, and the pixels stay as they are.
const SRGB_TOLERANCE: u8 = 2;

/// How the colours became sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    /// Whether pixels changed.
    pub(crate) converted: bool,
    /// Whether the file has a profile that could not be used.
    pub(crate) profile_ignored: bool,
}

/// `[n_pixels, 3]` sRGB.
pub(crate) fn to_srgb(samples: Samples, icc: Option<&[u8]>) -> (Vec<u8>, Conversion) {
    let profile = icc.map(|icc| ColorProfile::new_from_slice(icc).ok());
    let converted = match &profile {
        Some(Some(profile)) => convert(&samples, profile),
        _ => None,
    };
    let is_cmyk = matches!(samples, Samples::Cmyk(_));
    match converted {
        Some(Converted::Pixels(pixels)) => (
            pixels,
            Conversion {
                converted: true,
                profile_ignored: false,
            },
        ),
        Some(Converted::AlreadySrgb) => (
            plain(samples),
            Conversion {
                converted: is_cmyk,
                profile_ignored: false,
            },
        ),
        None => (
            plain(samples),
            Conversion {
                converted: is_cmyk,
                profile_ignored: profile.is_some(),
            },
        ),
    }
}

enum Converted {
    Pixels(Vec<u8>),
    AlreadySrgb,
}

/// `None` where the profile does not fit the samples or is damaged.
fn convert(samples: &Samples, profile: &ColorProfile) -> Option<Converted> {
    let (layout, channels, values) = match (samples, profile.color_space) {
        (Samples::Gray(values), DataColorSpace::Gray) => (Layout::Gray, 1, values),
        (Samples::Rgb(values), DataColorSpace::Rgb) => (Layout::Rgb, 3, values),
        (Samples::Cmyk(values), DataColorSpace::Cmyk) => (Layout::Rgba, 4, values),
        _ => return None,
    };
    let srgb = ColorProfile::new_srgb();
    let transform = profile
        .create_transform_8bit(layout, &srgb, Layout::Rgb, TransformOptions::default())
        .ok()?;
    let run = |values: &[u8]| {
        let mut pixels = vec![0; values.len() / channels * 3];
        transform
            .transform(values, &mut pixels)
            .ok()
            .map(|()| pixels)
    };
    let probe = probe(channels);
    let is_srgb = channels < 4 && {
        let before = plain(if channels == 1 {
            Samples::Gray(probe.clone())
        } else {
            Samples::Rgb(probe.clone())
        });
        before
            .iter()
            .zip(run(&probe)?)
            .all(|(before, after)| before.abs_diff(after) <= SRGB_TOLERANCE)
    };
    if is_srgb {
        Some(Converted::AlreadySrgb)
    } else {
        run(values).map(Converted::Pixels)
    }
}

/// Colours spread over the whole space, 9 levels a channel.
fn probe(channels: usize) -> Vec<u8> {
    let level = |index: usize| (index * 32).min(255) as u8;
    match channels {
        1 => (0..9).map(level).collect(),
        _ => (0..9 * 9 * 9)
            .flat_map(|i| [level(i / 81), level(i / 9 % 9), level(i % 9)])
            .collect(),
    }
}

/// `[n_pixels, 3]` without a profile: greys repeated, inks as `(1 - ink) x (1 - black)`.
fn plain(samples: Samples) -> Vec<u8> {
    match samples {
        Samples::Rgb(pixels) => pixels,
        Samples::Gray(pixels) => pixels.into_iter().flat_map(|gray| [gray; 3]).collect(),
        Samples::Cmyk(inks) => {
            let light = |ink: u8, black: u8| {
                let product = u32::from(255 - ink) * u32::from(255 - black);
                ((product + 127) / 255) as u8
            };
            inks.chunks_exact(4)
                .flat_map(|ink| [0, 1, 2].map(|channel| light(ink[channel], ink[3])))
                .collect()
        }
    }
}

/// Blends straight-alpha pixels onto white; says whether any pixel was not opaque.
pub(crate) fn onto_white(pixels: &mut [u8], alpha: &[u8]) -> bool {
    let mut any = false;
    for (pixel, alpha) in pixels.chunks_exact_mut(3).zip(alpha) {
        if *alpha == 255 {
            continue;
        }
        any = true;
        let (alpha, rest) = (u32::from(*alpha), 255 - u32::from(*alpha));
        for value in pixel {
            *value = ((u32::from(*value) * alpha + 255 * rest + 127) / 255) as u8;
        }
    }
    any
}
