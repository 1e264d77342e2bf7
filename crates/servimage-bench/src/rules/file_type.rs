//! `file_type`: raster formats are judged from the image, the rest cannot be.

use super::{ImageFacts, RuleOutcome, RuleResult, cannot_check, shown};
use serde_json::Value;

/// Raster formats under their canonical names, with the other names that occur.
const RASTER: [(&str, &[&str]); 9] = [
    ("JPEG", &["JPEG", "JPG", "JPE", "JFIF"]),
    ("PNG", &["PNG", "APNG"]),
    ("WEBP", &["WEBP"]),
    ("GIF", &["GIF"]),
    ("BMP", &["BMP"]),
    ("TIFF", &["TIFF", "TIF"]),
    ("AVIF", &["AVIF"]),
    ("HEIC", &["HEIC", "HEIF"]),
    ("JXL", &["JXL", "JPEG XL"]),
];

/// Canonical name of a raster format, however it is spelt.
fn raster(name: &str) -> Option<&'static str> {
    let name = name.trim().trim_start_matches('.').to_uppercase();
    RASTER
        .iter()
        .find(|(_, spellings)| spellings.contains(&name.as_str()))
        .map(|(canonical, _)| *canonical)
}

/// One row for the raster formats (any of them), one for those that only source files can show.
pub(super) fn check(rule: &str, value: &Value, facts: &ImageFacts) -> Vec<RuleResult> {
    let names: Vec<&str> = match value {
        Value::String(name) => vec![name],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let complete = matches!(value, Value::String(_))
        || value
            .as_array()
            .is_some_and(|items| items.len() == names.len());
    if names.is_empty() || !complete {
        return vec![cannot_check(rule, shown(value))];
    }
    let (mut rasters, mut others) = (Vec::new(), Vec::new());
    for name in names {
        let pieces: Vec<_> = name.split(['/', ',', '、', '，']).map(raster).collect();
        match pieces.into_iter().collect::<Option<Vec<_>>>() {
            Some(found) => rasters.extend(
                found
                    .into_iter()
                    .filter(|found| !rasters.contains(found))
                    .collect::<Vec<_>>(),
            ),
            None => others.push(name.trim()),
        }
    }
    let mut results = Vec::new();
    if !rasters.is_empty() {
        let met = rasters.contains(&raster(&facts.file_type).unwrap_or_default());
        let outcome = if met {
            RuleOutcome::Pass
        } else {
            RuleOutcome::Fail
        };
        let (required, measured) = (rasters.join(" or "), facts.file_type.clone());
        results.push(RuleResult {
            rule: rule.to_owned(),
            required,
            measured,
            outcome,
        });
    }
    if !others.is_empty() {
        results.push(cannot_check(rule, shown(&Value::from(others))));
    }
    results
}
