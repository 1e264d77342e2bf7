//! `servimage score`: images against a deliverable of a task, or a whole folder of outputs.

use super::device::DeviceArguments;
use super::judge::{Job, Judge, JudgedTask, read};
use super::score_outputs::{Shard, score_outputs};
use super::{Outcome, output::Format};
use crate::bench_folder::{BenchFolder, FolderTask};
use anyhow::bail;
use clap::Args;
use indicatif::ProgressIterator;
use servimage_bench::verdict::VerdictRow;
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
    #[arg(long, value_name = "ID", required_unless_present = "outputs")]
    task: Option<String>,
    /// Deliverable, counted from 1; may be left out for a task with one, or with an image for each deliverable in order
    #[arg(long, value_name = "N")]
    subtask: Option<u32>,
    /// Images to judge
    #[arg(required_unless_present = "outputs", value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Another deliverable of the same task, shown beside each image (may be repeated)
    #[arg(long = "other", value_name = "IMAGE")]
    others: Vec<PathBuf>,
    /// Judge a whole folder of outputs, task by task: TASK_ID/ or CATEGORY/task_N/ with one image a deliverable
    #[arg(long, value_name = "DIR", conflicts_with_all = ["task", "subtask", "images", "others", "format", "json"], requires = "results")]
    outputs: Option<PathBuf>,
    /// File that takes the verdicts of --outputs, one JSON object a line; images that it holds already are not judged again
    #[arg(long, value_name = "FILE", requires = "outputs")]
    results: Option<PathBuf>,
    /// Judge only part I of N of the tasks (from 1), to share --outputs among machines
    #[arg(long, value_name = "I/N", requires = "outputs", default_value = "1/1")]
    shard: Shard,
    /// Decision threshold on P(pay), 0 to 1; the pack's own where absent
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    #[command(flatten)]
    device: DeviceArguments,
    /// How the verdicts are printed
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The same as --format jsonl
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Runs `score`.
pub(super) fn run(arguments: &ScoreArguments) -> anyhow::Result<Outcome> {
    let bench = arguments
        .bench
        .as_deref()
        .map_or_else(|| Ok(BenchFolder::starter()), BenchFolder::open)?;
    let load = || Judge::load(&arguments.pack, arguments.device, arguments.threshold);
    if let (Some(outputs), Some(results)) = (&arguments.outputs, &arguments.results) {
        return score_outputs(&bench, outputs, results, arguments.shard, load);
    }
    let entry = bench.find(arguments.task.as_deref().unwrap_or_default())?;
    let jobs = jobs(arguments, entry)?;
    let task = JudgedTask::read(entry)?;
    let judge = load()?;
    let rows: Vec<VerdictRow> = jobs
        .iter()
        .progress()
        .map(|job| judge.row(&task, job))
        .collect();
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
fn jobs(arguments: &ScoreArguments, entry: &FolderTask) -> anyhow::Result<Vec<Job>> {
    let (images, n_deliverables) = (&arguments.images, entry.task.deliverables.len());
    if let Some(missing) = images.iter().find(|path| !path.is_file()) {
        bail!("image `{}` is no file", missing.display());
    }
    let others = arguments
        .others
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let id = &entry.task.task_id;
    let same = |deliverable| {
        images
            .iter()
            .map(|image| job(image, deliverable, others.clone()))
            .collect()
    };
    match arguments.subtask {
        Some(deliverable) if entry.task.deliverable(deliverable).is_none() => {
            bail!("task {id} has deliverables 1 to {n_deliverables}, found --subtask {deliverable}")
        }
        Some(deliverable) => Ok(same(deliverable)),
        None if n_deliverables == 1 => Ok(same(1)),
        None if n_deliverables == images.len() => set(images, &others),
        None => bail!(
            "task {id} has {n_deliverables} deliverables and {} images were given: name one with --subtask, or give an image for each",
            images.len()
        ),
    }
}

/// An image for each deliverable, in order; the rest of the set is shown beside it.
fn set(images: &[PathBuf], more: &[Vec<u8>]) -> anyhow::Result<Vec<Job>> {
    let bytes = images
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let job = |(index, image): (usize, &PathBuf)| {
        let rest = bytes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, bytes)| bytes.clone());
        job(
            image,
            index as u32 + 1,
            rest.chain(more.iter().cloned()).collect(),
        )
    };
    Ok(images.iter().enumerate().map(job).collect())
}

fn job(image: &Path, deliverable: u32, others: Vec<Vec<u8>>) -> Job {
    let name = image
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Job {
        image: image.to_owned(),
        name,
        deliverable,
        others,
    }
}
