//! Captions in a real font (DejaVu), whole or garbled.
//!
//! Each glyph is drawn into a small mask of its own; a garbled one is spoiled there: turned over, cut by a band, torn
//! apart, or crossed by stray strokes, as generated pictures garble letters.

use crate::canvas::{Colour, mix};
use crate::picture::{Picture, luma};
use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

/// Words; every fifth, from the second on, is kept for figures.
const WORDS: [&str; 30] = [
    "SALE",
    "Market",
    "NEW",
    "Summer",
    "Coffee",
    "OPEN",
    "Fresh",
    "Studio",
    "Design",
    "Today",
    "Garden",
    "MENU",
    "Music",
    "Travel",
    "HOUSE",
    "Winter",
    "Bakery",
    "Spring",
    "Gallery",
    "BOOKS",
    "Flower",
    "Kitchen",
    "SHOP",
    "Festival",
    "Tea & Co",
    "Harbour",
    "LIGHT",
    "Friday",
    "Made by hand",
    "FILM",
];

/// How a caption looks. Everything but the garbling is fixed by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Caption {
    words: String,
    font: usize,
    /// Height of the letters as a share of the picture's.
    size: f32,
    at_top: bool,
    ink: Colour,
    plate: Option<Colour>,
    seed: u64,
}

/// Kinds of garbling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbling {
    /// Strokes and whole glyphs, as in training.
    Glyphs,
    /// Another letter printed over each spoiled one. Never trained on.
    Overprint,
}

/// One glyph's coverage.
struct Mask {
    left: i64,
    top: i64,
    width: usize,
    height: usize,
    cover: Vec<f32>,
}

impl Caption {
    /// A random caption; `held_out` takes words that training never draws.
    pub fn random(held_out: bool, rng: &mut impl Rng) -> Self {
        let allowed: Vec<&str> = WORDS
            .iter()
            .enumerate()
            .filter(|(i, _)| (i % 5 == 1) == held_out)
            .map(|(_, word)| *word)
            .collect();
        let mut words = (*allowed.choose(rng).expect("there are words")).to_owned();
        if words.len() < 7 && rng.random_bool(0.5) {
            words.push(' ');
            words.push_str(allowed.choose(rng).expect("there are words"));
        }
        let dark = rng.random_bool(0.5);
        let tone = |dark: bool, rng: &mut dyn rand::RngCore| {
            let base = if dark {
                rng.random_range(0.02..0.2)
            } else {
                rng.random_range(0.85..1.0)
            };
            [(); 3].map(|()| (base + rng.random_range(-0.06..0.06_f32)).clamp(0.0, 1.0))
        };
        Self {
            words,
            font: rng.random_range(0..4),
            size: rng.random_range(0.12..0.19),
            at_top: rng.random(),
            ink: tone(dark, rng),
            plate: rng.random_bool(0.7).then(|| tone(!dark, rng)),
            seed: rng.random(),
        }
    }

    /// Puts it at the top or the bottom.
    pub fn move_to(&mut self, top: bool) {
        self.at_top = top;
    }

    /// The picture with the caption, `severity` (0..=1) of its letters spoiled.
    #[must_use]
    pub fn drawn_on(&self, picture: &Picture, severity: f32, garbling: Garbling) -> Picture {
        use rand::SeedableRng;
        let mut rng = rand::rngs::SmallRng::seed_from_u64(self.seed);
        let mut picture = picture.clone();
        let font = font(self.font);
        let mut masks = self.masks(&font, &picture);
        let (ink, plate) = self.colours(&picture, &masks);
        if let Some(plate) = plate {
            self.lay_plate(&mut picture, &masks, plate);
        }
        let n_spoiled = (severity * masks.len() as f32).ceil() as usize;
        let mut order: Vec<usize> = (0..masks.len()).collect();
        order.shuffle(&mut rng);
        for &i in &order[..n_spoiled.min(masks.len())] {
            match garbling {
                Garbling::Glyphs => (0..2).for_each(|_| masks[i].spoil(severity, &mut rng)),
                Garbling::Overprint => masks[i].overprint(&font, severity, &mut rng),
            }
        }
        for mask in &masks {
            mask.blend(&mut picture, ink);
        }
        picture
    }

    /// Ink and plate; without a plate the ink is the one that stands out.
    fn colours(&self, picture: &Picture, masks: &[Mask]) -> (Colour, Option<Colour>) {
        let (Some(first), None) = (masks.first(), self.plate) else {
            return (self.ink, self.plate);
        };
        let row = (first.top + first.height as i64 / 2) as isize;
        let mean = (0..picture.width as isize)
            .map(|x| luma(picture.at(x, row)))
            .sum::<f32>()
            / picture.width as f32;
        let stands_out = (luma(self.ink) - mean).abs() > 0.45;
        let ink = if stands_out {
            self.ink
        } else {
            [if mean > 0.5 { 0.03 } else { 0.97 }; 3]
        };
        (ink, None)
    }

    fn masks(&self, font: &FontRef<'_>, picture: &Picture) -> Vec<Mask> {
        let (width, height) = (picture.width as f32, picture.height as f32);
        let wanted = (height * self.size).max(20.0);
        let length = |scale: f32| {
            let scaled = font.as_scaled(PxScale::from(scale));
            self.words
                .chars()
                .map(|c| scaled.h_advance(font.glyph_id(c)))
                .sum::<f32>()
        };
        let scale = wanted * (width * 0.88 / length(wanted)).min(1.0);
        let scaled = font.as_scaled(PxScale::from(scale));
        let mut x = (width - length(scale)) / 2.0;
        let baseline = if self.at_top {
            scale * 1.1
        } else {
            height - scale * 0.45
        };
        let mut masks = Vec::new();
        for c in self.words.chars() {
            let id = font.glyph_id(c);
            masks.extend(Mask::of(
                font,
                id.with_scale_and_position(scale, point(x, baseline)),
            ));
            x += scaled.h_advance(id);
        }
        masks
    }

    fn lay_plate(&self, picture: &mut Picture, masks: &[Mask], plate: Colour) {
        let (Some(top), Some(bottom)) = (
            masks.iter().map(|mask| mask.top).min(),
            masks.iter().map(|mask| mask.top + mask.height as i64).max(),
        ) else {
            return;
        };
        let width = picture.width;
        for (i, pixel) in picture.pixels.iter_mut().enumerate() {
            let y = (i / width) as i64;
            if (top - 5..bottom + 5).contains(&y) {
                *pixel = mix(*pixel, plate, 0.9);
            }
        }
    }
}

/// One of four faces.
fn font(i: usize) -> FontRef<'static> {
    let bytes = [
        dejavu::sans::bold(),
        dejavu::serif::bold(),
        dejavu::sans::regular(),
        dejavu::sans_mono::bold(),
    ][i % 4];
    FontRef::try_from_slice(bytes).expect("the crate's fonts are sound")
}

impl Mask {
    fn of(font: &FontRef<'_>, glyph: Glyph) -> Option<Self> {
        let outline = font.outline_glyph(glyph)?;
        let bounds = outline.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut cover = vec![0.0; width * height];
        outline.draw(|x, y, c| {
            if let Some(value) = cover.get_mut(y as usize * width + x as usize) {
                *value = c.min(1.0);
            }
        });
        let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
        (width > 0 && height > 0).then_some(Self {
            left,
            top,
            width,
            height,
            cover,
        })
    }

    /// One garbling out of six.
    fn spoil(&mut self, severity: f32, rng: &mut impl Rng) {
        let (width, height) = (self.width, self.height);
        let old = self.cover.clone();
        let (phase, bend) = (
            rng.random_range(0.0..6.0_f32),
            width as f32 * (0.15 + 0.3 * severity),
        );
        let cut = rng.random_range(0.2..0.7) * height as f32;
        let band = height as f32 * (0.15 + 0.2 * severity);
        let kind = rng.random_range(0..6);
        let (dx, dy) = (rng.random_range(0..width), rng.random_range(0..height));
        for (i, value) in self.cover.iter_mut().enumerate() {
            let (x, y) = (i % width, i / width);
            let from = |x: usize, y: usize| old[y * width + x];
            *value = match kind {
                0 => from(x, height - 1 - y),
                1 => from(width - 1 - x, y),
                2 if (y as f32 - cut).abs() < band / 2.0 => 0.0,
                3 => {
                    let shift = (y as f32 / height as f32 * 7.0 + phase).sin() * bend;
                    let source = x as f32 + shift;
                    if (0.0..width as f32).contains(&source) {
                        from(source as usize, y)
                    } else {
                        0.0
                    }
                }
                4 => from((x + dx) % width, (y + dy) % height),
                5 => {
                    let line =
                        (x as f32 / width as f32 - y as f32 / height as f32 * phase.sin() - 0.3)
                            .abs();
                    from(x, y).max(if line < 0.09 { 1.0 } else { 0.0 })
                }
                _ => from(x, y),
            };
        }
    }

    fn overprint(&mut self, font: &FontRef<'_>, severity: f32, rng: &mut impl Rng) {
        let letter = *['X', 'M', 'S', 'G', 'R']
            .choose(rng)
            .expect("there are letters");
        let scale = self.height as f32 * 1.35;
        let Some(other) = Self::of(font, font.glyph_id(letter).with_scale(scale)) else {
            return;
        };
        for (i, value) in self.cover.iter_mut().enumerate() {
            let (x, y) = (i % self.width, i / self.width);
            if x < other.width && y < other.height {
                *value = value.max((0.5 + severity / 2.0) * other.cover[y * other.width + x]);
            }
        }
    }

    fn blend(&self, picture: &mut Picture, ink: Colour) {
        for (i, cover) in self.cover.iter().enumerate() {
            let (x, y) = (
                self.left + (i % self.width) as i64,
                self.top + (i / self.width) as i64,
            );
            if *cover > 0.0
                && x >= 0
                && y >= 0
                && x < picture.width as i64
                && y < picture.height as i64
            {
                let pixel = &mut picture.pixels[y as usize * picture.width + x as usize];
                *pixel = mix(*pixel, ink, *cover);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn a_caption_shows_and_more_garbling_changes_more_of_it() {
        let ground = Picture::filled(224, 160, [0.5, 0.6, 0.7]);
        let mut rng = SmallRng::seed_from_u64(4);
        for _ in 0..12 {
            let caption = Caption::random(false, &mut rng);
            let differing = |a: &Picture, b: &Picture| {
                a.pixels
                    .iter()
                    .zip(&b.pixels)
                    .filter(|(p, q)| (luma(**p) - luma(**q)).abs() > 0.1)
                    .count()
            };
            let clean = caption.drawn_on(&ground, 0.0, Garbling::Glyphs);
            assert!(differing(&ground, &clean) > 150, "{caption:?}");
            for garbling in [Garbling::Glyphs, Garbling::Overprint] {
                let [some, all] = [0.25, 1.0].map(|severity| {
                    differing(&clean, &caption.drawn_on(&ground, severity, garbling))
                });
                assert!(0 < some && some < all, "{some}, {all}: {caption:?}");
            }
        }
    }
}
