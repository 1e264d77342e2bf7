//! Pairs of edits: what two outputs made of the same input picture.

use crate::brief::{Brief, random_language, random_price};
use crate::caption::Garbling;
use crate::content::{Content, Dress};
use crate::error::TrainError;
use crate::picture::Picture;
use crate::point::{Kind, Point};
use crate::truth::concept;
use crate::wear::{Wear, Worn};
use crate::world::{Example, PairPlan, Wish, World, judged};
use rand::Rng;
use rand::seq::IndexedRandom;
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
    let applied = Wear::BESIDE_OTHERS.damages(rng);
    let worn = Worn::visibly(&content.picture, &applied, rng)?;
    let mut example = judged(&content, wish, worn, None);
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
