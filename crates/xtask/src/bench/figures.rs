//! Raw figures as cells of a table; what is missing is said and never left out.

use super::spread::{Spread, three_digits};
use serde_json::Value;

/// The numbers of a list.
pub fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_f64).collect()
}

/// The rows of a report.
pub fn rows(data: &Value) -> &[Value] {
    data["rows"].as_array().map_or(&[], Vec::as_slice)
}

/// A word, or a question mark.
pub fn word(value: &Value) -> String {
    value.as_str().unwrap_or("?").to_owned()
}

/// A number with three digits times `factor`, or a question mark.
pub fn figure(value: &Value, factor: f64) -> String {
    let found = value.as_f64();
    found.map_or_else(|| "?".to_owned(), |number| three_digits(number * factor))
}

/// Bytes in whole megabytes.
pub fn megabytes(bytes: &Value) -> String {
    let found = bytes.as_f64();
    found.map_or_else(
        || "not known".to_owned(),
        |bytes| format!("{:.0} MB", bytes / 1e6),
    )
}

/// A spread, or what is said in its place.
pub fn spread_or(spread: Option<Spread>, otherwise: &str) -> String {
    spread.map_or_else(|| otherwise.to_owned(), |spread| spread.to_string())
}
