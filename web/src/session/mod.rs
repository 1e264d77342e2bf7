//! The page's whole state and what changes it: plain Rust, tested natively.
//!
//! The visitor's acts and the worker's answers come in as method calls; requests go out through a [`WorkerPort`]. At most
//! [`MAX_IN_FLIGHT`] jobs lie with the worker, so that cancelling and removing cost nothing and a lost worker takes little with it.

pub mod assets;
pub mod blind;
pub mod catalog;
pub mod checklist;
pub mod compare;
pub mod decision;
pub mod export;
pub mod format;
pub mod heat;
pub mod intake;
pub mod keep;
pub mod model;
pub mod notice;
pub mod options;
pub mod order;
pub mod own_brief;
pub mod port;
pub mod poster;
pub mod queue;
pub mod report;
pub mod rise;
pub mod share;
pub mod verdict_view;

mod bench;
mod jobs;
mod kept;
mod pace;
mod preflight;
mod recovery;
#[cfg(test)]
mod tests;

use assets::Assets;
use catalog::Catalog;
use decision::Costs;
use intake::Incoming;
use model::{LoadProgress, ModelState};
use notice::{Notice, Notices};
use options::Options;
use port::WorkerPort;
use queue::{CardId, CardState, Counts, Queue};
use servimage_bench::message::{JobPhase, Load, Preparation, Request, Response, Shelf};
use servimage_bench::preflight::Preflight;
use servimage_bench::task::Task;
use share::Shared;
use std::sync::Arc;

/// Jobs that the worker is given at once: a batch to run, and one to follow without a gap.
pub const MAX_IN_FLIGHT: usize = 8;

/// Which deliverable an image is judged against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliverableChoice {
    /// This one (1-based).
    One(u32),
    /// The images of one drop meet the deliverables in order.
    InOrder,
}

/// The page's state.
#[derive(Debug)]
pub struct Session<P: WorkerPort> {
    port: P,
    options: Options,
    model: ModelState,
    worker_started: bool,
    page_settled: bool,
    next_job_id: u32,
    /// What this worker was last asked to prepare.
    asked_to_prepare: Option<Preparation>,
    /// Task and deliverable that it prepared last.
    prepared: Option<(String, u32)>,
    /// The cards.
    pub queue: Queue<P::File>,
    /// The tasks.
    pub catalog: Catalog,
    /// Pictures that belong to tasks.
    pub assets: Assets<P::File>,
    task: Option<Arc<Task>>,
    deliverable: DeliverableChoice,
    notices: Notices,
    threshold: Option<f64>,
    costs: Costs,
    is_blind: bool,
    is_paused: bool,
    shared: Option<Shared>,
    recovery: recovery::Recovery,
    preflight: Option<Preflight>,
    shelf: Option<Shelf>,
    /// Whether somebody has asked what is kept: a fresh worker is asked again.
    wants_shelf: bool,
    /// Files of the pack, where it lies in a folder on the visitor's disk.
    pack_files: Vec<Incoming<P::File>>,
    /// Whether the pack is wanted whatever its preflight says.
    insists: bool,
    pace: pace::Pace,
    now_millis: f64,
}

impl<P: WorkerPort> Session<P> {
    /// A session that starts its worker at once.
    pub fn start(mut port: P, options: Options) -> Self {
        port.restart();
        let catalog = Catalog::default();
        let task = catalog.first(options.language).cloned();
        Self {
            port,
            options,
            model: ModelState::Starting,
            worker_started: false,
            page_settled: false,
            next_job_id: 1,
            asked_to_prepare: None,
            prepared: None,
            queue: Queue::default(),
            catalog,
            assets: Assets::default(),
            task,
            deliverable: DeliverableChoice::One(1),
            notices: Notices::default(),
            threshold: None,
            costs: Costs::default(),
            is_blind: false,
            is_paused: false,
            shared: None,
            recovery: recovery::Recovery::default(),
            preflight: None,
            shelf: None,
            wants_shelf: false,
            pack_files: Vec::new(),
            insists: false,
            pace: pace::Pace::default(),
            now_millis: 0.0,
        }
    }

    /// Where the model stands.
    pub fn model(&self) -> &ModelState {
        &self.model
    }

    /// The task that new images are judged against.
    pub fn task(&self) -> Option<&Arc<Task>> {
        self.task.as_ref()
    }

    /// The deliverable that new images are judged against.
    pub fn deliverable(&self) -> DeliverableChoice {
        self.deliverable
    }

    /// Folder of the pack, absolute.
    pub fn pack_url(&self) -> &str {
        &self.options.pack_url
    }

    /// The page has fetched everything of its own; from here on it needs no network.
    pub fn page_settled(&mut self) {
        self.page_settled = true;
        self.load_when_possible();
    }

    /// Tries to load the model again, with a fresh worker.
    pub fn retry_load(&mut self) {
        self.model = ModelState::Starting;
        self.worker_started = false;
        (self.asked_to_prepare, self.prepared) = (None, None);
        self.take_jobs_back();
        self.port.restart();
    }

    /// Takes an answer of the worker.
    pub fn on_response(&mut self, response: Response) {
        match response {
            Response::Started => {
                self.worker_started = true;
                self.load_when_possible();
                if self.wants_shelf {
                    self.list_packs();
                }
            }
            Response::LoadProgress {
                phase,
                done_bytes,
                total_bytes,
            } => {
                self.model = ModelState::Loading(LoadProgress {
                    phase,
                    done_bytes,
                    total_bytes,
                });
            }
            Response::Preflight { report } => self.on_preflight(report),
            Response::Ready { pack } => {
                self.model = ModelState::Ready(Box::new(pack));
                self.pump();
                self.prepare();
            }
            Response::Packs { shelf } => self.on_packs(shelf),
            Response::Prepared {
                task_id,
                deliverable,
            } => self.prepared = Some((task_id, deliverable)),
            Response::LoadFailed { error } => {
                self.take_jobs_back();
                self.model = ModelState::Failed(error);
            }
            Response::JobPhase { job_id, phase } => self.on_job_phase(job_id, phase),
            Response::JobDone {
                job_id,
                verdict,
                work_millis,
            } => {
                let verdict = Arc::new(*verdict);
                self.recovery.on_verdict();
                self.settle(
                    job_id,
                    CardState::Done {
                        verdict,
                        work_millis,
                    },
                );
            }
            Response::JobFailed { job_id, error } => self.on_job_failed(job_id, error),
            Response::Broken { message } => self.on_worker_broken(message),
        }
    }

    /// Picks a task for the images that come next.
    pub fn pick_task(&mut self, task_id: &str) {
        let picked = self.catalog.get(task_id).cloned();
        if let Some(task) = picked {
            self.task = Some(task);
            self.deliverable = DeliverableChoice::One(1);
            self.prepare();
        }
    }

    /// Picks a deliverable for the images that come next.
    pub fn pick_deliverable(&mut self, choice: DeliverableChoice) {
        self.deliverable = choice;
        self.prepare();
    }

    /// Picks the client's own image of a task by hand, or none.
    pub fn pick_input(&mut self, task_id: &str, file: Option<P::File>) {
        self.assets.pick_input(task_id, file);
        self.prepare();
    }

    /// Whether the worker has read the brief of the picked deliverable: its first image then takes no longer than a later one.
    pub fn is_prepared(&self) -> bool {
        let wanted = self.asked_to_prepare.as_ref();
        let task_id = self.task().map(|task| &task.task_id);
        matches!((wanted, task_id, &self.prepared), (Some(wanted), Some(task_id), Some((id, deliverable)))
            if task_id == id && wanted.deliverable == *deliverable)
    }

    /// Queues images for the picked task, in their order.
    pub fn add_images(&mut self, images: Vec<Incoming<P::File>>) {
        let Some(task) = self.task.clone() else {
            return;
        };
        let n_deliverables = (task.deliverables.len() as u32).max(1);
        let count = images.len();
        self.queue.begin_batch();
        for (image, idx) in images.into_iter().zip(0u32..) {
            let deliverable = match self.deliverable {
                DeliverableChoice::One(number) => number,
                DeliverableChoice::InOrder => idx % n_deliverables + 1,
            };
            self.queue
                .push(&image.path, image.file, task.clone(), deliverable);
        }
        if count > 0 {
            self.notify(Notice::Queued {
                count,
                model_ready: self.model.is_ready(),
            });
        }
        self.pump();
    }

    fn load_when_possible(&mut self) {
        if self.worker_started && self.page_settled {
            let request = Request::Load(Load {
                pack_url: self.options.pack_url.clone(),
                device: self.options.device,
                max_batch: self.options.max_batch,
                insists: self.insists,
            });
            match self.pack_files.is_empty() {
                true => self.port.post(&request, None),
                false => self.port.post_pack(&request, &self.pack_files),
            }
        }
    }

    fn on_job_phase(&mut self, job_id: u32, phase: JobPhase) {
        let Some(id) = self.queue.of_job(job_id) else {
            return;
        };
        self.queue.change(id, |card| {
            card.state = match phase {
                JobPhase::Waiting => CardState::Waiting,
                JobPhase::Decoding => CardState::Decoding,
                JobPhase::Scoring => CardState::Scoring,
            };
        });
    }

    fn settle(&mut self, job_id: u32, state: CardState) {
        let Some(id) = self.queue.of_job(job_id) else {
            return;
        };
        let is_blind = self.is_blind;
        let bytes = self.queue.get(id).map_or(0.0, Self::bytes_of);
        self.pace.settled(self.now_millis, bytes);
        self.queue.change(id, |card| {
            card.state = state;
            card.job_id = None;
            card.is_open = !is_blind;
        });
        self.announce_outcome(id);
        self.pump();
    }

    /// Says how one image came out; of a long queue, only that all of it is done.
    fn announce_outcome(&mut self, id: CardId) {
        let threshold = self.threshold();
        let Counts {
            total,
            done,
            failed,
            ..
        } = self.queue.counts(threshold);
        if total > order::MAX_CARDS {
            if done + failed == total {
                self.notify(Notice::AllJudged { done, failed });
            }
            return;
        }
        let Some(card) = self.queue.get(id) else {
            return;
        };
        let name = card.name.clone();
        self.notify(match &card.state {
            CardState::Done { .. } if !self.is_open(card) => Notice::JudgedBlind { name },
            CardState::Done { verdict, .. } => Notice::Judged {
                name,
                pay: verdict.p_pay >= threshold,
                p_pay: verdict.p_pay,
            },
            _ => Notice::ImageFailed { name },
        });
    }
}
