//! `servimage score --outputs`: a whole folder of outputs, task by task, resumable.
//!
//! Every verdict is written at once, so that a run which was cut off goes on where it stopped.

use super::Outcome;
use super::judge::{Job, Judge, JudgedTask, read};
use crate::bench_folder::{BenchFolder, FolderTask, files_in};
use anyhow::{Context, bail};
use indicatif::ProgressIterator;
use servimage_bench::verdict::VerdictRow;
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Part `index` (from 0) of `n` parts of the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    index: usize,
    n: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text
            .split_once('/')
            .and_then(|(index, n)| Some((index.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, n)) if (1..=n).contains(&index) => Ok(Self {
                index: index - 1,
                n,
            }),
            _ => Err(format!(
                "expected I/N with I from 1 to N, such as 1/4, found `{text}`"
            )),
        }
    }
}

/// Judges what lies in `outputs` and is not yet in `results`. The pack is loaded only where something is left.
pub(super) fn score_outputs(
    bench: &BenchFolder,
    outputs: &Path,
    results: &Path,
    shard: Shard,
    load: impl FnOnce() -> anyhow::Result<Judge>,
) -> anyhow::Result<Outcome> {
    let done = done_images(results)?;
    let mut work = Vec::new();
    let mut n_images = 0;
    for entry in bench.tasks.iter().skip(shard.index).step_by(shard.n) {
        let images = images_of(entry, outputs)?;
        n_images += images.len();
        if images.iter().any(|(name, ..)| !done.contains(name)) {
            work.push((entry, images));
        }
    }
    if n_images == 0 {
        bail!(
            "`{}` has no images in folders named as tasks (TASK_ID or CATEGORY/task_N)",
            outputs.display()
        );
    }
    let mut failed = 0_usize;
    if !work.is_empty() {
        let judge = load()?;
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(results)
            .with_context(|| format!("`{}`", results.display()))?;
        for (entry, images) in work.iter().progress() {
            let task = JudgedTask::read(entry)?;
            for job in jobs(images, &done)? {
                let row = judge.row(&task, &job);
                failed += usize::from(matches!(row, VerdictRow::Failed(_)));
                writeln!(file, "{}", serde_json::to_string(&row)?)?;
            }
        }
    }
    eprintln!(
        "{n_images} images, {} of them judged before, {failed} failed now; {}",
        done.len(),
        results.display()
    );
    Ok(if failed > 0 {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// Names of the images that `results` holds; a last line that was cut off is judged again.
fn done_images(results: &Path) -> anyhow::Result<HashSet<String>> {
    if !results.exists() {
        return Ok(HashSet::new());
    }
    let text = String::from_utf8_lossy(&read(results)?).into_owned();
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    if whole.len() < text.len() {
        std::fs::write(results, whole).with_context(|| format!("`{}`", results.display()))?;
    }
    let mut done = HashSet::new();
    for (number, line) in whole.lines().enumerate() {
        let row = serde_json::from_str(line);
        done.insert(
            match row.with_context(|| format!("`{}`, line {}", results.display(), number + 1))? {
                VerdictRow::Verdict(verdict) => verdict.image,
                VerdictRow::Failed(failed) => failed.image,
            },
        );
    }
    Ok(done)
}

/// Name below the outputs folder, file and deliverable of each image of a task.
type OutputImage = (String, PathBuf, u32);

fn images_of(entry: &FolderTask, outputs: &Path) -> anyhow::Result<Vec<OutputImage>> {
    let task = &entry.task;
    let by_category = task
        .folder_names()
        .into_iter()
        .map(|name| Path::new(&task.category).join(name));
    let Some(folder) = std::iter::once(PathBuf::from(&task.task_id))
        .chain(by_category)
        .find(|folder| outputs.join(folder).is_dir())
    else {
        return Ok(Vec::new());
    };
    let mut images = Vec::new();
    for (index, path) in files_in(&outputs.join(&folder))?.into_iter().enumerate() {
        let Some(file) = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        let name = folder.join(&file).to_string_lossy().into_owned();
        let deliverable = match task.deliverables.len() {
            1 => 1,
            _ => number_in(&file).unwrap_or(index as u32 + 1),
        };
        images.push((name, path, deliverable));
    }
    Ok(images)
}

/// The last number in a file's stem: 3 in `subtask_3.png`.
fn number_in(file: &str) -> Option<u32> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let digits = |part: &&str| !part.is_empty();
    stem.split(|character: char| !character.is_ascii_digit())
        .rfind(digits)?
        .parse()
        .ok()
}

/// The images of a task that are not done, each with the task's other deliverables beside it.
fn jobs(images: &[OutputImage], done: &HashSet<String>) -> anyhow::Result<Vec<Job>> {
    let bytes = images
        .iter()
        .map(|(_, path, deliverable)| Ok((*deliverable, read(path)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut jobs = Vec::new();
    for (name, path, deliverable) in images.iter().filter(|(name, ..)| !done.contains(name)) {
        let others = bytes
            .iter()
            .filter(|(other, _)| other != deliverable)
            .map(|(_, bytes)| bytes.clone())
            .collect();
        jobs.push(Job {
            image: path.clone(),
            name: name.clone(),
            deliverable: *deliverable,
            others,
        });
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_matched_to_its_deliverable_by_its_last_number() {
        for (file, expected) in [
            ("subtask_3.png", Some(3)),
            ("3.jpg", Some(3)),
            ("task_12_subtask_10.v.png", Some(10)),
            ("logo.png", None),
        ] {
            assert_eq!(number_in(file), expected, "{file}");
        }
    }

    #[test]
    fn a_shard_counts_from_one() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 1, n: 4 }));
        for wrong in ["0/4", "5/4", "1", "1/0", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
