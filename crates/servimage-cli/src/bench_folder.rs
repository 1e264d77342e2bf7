//! ServImageBench as published: JSON files of tasks, each beside the folders `inputs/` and `refs/`.

use anyhow::{Context, bail};
use servimage_bench::starter::starter_tasks;
use servimage_bench::task::{LoadWarning, Task, load_tasks};
use std::path::{Path, PathBuf};

/// A task with the folder that its file lies in.
#[derive(Clone, Debug)]
pub struct FolderTask {
    /// The task.
    pub task: Task,
    /// Folder of its JSON file; absent for the project's own starter tasks.
    pub folder: Option<PathBuf>,
}

/// All tasks of a benchmark folder.
#[derive(Clone, Debug, Default)]
pub struct BenchFolder {
    /// In the order of the files' names.
    pub tasks: Vec<FolderTask>,
    /// What was odd.
    pub warnings: Vec<LoadWarning>,
    /// The JSON files.
    pub files: Vec<PathBuf>,
}

impl BenchFolder {
    /// Reads every JSON file in `folder` and in the folders right below it.
    ///
    /// # Errors
    /// A folder without JSON files, or one that holds no tasks.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let mut bench = Self::default();
        let mut files = json_files(folder)?;
        for below in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
            files.extend(json_files(&below)?);
        }
        if files.is_empty() {
            bail!(
                "`{}` has no JSON file, expected Portrait.json, Product.json or Digital.json",
                folder.display()
            );
        }
        for file in files {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("`{}`", file.display()))?;
            let loaded = load_tasks(&text).with_context(|| format!("`{}`", file.display()))?;
            let folder = file.parent().map(Path::to_owned);
            let tasks = loaded.tasks.into_iter().map(|task| FolderTask {
                task,
                folder: folder.clone(),
            });
            bench.tasks.extend(tasks);
            bench.warnings.extend(loaded.warnings);
            bench.files.push(file);
        }
        Ok(bench)
    }

    /// The project's own starter tasks.
    pub fn starter() -> Self {
        let tasks = starter_tasks()
            .into_iter()
            .map(|task| FolderTask { task, folder: None })
            .collect();
        Self {
            tasks,
            ..Self::default()
        }
    }

    /// The task with id `task_id`.
    ///
    /// # Errors
    /// No such task; the message names some that there are.
    pub fn find(&self, task_id: &str) -> anyhow::Result<&FolderTask> {
        if let Some(found) = self
            .tasks
            .iter()
            .find(|entry| entry.task.task_id == task_id)
        {
            return Ok(found);
        }
        let some: Vec<&str> = self
            .tasks
            .iter()
            .take(3)
            .map(|entry| entry.task.task_id.as_str())
            .collect();
        bail!(
            "there is no task `{task_id}` among {}, such as {}",
            self.tasks.len(),
            some.join(", ")
        )
    }
}

impl FolderTask {
    /// Files that the client gives, in order of name.
    pub fn inputs(&self) -> Vec<PathBuf> {
        self.files_below("inputs")
    }

    /// Reference images, in order of name.
    pub fn references(&self) -> Vec<PathBuf> {
        self.files_below("refs")
    }

    fn files_below(&self, kind: &str) -> Vec<PathBuf> {
        let Some(folder) = &self.folder else {
            return Vec::new();
        };
        let folders = self
            .task
            .folder_names()
            .into_iter()
            .map(|name| folder.join(kind).join(name));
        let found = folders.into_iter().find(|folder| folder.is_dir());
        found
            .and_then(|folder| files_in(&folder).ok())
            .unwrap_or_default()
    }
}

/// Files in `folder`, by name, hidden ones left out.
pub(crate) fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(entries(folder)?
        .into_iter()
        .filter(|path| path.is_file())
        .collect())
}

fn json_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_json = |path: &PathBuf| {
        path.is_file()
            && path
                .extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("json"))
    };
    Ok(entries(folder)?.into_iter().filter(is_json).collect())
}

/// What lies in `folder`, by name, hidden files left out.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))?;
    let mut paths = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    let hidden = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'))
    };
    paths.retain(|path| !hidden(path));
    paths.sort();
    Ok(paths)
}
