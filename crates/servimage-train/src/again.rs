//! Trains again as a network was: every run that it went on from, one after another.

use crate::about::TrainingFacts;
use crate::batch::Sampler;
use crate::error::TrainError;
use crate::nano::NanoConfig;
use crate::run::{Run, StepReport};
use burn::tensor::Device;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Folders of the runs of `past` under `runs`, oldest first.
#[must_use]
pub fn folders(past: &TrainingFacts, runs: &Path) -> Vec<PathBuf> {
    (1..=past.chain().len())
        .map(|number| runs.join(number.to_string()))
        .collect()
}

/// Does all runs of `past` again, each with its own schedule and seed, in [`folders`]; goes on where it was stopped.
///
/// `on_step` is told the number of the run, counted from 1, its step and what that found. A run that went on from a pack goes on
/// from what packs hold of the run before it.
///
/// # Errors
/// [`TrainError`] from data, network or files, or where a folder holds another run.
pub fn train_again(
    past: &TrainingFacts,
    runs: &Path,
    config: &NanoConfig,
    sampler: &mut Sampler,
    device: &Device,
    n_threads: usize,
    mut on_step: impl FnMut(usize, u64, StepReport) + Send,
) -> Result<(), TrainError> {
    let folders = folders(past, runs);
    for (i, facts) in past.chain().into_iter().enumerate() {
        let schedule = facts.schedule;
        sampler.seed = schedule.seed;
        sampler.shuffle_labels = schedule.shuffle_labels;
        let mut run = Run::open(&folders[i], schedule, config.clone(), device)?;
        if let Some(before) = i.checked_sub(1) {
            run.go_on_from(&folders[before])?;
        }
        run.train(
            sampler,
            schedule.n_steps,
            n_threads,
            Instant::now(),
            |step, report| on_step(i + 1, step, report),
        )?;
    }
    Ok(())
}
