//! What was evaluated, how and on what: what a table says beside its figures.

use crate::error::TrainError;
use crate::evaluate::Figures;
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};
use servimage_pack::manifest::{TextDims, VisionDims};
use servimage_pack::{Layout, Pack, PackSource};
use std::path::Path;

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
    /// The figures.
    pub figures: Figures,
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingFacts {
    /// Steps done.
    pub step: u64,
    /// Seconds that they took.
    pub seconds: f32,
    /// What it was to do.
    pub schedule: Schedule,
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

    /// Examples that all steps together were shown.
    #[must_use]
    pub fn n_examples(&self) -> u64 {
        2 * self.step * (self.schedule.n_pairs * self.schedule.n_parts) as u64
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

/// The day that begins so many seconds after 1970-01-01, as year-month-day (Howard Hinnant's `civil_from_days`).
#[must_use]
pub fn day(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_795_737_600 + 86_399), "2026-11-27");
    }
}
