//! What was evaluated, how and on what: what a table says beside its figures.

use crate::error::TrainError;
use crate::evaluate::Figures;
use crate::schedule::Schedule;
use crate::source::Part;
use serde::{Deserialize, Serialize};
use servimage_pack::manifest::{TextDims, VisionDims};
use servimage_pack::{Layout, Pack, PackSource};
use std::path::Path;
use std::process::Command;

/// Figures of a pack and what they are figures of: the file that `evaluate` writes and `card` reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What tables call the checkpoint.
    pub label: String,
    /// The pack.
    pub pack: PackFacts,
    /// The run that it comes from, where that was named.
    pub training: Option<TrainingFacts>,
    /// The command that made the figures.
    pub command: String,
    /// Processor and cores.
    pub machine: String,
    /// Year-month-day, UTC.
    pub date: String,
    /// Part of the pictures and words that they are on; held out where an older file does not say.
    #[serde(default = "held_out")]
    pub part: Part,
    /// The figures.
    pub figures: Figures,
}

fn held_out() -> Part {
    Part::HeldOut
}

impl Evaluation {
    /// How the pack was trained.
    ///
    /// # Errors
    /// [`TrainError::NoPast`] where it was evaluated without its run.
    pub fn past(&self) -> Result<&TrainingFacts, TrainError> {
        self.training.as_ref().ok_or_else(|| TrainError::NoPast {
            sha256: self.pack.sha256.clone(),
        })
    }
}

/// A pack in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackFacts {
    /// Layout of the linear weights.
    pub quant: Layout,
    /// SHA-256 of its manifest, as every verdict names it.
    pub sha256: String,
    /// All shards.
    pub size_bytes: u64,
    /// Weights, the self-test left out.
    pub n_parameters: u64,
    /// Concepts that were trained.
    pub concepts: Vec<String>,
    /// Text tower.
    pub text: TextDims,
    /// Vision tower.
    pub vision: VisionDims,
    /// Slope of the calibration.
    pub a: f64,
    /// Its offset.
    pub b: f64,
    /// Decisions that it was fitted on.
    pub n_calibrated: u64,
}

impl PackFacts {
    /// What a pack says of itself.
    #[must_use]
    pub fn of<S: PackSource>(pack: &Pack<S>) -> Self {
        let manifest = pack.manifest();
        let weights = manifest.tensors.iter();
        let weights = weights.filter(|tensor| !tensor.name.starts_with("self_test."));
        Self {
            quant: manifest.quant,
            sha256: pack.sha256().to_owned(),
            size_bytes: manifest.shards.iter().map(|shard| shard.size_bytes).sum(),
            n_parameters: weights
                .map(|tensor| tensor.shape.iter().product::<usize>() as u64)
                .sum(),
            concepts: manifest.heads.concepts.clone(),
            text: manifest.text.clone(),
            vision: manifest.vision.clone(),
            a: manifest.calibration.a,
            b: manifest.calibration.b,
            n_calibrated: manifest.calibration.n,
        }
    }
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    /// Steps done.
    pub step: u64,
    /// Seconds that they took.
    pub seconds: f32,
    /// What it was to do.
    pub schedule: Schedule,
    /// What the run did from whose weights it went on.
    #[serde(default)]
    pub from: Option<Box<TrainingFacts>>,
}

impl TrainingFacts {
    /// Reads them from a run's folder.
    ///
    /// # Errors
    /// [`TrainError::File`] or [`TrainError::Json`] where `state.json` is missing or damaged.
    pub fn read(run: &Path) -> Result<Self, TrainError> {
        read_json(&run.join("state.json"))
    }

    /// Whether the run came to its part on rounded weights.
    #[must_use]
    pub fn was_rounded(&self) -> bool {
        let done = self.schedule.done(self.step, self.seconds);
        self.schedule.quantized(done).is_some()
    }

    /// The runs that led to it, oldest first, and itself.
    #[must_use]
    pub fn chain(&self) -> Vec<&Self> {
        let mut runs: Vec<&Self> =
            std::iter::successors(Some(self), |run| run.from.as_deref()).collect();
        runs.reverse();
        runs
    }

    /// Minutes, with those of the runs before it.
    #[must_use]
    pub fn minutes(&self) -> f32 {
        self.seconds / 60.0 + self.from.as_ref().map_or(0.0, |from| from.minutes())
    }

    /// Examples that all steps together and the payment head by itself were shown, with those of the runs before it.
    #[must_use]
    pub fn n_examples(&self) -> u64 {
        let before = self.from.as_ref().map_or(0, |from| from.n_examples());
        before
            + self.schedule.head_examples as u64
            + 2 * self.step * (self.schedule.n_pairs * self.schedule.n_parts) as u64
    }
}

/// A JSON file.
///
/// # Errors
/// [`TrainError::File`] or [`TrainError::Json`].
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let text = std::fs::read_to_string(path).map_err(|source| TrainError::File {
        path: path.to_path_buf(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|source| TrainError::Json {
        path: path.to_path_buf(),
        source,
    })
}

/// Cores and processor, as the system names them.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = facts
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("processor of unknown name", |(_, name)| name.trim());
    format!("{cores} x {name}")
}

/// Today as the system's `date` says it: year-month-day, UTC.
#[must_use]
pub fn today() -> String {
    let date = Command::new("date").args(["-u", "+%F"]).output();
    let said = date.map(|output| output.stdout);
    let said = String::from_utf8(said.unwrap_or_default()).unwrap_or_default();
    match said.trim() {
        "" => "a day that is not known".to_owned(),
        day => day.to_owned(),
    }
}
