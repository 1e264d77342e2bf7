//! Blur, loss of detail, noise, light and colour: what spoils every pixel of a picture.

use crate::error::TrainError;
use crate::picture::{Picture, luma};
use image::codecs::jpeg::JpegEncoder;
use rand::Rng;
use std::collections::BTreeMap;

pub(crate) fn gaussian_blur(picture: &Picture, sigma: f32) -> Picture {
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
pub(crate) fn motion_blur(picture: &Picture, length: f32, angle: f32) -> Picture {
    let (sin, cos) = angle.sin_cos();
    let n_steps = (length * 2.0).ceil().max(1.0) as isize;
    let mut taps = BTreeMap::new();
    for step in 0..=n_steps {
        let t = (step as f32 / n_steps as f32 - 0.5) * length;
        add_bilinear(&mut taps, t * cos, t * sin);
    }
    let taps: Vec<(isize, isize, f32)> = taps.into_iter().map(|((x, y), w)| (x, y, w)).collect();
    convolve(picture, &taps)
}

/// Adds the weights of the four pixels around a place.
fn add_bilinear(taps: &mut BTreeMap<(isize, isize), f32>, x: f32, y: f32) {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    for (dx, wx) in [(0, 1.0 - fx), (1, fx)] {
        for (dy, wy) in [(0, 1.0 - fy), (1, fy)] {
            *taps
                .entry((left as isize + dx, top as isize + dy))
                .or_default() += wx * wy;
        }
    }
}

/// Weighted mean over taps `(dx, dy, weight)`; beyond the border its pixels go on.
///
/// Row by row and tap by tap over a padded copy, which compilers turn into wide instructions.
fn convolve(picture: &Picture, taps: &[(isize, isize, f32)]) -> Picture {
    let total: f32 = taps.iter().map(|tap| tap.2).sum();
    let most = |of: fn(&(isize, isize, f32)) -> isize| {
        taps.iter().map(|tap| of(tap).abs()).max().unwrap_or(0)
    };
    let (pad_x, pad_y) = (most(|tap| tap.0), most(|tap| tap.1));
    let (width, height) = (picture.width as isize, picture.height as isize);
    let padded: Vec<[f32; 3]> = (-pad_y..height + pad_y)
        .flat_map(|y| (-pad_x..width + pad_x).map(move |x| picture.at(x, y)))
        .collect();
    let padded = padded.as_flattened();
    let padded_row = (width + 2 * pad_x) * 3;
    let mut out = picture.clone();
    for (y, row) in (0..).zip(out.pixels.chunks_exact_mut(picture.width)) {
        let row = row.as_flattened_mut();
        row.fill(0.0);
        for (dx, dy, weight) in taps {
            let start = ((y + pad_y + dy) * padded_row + (pad_x + dx) * 3) as usize;
            let source = &padded[start..start + row.len()];
            let weight = weight / total;
            row.iter_mut()
                .zip(source)
                .for_each(|(sum, value)| *sum += value * weight);
        }
    }
    out
}

pub(crate) fn down_up(picture: &Picture, factor: f32, up: image::imageops::FilterType) -> Picture {
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

pub(crate) fn jpeg(picture: &Picture, quality: u8) -> Result<Picture, TrainError> {
    let mut bytes = Vec::new();
    picture
        .to_rgb8()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    let decoded = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg)?;
    Ok(Picture::from_rgb8(&decoded.to_rgb8()))
}

pub(crate) fn noise(picture: &Picture, sigma: f32, rng: &mut impl Rng) -> Picture {
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

pub(crate) fn salt_and_pepper(picture: &Picture, share: f32, rng: &mut impl Rng) -> Picture {
    let mut out = picture.clone();
    for pixel in &mut out.pixels {
        if rng.random::<f32>() < share {
            *pixel = if rng.random() { [1.0; 3] } else { [0.0; 3] };
        }
    }
    out
}

/// Gains of mean 1 in a random direction of hue.
pub(crate) fn colour_cast(picture: &Picture, strength: f32, rng: &mut impl Rng) -> Picture {
    let hue = rng.random_range(0.0..std::f32::consts::TAU);
    let gain = |shift: f32| 1.0 + strength * (hue + shift * std::f32::consts::TAU / 3.0).cos();
    let gains = [gain(0.0), gain(1.0), gain(2.0)];
    picture
        .clone()
        .map(|p| [p[0] * gains[0], p[1] * gains[1], p[2] * gains[2]].map(|v| v.clamp(0.0, 1.0)))
}

/// Light scaled by `2^+-stops` in linear light (`v^2.2`), then clipped: the same as a gain of `2^(+-stops / 2.2)`.
pub(crate) fn exposure(picture: &Picture, stops: f32, over: bool) -> Picture {
    let gain = (if over { stops } else { -stops } / 2.2).exp2();
    picture
        .clone()
        .map(|p| p.map(|v| (v * gain).clamp(0.0, 1.0)))
}

pub(crate) fn contrast(picture: &Picture, severity: f32, overdone: bool) -> Picture {
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

pub(crate) fn saturate(picture: &Picture, gain: f32) -> Picture {
    picture
        .clone()
        .map(|p| p.map(|v| (luma(p) + (v - luma(p)) * gain).clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_spreads_a_point_along_its_line_and_keeps_its_light() {
        let mut point = Picture::filled(31, 31, [0.0; 3]);
        point.pixels[15 * 31 + 15] = [1.0, 0.5, 0.25];
        let blurred = motion_blur(&point, 8.0, 0.0);
        let light: f32 = blurred.pixels.iter().map(|p| p[0]).sum();
        assert!((light - 1.0).abs() < 1e-4, "{light}");
        let row: Vec<f32> = (0..31).map(|x| blurred.at(x, 15)[0]).collect();
        assert!(row[12] > 0.05 && row[18] > 0.05 && row[8] == 0.0);
        assert!((blurred.at(12, 15)[2] * 4.0 - row[12]).abs() < 1e-6);
        assert_eq!(blurred.at(15, 12), [0.0; 3]);
        // Beyond the border its pixels go on: a plain picture stays what it is.
        let plain = Picture::filled(9, 7, [0.3, 0.6, 0.9]);
        for copy in [gaussian_blur(&plain, 2.0), motion_blur(&plain, 9.0, 1.1)] {
            let off = |p: &[f32; 3]| (p[0] - 0.3).abs() + (p[1] - 0.6).abs() + (p[2] - 0.9).abs();
            assert!(copy.pixels.iter().all(|p| off(p) < 1e-5));
        }
    }

    #[test]
    fn a_stop_doubles_the_light() {
        let grey = Picture::filled(1, 1, [0.5; 3]);
        let light = |picture: &Picture| picture.pixels[0][0].powf(2.2);
        let more = light(&exposure(&grey, 1.0, true)) / light(&grey);
        let less = light(&exposure(&grey, 1.0, false)) / light(&grey);
        assert!(
            (more - 2.0).abs() < 1e-4 && (less - 0.5).abs() < 1e-4,
            "{more} {less}"
        );
    }
}
