//! Clean contents of examples: a picture at the network's size and what is known to be in it.

use crate::caption::{Caption, Garbling};
use crate::figure::Figure;
use crate::measure::paint;
use crate::picture::{Picture, luma};
use crate::point::{Facts, Kind};
use crate::scene::{Scene, SceneKind};
use crate::source::{CleanPicture, Part};
use rand::Rng;

/// What an example starts from.
#[derive(Clone, Debug)]
pub struct Content {
    /// At the size of the window.
    pub picture: Picture,
    /// What is known of it.
    pub facts: Facts,
    /// The figure that was drawn, where one was.
    pub figure: Option<Figure>,
}

/// What is put over a content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dress {
    /// Black and white.
    pub mono: bool,
    /// Frame in a named colour.
    pub border: Option<u8>,
    /// Caption, and how much of it is spoiled.
    pub caption: Option<(Caption, f32)>,
}

impl Content {
    /// A figure of a part; the parts never share one.
    pub fn figure(part: Part, [width, height]: [usize; 2], rng: &mut impl Rng) -> Self {
        let lot = match part {
            Part::Train => 0,
            Part::HeldOut => 1,
            Part::Calibrate => 2,
        };
        let seed = rng.random_range(0..u64::MAX / 8) * 3 + lot;
        Self::of_figure(Figure::random(seed), [width, height])
    }

    /// A figure at a size.
    #[must_use]
    pub fn of_figure(figure: Figure, [width, height]: [usize; 2]) -> Self {
        Self {
            picture: figure.render(width, height),
            facts: figure.facts(width, height),
            figure: Some(figure),
        }
    }

    /// Nearly all of a clean picture, cut to the window's shape, sometimes mirrored.
    pub fn view(clean: &CleanPicture, window: [usize; 2], rng: &mut impl Rng) -> Self {
        let picture = view(&clean.picture, window, rng);
        let mut facts = Facts::measured(&picture);
        match clean.scene_number() {
            Some(number) => {
                facts.set(Kind::Border, 0);
                let kind = Scene::random(number).kind;
                facts.set(Kind::Thing, thing(kind));
                if matches!(
                    kind,
                    SceneKind::Mug | SceneKind::Fruit | SceneKind::Landscape
                ) {
                    facts.set(Kind::Caption, 0);
                }
            }
            None => {
                let category = ["C-Portrait", "C-Product", "C-Digital"]
                    .iter()
                    .position(|folder| clean.name.starts_with(folder));
                if let Some(category) = category {
                    facts.set(Kind::Category, category as u8);
                }
                if category != Some(2) {
                    facts.set(Kind::Border, 0);
                }
            }
        }
        Self {
            picture,
            facts,
            figure: None,
        }
    }

    /// With something put over it.
    #[must_use]
    pub fn dressed(&self, dress: &Dress, garbling: Garbling) -> Self {
        let mut out = self.clone();
        if dress.mono {
            out.picture = out.picture.map(|p| [luma(p); 3]);
            out.facts.set(Kind::Tone, 1);
            for kind in [Kind::Background, Kind::ThingColour] {
                if out.facts.get(kind).is_some_and(|colour| colour > 2) {
                    out.facts.forget(kind);
                }
            }
        }
        if let Some((caption, severity)) = &dress.caption {
            out.picture = caption.drawn_on(&out.picture, *severity, garbling);
            out.facts.set(Kind::Caption, 1);
            out.facts.forget(Kind::Count);
        }
        if let Some(colour) = dress.border {
            frame(&mut out.picture, colour);
            out.facts.set(Kind::Border, 1);
        }
        out
    }

    /// Colour for a frame that stands out from the ground.
    pub fn border_colour(&self, rng: &mut impl Rng) -> u8 {
        let ground = self.facts.get(Kind::Background);
        loop {
            let colour = rng.random_range(0..9);
            if Some(colour) != ground {
                return colour;
            }
        }
    }

    /// A caption that leaves a figure's things uncovered.
    pub fn caption(&self, held_out: bool, rng: &mut impl Rng) -> Caption {
        let mut caption = Caption::random(held_out, rng);
        match self.figure.map(|figure| figure.place) {
            Some(2) => caption.move_to(false),
            Some(3) => caption.move_to(true),
            _ => {}
        }
        caption
    }
}

/// A plain frame, a sixteenth of the shorter side.
fn frame(picture: &mut Picture, colour: u8) {
    let thick = (picture.width.min(picture.height) / 16).max(4);
    let (width, height) = (picture.width, picture.height);
    for (i, pixel) in picture.pixels.iter_mut().enumerate() {
        let (x, y) = (i % width, i / width);
        if x < thick || y < thick || x + thick >= width || y + thick >= height {
            *pixel = paint(colour);
        }
    }
}

/// Value of [`Kind::Thing`] of a scene.
fn thing(kind: SceneKind) -> u8 {
    match kind {
        SceneKind::Bottle => 6,
        SceneKind::Mug => 7,
        SceneKind::Fruit => 8,
        SceneKind::Portrait => 9,
        SceneKind::Landscape => 10,
        SceneKind::Street => 11,
        SceneKind::Poster => 12,
    }
}

fn view(picture: &Picture, [width, height]: [usize; 2], rng: &mut impl Rng) -> Picture {
    let kept = rng.random_range(0.85..1.0);
    let scale =
        (width as f32 / picture.width as f32).max(height as f32 / picture.height as f32) / kept;
    let side =
        |length: usize, most: usize| ((length as f32 / scale).round() as usize).clamp(1, most);
    let (w, h) = (side(width, picture.width), side(height, picture.height));
    let (left, top) = (
        rng.random_range(0..=picture.width - w),
        rng.random_range(0..=(picture.height - h).div_ceil(2)),
    );
    let view = picture.cropped(left, top, w, h).resized(width, height);
    if rng.random() { view.mirrored() } else { view }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn what_is_put_over_a_content_is_known_and_what_it_hides_is_not() {
        let mut rng = SmallRng::seed_from_u64(3);
        let plain = Content::of_figure(
            Figure {
                background: 3,
                thing: 0,
                colour: 7,
                count: 1,
                place: 2,
                seed: 5,
            },
            [96, 96],
        );
        let caption = plain.caption(false, &mut rng);
        let dress = Dress {
            mono: true,
            border: Some(6),
            caption: Some((caption, 0.0)),
        };
        let dressed = plain.dressed(&dress, Garbling::Glyphs);
        let found = [Kind::Tone, Kind::Border, Kind::Caption, Kind::Place]
            .map(|kind| dressed.facts.get(kind));
        assert_eq!(found, [Some(1), Some(1), Some(1), Some(2)]);
        let hidden =
            [Kind::Background, Kind::ThingColour, Kind::Count].map(|kind| dressed.facts.get(kind));
        assert_eq!(hidden, [None; 3]);
        assert_eq!(dressed.picture.pixels[0], paint(6));
    }
}
