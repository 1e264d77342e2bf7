//! Landscapes, streets and posters.

use super::{pick, text_lines};
use crate::canvas::{
    Canvas, Point, below, ellipse, fractal_noise, hsv, lit, mix, rounded_rect, stroke, value_noise,
};
use rand::Rng;

/// Hills one behind the other, trees in front, clouds above.
pub(super) fn landscape(canvas: &mut Canvas, rng: &mut impl Rng) {
    let (hue, seed, aspect) = (
        pick(rng, 0.52, 0.62),
        rng.random::<u32>() >> 8,
        canvas.aspect(),
    );
    let warm = pick(rng, 0.0, 1.0);
    canvas.cover(|p| {
        let sky = mix(
            hsv(hue, 0.55, 0.85),
            mix([0.85, 0.92, 0.98], [0.99, 0.8, 0.6], warm),
            (p[1] * 1.7).min(1.0),
        );
        let cloud = ((fractal_noise([p[0] * 3.0, p[1] * 7.0], seed) - 0.52) * 5.0).clamp(0.0, 1.0);
        mix(sky, [1.0, 0.98, 0.96], cloud * (1.0 - p[1]))
    });
    let sun = [aspect * pick(rng, 0.15, 0.85), pick(rng, 0.12, 0.35)];
    canvas.glow(ellipse(sun, [0.07, 0.07]), [1.0, 0.95, 0.75], 0.08, 0.7);
    canvas.fill(ellipse(sun, [0.05, 0.05]), |_| [1.0, 0.96, 0.84]);
    for layer in 0..4_u32 {
        let depth = layer as f32 / 3.0;
        let base = 0.45 + 0.13 * layer as f32;
        let ridge = move |x: f32| {
            base - 0.16
                * (1.1 - depth * 0.6)
                * fractal_noise([x * (2.0 + depth * 1.5), layer as f32 * 9.0], seed + layer)
        };
        let colour = mix(
            hsv(hue - 0.05, 0.3, 0.72),
            hsv(0.28 + 0.05 * warm, 0.55, 0.42),
            depth,
        );
        canvas.fill(below(ridge), |p| {
            lit(
                colour,
                0.78 + 0.5 * fractal_noise([p[0] * 14.0, p[1] * 30.0], seed + layer + 50),
            )
        });
    }
    for _ in 0..rng.random_range(9..18) {
        let (x, foot, size) = (
            pick(rng, 0.0, aspect),
            pick(rng, 0.82, 1.02),
            pick(rng, 0.1, 0.22),
        );
        fir(
            canvas,
            [x, foot],
            size,
            lit(hsv(0.36, 0.5, 0.32), pick(rng, 0.7, 1.3)),
        );
    }
}

fn fir(canvas: &mut Canvas, [x, foot]: Point, size: f32, colour: [f32; 3]) {
    canvas.fill(
        rounded_rect([x, foot - size * 0.1], [size * 0.03, size * 0.12], 0.0),
        |_| [0.25, 0.17, 0.1],
    );
    let outline = move |p: Point| {
        let up = (foot - size * 0.15 - p[1]) / size;
        let tier = (up * 5.0).rem_euclid(1.0) * 0.07;
        ((p[0] - x).abs() - size * (0.34 * (1.0 - up) - tier))
            .max(-up * size)
            .max((up - 1.0) * size)
    };
    canvas.fill(outline, |p| {
        lit(
            colour,
            0.75 + 0.6 * value_noise([p[0] * 130.0, p[1] * 130.0], 3),
        )
    });
}

/// A row of houses with lit windows.
pub(super) fn street(canvas: &mut Canvas, rng: &mut impl Rng) {
    let (aspect, hue) = (canvas.aspect(), pick(rng, 0.0, 1.0));
    let dusk = rng.random_bool(0.4);
    let (top, bottom) = if dusk {
        (hsv(0.68, 0.55, 0.42), hsv(0.05, 0.5, 0.95))
    } else {
        (hsv(0.58, 0.45, 0.9), [0.93, 0.96, 0.98])
    };
    canvas.cover(|p| mix(top, bottom, p[1]));
    let mut left = -0.05;
    while left < aspect {
        let (width, height) = (pick(rng, 0.14, 0.3), pick(rng, 0.35, 0.75));
        let wall = hsv(
            hue + pick(rng, -0.12, 0.12),
            pick(rng, 0.15, 0.5),
            if dusk { 0.55 } else { 0.85 },
        );
        house(canvas, rng, left, width, height, wall);
        left += width + 0.004;
    }
    let seed = rng.random();
    canvas.fill(below(|_| 0.88), |p| {
        lit(
            [0.42, 0.42, 0.45],
            0.8 + 0.4 * fractal_noise([p[0] * 60.0, p[1] * 120.0], seed),
        )
    });
    for dash in 0..9 {
        let x = dash as f32 * 0.2;
        canvas.fill(rounded_rect([x, 0.945], [0.05, 0.006], 0.002), |_| {
            [0.95, 0.93, 0.85]
        });
    }
}

fn house(
    canvas: &mut Canvas,
    rng: &mut impl Rng,
    left: f32,
    width: f32,
    height: f32,
    wall: [f32; 3],
) {
    let (x, top) = (left + width * 0.5, 0.88 - height);
    canvas.fill(
        rounded_rect([x, 0.88 - height * 0.5], [width * 0.5, height * 0.5], 0.002),
        |p| {
            let brick = if (p[1] * 70.0).rem_euclid(1.0) < 0.14
                || (p[0] * 40.0 + 0.5 * (p[1] * 70.0).floor()).rem_euclid(1.0) < 0.08
            {
                0.86
            } else {
                1.0
            };
            lit(wall, brick * (1.05 - 0.25 * (p[0] - left) / width))
        },
    );
    canvas.fill(rounded_rect([x, top], [width * 0.53, 0.014], 0.003), |_| {
        lit(wall, 0.55)
    });
    let (n_columns, n_rows) = ((width / 0.075) as usize, (height / 0.115) as usize);
    for row in 0..n_rows {
        for column in 0..n_columns {
            let centre = [
                left + width * (column as f32 + 0.5) / n_columns as f32,
                top + 0.075 + row as f32 * 0.115,
            ];
            let glass = if rng.random_bool(0.35) {
                [0.99, 0.87, 0.55]
            } else {
                [0.32, 0.4, 0.5]
            };
            canvas.fill(rounded_rect(centre, [0.024, 0.036], 0.002), |_| {
                [0.96, 0.95, 0.93]
            });
            canvas.fill(rounded_rect(centre, [0.019, 0.031], 0.0), |p| {
                lit(glass, 0.8 + 5.0 * (centre[1] + 0.03 - p[1]))
            });
            canvas.fill(
                stroke(
                    [centre[0], centre[1] - 0.03],
                    [centre[0], centre[1] + 0.03],
                    0.0022,
                ),
                |_| [0.96, 0.95, 0.93],
            );
        }
    }
}

/// Bold shapes with lines of strokes below.
pub(super) fn poster(canvas: &mut Canvas, rng: &mut impl Rng) {
    let (hue, aspect) = (pick(rng, 0.0, 1.0), canvas.aspect());
    let ground = hsv(hue, pick(rng, 0.05, 0.5), pick(rng, 0.8, 0.98));
    canvas.cover(|p| lit(ground, 1.02 - 0.1 * p[1]));
    for i in 0..rng.random_range(4..9) {
        let colour = hsv(
            hue + [0.0, 0.08, 0.5, 0.58][i % 4],
            pick(rng, 0.45, 0.85),
            pick(rng, 0.35, 0.95),
        );
        let (centre, size) = (
            [pick(rng, 0.1, 0.9) * aspect, pick(rng, 0.1, 0.6)],
            pick(rng, 0.06, 0.22),
        );
        match rng.random_range(0..4) {
            0 => canvas.fill(ellipse(centre, [size, size]), |_| colour),
            1 => canvas.fill(rounded_rect(centre, [size, size * 0.7], 0.02), |p| {
                lit(colour, 0.8 + 0.4 * (p[0] - centre[0] + size) / (2.0 * size))
            }),
            2 => canvas.fill(
                move |p: Point| ellipse(centre, [size, size])(p).abs() - size * 0.12,
                |_| colour,
            ),
            _ => (0..6).for_each(|k| {
                let y = centre[1] + (k as f32 - 3.0) * size * 0.22;
                canvas.fill(
                    stroke(
                        [centre[0] - size, y],
                        [centre[0] + size, y - size * 0.3],
                        size * 0.05,
                    ),
                    |_| colour,
                );
            }),
        }
    }
    let ink = hsv(hue + 0.5, 0.5, 0.18);
    text_lines(
        canvas,
        rng,
        [aspect * 0.1, 0.7],
        aspect * 0.75,
        0.075,
        1,
        ink,
    );
    text_lines(
        canvas,
        rng,
        [aspect * 0.1, 0.85],
        aspect * 0.6,
        0.026,
        2,
        ink,
    );
}
