//! Short briefs in English and Chinese: checkable points in a sentence, each with a price.
//!
//! Every fifth sentence form and every fifth phrase are held out for figures, like the pictures.

use crate::point::{Kind, Language, Point};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// The wish, one sentence.
    pub requirement: String,
    /// Price in USD.
    pub price_usd: f64,
}

/// `{p}` are the points, `{for}` a use that nothing depends on.
const ENGLISH: [&str; 10] = [
    "{p}.",
    "Please make {p}.",
    "I need {p}.",
    "Please: {p}, for {for}.",
    "For {for}: {p}.",
    "{p}, for {for}.",
    "I need, for {for}, {p}.",
    "We want {p}.",
    "Make it so: {p}.",
    "Please, we need {p}.",
];

const CHINESE: [&str; 10] = [
    "{p}。",
    "请制作{p}。",
    "需要{p}。",
    "请：{p}，用于{for}。",
    "{for}图片：{p}。",
    "{p}，用于{for}。",
    "需要用于{for}的{p}。",
    "我们要{p}。",
    "制作：{p}。",
    "请，我们需要{p}。",
];

/// Forms that ask for a change of the input picture.
const EDITS: [&str; 5] = [
    "Edit the photo: {p}.",
    "Please edit: {p}.",
    "Edit it: {p}, for {for}.",
    "Change the photo: {p}.",
    "Please change it: {p}.",
];

const EDITS_ZH: [&str; 5] = [
    "修改照片：{p}。",
    "请修改：{p}。",
    "修改：{p}，用于{for}。",
    "把照片改成{p}。",
    "请改成{p}。",
];

const USES: [&str; 8] = [
    "a web shop",
    "a cover",
    "a banner",
    "a menu",
    "an advert",
    "a card",
    "a catalogue",
    "social media",
];

const USES_ZH: [&str; 8] = [
    "网店",
    "封面",
    "横幅",
    "菜单",
    "广告",
    "名片",
    "画册",
    "社交媒体",
];

impl Brief {
    /// A sentence asking for `points`; `held_out` takes forms and phrases that training never uses.
    pub fn asking(
        points: &[Point],
        edit: bool,
        language: Language,
        held_out: bool,
        rng: &mut impl Rng,
    ) -> String {
        let (forms, uses, comma): (&[&str], _, _) = match (language, edit) {
            (Language::English, false) => (&ENGLISH, &USES, ", "),
            (Language::English, true) => (&EDITS, &USES, ", "),
            (Language::Chinese, false) => (&CHINESE, &USES_ZH, "，"),
            (Language::Chinese, true) => (&EDITS_ZH, &USES_ZH, "，"),
        };
        let allowed: Vec<&str> = forms
            .iter()
            .enumerate()
            .filter(|(i, _)| (i % 5 == 1) == held_out)
            .map(|(_, form)| *form)
            .collect();
        let mut points = points.to_vec();
        points.shuffle(rng);
        let phrases: Vec<String> = points
            .iter()
            .map(|point| point.phrase(language, held_out, rng))
            .collect();
        let form = allowed
            .choose(rng)
            .expect("both parts of the grammar have forms");
        let used_for = uses.choose(rng).expect("there are uses");
        form.replace("{p}", &phrases.join(comma))
            .replace("{for}", used_for)
    }
}

/// Either language, as often.
pub fn random_language(rng: &mut impl Rng) -> Language {
    if rng.random() {
        Language::English
    } else {
        Language::Chinese
    }
}

/// 5 to 3,000 USD, even in the logarithm, to the cent below 100 and to the dollar above.
pub fn random_price(rng: &mut impl Rng) -> f64 {
    let price = rng.random_range(5.0_f64.ln()..3000.0_f64.ln()).exp();
    if price < 100.0 {
        (price * 100.0).round() / 100.0
    } else {
        price.round()
    }
}

/// Text to train a tokenizer on: many briefs of training forms.
pub fn corpus(rng: &mut impl Rng) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..6000 {
        let mut kinds = Kind::ALL.to_vec();
        kinds.shuffle(rng);
        let points: Vec<Point> = kinds[..rng.random_range(1..4)]
            .iter()
            .map(|kind| Point {
                kind: *kind,
                value: rng.random_range(0..kind.n_values()),
            })
            .collect();
        let language = random_language(rng);
        let edit = rng.random_bool(0.3);
        let price = random_price(rng);
        lines.push(format!(
            "{}\nUSD {price:.2}\n",
            Brief::asking(&points, edit, language, false, rng)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    const POINTS: [Point; 2] = [
        Point {
            kind: Kind::Background,
            value: 3,
        },
        Point {
            kind: Kind::Count,
            value: 2,
        },
    ];

    #[test]
    fn a_brief_names_its_points_in_either_language() {
        let mut rng = SmallRng::seed_from_u64(1);
        for i in 0..100 {
            let (edit, held_out) = (i % 3 == 0, i % 2 == 0);
            let english = Brief::asking(&POINTS, edit, Language::English, held_out, &mut rng);
            assert!(
                english.contains("red") && english.contains("three") && !english.contains('{'),
                "{english}"
            );
            let chinese = Brief::asking(&POINTS, edit, Language::Chinese, held_out, &mut rng);
            assert!(
                chinese.contains("红色") && chinese.contains("三个") && !chinese.contains('{'),
                "{chinese}"
            );
        }
    }

    #[test]
    fn held_out_forms_and_phrases_never_train() {
        let mut rng = SmallRng::seed_from_u64(2);
        let mut any = |held_out, wanted: &str| {
            (0..500).any(|_| {
                Brief::asking(&POINTS, false, Language::English, held_out, &mut rng)
                    .contains(wanted)
            })
        };
        assert!(!any(false, "Please make") && any(true, "Please make"));
        assert!(!any(false, "background red") && any(true, "background red"));
    }
}
