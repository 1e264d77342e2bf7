//! The tasks that can be picked: the project's starter tasks and a dropped benchmark.

use serde_json::{Map, Value};
use servimage_bench::starter::starter_tasks;
use servimage_bench::task::{LoadedTasks, Task};
use std::sync::Arc;

/// Where a task comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written for this project.
    Starter,
    /// From files that the visitor brought; in memory only.
    Bench,
    /// Written by the visitor.
    Own,
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
    /// Found once: it counts the letters of the whole brief.
    language: &'static str,
}

/// All tasks that can be picked.
#[derive(Clone, Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
    n_warnings: usize,
}

/// What a visitor looks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Search {
    /// Words that must all occur, in any order.
    pub words: String,
    /// Exact category; any where absent.
    pub category: Option<String>,
    /// Language of the brief, `zh` or `en`; any where empty.
    pub language: String,
    /// Band of the price.
    pub price: PriceBand,
    /// What is asked for.
    pub kind: TaskKind,
}

/// Prices from the first (included) to the second (not), in US dollars. The thirds of the benchmark's tasks, and its dear tenth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceBand(pub f64, pub f64);

impl PriceBand {
    /// The bands that can be picked; the first is any price, none included.
    pub const ALL: [Self; 5] = [
        Self(0.0, f64::INFINITY),
        Self(0.0, 50.0),
        Self(50.0, 200.0),
        Self(200.0, 600.0),
        Self(600.0, f64::INFINITY),
    ];
}

impl Default for PriceBand {
    fn default() -> Self {
        Self::ALL[0]
    }
}

/// What a task starts from and how much it wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskKind {
    /// Any.
    #[default]
    Any,
    /// It starts from a picture of the client's.
    FromPicture,
    /// It starts from words alone.
    FromWords,
    /// Several images.
    Set,
    /// One image.
    Single,
}

impl TaskKind {
    /// All of them, with their words in the page's markup.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Any, ""),
        (Self::FromPicture, "picture"),
        (Self::FromWords, "words"),
        (Self::Set, "set"),
        (Self::Single, "single"),
    ];

    fn suits(self, task: &Task) -> bool {
        match self {
            Self::Any => true,
            Self::FromPicture => task.has_input,
            Self::FromWords => !task.has_input,
            Self::Set => task.deliverables.len() > 1,
            Self::Single => task.deliverables.len() == 1,
        }
    }
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
            format!("{} {} {}", task.task_id, task.name, task.requirement).to_ascii_lowercase();
        Self {
            language: task.language(),
            task: Arc::new(task),
            origin,
            haystack,
        }
    }

    fn suits(&self, search: &Search) -> bool {
        let PriceBand(from, below) = search.price;
        let is_any_price = search.price == PriceBand::default();
        let price = super::own_brief::price_of(&self.task);
        search
            .category
            .as_deref()
            .is_none_or(|category| self.task.category == category)
            && (search.language.is_empty() || search.language == self.language)
            && (is_any_price || price.is_some_and(|price| (from..below).contains(&price)))
            && search.kind.suits(&self.task)
    }
}

impl Catalog {
    /// Adds benchmark tasks; a task with a known id takes the place of the older one.
    /// Returns how many there were.
    pub fn add_bench(&mut self, loaded: LoadedTasks) -> usize {
        // As a JSON object: the one sorted map that the page has code for.
        let ids = loaded.tasks.iter().map(|task| task.task_id.clone());
        let ids: Map<String, Value> = ids.map(|id| (id, Value::Null)).collect();
        self.entries.retain(|entry| {
            entry.origin != Origin::Bench || !ids.contains_key(&entry.task.task_id)
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

    /// Adds a brief of the visitor's, before all others.
    pub fn add_own(&mut self, task: Task) {
        self.remove(&task.task_id);
        self.entries.insert(0, Entry::new(task, Origin::Own));
    }

    /// Takes a task out.
    pub fn remove(&mut self, task_id: &str) {
        self.entries.retain(|entry| entry.task.task_id != task_id);
    }

    /// All tasks.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.entries.iter().map(|entry| &entry.task)
    }

    /// Drops all benchmark tasks.
    pub fn forget_bench(&mut self) {
        self.entries.retain(|entry| entry.origin != Origin::Bench);
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
        let suits = |entry: &&Entry| {
            entry.origin != Origin::Own && !entry.task.has_input && entry.language == language
        };
        self.entries
            .iter()
            .find(suits)
            .or(self.entries.first())
            .map(|entry| &entry.task)
    }

    /// Categories that occur, sorted.
    pub fn categories(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let all = self.entries.iter().map(|entry| &entry.task.category);
        for category in all.filter(|category| !category.is_empty()) {
            if let Err(idx) = found.binary_search(category) {
                found.insert(idx, category.clone());
            }
        }
        found
    }

    /// Tasks that match, in their order: own briefs, starter tasks, then the benchmark.
    pub fn search<'a>(&'a self, search: &'a Search) -> impl Iterator<Item = &'a Entry> {
        let words: Vec<String> = search
            .words
            .split_whitespace()
            .map(str::to_ascii_lowercase)
            .collect();
        self.entries.iter().filter(move |entry| {
            entry.suits(search) && words.iter().all(|word| entry.haystack.contains(word))
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
            ..Search::default()
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
    fn filters_look_at_price_language_and_what_is_asked() {
        let mut catalog = Catalog::default();
        let all = catalog.search(&Search::default()).count();
        let found = |search: &Search| -> Vec<Arc<Task>> {
            catalog
                .search(search)
                .map(|entry| entry.task.clone())
                .collect()
        };
        let mut by_price = 0;
        for price in PriceBand::ALL.into_iter().skip(1) {
            let search = Search {
                price,
                ..Search::default()
            };
            let tasks = found(&search);
            by_price += tasks.len();
            let price_of = |task: &Arc<Task>| task.price_usd.expect("a price");
            assert!(
                tasks
                    .iter()
                    .map(price_of)
                    .all(|usd| (price.0..price.1).contains(&usd))
            );
        }
        assert_eq!(
            by_price, all,
            "the bands leave nothing out and overlap nowhere"
        );
        let chinese = Search {
            language: "zh".into(),
            ..Search::default()
        };
        let n_chinese = found(&chinese).len();
        assert!(n_chinese > 0 && n_chinese < all);
        for (kind, other) in [
            (TaskKind::Set, TaskKind::Single),
            (TaskKind::FromPicture, TaskKind::FromWords),
        ] {
            let [one, two] = [kind, other].map(|kind| {
                found(&Search {
                    kind,
                    ..Search::default()
                })
                .len()
            });
            assert!(one > 0 && two > 0 && one + two == all, "{kind:?}");
        }
        catalog.add_own(Task {
            task_id: "own-1".into(),
            ..Task::default()
        });
        let unpriced = Search {
            price: PriceBand::ALL[1],
            ..Search::default()
        };
        assert!(
            catalog
                .search(&unpriced)
                .all(|entry| entry.origin != Origin::Own)
        );
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
