//! A worker that broke, or lost its GPU, while the model was ready: a fresh one takes over, and the queue goes on.
//!
//! A panic poisons the worker's module, and burn keeps a lost device for good, so nothing is mended in place. Each image that was
//! under way gets one more attempt, alone; an image that strikes twice has failed.

use super::model::ModelState;
use super::notice::Notice;
use super::port::WorkerPort;
use super::queue::{CardId, CardState};
use super::{MAX_IN_FLIGHT, Session};
use servimage_bench::verdict::ErrorInfo;

/// Code of the error of a job whose device is gone.
const DEVICE_FAILED: &str = "device.failed";

/// Fresh workers without a verdict in between, after which the visitor is asked.
const MAX_IN_A_ROW: u32 = 3;

/// What broke before.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Cards that were under way when a worker broke.
    struck: Vec<CardId>,
    /// Fresh workers since the last verdict.
    in_a_row: u32,
}

impl Recovery {
    /// An image was judged: the worker works.
    pub(super) fn on_verdict(&mut self) {
        self.in_a_row = 0;
    }
}

impl<P: WorkerPort> Session<P> {
    /// The worker broke outside of its protocol: its code did not load, or it crashed.
    pub fn on_worker_broken(&mut self, message: String) {
        let error = ErrorInfo {
            code: "worker.broken".into(),
            message,
        };
        match self.model {
            ModelState::Ready(_) => self.recover(error),
            // A panic is told twice: by its own words, then by the browser, which knows none.
            ModelState::Failed(_) => {}
            // One that never worked would break again.
            ModelState::Starting | ModelState::Loading(_) | ModelState::Asking(_) => {
                self.give_up(error);
            }
        }
    }

    /// A job failed: alone, or because its device is gone.
    pub(super) fn on_job_failed(&mut self, job_id: u32, error: ErrorInfo) {
        if error.code == DEVICE_FAILED
            && self.model.is_ready()
            && self.queue.of_job(job_id).is_some()
        {
            self.recover(error);
        } else {
            self.settle(job_id, CardState::Failed(error));
        }
    }

    fn give_up(&mut self, error: ErrorInfo) {
        self.take_jobs_back();
        self.model = ModelState::Failed(error);
    }

    /// Jobs that may lie with the worker. One while an image waits that was under way when a worker broke: together, a bad image
    /// would take good ones with it a second time.
    pub(super) fn max_in_flight(&self) -> usize {
        let is_open = |id: &CardId| {
            let card = self.queue.get(*id);
            card.is_some_and(|card| !card.state.is_settled())
        };
        match self.recovery.struck.iter().any(is_open) {
            true => 1,
            false => MAX_IN_FLIGHT,
        }
    }

    fn recover(&mut self, error: ErrorInfo) {
        let under_way: Vec<CardId> = self
            .queue
            .iter()
            .filter(|card| matches!(card.state, CardState::Decoding | CardState::Scoring))
            .map(|card| card.id)
            .collect();
        for id in under_way {
            if !self.recovery.struck.contains(&id) {
                self.recovery.struck.push(id);
            } else {
                self.queue.change(id, |card| {
                    card.job_id = None;
                    card.state = CardState::Failed(error.clone());
                });
            }
        }
        self.recovery.in_a_row += 1;
        if self.recovery.in_a_row > MAX_IN_A_ROW {
            return self.give_up(error);
        }
        self.retry_load();
        self.notify(Notice::Recovered);
    }
}
