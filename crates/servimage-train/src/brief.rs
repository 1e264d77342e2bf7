//! Short briefs in English and Chinese from a small grammar, each with a price.
//!
//! Every fifth sentence form is held out for figures, like the pictures.

use rand::Rng;
use rand::seq::IndexedRandom;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// The wish, one sentence.
    pub requirement: String,
    /// Price in USD.
    pub price_usd: f64,
}

/// Slots: `{thing}`, `{place}`, `{style}`, `{colour}`.
const ENGLISH: [&str; 10] = [
    "A {style} picture of {thing} for {place}.",
    "{thing} on a {colour} background, {style}.",
    "Please make {place} show {thing}, {style} look.",
    "Retouch the photo of {thing}; keep it {style}.",
    "I need {thing} for {place}.",
    "Design {place} with {thing} in {colour}.",
    "Replace the background with plain {colour}.",
    "{style} portrait, {colour} tones, for {place}.",
    "Product photo: {thing}, {colour}, sharp and {style}.",
    "Make {thing} look {style} for {place}.",
];

const CHINESE: [&str; 10] = [
    "为{place}制作一张{style}的{thing}图片。",
    "{thing}，{colour}背景，{style}。",
    "请让{place}展示{thing}，{style}风格。",
    "精修{thing}照片，保持{style}。",
    "我需要{thing}，用于{place}。",
    "用{colour}设计{place}，包含{thing}。",
    "把背景换成纯{colour}。",
    "{style}人像，{colour}色调，用于{place}。",
    "产品图：{thing}，{colour}，清晰{style}。",
    "让{thing}看起来{style}，用于{place}。",
];

type Words = [&'static [&'static str]; 4];

const ENGLISH_WORDS: Words = [
    &[
        "a bottle", "a mug", "a lamp", "a watch", "a woman", "a child", "a cat", "a city", "shoes",
        "a logo", "a chair", "fruit", "a car", "a flower",
    ],
    &[
        "a web shop",
        "a poster",
        "a passport",
        "a cover",
        "a banner",
        "a menu",
        "an advert",
        "a card",
        "a catalogue",
        "social media",
    ],
    &[
        "clean", "bright", "warm", "natural", "modern", "simple", "soft", "bold", "elegant",
        "playful",
    ],
    &[
        "white", "black", "grey", "blue", "green", "red", "yellow", "pink", "beige", "dark",
    ],
];

const CHINESE_WORDS: Words = [
    &[
        "瓶子", "杯子", "台灯", "手表", "女士", "儿童", "猫", "城市", "鞋子", "标志", "椅子",
        "水果", "汽车", "花",
    ],
    &[
        "网店",
        "海报",
        "证件照",
        "封面",
        "横幅",
        "菜单",
        "广告",
        "名片",
        "画册",
        "社交媒体",
    ],
    &[
        "干净", "明亮", "温暖", "自然", "现代", "简洁", "柔和", "大胆", "优雅", "活泼",
    ],
    &[
        "白色", "黑色", "灰色", "蓝色", "绿色", "红色", "黄色", "粉色", "米色", "深色",
    ],
];

const SLOTS: [&str; 4] = ["{thing}", "{place}", "{style}", "{colour}"];

impl Brief {
    /// A random brief; `held_out` picks among the forms that training never uses.
    pub fn random(held_out: bool, rng: &mut impl Rng) -> Self {
        let (forms, words) = if rng.random() {
            (&ENGLISH, &ENGLISH_WORDS)
        } else {
            (&CHINESE, &CHINESE_WORDS)
        };
        let allowed: Vec<&str> = forms
            .iter()
            .enumerate()
            .filter(|(i, _)| (i % 5 == 1) == held_out)
            .map(|(_, f)| *f)
            .collect();
        let mut requirement = (*allowed
            .choose(rng)
            .expect("both parts of the grammar have forms"))
        .to_owned();
        for (slot, choices) in SLOTS.iter().zip(words) {
            let word = choices.choose(rng).expect("every slot has words");
            requirement = requirement.replace(slot, word);
        }
        Self {
            requirement,
            price_usd: random_price(rng),
        }
    }
}

/// 5 to 3,000 USD, even in the logarithm, to the cent below 100 and to the dollar above.
fn random_price(rng: &mut impl Rng) -> f64 {
    let price = rng.random_range(5.0_f64.ln()..3000.0_f64.ln()).exp();
    if price < 100.0 {
        (price * 100.0).round() / 100.0
    } else {
        price.round()
    }
}

/// Text to train a tokenizer on: many briefs of training forms and their words.
pub fn corpus(rng: &mut impl Rng) -> Vec<String> {
    let words = ENGLISH_WORDS
        .iter()
        .chain(&CHINESE_WORDS)
        .flat_map(|list| list.iter());
    let mut lines: Vec<String> = words.map(|word| (*word).to_owned()).collect();
    lines.extend(
        (0..2000)
            .map(|_| Brief::random(false, rng))
            .map(|b| format!("{} ${:.2}", b.requirement, b.price_usd)),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn every_slot_is_filled_in_both_languages() {
        let mut rng = SmallRng::seed_from_u64(1);
        let briefs: Vec<Brief> = (0..200)
            .map(|i| Brief::random(i % 2 == 0, &mut rng))
            .collect();
        assert!(
            briefs
                .iter()
                .all(|b| !b.requirement.contains('{') && (5.0..=3000.0).contains(&b.price_usd))
        );
        assert!(
            briefs.iter().any(|b| b.requirement.is_ascii())
                && briefs.iter().any(|b| !b.requirement.is_ascii())
        );
    }

    #[test]
    fn held_out_forms_never_train() {
        let mut rng = SmallRng::seed_from_u64(2);
        assert!((0..500).all(|_| {
            !Brief::random(false, &mut rng)
                .requirement
                .contains(" on a ")
        }));
        assert!((0..500).any(|_| Brief::random(true, &mut rng).requirement.contains(" on a ")));
    }
}
