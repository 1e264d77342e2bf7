//! `servimage score`: images against a deliverable of a task.

use super::device::DeviceArgument;
use super::{Outcome, output::Format};
use crate::bench_folder::{BenchFolder, FolderTask};
use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressIterator};
use servimage_bench::verdict::{FailedImage, VerdictRow};
use servimage_engine::{Engine, ScoreRequest};
use servimage_pack::dir::DirSource;
use std::path::{Path, PathBuf};

/// Arguments of `score`.
#[derive(Args)]
pub struct ScoreArguments {
    /// Folder of the pack
    #[arg(long, value_name = "PACK")]
    pack: PathBuf,
    /// Benchmark folder; the project's own starter tasks where absent
    #[arg(long, value_name = "DIR")]
    bench: Option<PathBuf>,
    /// Id of the task, such as product-003
    #[arg(long, value_name = "ID")]
    task: String,
    /// Deliverable, counted from 1; may be left out for a task with one, or with an image for each deliverable in order
    #[arg(long, value_name = "N")]
    subtask: Option<u32>,
    /// Images to judge
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Another deliverable of the same task, shown beside each image (may be repeated)
    #[arg(long = "other", value_name = "IMAGE")]
    others: Vec<PathBuf>,
    /// Decision threshold on P(pay), 0 to 1; the pack's own where absent
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Device that runs the network
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceArgument,
    /// How the verdicts are printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The same as --format jsonl
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// One image to judge.
struct Job<'a> {
    image: &'a Path,
    deliverable: u32,
    others: Vec<Vec<u8>>,
}

/// Runs `score`.
pub(super) fn run(arguments: &ScoreArguments) -> anyhow::Result<Outcome> {
    let bench = arguments
        .bench
        .as_deref()
        .map_or_else(|| Ok(BenchFolder::starter()), BenchFolder::open)?;
    let task = bench.find(&arguments.task)?;
    let jobs = jobs(arguments, task)?;
    let input = task.inputs().first().map(|path| read(path)).transpose()?;
    let references = task
        .references()
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;

    let device = arguments.device.open()?;
    let source = DirSource::new(&arguments.pack);
    let loading = ProgressBar::new(0);
    let engine = pollster::block_on(Engine::load(source, device, &mut |_, done, total| {
        loading.set_length(total);
        loading.set_position(done);
    }))
    .with_context(|| format!("pack `{}`", arguments.pack.display()))?;
    loading.finish_and_clear();

    let mut rows = Vec::new();
    for job in jobs.into_iter().progress() {
        let name = job
            .image
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let image = read(job.image)?;
        let request = ScoreRequest {
            task: &task.task,
            deliverable: job.deliverable,
            image_name: &name,
            image: &image,
            input: input.as_deref(),
            others: &job.others,
            references: &references,
            threshold: arguments.threshold,
        };
        // One bad image fails alone.
        rows.push(match pollster::block_on(engine.score(&request)) {
            Ok(verdict) => VerdictRow::Verdict(verdict),
            Err(error) => VerdictRow::Failed(FailedImage {
                image: name,
                error: error.info(),
            }),
        });
    }
    let format = if arguments.json {
        Format::Jsonl
    } else {
        arguments.format
    };
    format.print(&rows)?;
    let failed = rows.iter().any(|row| matches!(row, VerdictRow::Failed(_)));
    Ok(if failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// Which image is judged against which deliverable.
fn jobs<'a>(arguments: &'a ScoreArguments, task: &FolderTask) -> anyhow::Result<Vec<Job<'a>>> {
    let (images, n_deliverables) = (&arguments.images, task.task.deliverables.len());
    let others = arguments
        .others
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let same = |deliverable| {
        let job = |image: &'a PathBuf| Job {
            image,
            deliverable,
            others: others.clone(),
        };
        Ok(images.iter().map(job).collect())
    };
    match arguments.subtask {
        Some(deliverable) if task.task.deliverable(deliverable).is_none() => {
            bail!(
                "task {} has deliverables 1 to {n_deliverables}, found --subtask {deliverable}",
                arguments.task
            )
        }
        Some(deliverable) => same(deliverable),
        None if n_deliverables == 1 => same(1),
        None if n_deliverables == images.len() => set(images, &others),
        None => bail!(
            "task {} has {n_deliverables} deliverables and {} images were given: name one with --subtask, or give an image for each",
            arguments.task,
            images.len()
        ),
    }
}

/// An image for each deliverable, in order; the rest of the set is shown beside it.
fn set<'a>(images: &'a [PathBuf], more: &[Vec<u8>]) -> anyhow::Result<Vec<Job<'a>>> {
    let bytes = images
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let job = |(index, image): (usize, &'a PathBuf)| {
        let rest = bytes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, bytes)| bytes.clone());
        Job {
            image,
            deliverable: index as u32 + 1,
            others: rest.chain(more.iter().cloned()).collect(),
        }
    };
    Ok(images.iter().enumerate().map(job).collect())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("`{}`", path.display()))
}
