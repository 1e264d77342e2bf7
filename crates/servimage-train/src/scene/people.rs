//! Head and shoulders, as a flat illustration with soft light.

use super::pick;
use crate::canvas::{
    Canvas, Colour, Point, below, ellipse, hsv, lit, mix, rounded_rect, stroke, value_noise,
};
use rand::Rng;

/// Colours of one person.
struct Person {
    skin: Colour,
    hair: Colour,
    cloth: Colour,
    eyes: Colour,
}

const SKINS: [Colour; 5] = [
    [0.96, 0.8, 0.69],
    [0.88, 0.67, 0.52],
    [0.72, 0.5, 0.36],
    [0.5, 0.33, 0.23],
    [0.93, 0.74, 0.6],
];
const HAIRS: [Colour; 5] = [
    [0.13, 0.1, 0.1],
    [0.3, 0.18, 0.1],
    [0.55, 0.33, 0.15],
    [0.82, 0.65, 0.38],
    [0.45, 0.14, 0.1],
];

/// A portrait before soft lights.
pub(super) fn portrait(canvas: &mut Canvas, rng: &mut impl Rng) {
    let hue = pick(rng, 0.0, 1.0);
    backdrop(canvas, rng, hue);
    let person = Person {
        skin: SKINS[rng.random_range(0..SKINS.len())],
        hair: HAIRS[rng.random_range(0..HAIRS.len())],
        cloth: hsv(hue + 0.45, pick(rng, 0.4, 0.75), pick(rng, 0.4, 0.8)),
        eyes: hsv(pick(rng, 0.05, 0.6), 0.55, 0.42),
    };
    let x = canvas.aspect() * 0.5;
    let long_hair = rng.random_bool(0.6);
    if long_hair {
        canvas.fill(
            rounded_rect([x, 0.53], [0.225, 0.3], 0.2),
            strands(person.hair, x),
        );
    }
    shoulders(canvas, rng, &person, x);
    head(canvas, &person, x);
    hair(canvas, &person, x);
    face(canvas, rng, &person, x);
}

fn backdrop(canvas: &mut Canvas, rng: &mut impl Rng, hue: f32) {
    let (top, bottom) = (hsv(hue, 0.28, 0.92), hsv(hue + 0.08, 0.42, 0.62));
    canvas.cover(|p| mix(top, bottom, p[1]));
    let aspect = canvas.aspect();
    for _ in 0..14 {
        let (centre, radius) = (
            [pick(rng, 0.0, aspect), pick(rng, 0.0, 0.9)],
            pick(rng, 0.03, 0.1),
        );
        let colour = hsv(hue + pick(rng, -0.06, 0.1), 0.15, 1.0);
        canvas.fill_alpha(ellipse(centre, [radius, radius]), |_| colour, 0.16);
    }
}

/// Hair as many thin strands.
fn strands(colour: Colour, x: f32) -> impl Fn(Point) -> Colour {
    move |p| {
        let across = (p[0] - x) * 130.0 + 4.0 * (p[1] * 9.0).sin();
        lit(
            colour,
            0.75 + 0.55 * value_noise([across, p[1] * 6.0], 7) + 0.2 * (1.0 - p[1]),
        )
    }
}

fn shoulders(canvas: &mut Canvas, rng: &mut impl Rng, person: &Person, x: f32) {
    let cloth = person.cloth;
    let stripes = rng.random_bool(0.5);
    canvas.fill(ellipse([x, 1.06], [0.4, 0.3]), |p| {
        let knit = 0.92 + 0.1 * ((p[0] * 260.0).sin() * (p[1] * 260.0).sin());
        let stripe = if stripes && ((p[1] + (p[0] - x).powi(2)) * 26.0).rem_euclid(1.0) < 0.4 {
            1.35
        } else {
            1.0
        };
        lit(cloth, knit * stripe * (1.15 - 0.8 * (p[0] - x + 0.1).abs()))
    });
    canvas.fill(rounded_rect([x, 0.72], [0.075, 0.11], 0.05), |p| {
        lit(person.skin, 0.72 + 0.2 * (p[1] - 0.6) * 4.0)
    });
    canvas.fill(ellipse([x, 0.815], [0.085, 0.045]), |_| {
        lit(person.skin, 0.93)
    });
}

fn head(canvas: &mut Canvas, person: &Person, x: f32) {
    for side in [-1.0, 1.0] {
        canvas.fill(ellipse([x + side * 0.168, 0.48], [0.028, 0.045]), |_| {
            lit(person.skin, 0.84)
        });
    }
    let skin = person.skin;
    let outline = move |p: Point| {
        ellipse(
            [x, 0.47],
            [0.168 - 0.035 * ((p[1] - 0.47) * 3.0).clamp(0.0, 1.0), 0.215],
        )(p)
    };
    canvas.fill(outline, |p| {
        let light = 1.07 - 0.55 * (p[0] - x + 0.05).max(0.0) - 0.3 * (p[1] - 0.42).max(0.0);
        lit(skin, light)
    });
    for side in [-1.0, 1.0] {
        canvas.glow(
            ellipse([x + side * 0.09, 0.545], [0.03, 0.02]),
            [0.9, 0.4, 0.35],
            0.03,
            0.22,
        );
    }
}

fn hair(canvas: &mut Canvas, person: &Person, x: f32) {
    let paint = strands(person.hair, x);
    let cap = ellipse([x, 0.42], [0.195, 0.215]);
    let fringe = move |q: f32| 0.385 + 0.035 * ((q - x) * 14.0 + 0.8).sin() + 1.6 * (q - x).powi(2);
    canvas.fill(move |p| cap(p).max(p[1] - fringe(p[0])), paint);
}

fn face(canvas: &mut Canvas, rng: &mut impl Rng, person: &Person, x: f32) {
    let dark = lit(person.hair, 0.8);
    for side in [-1.0_f32, 1.0] {
        let eye = [x + side * 0.066, 0.475];
        canvas.fill(ellipse(eye, [0.032, 0.017]), |_| [0.98, 0.97, 0.96]);
        canvas.fill(ellipse(eye, [0.0155, 0.0165]), |_| person.eyes);
        canvas.fill(ellipse(eye, [0.0075, 0.008]), |_| [0.05; 3]);
        canvas.fill(
            ellipse([eye[0] - 0.005, eye[1] - 0.006], [0.004, 0.004]),
            |_| [1.0; 3],
        );
        canvas.fill(
            stroke(
                [eye[0] - 0.032, eye[1] - 0.008],
                [eye[0] + 0.032, eye[1] - 0.008],
                0.003,
            ),
            |_| dark,
        );
        canvas.fill(
            stroke(
                [eye[0] - 0.034, eye[1] - 0.042 + side * 0.004],
                [eye[0] + 0.034, eye[1] - 0.042 - side * 0.004],
                0.0055,
            ),
            |_| dark,
        );
    }
    canvas.fill_alpha(
        stroke([x + 0.004, 0.49], [x + 0.016, 0.545], 0.004),
        |_| lit(person.skin, 0.72),
        0.8,
    );
    canvas.fill_alpha(
        stroke([x - 0.012, 0.553], [x + 0.016, 0.551], 0.0045),
        |_| lit(person.skin, 0.66),
        0.8,
    );
    let smile = pick(rng, 1.5, 4.5);
    let lips = move |p: Point| {
        ellipse([x, 0.605], [0.05, 0.014])([p[0], p[1] + smile * (p[0] - x).powi(2)])
    };
    canvas.fill(lips, |_| [0.74, 0.3, 0.3]);
    canvas.fill(
        move |p| lips(p).max(-below(|q| 0.605 - smile * (q - x).powi(2) + 0.0012)(p).abs() + 0.0),
        |_| [0.5, 0.16, 0.18],
    );
}
