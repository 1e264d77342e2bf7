//! Pairs of deliverables beside the others of their set.
//!
//! What differs can always be seen: a black-and-white set is told from a coloured one, but not from one of other colours
//! that was made black and white.

use crate::caption::Garbling;
use crate::content::{Content, Dress};
use crate::error::TrainError;
use crate::figure::Figure;
use crate::picture::{Picture, luma};
use crate::point::{Kind, Point};
use crate::wear::{Wear, Worn};
use crate::world::{Example, PairPlan, World, judged};
use rand::Rng;
use servimage_image::{Rgb8Image, composite_halves};
use servimage_prompt::Role;

/// Things in which a deliverable may differ from the others: palette, layout, treatment.
pub const N_ASPECTS: usize = 3;

/// Values of a style: nine colours and black and white, five places, no frame and nine colours of frames.
pub const N_STYLES: usize = 25;

/// What the deliverables of a set share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Ground and ink of drawings; tint of photographs, the second means nothing there.
    palette: [u8; 2],
    /// Whether the colours are taken out.
    mono: bool,
    /// Place of a drawing's things, of a photograph's bar.
    place: u8,
    /// Frame colour; none.
    border: Option<u8>,
}

/// A candidate's style beside the others'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Of the candidate.
    pub own: Style,
    /// Of the others.
    pub others: Style,
}

impl Compared {
    /// Whether palette, layout and treatment differ.
    #[must_use]
    pub fn differs(&self) -> [bool; N_ASPECTS] {
        let (own, others) = (self.own.parts(), self.others.parts());
        std::array::from_fn(|aspect| own[aspect] != others[aspect])
    }

    /// Share of the aspects that differ.
    #[must_use]
    pub fn differing(&self) -> f32 {
        let n = self.differs().into_iter().filter(|differs| *differs);
        n.count() as f32 / N_ASPECTS as f32
    }
}

impl Style {
    fn random(drawn: bool, rng: &mut impl Rng) -> Self {
        let ground = ground(drawn, rng);
        Self {
            palette: [ground, (ground + rng.random_range(1..9)) % 9],
            mono: rng.random_bool(0.2),
            place: rng.random_range(0..5),
            border: rng.random_bool(0.5).then(|| rng.random_range(0..9)),
        }
    }

    /// With some of palette, layout and treatment changed.
    fn changed(self, drawn: bool, rng: &mut impl Rng) -> Self {
        let mut own = self;
        let which: u8 = rng.random_range(1..8);
        if which & 1 > 0 {
            // White, grey and black grounds look alike with and without their colours.
            let is_grey = |palette: [u8; 2]| palette[0] < 3;
            own.mono = !self.mono && !is_grey(self.palette) && rng.random_bool(0.25);
            let shows = |palette: [u8; 2]| match self.mono {
                true => !is_grey(palette),
                false => palette[0] != self.palette[0],
            };
            while !own.mono && !shows(own.palette) {
                let ground = ground(drawn, rng);
                own.palette = [ground, (ground + rng.random_range(1..9)) % 9];
            }
        }
        if which & 2 > 0 {
            let place = Point {
                kind: Kind::Place,
                value: self.place,
            };
            own.place = place.other(rng).value;
        }
        if which & 4 > 0 {
            own.border = match self.border {
                Some(_) if rng.random_bool(0.6) => None,
                Some(colour) => Some((colour + rng.random_range(1..9)) % 9),
                None => Some(rng.random_range(0..9)),
            };
        }
        own
    }

    /// What can be seen of palette, layout and treatment, each as one of its [`N_STYLES`] values.
    fn parts(&self) -> [u8; N_ASPECTS] {
        let colour = if self.mono { 9 } else { self.palette[0] };
        let border = self.border.map_or(0, |colour| colour + 1);
        [colour, 10 + self.place, 15 + border]
    }

    /// `[N_STYLES]` 1 for each value that it has.
    #[must_use]
    pub fn values(&self) -> [f32; N_STYLES] {
        let mut values = [0.0; N_STYLES];
        for value in self.parts() {
            values[usize::from(value)] = 1.0;
        }
        values
    }

    /// A deliverable in this style.
    fn content(&self, world: &World, plan: &PairPlan, drawn: bool, rng: &mut impl Rng) -> Content {
        let dress = Dress {
            mono: self.mono,
            border: self.border,
            caption: None,
        };
        let plain = if drawn {
            let base = Content::figure(world.part, plan.window, rng)
                .figure
                .expect("a figure was drawn");
            let figure = Figure {
                background: self.palette[0],
                colour: self.palette[1],
                place: self.place,
                ..base
            };
            Content::of_figure(figure, plan.window)
        } else {
            let mut content = world.content(
                &PairPlan {
                    figures: 0.0,
                    ..*plan
                },
                rng,
            );
            content.picture = tinted(&content.picture, self.palette[0], self.place);
            content.facts.forget(Kind::Background);
            content.facts.forget(Kind::Tone);
            content
        };
        plain.dressed(&dress, Garbling::Glyphs)
    }
}

/// A colour for the ground of drawings, or one that tints a photograph visibly.
fn ground(drawn: bool, rng: &mut impl Rng) -> u8 {
    rng.random_range(if drawn { 0..9 } else { 3..9 })
}

/// A photograph toned with a colour, and a bar of it along one side (`place` as in [`Kind::Place`], the centre has none).
fn tinted(picture: &Picture, colour: u8, place: u8) -> Picture {
    let paint = crate::measure::paint(colour);
    let mut out = picture.clone();
    let (width, height) = (picture.width, picture.height);
    for (i, pixel) in out.pixels.iter_mut().enumerate() {
        let (x, y) = (i % width, i / width);
        let in_bar = match place {
            0 => x * 6 < width,
            1 => (width - 1 - x) * 6 < width,
            2 => y * 6 < height,
            3 => (height - 1 - y) * 6 < height,
            _ => false,
        };
        let light = luma(*pixel);
        *pixel = if in_bar {
            paint
        } else {
            std::array::from_fn(|c| 0.55 * pixel[c] + 0.45 * light * (0.35 + 0.75 * paint[c]))
        };
    }
    out
}

/// Two candidates beside the same others: one often in their style, one often not.
pub(crate) fn set_pair(
    world: &World,
    plan: &PairPlan,
    rng: &mut impl Rng,
) -> Result<[Example; 2], TrainError> {
    let drawn = world.pictures.is_empty() || rng.random_bool(0.5);
    let style = Style::random(drawn, rng);
    let n_others = [1, 2, 2, 3, 4][rng.random_range(0..5)];
    let tiles: Vec<Rgb8Image> = (0..n_others)
        .map(|_| rgb8(&style.content(world, plan, drawn, rng).picture))
        .collect();
    let halves: Vec<Picture> = composite_halves(&tiles)
        .into_iter()
        .map(|canvas| from_rgb8(&canvas).resized(plan.window[0], plan.window[1]))
        .collect();
    let mut wish = None;
    let mut make = |kept: f64, rng: &mut _| -> Result<Example, TrainError> {
        let own = match Rng::random_bool(rng, kept) {
            true => style,
            false => style.changed(drawn, rng),
        };
        let compared = Compared { own, others: style };
        let content = own.content(world, plan, drawn, rng);
        let wish = wish.get_or_insert_with(|| world.wish(&content.facts, plan, rng));
        let worn = Worn::visibly(&content.picture, &Wear::BESIDE_OTHERS.damages(rng), rng)?;
        let mut example = judged(&content, wish, worn, None);
        example.truth = example.truth.with_set(compared.differing());
        example.compared = Some(compared);
        let others = halves.iter().map(|canvas| (Role::Others, canvas.clone()));
        example.images.extend(others);
        Ok(example)
    };
    Ok([make(0.5, rng)?, make(0.2, rng)?])
}

fn rgb8(picture: &Picture) -> Rgb8Image {
    let image = picture.to_rgb8();
    Rgb8Image {
        width: image.width(),
        height: image.height(),
        pixels: image.into_raw(),
    }
}

fn from_rgb8(image: &Rgb8Image) -> Picture {
    let pixels = image
        .pixels
        .chunks_exact(3)
        .map(|p| [p[0], p[1], p[2]].map(|v| f32::from(v) / 255.0));
    Picture {
        width: image.width as usize,
        height: image.height as usize,
        pixels: pixels.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn a_changed_style_differs_in_one_to_three_things_that_can_be_seen() {
        let mut rng = SmallRng::seed_from_u64(4);
        let mut n_differ = [0; N_ASPECTS];
        for i in 0..400 {
            let others = Style::random(i % 2 == 0, &mut rng);
            let own = others.changed(i % 2 == 0, &mut rng);
            let compared = Compared { own, others };
            for (n, differs) in n_differ.iter_mut().zip(compared.differs()) {
                *n += usize::from(differs);
            }
            assert!(compared.differing() > 0.3, "{compared:?}");
            // Of black and white, and of grey paints, nothing is seen but light and dark.
            let is_grey = |style: Style| style.mono || style.palette[0] < 3;
            let toned = own.mono != others.mono;
            assert!(!(toned && is_grey(own) && is_grey(others)), "{compared:?}");
            let same = Compared {
                own: others,
                others,
            };
            assert_eq!(same.differs(), [false; N_ASPECTS]);
        }
        // Four of the seven ways to change something change each; 4 standard deviations are 40.
        assert!(
            n_differ.iter().all(|n| (188..=268).contains(n)),
            "{n_differ:?}"
        );
    }
}
