//! `background_color`: a named or written colour against the colour of the image's border.

use super::{ImageFacts, RuleOutcome, RuleResult, cannot_check, shown};
use serde_json::Value;

/// Largest difference a channel from a colour that is written in numbers.
const MAX_CHANNEL_DIFFERENCE: u8 = 24;

/// Largest distance on the colour wheel from a named hue, in degrees.
const MAX_HUE_DISTANCE: f64 = 30.0;

/// What a background should be.
enum Wanted {
    Rgb([u8; 3]),
    /// Degrees on the colour wheel, any shade that is not grey.
    Hue(f64),
    White,
    Black,
    Grey,
    Dark,
    Light,
    Transparent,
}

/// Colour words in both languages; the longer word stands before the shorter one it contains.
const WORDS: [(&[&str], Wanted); 13] = [
    (&["transparent", "透明"], Wanted::Transparent),
    (&["white", "白色", "白底", "白"], Wanted::White),
    (&["black", "黑色", "黑底", "黑"], Wanted::Black),
    (&["grey", "gray", "灰色", "灰"], Wanted::Grey),
    (&["red", "红色", "红"], Wanted::Hue(0.0)),
    (&["orange", "橙色", "橙"], Wanted::Hue(30.0)),
    (&["yellow", "黄色", "黄"], Wanted::Hue(55.0)),
    (&["green", "绿色", "绿"], Wanted::Hue(120.0)),
    (&["cyan", "青色", "青"], Wanted::Hue(180.0)),
    (&["blue", "蓝色", "蓝"], Wanted::Hue(220.0)),
    (&["purple", "violet", "紫色", "紫"], Wanted::Hue(280.0)),
    (&["dark", "深色", "暗色"], Wanted::Dark),
    (&["light", "浅色", "亮色"], Wanted::Light),
];

fn parse(text: &str) -> Option<Wanted> {
    let text = text.trim().to_lowercase();
    if let Some(rgb) = parse_hex(&text).or_else(|| parse_rgb(&text)) {
        return Some(Wanted::Rgb(rgb));
    }
    let word = text
        .trim_end_matches("background")
        .trim_end_matches("背景")
        .trim();
    WORDS
        .into_iter()
        .find(|(words, _)| words.contains(&word))
        .map(|(_, wanted)| wanted)
}

fn parse_hex(text: &str) -> Option<[u8; 3]> {
    let digits: Vec<u8> = text
        .strip_prefix('#')?
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    match digits[..] {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r1, r0, g1, g0, b1, b0] => Some([r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0]),
        _ => None,
    }
}

fn parse_rgb(text: &str) -> Option<[u8; 3]> {
    let inner = text.strip_prefix("rgb(")?.strip_suffix(')')?;
    let channels: Vec<u8> = inner
        .split(',')
        .map(|channel| channel.trim().parse().ok())
        .collect::<Option<_>>()?;
    channels.try_into().ok()
}

/// Hue in degrees, saturation and value in 0..=1.
fn hsv([r, g, b]: [u8; 3]) -> (f64, f64, f64) {
    let [r, g, b] = [r, g, b].map(|channel| f64::from(channel) / 255.0);
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let span = max - min;
    let hue = match () {
        () if span == 0.0 => 0.0,
        () if max == r => 60.0 * ((g - b) / span).rem_euclid(6.0),
        () if max == g => 60.0 * ((b - r) / span + 2.0),
        () => 60.0 * ((r - g) / span + 4.0),
    };
    (hue, if max == 0.0 { 0.0 } else { span / max }, max)
}

/// Brightness as the eye weighs it (Rec. 601), 0..=1.
fn luma([r, g, b]: [u8; 3]) -> f64 {
    (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)) / 255.0
}

/// Whether a measured background is what is wanted.
fn matches(wanted: &Wanted, rgb: [u8; 3]) -> bool {
    let (hue, saturation, value) = hsv(rgb);
    match wanted {
        Wanted::Rgb(exact) => rgb
            .iter()
            .zip(exact)
            .all(|(a, b)| a.abs_diff(*b) <= MAX_CHANNEL_DIFFERENCE),
        Wanted::Hue(degrees) => {
            let distance = (hue - degrees).abs();
            saturation >= 0.15
                && value >= 0.15
                && distance.min(360.0 - distance) <= MAX_HUE_DISTANCE
        }
        Wanted::White => rgb.iter().all(|&channel| channel >= 235),
        Wanted::Black => rgb.iter().all(|&channel| channel <= 40),
        Wanted::Grey => saturation <= 0.12 && (0.15..=0.92).contains(&value),
        Wanted::Dark => luma(rgb) < 0.4,
        Wanted::Light => luma(rgb) > 0.6,
        Wanted::Transparent => false,
    }
}

/// Checks a background colour; words that name no colour, and uneven backgrounds, cannot be checked.
pub(super) fn check_background(rule: &str, value: &Value, facts: &ImageFacts) -> RuleResult {
    let Some(wanted) = value.as_str().and_then(parse) else {
        return cannot_check(rule, shown(value));
    };
    let (met, measured) = match (&wanted, facts.background_rgb) {
        (Wanted::Transparent, _) => (
            facts.has_alpha,
            if facts.has_alpha {
                "has transparency"
            } else {
                "opaque"
            }
            .to_owned(),
        ),
        (_, Some(rgb)) => (
            matches(&wanted, rgb),
            format!("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]),
        ),
        (_, None) => {
            let measured = "the background is not of one colour".to_owned();
            return RuleResult {
                measured,
                ..cannot_check(rule, shown(value))
            };
        }
    };
    let outcome = if met {
        RuleOutcome::Pass
    } else {
        RuleOutcome::Fail
    };
    RuleResult {
        rule: rule.to_owned(),
        required: shown(value),
        measured,
        outcome,
    }
}
