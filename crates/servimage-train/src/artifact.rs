//! What generated and badly composed pictures show: bent parts, exchanged and repeated patches, ghosts, checkerboards, paint-like
//! smoothing; and careless framing.

use crate::canvas::mix;
use crate::picture::{Picture, luma};
use rand::Rng;

/// A picture through a map from where a pixel lies to where its value is taken, bilinear.
fn remapped(picture: &Picture, source: impl Fn(f32, f32) -> [f32; 2]) -> Picture {
    let mut out = picture.clone();
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let [x, y] = source((i % picture.width) as f32, (i / picture.width) as f32);
        let (left, top) = (x.floor(), y.floor());
        let at = |dx: isize, dy: isize| picture.at(left as isize + dx, top as isize + dy);
        let upper = mix(at(0, 0), at(1, 0), x - left);
        *pixel = mix(upper, mix(at(0, 1), at(1, 1), x - left), y - top);
    }
    out
}

fn short_side(picture: &Picture) -> f32 {
    picture.width.min(picture.height) as f32
}

/// Two to five whirls.
pub(crate) fn warp(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let side = short_side(picture);
    let whirls: Vec<[f32; 4]> = (0..2 + (severity * 3.0) as usize)
        .map(|_| {
            let turn = (0.35 + 1.9 * severity) * if rng.random() { 1.0 } else { -1.0 };
            [
                rng.random_range(0.2..0.8) * picture.width as f32,
                rng.random_range(0.2..0.8) * picture.height as f32,
                side * rng.random_range(0.14..0.26),
                turn,
            ]
        })
        .collect();
    remapped(picture, |x, y| {
        whirls
            .iter()
            .fold([x, y], |[x, y], [cx, cy, radius, turn]| {
                let (dx, dy) = (x - cx, y - cy);
                let near = 1.0 - dx.hypot(dy) / radius;
                if near <= 0.0 {
                    return [x, y];
                }
                let (sin, cos) = (turn * near * near).sin_cos();
                [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
            })
    })
}

/// Square patches put over others: exchanged in pairs, or one of them repeated.
pub(crate) fn move_patches(
    picture: &Picture,
    severity: f32,
    repeat: bool,
    rng: &mut impl Rng,
) -> Picture {
    let mut out = picture.clone();
    let side = (short_side(picture) * rng.random_range(0.13..0.2)) as usize;
    let corner = |rng: &mut dyn rand::RngCore| {
        [
            rng.random_range(0..=picture.width - side),
            rng.random_range(0..=picture.height - side),
        ]
    };
    let copied = corner(rng);
    for _ in 0..1 + (severity * 7.0) as usize {
        let (from, to) = (if repeat { copied } else { corner(rng) }, corner(rng));
        paste(&mut out, picture, from, to, side);
        if !repeat {
            paste(&mut out, picture, to, from, side);
        }
    }
    Picture {
        pixels: picture
            .pixels
            .iter()
            .zip(&out.pixels)
            .map(|(a, b)| mix(*a, *b, 0.5 + 0.5 * severity))
            .collect(),
        ..out
    }
}

fn paste(out: &mut Picture, picture: &Picture, from: [usize; 2], to: [usize; 2], side: usize) {
    for y in 0..side {
        for x in 0..side {
            out.pixels[(to[1] + y) * picture.width + to[0] + x] =
                picture.pixels[(from[1] + y) * picture.width + from[0] + x];
        }
    }
}

/// A second, shifted copy shining through.
pub(crate) fn ghost(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let angle = rng.random_range(0.0..std::f32::consts::TAU);
    let shift = short_side(picture) * rng.random_range(0.05..0.12);
    let shifted = remapped(picture, |x, y| {
        [x + shift * angle.cos(), y + shift * angle.sin()]
    });
    let pixels = picture.pixels.iter().zip(&shifted.pixels);
    Picture {
        pixels: pixels
            .map(|(a, b)| mix(*a, *b, 0.08 + 0.42 * severity))
            .collect(),
        ..shifted
    }
}

/// A pattern of squares of 2 or 4 pixels, as transposed convolutions leave.
pub(crate) fn checkerboard(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let period = if rng.random() { 2 } else { 4 };
    let mut out = picture.clone();
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let dark = ((i % picture.width) / (period / 2) + (i / picture.width) / (period / 2))
            .is_multiple_of(2);
        let gain = if dark { -0.22 } else { 0.22 } * severity;
        *pixel = pixel.map(|v| (v + gain * (0.3 + 0.7 * v)).clamp(0.0, 1.0));
    }
    out
}

/// Kuwahara filter: each pixel takes the mean of the calmest of the four squares around it, as if painted.
pub(crate) fn oversmooth(picture: &Picture, severity: f32) -> Picture {
    let radius = 1 + (severity * 3.5) as isize;
    let mut out = picture.clone();
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % picture.width) as isize, (i / picture.width) as isize);
        let mut best = (f32::MAX, *pixel);
        for (sx, sy) in [(-1, -1), (-1, 1), (1, -1), (1, 1)] {
            let (mut sum, mut lumas, mut squares, mut n) = ([0.0; 3], 0.0, 0.0, 0.0);
            for dy in 0..=radius {
                for dx in 0..=radius {
                    let p = picture.at(x + sx * dx, y + sy * dy);
                    (0..3).for_each(|c| sum[c] += p[c]);
                    let l = luma(p);
                    (lumas, squares, n) = (lumas + l, squares + l * l, n + 1.0);
                }
            }
            let variance = squares / n - (lumas / n) * (lumas / n);
            if variance < best.0 {
                best = (variance, sum.map(|v| v / n));
            }
        }
        *pixel = mix(*pixel, best.1, 0.4 + 0.6 * severity);
    }
    out
}

/// Rows in slices shifted against each other. Never trained on.
pub(crate) fn slices(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let n_slices = 3 + (severity * 9.0) as usize;
    let most = short_side(picture) * (0.03 + 0.15 * severity);
    let shifts: Vec<f32> = (0..=n_slices)
        .map(|_| rng.random_range(-most..most))
        .collect();
    let height = picture.height as f32;
    remapped(picture, |x, y| {
        [
            x + shifts[(y / height * n_slices as f32) as usize % shifts.len()],
            y,
        ]
    })
}

/// Turned by up to 20 degrees; what lies outside takes one plain tone, as on a crooked scan.
pub(crate) fn tilt(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let angle = (1.5 + 18.5 * severity).to_radians() * if rng.random() { 1.0 } else { -1.0 };
    let (sin, cos) = angle.sin_cos();
    let (cx, cy) = (picture.width as f32 / 2.0, picture.height as f32 / 2.0);
    let outside = [if rng.random() { 1.0 } else { 0.0 }; 3];
    let source = move |x: f32, y: f32| {
        let (dx, dy) = (x - cx, y - cy);
        [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
    };
    let mut out = remapped(picture, source);
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let [x, y] = source((i % picture.width) as f32, (i / picture.width) as f32);
        if x < 0.0 || y < 0.0 || x >= picture.width as f32 || y >= picture.height as f32 {
            *pixel = outside;
        }
    }
    out
}

/// A part off the middle enlarged to the whole: subjects are cut by the edge.
pub(crate) fn careless_crop(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let kept = 1.0 / (1.0 + 1.8 * severity);
    let (width, height) = (
        (picture.width as f32 * kept) as usize,
        (picture.height as f32 * kept) as usize,
    );
    let (right, low): (bool, bool) = (rng.random(), rng.random());
    let left = if right { picture.width - width } else { 0 };
    let top = if low { picture.height - height } else { 0 };
    picture
        .cropped(left, top, width.max(2), height.max(2))
        .resized(picture.width, picture.height)
}
