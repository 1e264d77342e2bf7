//! What can go wrong while a benchmark file is read.

use thiserror::Error;

/// A benchmark file that cannot be read at all. Damage inside one task is a
/// [`LoadWarning`](crate::task::LoadWarning) instead.
#[derive(Debug, Error)]
pub enum BenchError {
    /// The text is not JSON.
    #[error("the task file is not JSON: line {line}, column {column}: {source}")]
    NotJson {
        /// 1-based line.
        line: usize,
        /// 1-based column.
        column: usize,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// JSON, but neither an array of tasks nor one task.
    #[error("expected an array of tasks or one task, found {found}")]
    NotTasks {
        /// Kind of JSON value that was found.
        found: &'static str,
    },
    /// More tasks than any benchmark has; each takes far more memory than the `{}` that it may be in the file.
    #[error("the file has {found} tasks, at most {limit} are read")]
    TooManyTasks {
        /// In the file.
        found: usize,
        /// [`MAX_TASKS`](crate::task::MAX_TASKS).
        limit: usize,
    },
}

impl From<serde_json::Error> for BenchError {
    fn from(source: serde_json::Error) -> Self {
        Self::NotJson {
            line: source.line(),
            column: source.column(),
            source,
        }
    }
}
