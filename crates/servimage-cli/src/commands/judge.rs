//! Loading a pack and judging one image; shared by both forms of `score`.

use super::device::DeviceArguments;
use crate::bench_folder::FolderTask;
use anyhow::Context;
use indicatif::ProgressBar;
use servimage_bench::task::Task;
use servimage_bench::verdict::{ErrorInfo, FailedImage, VerdictRow};
use servimage_engine::{Engine, ScoreRequest};
use servimage_pack::dir::DirSource;
use std::path::{Path, PathBuf};

/// A loaded pack that judges.
pub(super) struct Judge {
    engine: Engine<DirSource>,
    threshold: Option<f64>,
}

/// A task with the bytes of the images that come with it.
pub(super) struct JudgedTask<'a> {
    task: &'a Task,
    input: Option<Vec<u8>>,
    references: Vec<Vec<u8>>,
}

/// One image to judge.
pub(super) struct Job {
    /// The file.
    pub image: PathBuf,
    /// Name in the verdict.
    pub name: String,
    /// 1-based deliverable.
    pub deliverable: u32,
    /// Bytes of the task's other deliverables, by name.
    pub others: Vec<Vec<u8>>,
}

impl<'a> JudgedTask<'a> {
    /// Reads the task's input image and references.
    pub fn read(entry: &'a FolderTask) -> anyhow::Result<Self> {
        let input = entry.inputs().first().map(|path| read(path)).transpose()?;
        let references = entry
            .references()
            .iter()
            .map(|path| read(path))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            task: &entry.task,
            input,
            references,
        })
    }
}

impl Judge {
    /// Loads the pack in `folder` onto the device, with its self-test.
    pub fn load(
        folder: &Path,
        device: DeviceArguments,
        threshold: Option<f64>,
    ) -> anyhow::Result<Self> {
        let device = device.open()?;
        let bar = ProgressBar::new(0);
        let engine = pollster::block_on(Engine::load(
            DirSource::new(folder),
            device,
            &mut |_, done, total| {
                bar.set_length(total);
                bar.set_position(done);
            },
        ))
        .with_context(|| format!("pack `{}`", folder.display()))?;
        bar.finish_and_clear();
        Ok(Self { engine, threshold })
    }

    /// Judges one image; a bad one becomes a failed row.
    pub fn row(&self, task: &JudgedTask<'_>, job: &Job) -> VerdictRow {
        let failed = |error| {
            VerdictRow::Failed(FailedImage {
                image: job.name.clone(),
                error,
            })
        };
        let image = match std::fs::read(&job.image) {
            Ok(image) => image,
            Err(error) => {
                return failed(ErrorInfo {
                    code: "image.unreadable".to_owned(),
                    message: error.to_string(),
                });
            }
        };
        let request = ScoreRequest {
            input: task.input.as_deref(),
            others: &job.others,
            references: &task.references,
            threshold: self.threshold,
            ..ScoreRequest::new(task.task, job.deliverable, &job.name, &image)
        };
        match pollster::block_on(self.engine.score(&request)) {
            Ok(verdict) => VerdictRow::Verdict(verdict),
            Err(error) => failed(error.info()),
        }
    }
}

/// Reads a file; the error names it.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("`{}`", path.display()))
}
