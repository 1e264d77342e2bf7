//! Upstream's result files ("annotations"): JSON Lines, one human decision a row.
//!
//! A [`ResultRow`] keeps its line as it was written and knows where each value lies in it, so that
//! reading and writing back changes not one byte: key order, number text, escapes and unknown
//! fields stay. [`ResultRow::set`] replaces the bytes of one value only.

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::ops::Range;
use thiserror::Error;

/// One row: a decision about one deliverable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultRow {
    line: String,
    members: Vec<Member>,
}

/// One field of a row and where its value lies in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    key: String,
    value: Range<usize>,
}

/// What an upstream row says; see [`ResultRow::new`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Name of the model that made the image.
    pub model: &'a str,
    /// Task id.
    pub task_id: &'a str,
    /// `C-Portrait`, `C-Product` or `C-Digital`.
    pub category: &'a str,
    /// Free text.
    pub notes: &'a str,
    /// When, as ISO 8601 without a zone.
    pub timestamp: &'a str,
    /// 1-based deliverable.
    pub deliverable: u32,
    /// How many deliverables the task has.
    pub n_deliverables: u32,
    /// Whether the client pays.
    pub accepted: bool,
}

/// A line that is no result row.
#[derive(Debug, Error)]
pub enum RowError {
    /// Not one JSON object.
    #[error("line {line}: expected a JSON object: {source}")]
    NotAnObject {
        /// 1-based line.
        line: usize,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A field that every row needs is missing or of the wrong kind.
    #[error("line {line}: expected {expected} in {field:?}, found {found}")]
    Field {
        /// 1-based line.
        line: usize,
        /// Name of the field.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
        /// The JSON text that was found, or `nothing`.
        found: String,
    },
}

/// The rows of a file, and the lines that are none.
#[derive(Debug, Default)]
pub struct ReadRows {
    /// In the order of the file.
    pub rows: Vec<ResultRow>,
    /// One error a bad line, the first [`MAX_ERRORS`] of them; the other rows are all there.
    pub errors: Vec<RowError>,
    /// Bad lines that have no error in the list.
    pub n_more_errors: usize,
}

/// Most errors that are kept: a file that is no result file has one a line, each larger than the line.
pub const MAX_ERRORS: usize = 1000;

/// Reads a result file; empty lines are skipped, a bad line is an error beside the good rows.
pub fn read_rows(text: &str) -> ReadRows {
    let mut read = ReadRows::default();
    for (index, line) in text.trim_start_matches('\u{feff}').split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() {
            continue;
        }
        match ResultRow::parse(line, index + 1) {
            Ok(row) => read.rows.push(row),
            Err(error) if read.errors.len() < MAX_ERRORS => read.errors.push(error),
            Err(_) => read.n_more_errors += 1,
        }
    }
    read
}

/// Writes rows as JSON Lines, each as it was read or set.
pub fn write_rows(rows: &[ResultRow]) -> String {
    rows.iter()
        .flat_map(|row| [row.line.as_str(), "\n"])
        .collect()
}

impl ResultRow {
    /// A row in upstream's form and key order. `subtask_idx` counts in the sorted order of names
    /// (`subtask_1`, `subtask_10`, `subtask_2`), as upstream's does.
    pub fn new(decision: &Decision<'_>) -> Self {
        let subtask_name = format!("subtask_{}", decision.deliverable);
        let others = (1..=decision.n_deliverables).map(|number| format!("subtask_{number}"));
        let fields = [
            ("model", json!(decision.model)),
            ("task_id", json!(decision.task_id)),
            ("category", json!(decision.category)),
            ("notes", json!(decision.notes)),
            ("timestamp", json!(decision.timestamp)),
            (
                "subtask_idx",
                json!(others.filter(|name| *name < subtask_name).count()),
            ),
            ("subtask_name", json!(subtask_name)),
            ("label", json!(u8::from(decision.accepted))),
        ];
        let mut row = Self {
            line: "{}".to_owned(),
            members: Vec::new(),
        };
        for (key, value) in fields {
            row.set(key, &value);
        }
        row
    }

    /// Reads one line; `number` is its 1-based place in the file, for the error.
    ///
    /// # Errors
    /// [`RowError`] where the line is no JSON object or lacks `task_id`, `subtask_name` or `label`.
    pub fn parse(line: &str, number: usize) -> Result<Self, RowError> {
        let members = members(line).map_err(|source| RowError::NotAnObject {
            line: number,
            source,
        })?;
        let row = Self {
            line: line.to_owned(),
            members,
        };
        let missing = |field: &'static str, expected: &'static str| {
            let found = row.raw(field).unwrap_or("nothing").to_owned();
            RowError::Field {
                line: number,
                field,
                expected,
                found,
            }
        };
        row.text("task_id")
            .ok_or_else(|| missing("task_id", "a text"))?;
        row.deliverable()
            .ok_or_else(|| missing("subtask_name", "\"subtask_N\" with N from 1"))?;
        row.accepted().ok_or_else(|| missing("label", "0 or 1"))?;
        Ok(row)
    }

    /// The row as one line of JSON, without the line break.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Names of the fields in the order of the line.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.key.as_str())
    }

    /// JSON text of a field, exactly as in the line.
    pub fn raw(&self, key: &str) -> Option<&str> {
        let member = self.members.iter().rev().find(|member| member.key == key)?;
        self.line.get(member.value.clone())
    }

    /// Value of a field.
    pub fn get(&self, key: &str) -> Option<Value> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    /// Value of a text field.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Task id; empty where it was set to something that is no text.
    pub fn task_id(&self) -> String {
        self.text("task_id").unwrap_or_default()
    }

    /// Name of the model that made the image, where the row names one.
    pub fn model(&self) -> Option<String> {
        self.text("model")
    }

    /// 1-based deliverable: the number in `subtask_name` (never `subtask_idx`, which counts in the
    /// sorted order of names).
    pub fn deliverable(&self) -> Option<u32> {
        let name = self.text("subtask_name")?;
        name.strip_prefix("subtask_")?
            .parse()
            .ok()
            .filter(|&number| number > 0)
    }

    /// The decision in `label`: 1 is paid, 0 is not.
    pub fn accepted(&self) -> Option<bool> {
        match self.get("label")? {
            Value::Bool(accepted) => Some(accepted),
            Value::Number(label) if label.as_f64() == Some(1.0) => Some(true),
            Value::Number(label) if label.as_f64() == Some(0.0) => Some(false),
            _ => None,
        }
    }

    /// Sets one field and leaves every other byte of the line; a new field goes to the end.
    pub fn set(&mut self, key: &str, value: &Value) {
        let text = value.to_string();
        match self.members.iter().rposition(|member| member.key == key) {
            Some(position) => self.replace(position, &text),
            None => self.append(key, &text),
        }
    }

    fn replace(&mut self, position: usize, text: &str) {
        let old = self.members[position].value.clone();
        self.line.replace_range(old.clone(), text);
        let moved = |offset: usize| offset - old.end + old.start + text.len();
        self.members[position].value.end = old.start + text.len();
        for member in self
            .members
            .iter_mut()
            .filter(|member| member.value.start >= old.end)
        {
            member.value = moved(member.value.start)..moved(member.value.end);
        }
    }

    fn append(&mut self, key: &str, text: &str) {
        let Some(brace) = self.line.rfind('}') else {
            return;
        };
        // Upstream writes a space after the comma; a compact line stays compact.
        let spaced = self
            .members
            .last()
            .is_none_or(|last| self.line[..last.value.start].ends_with(' '));
        let space = if spaced { " " } else { "" };
        let comma = if self.members.is_empty() {
            String::new()
        } else {
            format!(",{space}")
        };
        let before = format!("{comma}{}:{space}", Value::from(key));
        let at = self.members.last().map_or(brace, |last| last.value.end);
        let start = at + before.len();
        self.line.insert_str(at, &format!("{before}{text}"));
        self.members.push(Member {
            key: key.to_owned(),
            value: start..start + text.len(),
        });
    }
}

/// Finds the members of the one JSON object in `line`.
fn members(line: &str) -> Result<Vec<Member>, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_str(line);
    let members = parser.deserialize_map(Members { line })?;
    parser.end()?;
    Ok(members)
}

struct Members<'a> {
    line: &'a str,
}

impl<'de> Visitor<'de> for Members<'de> {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, raw)) = map.next_entry::<String, &'de RawValue>()? {
            // `raw` borrows from `line`, so the distance of the two is its place.
            let start = raw.get().as_ptr() as usize - self.line.as_ptr() as usize;
            members.push(Member {
                key,
                value: start..start + raw.get().len(),
            });
        }
        Ok(members)
    }
}
