//! Hard rules, checked against what was measured of an image.
//!
//! [`check_rules`] walks a deliverable's `rules` in a fixed order and never guesses: what a dropped
//! raster image cannot show is [`RuleOutcome::CannotCheck`], a miss of a value that reads as a
//! default or as damaged is a [`RuleOutcome::Warning`].

mod color;
mod file_type;
mod shape;
#[cfg(test)]
mod tests;

use crate::task::{MAX_PLAUSIBLE_DPI, Task};
use crate::verdict::{RuleOutcome, RuleResult};
use serde_json::{Map, Value};

/// Slack on a resolution: PNG stores whole pixels a metre, so 300 dpi reads as 299.9994.
const DPI_TOLERANCE: f64 = 0.5;

/// Longest text of a rule that is shown.
const MAX_SHOWN_CHARS: usize = 160;

/// What was measured of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageFacts {
    /// Upper-case name of the format: `JPEG`, `PNG`, `WEBP`, ...
    pub file_type: String,
    /// Width in pixels, after the EXIF orientation.
    pub width: u32,
    /// Height in pixels, after the EXIF orientation.
    pub height: u32,
    /// Resolution in dots per inch, where the file states one.
    pub dpi: Option<f64>,
    /// Whether any pixel may be transparent.
    pub has_alpha: bool,
    /// Colour of the border (RGB, 0..=255, sRGB), where it is uniform.
    pub background_rgb: Option<[u8; 3]>,
}

/// Checks every hard rule of the 1-based `deliverable`; empty where it has none or does not exist.
pub fn check_rules(task: &Task, deliverable: u32, facts: &ImageFacts) -> Vec<RuleResult> {
    let Some(deliverable) = task.deliverable(deliverable) else {
        return Vec::new();
    };
    match &deliverable.rules {
        Value::Null => Vec::new(),
        Value::Object(rules) => check_object(rules, facts),
        other => vec![cannot_check("rules", shown(other))],
    }
}

fn check_object(rules: &Map<String, Value>, facts: &ImageFacts) -> Vec<RuleResult> {
    let mut results = Vec::new();
    if let Some(value) = rules.get("file_type") {
        results.extend(file_type::check("file_type", value, facts));
    }
    match rules.get("visual_specs") {
        Some(Value::Object(specs)) => results.extend(check_visual_specs(specs, facts)),
        Some(other) => results.push(cannot_check("visual_specs", shown(other))),
        None => {}
    }
    for (rule, value) in rules {
        match rule.as_str() {
            "file_type" | "visual_specs" => {}
            "background_color" => results.push(color::check_background(rule, value, facts)),
            _ => results.push(cannot_check(rule, shown(value))),
        }
    }
    results
}

fn check_visual_specs(specs: &Map<String, Value>, facts: &ImageFacts) -> Vec<RuleResult> {
    let mut results = Vec::new();
    let dimensions = specs.get("dimensions");
    if let Some(value) = specs.get("file_type") {
        results.extend(file_type::check("visual_specs.file_type", value, facts));
    }
    if let Some(value) = dimensions {
        results.push(shape::check_dimensions(value, facts));
    }
    if let Some(value) = specs.get("aspect_ratio") {
        results.push(shape::check_aspect_ratio(value, dimensions, facts));
    }
    if let Some(value) = specs.get("resolution") {
        results.extend(check_resolution(value, facts));
    }
    for (key, value) in specs {
        let rule = format!("visual_specs.{key}");
        match key.as_str() {
            "file_type" | "dimensions" | "aspect_ratio" | "resolution" => {}
            "background_color" => results.push(color::check_background(&rule, value, facts)),
            _ => results.push(cannot_check(&rule, shown(value))),
        }
    }
    results
}

fn check_resolution(value: &Value, facts: &ImageFacts) -> Vec<RuleResult> {
    let Value::Object(resolution) = value else {
        return vec![cannot_check("visual_specs.resolution", shown(value))];
    };
    let check = |(key, value): (&String, &Value)| {
        let rule = format!("visual_specs.resolution.{key}");
        match value.as_f64() {
            Some(min_dpi) if key == "min_dpi" => check_min_dpi(rule, min_dpi, facts),
            _ => cannot_check(&rule, shown(value)),
        }
    };
    resolution.iter().map(check).collect()
}

fn check_min_dpi(rule: String, min_dpi: f64, facts: &ImageFacts) -> RuleResult {
    let plausible = min_dpi > 0.0 && min_dpi <= MAX_PLAUSIBLE_DPI;
    let (measured, outcome) = match facts.dpi {
        Some(dpi) if plausible && dpi + DPI_TOLERANCE >= min_dpi => {
            (format!("{} dpi", dpi.round()), RuleOutcome::Pass)
        }
        Some(dpi) if plausible => (format!("{} dpi", dpi.round()), RuleOutcome::Fail),
        Some(dpi) => (format!("{} dpi", dpi.round()), RuleOutcome::Warning),
        None if plausible => (
            "the file states no resolution".to_owned(),
            RuleOutcome::CannotCheck,
        ),
        None => (
            "the file states no resolution".to_owned(),
            RuleOutcome::Warning,
        ),
    };
    let required = if plausible {
        format!("at least {min_dpi} dpi")
    } else {
        format!("at least {min_dpi} dpi (reads as damaged)")
    };
    RuleResult {
        rule,
        required,
        measured,
        outcome,
    }
}

/// A rule that a dropped raster image cannot show.
fn cannot_check(rule: &str, required: String) -> RuleResult {
    RuleResult {
        rule: rule.to_owned(),
        required,
        measured: String::new(),
        outcome: RuleOutcome::CannotCheck,
    }
}

/// A rule's value in words: texts as they are, lists with commas, other shapes as JSON.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
