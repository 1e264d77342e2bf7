//! Checkable points: what a brief may ask for and what is known to be in a picture.
//!
//! A point is a kind (background colour, count, ...) and one of the kind's values. Both languages have words for every value,
//! and every fifth phrase of a kind is held out for figures.

use crate::canvas::Colour;
use crate::measure::{edge_colour, format_of};
use crate::picture::Picture;
use crate::wording::{CHINESE, ENGLISH};
use rand::Rng;
use rand::seq::IndexedRandom;

/// What a point is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Colour of the ground.
    Background,
    /// What is shown.
    Thing,
    /// Colour of the things.
    ThingColour,
    /// Number of things.
    Count,
    /// Where the things are.
    Place,
    /// Orientation of the picture.
    Format,
    /// Black and white or colour.
    Tone,
    /// Whether there is a frame.
    Border,
    /// Whether there is a caption.
    Caption,
    /// Person, product or graphic design.
    Category,
}

/// Language of a brief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

/// Number of kinds.
pub const N_KINDS: usize = 10;

/// Number of values of all kinds together.
pub const N_VALUES: usize = 52;

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; N_KINDS] = [
        Self::Background,
        Self::Thing,
        Self::ThingColour,
        Self::Count,
        Self::Place,
        Self::Format,
        Self::Tone,
        Self::Border,
        Self::Caption,
        Self::Category,
    ];

    /// Number of values.
    #[must_use]
    pub fn n_values(self) -> u8 {
        ENGLISH[self as usize].values.len() as u8
    }

    /// Where the kind's values begin among all [`N_VALUES`].
    #[must_use]
    pub fn first_value(self) -> usize {
        Self::ALL[..self as usize]
            .iter()
            .map(|kind| usize::from(kind.n_values()))
            .sum()
    }

    /// Name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        [
            "background colour",
            "object",
            "object colour",
            "count",
            "position",
            "orientation",
            "monochrome",
            "border",
            "caption",
            "category",
        ][self as usize]
    }
}

/// One thing that a brief asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// What it is about.
    pub kind: Kind,
    /// Which of the kind's values, from 0.
    pub value: u8,
}

impl Point {
    /// Number among all [`N_VALUES`].
    #[must_use]
    pub fn index(self) -> usize {
        self.kind.first_value() + usize::from(self.value)
    }

    /// The same kind with another value.
    #[must_use]
    pub fn other(self, rng: &mut impl Rng) -> Self {
        let n = self.kind.n_values();
        Self {
            value: (self.value + rng.random_range(1..n)) % n,
            ..self
        }
    }

    /// Words for it; `held_out` takes the phrase that training never uses.
    pub fn phrase(self, language: Language, held_out: bool, rng: &mut impl Rng) -> String {
        let words = match language {
            Language::English => &ENGLISH[self.kind as usize],
            Language::Chinese => &CHINESE[self.kind as usize],
        };
        let allowed: Vec<&str> = words
            .phrases
            .iter()
            .enumerate()
            .filter(|(i, _)| (i % 5 == 1) == held_out)
            .map(|(_, phrase)| *phrase)
            .collect();
        let phrase = allowed.choose(rng).expect("both parts have phrases");
        phrase.replace("{v}", words.values[usize::from(self.value)])
    }
}

/// What is known to be in a picture: the value of each kind, where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts([Option<u8>; N_KINDS]);

impl Facts {
    /// The value of a kind.
    #[must_use]
    pub fn get(&self, kind: Kind) -> Option<u8> {
        self.0[kind as usize]
    }

    /// Notes a value.
    pub fn set(&mut self, kind: Kind, value: u8) {
        self.0[kind as usize] = Some(value);
    }

    /// Makes a kind unknown.
    pub fn forget(&mut self, kind: Kind) {
        self.0[kind as usize] = None;
    }

    /// What is true of the picture, a point a known kind.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        let known = Kind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, self.get(kind)?)));
        known.map(|(kind, value)| Point { kind, value }).collect()
    }

    /// Whether a point is met; unknown where the kind is.
    #[must_use]
    pub fn holds(&self, point: Point) -> Option<bool> {
        self.get(point.kind).map(|value| value == point.value)
    }

    /// Notes what can be read off the pixels: orientation, the colour around the edge, black and white.
    #[must_use]
    pub fn measured(picture: &Picture) -> Self {
        let mut facts = Self::default();
        facts.set(Kind::Format, format_of(picture.width, picture.height));
        if let Some(colour) = edge_colour(picture) {
            facts.set(Kind::Background, colour);
        }
        let n = picture.pixels.len().max(1) as f32;
        let chroma = |p: &Colour| {
            p.iter().copied().fold(0.0, f32::max) - p.iter().copied().fold(1.0, f32::min)
        };
        let mean = picture.pixels.iter().map(chroma).sum::<f32>() / n;
        if mean < 0.02 {
            facts.set(Kind::Tone, 1);
        } else if mean > 0.08 {
            facts.set(Kind::Tone, 0);
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::paint;

    #[test]
    fn both_languages_have_words_for_every_value() {
        for (english, chinese) in ENGLISH.iter().zip(&CHINESE) {
            assert_eq!(english.values.len(), chinese.values.len());
            assert!(
                english
                    .phrases
                    .iter()
                    .chain(&chinese.phrases)
                    .all(|phrase| phrase.contains("{v}"))
            );
        }
        let last = Kind::Category;
        assert_eq!(last.first_value() + usize::from(last.n_values()), N_VALUES);
    }

    #[test]
    fn the_colour_around_the_edge_and_the_orientation_are_read_off_the_pixels() {
        for value in 0..9 {
            let mut picture = Picture::filled(60, 40, paint(value));
            for y in 10..30 {
                picture.pixels[y * 60 + 10..y * 60 + 50].fill([0.3, 0.9, 0.9]);
            }
            let facts = Facts::measured(&picture);
            assert_eq!(facts.get(Kind::Background), Some(value), "{value}");
            assert_eq!(facts.get(Kind::Format), Some(0));
        }
        let grey = Facts::measured(&Picture::filled(40, 40, [0.4; 3]));
        assert_eq!(
            (grey.get(Kind::Tone), grey.get(Kind::Format)),
            (Some(1), Some(2))
        );
    }
}
