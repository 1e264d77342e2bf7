//! Plain drawings of which everything is known: ground, form, colour, number and place of what they show.

use crate::canvas::{Canvas, Colour, Point as At, ellipse, lit, rounded_rect, stroke, value_noise};
use crate::measure::{format_of, paint};
use crate::picture::Picture;
use crate::point::{Facts, Kind};
use rand::{Rng, SeedableRng, rngs::SmallRng};

/// Forms that a figure may show: the first values of [`Kind::Thing`].
const N_FORMS: u8 = 6;

/// A drawing. Values are those of the kinds in [`crate::point`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Ground.
    pub background: u8,
    /// Form.
    pub thing: u8,
    /// Colour of the things.
    pub colour: u8,
    /// One less than their number.
    pub count: u8,
    /// Where they are.
    pub place: u8,
    /// Shades, sizes and small shifts.
    pub seed: u64,
}

impl Figure {
    /// A figure of a seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed ^ 0x5eed_f19e);
        let background = rng.random_range(0..9);
        Self {
            background,
            thing: rng.random_range(0..N_FORMS),
            colour: (background + rng.random_range(1..9)) % 9,
            count: rng.random_range(0..4),
            place: rng.random_range(0..5),
            seed,
        }
    }

    /// The same figure with one value changed; kinds that a figure does not have change nothing. Things never take the ground's colour.
    #[must_use]
    pub fn with(mut self, kind: Kind, value: u8) -> Self {
        match kind {
            Kind::Background => self.background = value,
            Kind::Thing => self.thing = value % N_FORMS,
            Kind::ThingColour => self.colour = value,
            Kind::Count => self.count = value,
            Kind::Place => self.place = value,
            _ => {}
        }
        if self.colour == self.background {
            match kind {
                Kind::ThingColour => self.background = (self.background + 1) % 9,
                _ => self.colour = (self.colour + 1) % 9,
            }
        }
        self
    }

    /// What is true of it at a size.
    #[must_use]
    pub fn facts(&self, width: usize, height: usize) -> Facts {
        let mut facts = Facts::default();
        facts.set(Kind::Background, self.background);
        facts.set(Kind::Thing, self.thing);
        facts.set(Kind::ThingColour, self.colour);
        facts.set(Kind::Count, self.count);
        facts.set(Kind::Place, self.place);
        facts.set(Kind::Format, format_of(width, height));
        facts.set(Kind::Caption, 0);
        facts.set(Kind::Border, 0);
        if self.background > 2 || self.colour > 2 {
            facts.set(Kind::Tone, 0);
        }
        facts
    }

    /// Draws it.
    #[must_use]
    pub fn render(&self, width: usize, height: usize) -> Picture {
        let mut rng = SmallRng::seed_from_u64(self.seed);
        let mut canvas = Canvas::new(width, height);
        let (ground, ink) = (
            shade(self.background, &mut rng),
            shade(self.colour, &mut rng),
        );
        let (slope, grain, field) = (
            rng.random_range(-0.1..0.1),
            rng.random_range(0.0..0.06),
            rng.random(),
        );
        canvas.cover(|p| {
            let noise = value_noise([p[0] * 60.0, p[1] * 60.0], field) - 0.5;
            lit(ground, 1.0 + slope * (p[1] - 0.5) + grain * noise)
        });
        let radius = canvas.aspect().min(1.0) * rng.random_range(0.085..0.125);
        for at in self.spots(canvas.aspect(), &mut rng) {
            draw(
                &mut canvas,
                self.thing,
                at,
                radius,
                ink,
                rng.random_range(-0.3..0.3),
            );
        }
        canvas.finish()
    }

    /// Middles of the things: a row along an edge, or a block in the middle.
    fn spots(&self, aspect: f32, rng: &mut impl Rng) -> Vec<At> {
        let n = usize::from(self.count) + 1;
        let along = |i: usize| (i as f32 + 0.5) / n as f32 * 0.92 + 0.04;
        let near = rng.random_range(0.15..0.2);
        (0..n)
            .map(|i| {
                let shift = [rng.random_range(-0.02..0.02), rng.random_range(-0.02..0.02)];
                let at = match self.place {
                    0 => [near, along(i)],
                    1 => [1.0 - near, along(i)],
                    2 => [along(i), near],
                    3 => [along(i), 1.0 - near],
                    _ => {
                        let columns = if n > 1 { 2 } else { 1 };
                        let rows = n.div_ceil(columns);
                        let place =
                            |i: usize, n: usize| 0.5 + (i as f32 - (n as f32 - 1.0) / 2.0) * 0.26;
                        [place(i % columns, columns), place(i / columns, rows)]
                    }
                };
                [(at[0] + shift[0]) * aspect, at[1] + shift[1]]
            })
            .collect()
    }
}

/// A shade of a named colour.
fn shade(value: u8, rng: &mut impl Rng) -> Colour {
    let jitter = match value {
        0..3 => 0.02,
        _ => 0.06,
    };
    let gain = match value {
        0 => rng.random_range(0.97..1.04),
        2 => rng.random_range(0.75..1.25),
        _ => rng.random_range(0.85..1.15),
    };
    let tint = [(); 3].map(|()| rng.random_range(-jitter..jitter));
    let base = lit(paint(value), gain);
    std::array::from_fn(|c| (base[c] + tint[c]).clamp(0.0, 1.0))
}

fn draw(canvas: &mut Canvas, thing: u8, at: At, radius: f32, ink: Colour, turn: f32) {
    let (sin, cos) = turn.sin_cos();
    let turned = move |p: At| {
        let (x, y) = (p[0] - at[0], p[1] - at[1]);
        [x * cos + y * sin, y * cos - x * sin]
    };
    let paint = move |p: At| lit(ink, 1.08 - 0.4 * (p[1] - at[1] + p[0] - at[0]));
    match thing {
        0 => canvas.fill(ellipse(at, [radius; 2]), paint),
        1 => canvas.fill(
            move |p| rounded_rect([0.0; 2], [radius * 0.9; 2], 0.004)(turned(p)),
            paint,
        ),
        2 => canvas.fill(move |p| polygon(turned(p), 3, radius * 0.6), paint),
        3 => canvas.fill(move |p| star(turned(p), radius), paint),
        4 => {
            let arms = [
                ([-radius, 0.0], [radius, 0.0]),
                ([0.0, -radius], [0.0, radius]),
            ];
            for (from, to) in arms {
                canvas.fill(move |p| stroke(from, to, radius * 0.28)(turned(p)), paint);
            }
        }
        _ => canvas.fill(
            move |p| ellipse(at, [radius * 0.8; 2])(p).abs() - radius * 0.22,
            paint,
        ),
    }
}

/// A regular polygon around the origin, one corner up; `inner` is the radius of the circle inside.
fn polygon(p: At, n: u32, inner: f32) -> f32 {
    let step = std::f32::consts::TAU / n as f32;
    let angle = p[0].atan2(p[1]);
    let folded = angle - (angle / step).round() * step;
    p[0].hypot(p[1]) * folded.cos() - inner
}

/// A star with five points around the origin.
fn star(p: At, radius: f32) -> f32 {
    let step = std::f32::consts::TAU / 5.0;
    let angle = p[0].atan2(-p[1]);
    let folded = (angle - (angle / step).round() * step).abs();
    let (x, y) = (
        p[0].hypot(p[1]) * folded.cos(),
        p[0].hypot(p[1]) * folded.sin(),
    );
    // The edge runs from the tip at (radius, 0) to the notch at 36 degrees.
    let notch = [
        0.42 * radius * (step / 2.0).cos(),
        0.42 * radius * (step / 2.0).sin(),
    ];
    let (dx, dy) = (notch[0] - radius, notch[1]);
    let length = dx.hypot(dy);
    ((x - radius) * dy - y * dx) / length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_figure_says_of_itself_is_what_its_pixels_show() {
        for seed in 0..60 {
            let figure = Figure::random(seed);
            let picture = figure.render(96, 80);
            let facts = figure.facts(96, 80);
            let measured = Facts::measured(&picture);
            if let Some(colour) = measured.get(Kind::Background) {
                assert_eq!(Some(colour), facts.get(Kind::Background), "{figure:?}");
            }
            assert_eq!(measured.get(Kind::Format), Some(0));
            // Where the things are is where the picture differs from its ground.
            // The ground's light changes from row to row.
            let far = |i: &usize| {
                let edge = if figure.place == 0 { 95 } else { 0 };
                let ground = picture.pixels[i / 96 * 96 + edge];
                let pixel = picture.pixels[*i];
                (0..3).map(|c| (pixel[c] - ground[c]).abs()).sum::<f32>() > 0.25
            };
            let found: Vec<usize> = (0..picture.pixels.len()).filter(far).collect();
            let n = found.len().max(1) as f32;
            let x = found.iter().map(|i| (i % 96) as f32 / 96.0).sum::<f32>() / n;
            let y = found.iter().map(|i| (i / 96) as f32 / 80.0).sum::<f32>() / n;
            let place = match figure.place {
                0 => x < 0.35,
                1 => x > 0.65,
                2 => y < 0.35,
                3 => y > 0.65,
                _ => (0.3..0.7).contains(&x) && (0.3..0.7).contains(&y),
            };
            assert!(place, "{figure:?}: things around {x}, {y}");
        }
    }

    #[test]
    fn more_things_cover_more_of_the_picture() {
        let figure = Figure {
            background: 0,
            thing: 0,
            colour: 3,
            count: 0,
            place: 4,
            seed: 7,
        };
        let covered = |count| {
            let picture = figure.with(Kind::Count, count).render(96, 96);
            picture.pixels.iter().filter(|p| p[1] < 0.5).count() as f32
        };
        let one = covered(0);
        for count in 1..4 {
            assert!(
                (covered(count) / one - f32::from(count) - 1.0).abs() < 0.2,
                "{count}"
            );
        }
    }
}
