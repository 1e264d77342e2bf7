//! The tasks that can be picked: the project's starter tasks and a dropped benchmark.

use servimage_bench::starter::starter_tasks;
use servimage_bench::task::{LoadedTasks, Task};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a task comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written for this project.
    Starter,
    /// From files that the visitor brought; in memory only.
    Bench,
}

/// A task that can be picked.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The task.
    pub task: Arc<Task>,
    /// Where it comes from.
    pub origin: Origin,
    /// Lower-case text that a search looks through.
    haystack: String,
}

/// All tasks that can be picked.
#[derive(Clone, Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
    n_warnings: usize,
}

/// What a visitor looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Words that must all occur, in any order.
    pub words: String,
    /// Exact category; any where absent.
    pub category: Option<String>,
}

impl Default for Catalog {
    fn default() -> Self {
        let entries = starter_tasks()
            .into_iter()
            .map(|task| Entry::new(task, Origin::Starter))
            .collect();
        Self {
            entries,
            n_warnings: 0,
        }
    }
}

impl Entry {
    fn new(task: Task, origin: Origin) -> Self {
        let haystack =
            format!("{} {} {}", task.task_id, task.name, task.requirement).to_lowercase();
        Self {
            task: Arc::new(task),
            origin,
            haystack,
        }
    }
}

impl Catalog {
    /// Adds benchmark tasks; a task with a known id takes the place of the older one.
    /// Returns how many there were.
    pub fn add_bench(&mut self, loaded: LoadedTasks) -> usize {
        let ids: BTreeSet<&str> = loaded
            .tasks
            .iter()
            .map(|task| task.task_id.as_str())
            .collect();
        self.entries.retain(|entry| {
            entry.origin == Origin::Starter || !ids.contains(entry.task.task_id.as_str())
        });
        self.n_warnings += loaded.warnings.len();
        let count = loaded.tasks.len();
        self.entries.extend(
            loaded
                .tasks
                .into_iter()
                .map(|task| Entry::new(task, Origin::Bench)),
        );
        count
    }

    /// Drops all benchmark tasks.
    pub fn forget_bench(&mut self) {
        self.entries.retain(|entry| entry.origin == Origin::Starter);
        self.n_warnings = 0;
    }

    /// Number of benchmark tasks.
    pub fn n_bench(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.origin == Origin::Bench)
            .count()
    }

    /// Number of oddities that were met while the benchmark was read.
    pub fn n_warnings(&self) -> usize {
        self.n_warnings
    }

    /// The task with this id.
    pub fn get(&self, task_id: &str) -> Option<&Arc<Task>> {
        self.entries
            .iter()
            .find(|entry| entry.task.task_id == task_id)
            .map(|entry| &entry.task)
    }

    /// The task that is picked before anybody picks one: in the visitor's language (`zh` or `en`), and
    /// one that needs no picture of the client's.
    pub fn first(&self, language: &str) -> Option<&Arc<Task>> {
        let suits = |entry: &&Entry| !entry.task.has_input && entry.task.language() == language;
        self.entries
            .iter()
            .find(suits)
            .or(self.entries.first())
            .map(|entry| &entry.task)
    }

    /// Categories that occur, sorted.
    pub fn categories(&self) -> Vec<String> {
        let set: BTreeSet<&str> = self
            .entries
            .iter()
            .map(|entry| entry.task.category.as_str())
            .collect();
        set.into_iter()
            .filter(|category| !category.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Tasks that match, in their order: starter tasks, then the benchmark.
    pub fn search<'a>(&'a self, search: &Search) -> impl Iterator<Item = &'a Entry> {
        let words: Vec<String> = search
            .words
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let category = search.category.clone();
        self.entries.iter().filter(move |entry| {
            category
                .as_deref()
                .is_none_or(|category| entry.task.category == category)
                && words.iter().all(|word| entry.haystack.contains(word))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench() -> LoadedTasks {
        let task = |id: &str, name: &str, category: &str| Task {
            task_id: id.into(),
            name: name.into(),
            category: category.into(),
            ..Task::default()
        };
        LoadedTasks {
            tasks: vec![
                task("product-001", "Red shoe on white", "C-Product"),
                task("digital-002", "游戏图标", "C-Digital"),
            ],
            warnings: Vec::new(),
        }
    }

    fn found(catalog: &Catalog, words: &str, category: Option<&str>) -> Vec<String> {
        let search = Search {
            words: words.into(),
            category: category.map(str::to_owned),
        };
        catalog
            .search(&search)
            .map(|entry| entry.task.task_id.clone())
            .collect()
    }

    #[test]
    fn search_wants_all_words_and_the_category() {
        let mut catalog = Catalog::default();
        catalog.add_bench(bench());
        assert_eq!(found(&catalog, "WHITE shoe", None), ["product-001"]);
        assert!(found(&catalog, "white shoe", Some("C-Digital")).is_empty());
        assert_eq!(found(&catalog, "游戏图标", None), ["digital-002"]);
    }

    #[test]
    fn a_benchmark_dropped_twice_is_there_once_and_can_be_forgotten() {
        let mut catalog = Catalog::default();
        let n_starter = catalog.search(&Search::default()).count();
        catalog.add_bench(bench());
        catalog.add_bench(bench());
        assert_eq!(catalog.n_bench(), 2);
        catalog.forget_bench();
        assert_eq!(catalog.n_bench(), 0);
        assert_eq!(catalog.search(&Search::default()).count(), n_starter);
        assert!(
            n_starter >= 1,
            "there must be something to pick before anything is dropped"
        );
    }

    #[test]
    fn a_newcomer_meets_a_brief_in_their_language_that_needs_nothing_of_them() {
        let catalog = Catalog::default();
        for language in ["en", "zh"] {
            let task = catalog.first(language).expect("a starter task");
            assert_eq!(task.language(), language);
            assert!(!task.has_input);
        }
    }
}
