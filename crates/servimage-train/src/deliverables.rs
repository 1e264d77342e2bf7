//! Pairs with more than one picture: edits of an input, and deliverables beside the others of their set.

use crate::brief::{Brief, random_language, random_price};
use crate::caption::Garbling;
use crate::content::{Content, Dress};
use crate::error::TrainError;
use crate::figure::Figure;
use crate::picture::{Picture, luma};
use crate::point::{Kind, Point};
use crate::truth::{Truth, concept};
use crate::world::{Example, PairPlan, Wish, World, judged, random_damages};
use rand::Rng;
use rand::seq::IndexedRandom;
use servimage_image::{Rgb8Image, composite_halves};
use servimage_prompt::Role;

/// An edit: what was asked of the input, and the input with it done.
struct Edit {
    point: Point,
    done: Content,
}

/// Two outputs of one edit: done and kept, damaged elsewhere, left undone, or replaced.
pub(crate) fn edit_pair(
    world: &World,
    plan: &PairPlan,
    rng: &mut impl Rng,
) -> Result<[Example; 2], TrainError> {
    let input = world.content(plan, rng);
    let edit = random_edit(world, &input, rng);
    let language = random_language(rng);
    let requirement = Brief::asking(&[edit.point], true, language, world.held_out(), rng);
    let wish = Wish {
        brief: Brief {
            requirement,
            price_usd: random_price(rng),
        },
        points: vec![edit.point],
    };
    let first = output(world, &input, &edit, &wish, plan, rng)?;
    let second = output(world, &input, &edit, &wish, plan, rng)?;
    Ok([first, second])
}

/// One of the changes that are possible with a content; drawings can change in more ways.
fn random_edit(world: &World, input: &Content, rng: &mut impl Rng) -> Edit {
    let simple = |point: Point, dress: Dress| Edit {
        point,
        done: input.dressed(&dress, Garbling::Glyphs),
    };
    let mut kinds = vec![Kind::Border, Kind::Caption];
    if input.facts.get(Kind::Tone) == Some(0) {
        kinds.push(Kind::Tone);
    }
    if input.figure.is_some() {
        kinds.extend([
            Kind::Background,
            Kind::Background,
            Kind::ThingColour,
            Kind::ThingColour,
            Kind::Place,
            Kind::Count,
            Kind::Thing,
        ]);
    }
    match *kinds.choose(rng).expect("there are kinds") {
        Kind::Border => simple(
            Point {
                kind: Kind::Border,
                value: 1,
            },
            Dress {
                border: Some(input.border_colour(rng)),
                ..Dress::default()
            },
        ),
        Kind::Caption => simple(
            Point {
                kind: Kind::Caption,
                value: 1,
            },
            Dress {
                caption: Some((input.caption(world.held_out(), rng), 0.0)),
                ..Dress::default()
            },
        ),
        Kind::Tone => simple(
            Point {
                kind: Kind::Tone,
                value: 1,
            },
            Dress {
                mono: true,
                ..Dress::default()
            },
        ),
        kind => {
            let now = Point {
                kind,
                value: input.facts.get(kind).unwrap_or_default(),
            };
            let figure = input.figure.expect("only drawings have these kinds");
            loop {
                let mut point = now.other(rng);
                if kind == Kind::Thing {
                    point.value %= 6;
                }
                let taken = [figure.background, figure.colour].contains(&point.value);
                let is_colour = matches!(kind, Kind::Background | Kind::ThingColour);
                if point != now && !(is_colour && taken) {
                    let window = [input.picture.width, input.picture.height];
                    return Edit {
                        point,
                        done: Content::of_figure(figure.with(kind, point.value), window),
                    };
                }
            }
        }
    }
}

fn output(
    world: &World,
    input: &Content,
    edit: &Edit,
    wish: &Wish,
    plan: &PairPlan,
    rng: &mut impl Rng,
) -> Result<Example, TrainError> {
    let is_done = rng.random_bool(0.75);
    let mut content = if is_done {
        edit.done.clone()
    } else {
        input.clone()
    };
    let mut kept = 1.0;
    match rng.random_range(0..10) {
        0..5 => {}
        5..9 => {
            let severity = rng.random_range(0.1..1.0_f32);
            let stranger = world.content(plan, rng).picture;
            content.picture = overlaid(&content.picture, &stranger, severity, rng);
            kept = 1.0 - severity;
        }
        _ => {
            let stranger = world.content(plan, rng);
            content.picture = stranger.picture;
            content.facts = stranger.facts;
            kept = 0.0;
        }
    }
    let applied = if rng.random_bool(0.8) {
        Vec::new()
    } else {
        random_damages(rng)
    };
    let mut example = judged(&content, wish, applied, None, rng)?;
    let done = if kept > 0.0 && is_done { 1.0 } else { 0.0 };
    example.truth = example.truth.with_edit(done, kept);
    if kept < 1.0 && kept > 0.0 {
        // What was laid over may hide what was asked for: the point's truth is the edit's.
        example.points = vec![(edit.point, is_done)];
        example.truth = example.truth.with_points(&[is_done]);
        example.facts = crate::point::Facts::default();
    }
    if kept == 0.0 && example.points.is_empty() {
        example.truth.scores[concept::BRF] = None;
    }
    example.images.push((Role::Input, input.picture.clone()));
    Ok(example)
}

/// Blocks of another picture over up to half of this one, away from its edges.
fn overlaid(picture: &Picture, stranger: &Picture, severity: f32, rng: &mut impl Rng) -> Picture {
    let mut out = picture.clone();
    let share = (0.08 + 0.5 * severity).sqrt();
    let (width, height) = (
        (picture.width as f32 * share) as usize,
        (picture.height as f32 * share) as usize,
    );
    let margin = |length: usize, part: usize| {
        (length - part)
            .saturating_sub(length / 8)
            .max(length / 8 + 1)
    };
    let left = rng.random_range(picture.width / 8..margin(picture.width, width));
    let top = rng.random_range(picture.height / 8..margin(picture.height, height));
    for y in top..(top + height).min(picture.height) {
        for x in left..(left + width).min(picture.width) {
            out.pixels[y * picture.width + x] = stranger.pixels[y * picture.width + x];
        }
    }
    out
}

/// What the deliverables of a set share.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Style {
    /// Ground and ink of drawings, tint of photographs.
    palette: [u8; 2],
    /// Place of a drawing's things.
    place: u8,
    /// Frame colour; none.
    border: Option<u8>,
    mono: bool,
}

impl Style {
    fn random(rng: &mut impl Rng) -> Self {
        let ground = rng.random_range(0..9);
        Self {
            palette: [ground, (ground + rng.random_range(1..9)) % 9],
            place: rng.random_range(0..5),
            border: rng.random_bool(0.5).then(|| rng.random_range(0..9)),
            mono: rng.random_bool(0.25),
        }
    }

    /// With some of palette, layout and treatment changed, and the share that was.
    fn changed(self, rng: &mut impl Rng) -> (Self, f32) {
        let mut other = self;
        let which: u8 = rng.random_range(1..8);
        if which & 1 > 0 {
            while other.palette == self.palette || other.palette[0] == other.palette[1] {
                other.palette = [self.palette[1], rng.random_range(0..9)];
            }
        }
        if which & 2 > 0 {
            other.place = Point {
                kind: Kind::Place,
                value: self.place,
            }
            .other(rng)
            .value;
        }
        if which & 4 > 0 {
            match rng.random_bool(0.5) {
                true => other.mono = !self.mono,
                false => {
                    other.border = if self.border.is_some() {
                        None
                    } else {
                        Some(rng.random_range(0..9))
                    }
                }
            }
        }
        (other, which.count_ones() as f32 / 3.0)
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
    let style = Style::random(rng);
    let drawn = world.pictures.is_empty() || rng.random_bool(0.5);
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
        let (own, differing) = if Rng::random_bool(rng, kept) {
            (style, 0.0)
        } else {
            style.changed(rng)
        };
        let content = own.content(world, plan, drawn, rng);
        let wish = wish.get_or_insert_with(|| world.wish(&content.facts, plan, rng));
        let applied = if Rng::random_bool(rng, 0.8) {
            Vec::new()
        } else {
            random_damages(rng)
        };
        let mut example = judged(&content, wish, applied, None, rng)?;
        example.truth = Truth::with_set(example.truth, differing);
        example
            .images
            .extend(halves.iter().map(|canvas| (Role::Others, canvas.clone())));
        Ok(example)
    };
    Ok([make(0.6, rng)?, make(0.25, rng)?])
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
