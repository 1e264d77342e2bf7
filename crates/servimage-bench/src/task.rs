//! Tasks as ServImageBench publishes them, read so that nothing is lost.
//!
//! [`load_tasks`] reads a whole file, [`Task::from_json`] one task, [`Task::to_json`] writes the
//! published form again. The files are not clean: what is damaged becomes a [`LoadWarning`] that
//! names the task, what is unknown is kept in `extra` and written back.

mod brief;
mod notes;
mod read;
mod write;

use crate::error::BenchError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A minimum resolution above this is damage, not a wish: no printer asks for it.
pub const MAX_PLAUSIBLE_DPI: f64 = 1200.0;

/// Most tasks of a file; the published benchmark has 1,070.
pub const MAX_TASKS: usize = 20_000;

/// Most warnings that are kept of a file, the last of which then says that there were more.
pub const MAX_WARNINGS: usize = 10_000;

/// One paid task: a brief, its deliverables with their prices, and what the client looks at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// Id, such as `portrait-001`.
    pub task_id: String,
    /// `C-Portrait`, `C-Product` or `C-Digital`.
    pub category: String,
    /// Title of the task.
    pub name: String,
    /// The client's words; where the task has constraints they follow after a line break.
    pub requirement: String,
    /// The constraints that end `requirement`; absent where the task has no such field.
    pub constraints: Option<String>,
    /// What the task says of its input files; absent where the task has no such field.
    pub input_assets: Option<String>,
    /// How many images the client wants.
    pub output_quantity: u32,
    /// Price of the whole task in US dollars.
    pub price_usd: Option<f64>,
    /// Whether the client gives a picture to work from. Derived when read (named input assets, or
    /// a portrait brief that asks to change a given photo); a caller that finds the task's input
    /// folder sets it.
    pub has_input: bool,
    /// Whether the image should carry readable text. Derived when read.
    pub wants_text: bool,
    /// What is delivered, in the order of the file; never empty after reading.
    pub deliverables: Vec<Deliverable>,
    /// Soft rules: what the client looks at.
    pub points: Vec<Point>,
    /// Unknown or unreadable fields by JSON pointer, such as `/original_task_data/deadline`.
    pub extra: Map<String, Value>,
}

/// One image to deliver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliverable {
    /// 1-based position in the task.
    pub index: u32,
    /// Upstream's name of it: `subtask_1`, `subtask_2`, ...
    pub name: String,
    /// What this image shows, in the client's words.
    pub subtask: String,
    /// Its share of the price in US dollars.
    pub price_usd: Option<f64>,
    /// Hard rules as published, unknown shapes included; `null` where there are none.
    pub rules: Value,
    /// Unknown or unreadable fields.
    pub extra: Map<String, Value>,
}

/// One soft rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Id, such as `ep_001`.
    pub id: String,
    /// What is looked at.
    pub text: String,
    /// Unknown or unreadable fields.
    pub extra: Map<String, Value>,
}

/// Something odd in one task that was survived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadWarning {
    /// The task.
    pub task_id: String,
    /// What is odd and what was made of it.
    pub message: String,
}

impl std::fmt::Display for LoadWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.task_id, self.message)
    }
}

/// The tasks of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadedTasks {
    /// In the order of the file.
    pub tasks: Vec<Task>,
    /// What was odd.
    pub warnings: Vec<LoadWarning>,
}

/// Reads a published file: an array of tasks, or a single task.
///
/// # Errors
/// [`BenchError`] where the text is not JSON or holds no tasks at all. An odd task is a warning.
pub fn load_tasks(json: &str) -> Result<LoadedTasks, BenchError> {
    let value: Value = serde_json::from_str(json.trim_start_matches('\u{feff}'))?;
    read::tasks(value)
}

impl Task {
    /// Reads one task in the published form.
    ///
    /// # Errors
    /// [`BenchError`] where the text is not one JSON object.
    pub fn from_json(json: &str) -> Result<Self, BenchError> {
        match serde_json::from_str(json.trim_start_matches('\u{feff}'))? {
            Value::Object(object) => Ok(read::task(object, 1, &mut Vec::new())),
            other => Err(BenchError::NotTasks {
                found: notes::kind(&other),
            }),
        }
    }

    /// Writes the task in the published form.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// The task as a JSON value in the published form.
    pub fn to_value(&self) -> Value {
        write::task(self)
    }

    /// The deliverable with this 1-based number.
    pub fn deliverable(&self, index: u32) -> Option<&Deliverable> {
        self.deliverables
            .iter()
            .find(|deliverable| deliverable.index == index)
    }

    /// Says in words which files the client gives, and that there are some; unlike a bare
    /// `has_input = true` this survives [`Task::to_json`].
    pub fn set_input_assets(&mut self, input_assets: impl Into<String>) {
        self.input_assets = Some(input_assets.into());
        self.has_input = true;
    }

    /// The number in the task's id: 12 in `portrait-012`.
    pub fn number(&self) -> Option<u32> {
        self.task_id.rsplit('-').next()?.parse().ok()
    }

    /// Names that the task's folder may have below `inputs/` and `refs/`: the number in the id,
    /// with and without leading zeros.
    pub fn folder_names(&self) -> Vec<String> {
        let spelt = |n: u32| {
            [
                format!("task_{n}"),
                format!("task_{n:02}"),
                format!("task_{n:03}"),
            ]
        };
        let mut names: Vec<String> = self.number().map(spelt).into_iter().flatten().collect();
        names.dedup();
        names
    }

    /// Version of the task's text: the first 16 hex digits of the SHA-256 of its published form
    /// with sorted keys and no white space.
    pub fn version(&self) -> String {
        let mut canonical = String::new();
        write::canonical(&self.to_value(), &mut canonical);
        let digest = Sha256::digest(canonical.as_bytes());
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Language of the brief: `zh` or `en`.
    pub fn language(&self) -> &'static str {
        brief::language(&[&self.name, &self.requirement])
    }
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        Ok(read::task(object, 1, &mut Vec::new()))
    }
}
