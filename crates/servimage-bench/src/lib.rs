//! ServImageBench: tasks, hard rules, result files, verdicts, and the messages between page and worker.
//!
//! Layer 0: knows nothing of GPUs, browsers, async or burn. All types here are plain serde data,
//! so that the command line, the worker and the page say the same things in the same words.

pub mod agreement;
pub mod backlog;
pub mod error;
pub mod message;
pub mod preflight;
pub mod results;
pub mod rules;
pub mod score;
pub mod starter;
pub mod task;
pub mod verdict;
