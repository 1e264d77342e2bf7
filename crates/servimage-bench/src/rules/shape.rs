//! `aspect_ratio` and `dimensions`: the shape of the image in pixels.

use super::{ImageFacts, RuleOutcome, RuleResult, cannot_check, shown};
use serde_json::{Map, Value};

/// Relative slack on an aspect ratio: ratios are written with two digits ("1:1.41"), and image
/// generators round both sides to multiples of 64 (1344 x 768 is sold as 16:9, off by 1.6 %).
const ASPECT_TOLERANCE: f64 = 0.02;

/// A side below this that is missed reads as centimetres or millimetres, not as pixels.
const MIN_PLAUSIBLE_PIXELS: f64 = 100.0;

/// Keys of a size in pixels; any other (`depth`, `bottom`) belongs to a solid thing.
const SIDES: [&str; 6] = [
    "width",
    "height",
    "min_width",
    "min_height",
    "max_width",
    "max_height",
];

/// What an `aspect_ratio` says.
enum Aspect {
    /// Width over height.
    Ratio(f64),
    /// A bare number: which side is the longer one is not said.
    EitherWay(f64),
    /// Higher than wide.
    Upright,
    /// Wider than high.
    Lying,
}

fn parse_aspect(text: &str) -> Option<Aspect> {
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "竖版" | "portrait" | "vertical" => return Some(Aspect::Upright),
        "横版" | "landscape" | "horizontal" => return Some(Aspect::Lying),
        _ => {}
    }
    let positive = |text: &str| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|side| side.is_finite() && *side > 0.0)
    };
    let ratio = match text.split_once([':', '：', '/', 'x', 'X', '×', '*']) {
        Some((width, height)) => Aspect::Ratio(positive(width)? / positive(height)?),
        None => Aspect::EitherWay(positive(text)?),
    };
    let (Aspect::Ratio(value) | Aspect::EitherWay(value)) = ratio else {
        return None;
    };
    (value.is_finite() && value > 0.0).then_some(ratio)
}

fn near(measured: f64, required: f64) -> bool {
    (measured / required - 1.0).abs() <= ASPECT_TOLERANCE
}

/// Checks `visual_specs.aspect_ratio`; `dimensions` says whether the ratio is only a default.
pub(super) fn check_aspect_ratio(
    value: &Value,
    dimensions: Option<&Value>,
    facts: &ImageFacts,
) -> RuleResult {
    const RULE: &str = "visual_specs.aspect_ratio";
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let Some(aspect) = parse_aspect(&text) else {
        return cannot_check(RULE, shown(value));
    };
    if facts.width == 0 || facts.height == 0 {
        return cannot_check(RULE, shown(value));
    }
    let measured = f64::from(facts.width) / f64::from(facts.height);
    let (met, miss) = match aspect {
        Aspect::Ratio(ratio) => (near(measured, ratio), miss_of_ratio(ratio, dimensions)),
        Aspect::EitherWay(ratio) => (
            near(measured, ratio) || near(measured, 1.0 / ratio),
            RuleOutcome::Fail,
        ),
        // Words may speak of the lettering rather than of the canvas.
        Aspect::Upright => (measured < 1.0, RuleOutcome::Warning),
        Aspect::Lying => (measured > 1.0, RuleOutcome::Warning),
    };
    let shape = format!("{} x {} px = {measured:.3}:1", facts.width, facts.height);
    let outcome = if met { RuleOutcome::Pass } else { miss };
    RuleResult {
        rule: RULE.to_owned(),
        required: shown(&Value::from(text)),
        measured: shape,
        outcome,
    }
}

/// "1:1" stands on most deliverables as a default, and a ratio that the task's own dimensions
/// break cannot be meant: a miss of those is a warning. Square dimensions make "1:1" binding.
fn miss_of_ratio(ratio: f64, dimensions: Option<&Value>) -> RuleOutcome {
    let own = dimensions.and_then(|value| {
        let side = |key: &str| value.get(key)?.as_f64().filter(|&side| side > 0.0);
        Some(side("width")? / side("height")?)
    });
    match own {
        Some(own) if near(own, ratio) => RuleOutcome::Fail,
        Some(_) => RuleOutcome::Warning,
        None if near(ratio, 1.0) => RuleOutcome::Warning,
        None => RuleOutcome::Fail,
    }
}

/// Checks `visual_specs.dimensions`: one size, a list of sizes or named areas (any of them).
pub(super) fn check_dimensions(value: &Value, facts: &ImageFacts) -> RuleResult {
    let areas: Option<Vec<(&str, &Map<String, Value>)>> = match value {
        Value::Array(sizes) => sizes
            .iter()
            .map(|size| Some(("", size.as_object()?)))
            .collect(),
        Value::Object(sizes) if !sizes.is_empty() && sizes.values().all(Value::is_object) => sizes
            .iter()
            .map(|(name, size)| Some((name.as_str(), size.as_object()?)))
            .collect(),
        Value::Object(size) => Some(vec![("", size)]),
        _ => None,
    };
    let checks: Vec<(String, RuleOutcome)> = areas
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, size)| check_size(name, size, facts))
        .collect();
    let Some(outcome) = checks
        .iter()
        .map(|(_, outcome)| *outcome)
        .min_by_key(|outcome| leniency(*outcome))
    else {
        return cannot_check("visual_specs.dimensions", shown(value));
    };
    let required: Vec<&str> = checks
        .iter()
        .map(|(required, _)| required.as_str())
        .collect();
    RuleResult {
        rule: "visual_specs.dimensions".to_owned(),
        required: shown(&Value::from(required.join(" or "))),
        measured: format!("{} x {} px", facts.width, facts.height),
        outcome,
    }
}

/// Order in which one of several sizes decides for all: a met size first, a plain miss last.
fn leniency(outcome: RuleOutcome) -> u8 {
    match outcome {
        RuleOutcome::Pass => 0,
        RuleOutcome::Warning => 1,
        RuleOutcome::CannotCheck => 2,
        RuleOutcome::Fail => 3,
    }
}

/// Checks one size object; nothing where it holds no measure.
fn check_size(
    name: &str,
    size: &Map<String, Value>,
    facts: &ImageFacts,
) -> Option<(String, RuleOutcome)> {
    let sides = || size.iter().map(|(key, value)| (key, value.as_f64()));
    let outcome = |(key, side): (&String, Option<f64>)| match side {
        Some(side) => check_side(key, side, facts).unwrap_or(RuleOutcome::CannotCheck),
        None => RuleOutcome::CannotCheck,
    };
    let worst = sides()
        .map(outcome)
        .max_by_key(|outcome| severity(*outcome))?;
    let physical = sides().any(|(key, side)| {
        !SIDES.contains(&key.as_str()) || side.is_some_and(|s| s.fract() != 0.0)
    });
    let damaged = sides().any(|(_, side)| side.is_some_and(|side| side <= 0.0));
    let (unit, outcome) = match (physical, damaged) {
        (true, _) => ("(not pixels)", RuleOutcome::CannotCheck),
        (false, true) => ("px (reads as damaged)", RuleOutcome::Warning),
        (false, false) => ("px", worst),
    };
    let prefix = if name.is_empty() {
        String::new()
    } else {
        format!("{name}: ")
    };
    Some((format!("{prefix}{} {unit}", size_words(size)), outcome))
}

/// A size in words, width before height: `1080 x 1920`, `at least 800 x 600`, `width 1080`.
fn size_words(size: &Map<String, Value>) -> String {
    let mut words = Vec::new();
    for (prefix, said) in [("", ""), ("min_", "at least "), ("max_", "at most ")] {
        let side = |name: &str| size.get(&format!("{prefix}{name}")).map(shown);
        match (side("width"), side("height")) {
            (Some(width), Some(height)) => words.push(format!("{said}{width} x {height}")),
            (Some(width), None) => words.push(format!("{said}width {width}")),
            (None, Some(height)) => words.push(format!("{said}height {height}")),
            (None, None) => {}
        }
    }
    let others = size
        .iter()
        .filter(|(key, _)| !SIDES.contains(&key.as_str()));
    words.extend(others.map(|(key, value)| format!("{key} {}", shown(value))));
    words.join(", ")
}

/// Order in which one of several sides decides for a size: a plain miss first.
fn severity(outcome: RuleOutcome) -> u8 {
    match outcome {
        RuleOutcome::Pass => 0,
        RuleOutcome::CannotCheck => 1,
        RuleOutcome::Warning => 2,
        RuleOutcome::Fail => 3,
    }
}

/// Checks one side in pixels; nothing for keys that only a solid thing has (`depth`, `bottom`).
fn check_side(key: &str, side: f64, facts: &ImageFacts) -> Option<RuleOutcome> {
    let (width, height) = (f64::from(facts.width), f64::from(facts.height));
    let met = match key {
        "width" => width == side,
        "height" => height == side,
        "min_width" => width >= side,
        "min_height" => height >= side,
        "max_width" => width <= side,
        "max_height" => height <= side,
        _ => return None,
    };
    Some(match met {
        true => RuleOutcome::Pass,
        false if side < MIN_PLAUSIBLE_PIXELS => RuleOutcome::Warning,
        false => RuleOutcome::Fail,
    })
}
