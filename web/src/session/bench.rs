//! ServImageBench on the page: its tasks come, stay over a reload, and go.

use super::intake::AssetKey;
use super::notice::Notice;
use super::port::WorkerPort;
use super::{DeliverableChoice, Session};
use servimage_bench::task::load_tasks;

impl<P: WorkerPort> Session<P> {
    /// Tasks of an earlier visit are there again. The picked one stays, unless an address named one of these.
    pub fn bring_tasks_back(&mut self, json: &str) {
        if let Ok(loaded) = load_tasks(json) {
            self.catalog.add_bench(loaded);
            self.adopt_tasks();
            self.pick_shared_task();
        }
    }

    /// Reads a JSON file of tasks; on success the first of them is picked. Whether there were any.
    pub fn add_bench_json(&mut self, file_name: &str, json: &str) -> bool {
        let why = match load_tasks(json) {
            Ok(loaded) if !loaded.tasks.is_empty() => {
                let first = loaded.tasks[0].task_id.clone();
                let had_none = self.catalog.n_bench() == 0;
                self.catalog.add_bench(loaded);
                self.adopt_tasks();
                if !self.pick_shared_task() && had_none {
                    self.pick_task(&first);
                }
                let (tasks, warnings) = (self.catalog.n_bench(), self.catalog.n_warnings());
                self.notify(Notice::BenchLoaded { tasks, warnings });
                return true;
            }
            Ok(_) => "[]".into(),
            Err(error) => error.to_string(),
        };
        let name = file_name.into();
        self.notify(Notice::NotABenchFile { name, why });
        false
    }

    /// Drops the benchmark and its pictures. Cards keep the task against which they were judged.
    pub fn forget_bench(&mut self) {
        self.catalog.forget_bench();
        self.assets.clear();
        let still_there = self
            .task
            .as_ref()
            .is_some_and(|task| self.catalog.get(&task.task_id).is_some());
        if !still_there {
            self.pick_first();
        }
        self.prepare();
        self.notify(Notice::BenchForgotten);
    }

    /// Picks what is picked before anybody picks.
    pub(super) fn pick_first(&mut self) {
        self.task = self.catalog.first(self.options.language).cloned();
        self.deliverable = DeliverableChoice::One(1);
    }

    /// Keeps the pictures of a dropped benchmark folder.
    pub fn add_assets(
        &mut self,
        inputs: Vec<(AssetKey, P::File)>,
        references: Vec<(AssetKey, P::File)>,
    ) {
        self.assets.add(inputs, references);
        self.prepare();
    }
}
