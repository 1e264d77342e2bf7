//! Checkable points: what a brief may ask for and what is known to be in a picture.
//!
//! A point is a kind (background colour, count, ...) and one of the kind's values. Both languages have words for every value,
//! and every fifth phrase of a kind is held out for figures.

use crate::canvas::Colour;
use crate::picture::Picture;
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

/// The words of one kind in one language.
struct Words {
    values: &'static [&'static str],
    /// `{v}` is the value; every fifth, from the second on, is held out.
    phrases: [&'static str; 5],
}

const COLOURS: [&str; 9] = [
    "white", "black", "grey", "red", "orange", "yellow", "green", "blue", "purple",
];
const COLOURS_ZH: [&str; 9] = [
    "白色", "黑色", "灰色", "红色", "橙色", "黄色", "绿色", "蓝色", "紫色",
];

const ENGLISH: [Words; N_KINDS] = [
    Words {
        values: &COLOURS,
        phrases: [
            "{v} background",
            "background {v}",
            "on a {v} background",
            "the background is {v}",
            "background in {v}",
        ],
    },
    Words {
        values: &[
            "circles",
            "squares",
            "triangles",
            "stars",
            "crosses",
            "rings",
            "a bottle",
            "a mug",
            "fruit",
            "a portrait",
            "a landscape",
            "a street",
            "a poster",
        ],
        phrases: [
            "show {v}",
            "it is {v}",
            "with {v}",
            "it shows {v}",
            "picture of {v}",
        ],
    },
    Words {
        values: &COLOURS,
        phrases: [
            "{v} objects",
            "objects are {v}",
            "the objects are {v}",
            "objects in {v}",
            "objects coloured {v}",
        ],
    },
    Words {
        values: &["one", "two", "three", "four"],
        phrases: [
            "{v} of them",
            "{v} in number",
            "{v} pieces",
            "exactly {v} pieces",
            "number of pieces {v}",
        ],
    },
    Words {
        values: &["left", "right", "top", "bottom", "centre"],
        phrases: [
            "at the {v}",
            "objects at the {v}",
            "on the {v}",
            "objects on the {v}",
            "placed at the {v}",
        ],
    },
    Words {
        values: &["landscape format", "portrait format", "square format"],
        phrases: [
            "{v}",
            "the picture in {v}",
            "in {v}",
            "use {v}",
            "picture in {v}",
        ],
    },
    Words {
        values: &["full colour", "black and white"],
        phrases: [
            "{v}",
            "the picture in {v}",
            "in {v}",
            "keep it {v}",
            "picture in {v}",
        ],
    },
    Words {
        values: &["no border", "a border"],
        phrases: [
            "{v}",
            "picture with {v}",
            "with {v}",
            "use {v}",
            "it has {v}",
        ],
    },
    Words {
        values: &["no text", "a caption"],
        phrases: [
            "{v}",
            "picture with {v}",
            "with {v}",
            "use {v}",
            "it has {v}",
        ],
    },
    Words {
        values: &["a person", "a product", "a graphic design"],
        phrases: [
            "{v}",
            "it is {v}",
            "show {v}",
            "it shows {v}",
            "picture of {v}",
        ],
    },
];

const CHINESE: [Words; N_KINDS] = [
    Words {
        values: &COLOURS_ZH,
        phrases: [
            "{v}背景",
            "背景用{v}",
            "背景为{v}",
            "以{v}为背景",
            "背景是{v}",
        ],
    },
    Words {
        values: &[
            "圆形",
            "方形",
            "三角形",
            "星形",
            "十字",
            "圆环",
            "瓶子",
            "杯子",
            "水果",
            "人像",
            "风景",
            "街道",
            "海报",
        ],
        phrases: ["展示{v}", "图中有{v}", "画{v}", "有{v}", "图中是{v}"],
    },
    Words {
        values: &COLOURS_ZH,
        phrases: [
            "{v}物体",
            "物体用{v}",
            "物体为{v}",
            "{v}的物体",
            "物体是{v}",
        ],
    },
    Words {
        values: &["一个", "两个", "三个", "四个"],
        phrases: ["共{v}", "正好是{v}", "{v}", "正好{v}", "数量是{v}"],
    },
    Words {
        values: &["左侧", "右侧", "上方", "下方", "中间"],
        phrases: ["放在{v}", "物体放在{v}", "在{v}", "物体在{v}", "位于{v}"],
    },
    Words {
        values: &["横版", "竖版", "方版"],
        phrases: ["{v}", "图片是{v}", "用{v}", "图片用{v}", "{v}图片"],
    },
    Words {
        values: &["彩色", "黑白"],
        phrases: ["{v}", "图片是{v}", "用{v}", "图片用{v}", "{v}图片"],
    },
    Words {
        values: &["无边框", "有边框"],
        phrases: ["{v}", "图片{v}", "要{v}", "{v}的图片", "图片要{v}"],
    },
    Words {
        values: &["无文字", "有文字"],
        phrases: ["{v}", "图片{v}", "要{v}", "{v}的图片", "图片要{v}"],
    },
    Words {
        values: &["人物照", "产品照", "平面设计"],
        phrases: ["{v}", "图中是{v}", "展示{v}", "一张{v}", "图片是{v}"],
    },
];

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

/// Orientation of a picture as a value of [`Kind::Format`].
#[must_use]
pub fn format_of(width: usize, height: usize) -> u8 {
    match width.cmp(&height) {
        std::cmp::Ordering::Greater => 0,
        std::cmp::Ordering::Less => 1,
        std::cmp::Ordering::Equal => 2,
    }
}

/// The paint of a named colour.
#[must_use]
pub(crate) fn paint(value: u8) -> Colour {
    [
        [0.96, 0.96, 0.96],
        [0.06, 0.06, 0.07],
        [0.5, 0.5, 0.5],
        [0.82, 0.12, 0.14],
        [0.95, 0.55, 0.1],
        [0.96, 0.88, 0.2],
        [0.16, 0.58, 0.24],
        [0.16, 0.34, 0.8],
        [0.52, 0.22, 0.64],
    ][usize::from(value) % 9]
}

/// The named colour of most of the ring around the edge; `None` where there is no such.
fn edge_colour(picture: &Picture) -> Option<u8> {
    let ring = (picture.width.min(picture.height) / 14).max(1);
    let inside = |i: usize, n: usize| i >= ring && i + ring < n;
    let mut counts = [0_usize; 9];
    let mut n = 0;
    for (i, pixel) in picture.pixels.iter().enumerate() {
        if inside(i % picture.width, picture.width) && inside(i / picture.width, picture.height) {
            continue;
        }
        n += 1;
        if let Some(colour) = colour_name(*pixel) {
            counts[usize::from(colour)] += 1;
        }
    }
    let (colour, most) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    (*most * 4 >= n * 3).then_some(colour as u8)
}

/// Name of a colour; `None` between two.
fn colour_name([r, g, b]: Colour) -> Option<u8> {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = most - least;
    if most < 0.18 {
        return Some(1);
    }
    if chroma < 0.1 {
        return match most {
            v if v > 0.85 => Some(0),
            v if (0.25..0.75).contains(&v) => Some(2),
            _ => None,
        };
    }
    if chroma < 0.3 * most {
        return None;
    }
    let hue = match most {
        m if m == r => ((g - b) / chroma).rem_euclid(6.0),
        m if m == g => (b - r) / chroma + 2.0,
        _ => (r - g) / chroma + 4.0,
    } * 60.0;
    match hue {
        h if !(14.0..345.0).contains(&h) => Some(3),
        h if (20.0..42.0).contains(&h) => Some(4),
        h if (47.0..66.0).contains(&h) => Some(5),
        h if (80.0..165.0).contains(&h) => Some(6),
        h if (195.0..250.0).contains(&h) => Some(7),
        h if (265.0..310.0).contains(&h) => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
