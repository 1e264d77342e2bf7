//! What generated and badly composed pictures show: bent parts, exchanged and repeated patches, ghosts, checkerboards, paint-like
//! smoothing; and careless framing.

use crate::canvas::{Colour, mix};
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

/// Places to choose from for a damage that plain ground would hide.
const N_TRIES: usize = 6;

/// Every so many rows and columns are looked at to choose.
const STRIDE: usize = 4;

/// Pixels of a square, some of them.
fn some_pixels(
    picture: &Picture,
    [left, top]: [usize; 2],
    side: usize,
) -> impl Iterator<Item = Colour> {
    let rows = (top..(top + side).min(picture.height)).step_by(STRIDE);
    rows.flat_map(move |y| {
        let columns = (left..(left + side).min(picture.width)).step_by(STRIDE);
        columns.map(move |x| picture.pixels[y * picture.width + x])
    })
}

/// Variance of the luma in a square.
fn busy(picture: &Picture, corner: [usize; 2], side: usize) -> f32 {
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for pixel in some_pixels(picture, corner, side) {
        let light = luma(pixel);
        (sum, squares, n) = (sum + light, squares + light * light, n + 1.0);
    }
    squares / f32::max(n, 1.0) - (sum / f32::max(n, 1.0)).powi(2)
}

/// How far two squares are apart.
fn apart(picture: &Picture, one: [usize; 2], other: [usize; 2], side: usize) -> f32 {
    some_pixels(picture, one, side)
        .zip(some_pixels(picture, other, side))
        .map(|(a, b)| (0..3).map(|c| (a[c] - b[c]).abs()).sum::<f32>())
        .sum()
}

/// The best of some draws.
fn best_of<T>(mut draw: impl FnMut() -> T, worth: impl Fn(&T) -> f32) -> T {
    let draws = (0..N_TRIES).map(|_| draw());
    draws
        .max_by(|a, b| worth(a).total_cmp(&worth(b)))
        .expect("there are tries")
}

/// Three to eight whirls, where there is something to bend.
pub(crate) fn warp(picture: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let side = short_side(picture);
    let whirls: Vec<[f32; 4]> = (0..3 + (severity * 5.0) as usize)
        .map(|_| {
            let turn = (0.5 + 1.9 * severity) * if rng.random() { 1.0 } else { -1.0 };
            let radius = side * rng.random_range(0.09..0.2);
            let centre = best_of(
                || {
                    let place = [picture.width, picture.height];
                    place.map(|length| rng.random_range(0.1..0.9) * length as f32)
                },
                |centre| {
                    let corner = centre.map(|x| (x - radius / 2.0).max(0.0) as usize);
                    busy(picture, corner, radius as usize)
                },
            );
            [centre[0], centre[1], radius, turn]
        })
        .collect();
    remapped(picture, |x, y| {
        whirls
            .iter()
            .fold([x, y], |[x, y], [cx, cy, radius, turn]| {
                let (dx, dy) = (x - cx, y - cy);
                let square = dx * dx + dy * dy;
                if square >= radius * radius {
                    return [x, y];
                }
                let near = 1.0 - square.sqrt() / radius;
                let (sin, cos) = (turn * near * near).sin_cos();
                [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
            })
    })
}

/// Square patches put over others that differ from them: exchanged in pairs, or one of them repeated.
pub(crate) fn move_patches(
    picture: &Picture,
    severity: f32,
    repeat: bool,
    rng: &mut impl Rng,
) -> Picture {
    let mut out = picture.clone();
    let side = (short_side(picture) * rng.random_range(0.13..0.2)) as usize;
    let mut corner = || {
        [
            rng.random_range(0..=picture.width - side),
            rng.random_range(0..=picture.height - side),
        ]
    };
    let copied = best_of(&mut corner, |corner| busy(picture, *corner, side));
    for _ in 0..1 + (severity * 7.0) as usize {
        let [from, to] = best_of(
            || [if repeat { copied } else { corner() }, corner()],
            |[from, to]| apart(picture, *from, *to, side),
        );
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

/// Sums over rectangles of a picture whose border goes on: red, green, blue, luma and its square.
struct Sums {
    pad: isize,
    columns: usize,
    /// Over all above and to the left; the first row and column are zeros.
    table: Vec<[f64; 5]>,
}

impl Sums {
    fn of(picture: &Picture, pad: isize) -> Self {
        let (width, height) = (picture.width as isize, picture.height as isize);
        let columns = (width + 2 * pad + 1) as usize;
        let mut table = vec![[0.0; 5]; columns];
        for y in -pad..height + pad {
            let mut row = [0.0; 5];
            table.push(row);
            for x in -pad..width + pad {
                let p = picture.at(x, y);
                let light = luma(p);
                let values = [p[0], p[1], p[2], light, light * light];
                (0..5).for_each(|c| row[c] += f64::from(values[c]));
                let above = table[table.len() - columns];
                table.push(std::array::from_fn(|c| above[c] + row[c]));
            }
        }
        Self {
            pad,
            columns,
            table,
        }
    }

    /// Over `side` rows and columns from a pixel on.
    fn over(&self, x: isize, y: isize, side: isize) -> [f64; 5] {
        let at = |x: isize, y: isize| {
            &self.table[(y + self.pad) as usize * self.columns + (x + self.pad) as usize]
        };
        let (right, low) = (x + side, y + side);
        let [a, b, c, d] = [at(right, low), at(x, y), at(right, y), at(x, low)];
        std::array::from_fn(|i| a[i] + b[i] - c[i] - d[i])
    }
}

/// Kuwahara filter: each pixel takes the mean of the calmest of the four squares around it, as if painted.
pub(crate) fn oversmooth(picture: &Picture, severity: f32) -> Picture {
    let radius = 1 + (severity * 3.5) as isize;
    let sums = Sums::of(picture, radius);
    let n = ((radius + 1) * (radius + 1)) as f64;
    let mut out = picture.clone();
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % picture.width) as isize, (i / picture.width) as isize);
        let corners = [
            (x - radius, y - radius),
            (x - radius, y),
            (x, y - radius),
            (x, y),
        ];
        let squares = corners.map(|(left, top)| sums.over(left, top, radius + 1));
        let variance = |sum: &[f64; 5]| sum[4] / n - (sum[3] / n).powi(2);
        let calmest = squares
            .iter()
            .min_by(|a, b| variance(a).total_cmp(&variance(b)))
            .expect("there are four");
        let mean = [calmest[0], calmest[1], calmest[2]].map(|sum| (sum / n) as f32);
        *pixel = mix(*pixel, mean, 0.4 + 0.6 * severity);
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    /// Plain ground with a small dark square in the middle.
    fn plain() -> Picture {
        let mut picture = Picture::filled(96, 96, [0.8, 0.7, 0.2]);
        for y in 42..54 {
            picture.pixels[y * 96 + 42..y * 96 + 54].fill([0.1; 3]);
        }
        picture
    }

    #[test]
    fn patches_are_taken_from_where_it_shows() {
        let n_seen = |repeat| {
            let shows = |seed: &u64| {
                let mut rng = SmallRng::seed_from_u64(*seed);
                move_patches(&plain(), 0.1, repeat, &mut rng) != plain()
            };
            (0..60).filter(shows).count()
        };
        // Anywhere at all, one in five would.
        let found = [false, true].map(n_seen);
        assert!(found.iter().all(|n| *n > 36), "{found:?} of 60");
    }

    #[test]
    fn over_smoothing_evens_a_texture_and_keeps_an_edge() {
        let mut picture = Picture::filled(40, 40, [0.2; 3]);
        for (i, pixel) in picture.pixels.iter_mut().enumerate() {
            let base = if i % 40 < 20 { 0.2 } else { 0.8 };
            let grain = if (i / 40 + i % 40).is_multiple_of(2) {
                0.05
            } else {
                -0.05
            };
            *pixel = [base + grain; 3];
        }
        let smooth = oversmooth(&picture, 1.0);
        let at = |x: isize| smooth.at(x, 20)[0];
        for x in [0, 5, 19, 20, 39] {
            let base = if x < 20 { 0.2 } else { 0.8 };
            assert!((at(x) - base).abs() < 0.02, "{x}: {}", at(x));
        }
    }
}
