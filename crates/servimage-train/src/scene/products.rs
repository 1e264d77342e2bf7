//! Products on a plain ground, a wooden table or a cloth.

use super::{pick, text_lines};
use crate::canvas::{
    Canvas, Colour, Point, below, ellipse, fractal_noise, hsv, lit, mix, rounded_rect, stroke,
    value_noise,
};
use rand::Rng;

/// A seamless studio ground: light from the upper left, a soft horizon.
fn studio(canvas: &mut Canvas, colour: Colour) {
    let aspect = canvas.aspect();
    canvas.cover(|p| {
        let glow = (1.0 - (p[0] / aspect - 0.4).hypot((p[1] - 0.38) * 1.2)).clamp(0.0, 1.0);
        let floor = ((p[1] - 0.72) * 9.0).clamp(0.0, 1.0);
        mix(
            lit(colour, 0.72 + 0.36 * glow),
            lit(colour, 0.98),
            floor * 0.5,
        )
    });
}

/// A wooden table below `horizon`, a plain wall above.
fn table(canvas: &mut Canvas, rng: &mut impl Rng, horizon: f32) {
    let wall = hsv(
        pick(rng, 0.0, 1.0),
        pick(rng, 0.08, 0.3),
        pick(rng, 0.75, 0.95),
    );
    let (dark, light) = ([0.36, 0.22, 0.12], [0.74, 0.53, 0.33]);
    let seed = rng.random();
    canvas.cover(|p| lit(wall, 1.05 - 0.25 * p[1]));
    canvas.fill(below(|_| horizon), |p| {
        let depth = (p[1] - horizon) / (1.0 - horizon);
        let plank = (p[1] - horizon) * 9.0 / (0.4 + depth);
        let grain = fractal_noise([p[0] * 3.0 + plank.floor() * 17.0, p[1] * 60.0], seed);
        let seam = if plank.fract() < 0.04 { 0.55 } else { 1.0 };
        lit(mix(dark, light, grain), seam * (0.8 + 0.25 * depth))
    });
}

/// Light over a standing cylinder: bright left of the middle, dark edges, one sharp highlight.
fn cylinder(colour: Colour, x: f32, half_width: f32) -> impl Fn(Point) -> Colour {
    move |p| {
        let t = ((p[0] - x) / half_width).clamp(-1.0, 1.0);
        let body = 1.08 - 0.5 * (t - -0.25).powi(2) - 0.25 * t.max(0.0);
        let shine = (-((t + 0.55) / 0.07).powi(2)).exp() * 0.55;
        mix(lit(colour, body), [1.0; 3], shine)
    }
}

/// A bottle with a cap and a printed label.
pub(super) fn bottle(canvas: &mut Canvas, rng: &mut impl Rng) {
    let hue = pick(rng, 0.0, 1.0);
    studio(
        canvas,
        hsv(hue + 0.5, pick(rng, 0.04, 0.22), pick(rng, 0.86, 0.97)),
    );
    let (x, half) = (
        canvas.aspect() * pick(rng, 0.42, 0.58),
        pick(rng, 0.11, 0.15),
    );
    let (body, cap) = (
        hsv(hue, pick(rng, 0.45, 0.8), pick(rng, 0.45, 0.8)),
        hsv(hue + 0.08, 0.25, 0.2),
    );
    canvas.glow(
        ellipse([x + 0.06, 0.885], [half * 1.9, 0.03]),
        [0.1, 0.09, 0.12],
        0.035,
        0.5,
    );
    canvas.fill(
        rounded_rect([x, 0.6], [half, 0.285], 0.06),
        cylinder(body, x, half),
    );
    canvas.fill(ellipse([x, 0.34], [half, 0.1]), cylinder(body, x, half));
    canvas.fill(
        rounded_rect([x, 0.25], [half * 0.38, 0.1], 0.01),
        cylinder(body, x, half * 0.38),
    );
    canvas.fill(
        rounded_rect([x, 0.17], [half * 0.46, 0.06], 0.015),
        cylinder(cap, x, half * 0.46),
    );
    for ridge in 0..9 {
        let rx = x + half * 0.46 * ((ridge as f32 - 4.0) / 4.6);
        canvas.fill_alpha(stroke([rx, 0.13], [rx, 0.21], 0.0018), |_| [0.9; 3], 0.22);
    }
    label(canvas, rng, [x, 0.62], half, hue);
}

fn label(canvas: &mut Canvas, rng: &mut impl Rng, [x, y]: Point, half: f32, hue: f32) {
    let paper = cylinder([0.97, 0.95, 0.9], x, half);
    canvas.fill(rounded_rect([x, y], [half, 0.15], 0.004), paper);
    canvas.fill(
        rounded_rect([x, y - 0.13], [half, 0.012], 0.0),
        cylinder(hsv(hue + 0.1, 0.7, 0.7), x, half),
    );
    canvas.fill(ellipse([x, y - 0.065], [0.035, 0.035]), |_| {
        hsv(hue + 0.1, 0.75, 0.65)
    });
    canvas.fill(ellipse([x + 0.01, y - 0.07], [0.018, 0.022]), |_| {
        [0.97, 0.95, 0.9]
    });
    text_lines(
        canvas,
        rng,
        [x - half * 0.75, y],
        half * 1.5,
        0.028,
        1,
        [0.16, 0.14, 0.14],
    );
    text_lines(
        canvas,
        rng,
        [x - half * 0.75, y + 0.06],
        half * 1.4,
        0.013,
        3,
        [0.3, 0.28, 0.28],
    );
}

/// A mug with a pattern on a wooden table.
pub(super) fn mug(canvas: &mut Canvas, rng: &mut impl Rng) {
    table(canvas, rng, 0.55);
    let (x, half) = (
        canvas.aspect() * pick(rng, 0.4, 0.55),
        pick(rng, 0.15, 0.19),
    );
    let (glaze, accent) = (
        hsv(pick(rng, 0.0, 1.0), 0.15, 0.95),
        hsv(pick(rng, 0.0, 1.0), 0.65, 0.65),
    );
    canvas.glow(
        ellipse([x + 0.07, 0.835], [half * 1.5, 0.035]),
        [0.07, 0.04, 0.03],
        0.03,
        0.6,
    );
    let ring = move |p: Point| (ellipse([x + half, 0.6], [0.095, 0.115])(p)).abs() - 0.021;
    canvas.fill(ring, |p| lit(glaze, 0.75 + 0.5 * (0.75 - p[1])));
    canvas.fill(
        rounded_rect([x, 0.62], [half, 0.21], 0.05),
        cylinder(glaze, x, half),
    );
    let n_rows = rng.random_range(2..5);
    for row in 0..n_rows {
        let y = 0.53 + row as f32 * 0.24 / n_rows as f32;
        for column in 0..7 {
            let angle = (column as f32 - 3.0 + 0.5 * (row % 2) as f32) * 0.42;
            let centre = [x + half * angle.sin() * 0.95, y + 0.03];
            canvas.fill(
                ellipse(centre, [0.02 * angle.cos().max(0.15), 0.022]),
                |_| lit(accent, 0.8 + 0.3 * angle.cos()),
            );
        }
    }
    canvas.fill(ellipse([x, 0.415], [half, 0.042]), |_| lit(glaze, 0.98));
    canvas.fill(ellipse([x, 0.419], [half * 0.92, 0.034]), |p| {
        mix(
            [0.2, 0.1, 0.05],
            [0.48, 0.28, 0.14],
            (p[0] - x) / half * 0.5 + 0.4,
        )
    });
    for wisp in 0..3 {
        let left = x - 0.08 + wisp as f32 * 0.08;
        canvas.glow(
            move |p| {
                stroke([left, 0.36], [left + 0.02, 0.16], 0.004)([
                    p[0] + 0.02 * (p[1] * 30.0).sin(),
                    p[1],
                ])
            },
            [1.0; 3],
            0.02,
            0.3,
        );
    }
}

/// Fruit on a checked cloth.
pub(super) fn fruit(canvas: &mut Canvas, rng: &mut impl Rng) {
    let (cloth, seed) = (
        hsv(pick(rng, 0.0, 1.0), pick(rng, 0.35, 0.7), 0.75),
        rng.random(),
    );
    let aspect = canvas.aspect();
    let n_checks = pick(rng, 10.0, 18.0);
    canvas.cover(|p| {
        let check = (0..2)
            .filter(|axis| {
                ((p[*axis] * n_checks + 0.15 * (p[1 - axis] * 7.0).sin()).rem_euclid(1.0)) < 0.5
            })
            .count();
        let weave = value_noise([p[0] * 220.0, p[1] * 220.0], seed);
        let folds = 0.9
            + 0.12
                * ((p[0] * 2.0 + p[1]) * 5.0 + 2.0 * value_noise([p[0] * 3.0, p[1] * 3.0], seed))
                    .sin();
        lit(
            mix([0.96, 0.94, 0.9], cloth, check as f32 * 0.42),
            folds * (0.9 + 0.14 * weave),
        )
    });
    let n_fruit = rng.random_range(3..6);
    for i in 0..n_fruit {
        let radius = pick(rng, 0.11, 0.17);
        let centre = [
            aspect * ((i as f32 + 0.5) / n_fruit as f32 * 0.8 + 0.1),
            pick(rng, 0.35, 0.68),
        ];
        let colour = [
            [0.85, 0.16, 0.14],
            [0.95, 0.6, 0.1],
            [0.55, 0.72, 0.18],
            [0.92, 0.82, 0.2],
            [0.5, 0.14, 0.3],
        ][rng.random_range(0..5)];
        one_fruit(canvas, centre, radius, colour, rng.random());
    }
}

fn one_fruit(canvas: &mut Canvas, [x, y]: Point, radius: f32, colour: Colour, seed: u32) {
    canvas.glow(
        ellipse(
            [x + radius * 0.35, y + radius * 0.75],
            [radius * 1.05, radius * 0.5],
        ),
        [0.1, 0.06, 0.08],
        radius * 0.35,
        0.6,
    );
    canvas.fill(ellipse([x, y], [radius, radius * 0.96]), |p| {
        let light = 1.0
            - ((p[0] - x + radius * 0.35) / radius).hypot((p[1] - y + radius * 0.4) / radius) * 0.5;
        let skin = fractal_noise([p[0] * 40.0, p[1] * 40.0], seed);
        lit(colour, (0.45 + 0.75 * light) * (0.86 + 0.26 * skin))
    });
    canvas.glow(
        ellipse(
            [x - radius * 0.38, y - radius * 0.42],
            [radius * 0.13, radius * 0.09],
        ),
        [1.0; 3],
        radius * 0.07,
        0.75,
    );
    canvas.fill(
        stroke(
            [x, y - radius * 0.82],
            [x + radius * 0.12, y - radius * 1.22],
            radius * 0.045,
        ),
        |_| [0.3, 0.2, 0.1],
    );
    let leaf = move |p: Point| {
        let q = [p[0] - x - radius * 0.32, p[1] - y + radius * 1.12];
        ellipse([0.0, 0.0], [radius * 0.28, radius * 0.1])([
            q[0] * 0.9 + q[1] * 0.44,
            q[1] * 0.9 - q[0] * -0.44,
        ])
    };
    canvas.fill(leaf, |p| {
        lit(
            [0.3, 0.55, 0.2],
            0.8 + 0.5 * ((p[0] * 160.0).sin() * 0.2 + 0.5),
        )
    });
}
