//! What can be done with a card, and the flow of jobs to the worker.

use super::checklist::Ticks;
use super::port::{JobFiles, WorkerPort};
use super::queue::{CANCELLED, Card, CardId, CardState};
use super::{DeliverableChoice, Session};
use servimage_bench::message::{Beside, Preparation, Request, ScoreJob};
use servimage_bench::verdict::ErrorInfo;

impl<P: WorkerPort> Session<P> {
    /// Stops a card that has not settled; it can be tried again.
    pub fn cancel(&mut self, id: CardId) {
        let Some(card) = self.queue.get(id) else {
            return;
        };
        if card.state.is_settled() {
            return;
        }
        self.withdraw(id);
        let message = "cancelled by the visitor".to_owned();
        self.queue.change(id, |card| {
            card.state = CardState::Failed(ErrorInfo {
                code: CANCELLED.into(),
                message,
            });
        });
        self.pump();
    }

    /// Judges a settled card again, against its own task.
    pub fn retry(&mut self, id: CardId) {
        if self
            .queue
            .get(id)
            .is_some_and(|card| card.state.is_settled() && card.file.is_some())
        {
            self.queue
                .change(id, |card| card.state = CardState::Waiting);
            self.pump();
        }
    }

    /// Opens an image although it is over the limits.
    pub fn insist(&mut self, id: CardId) {
        self.queue.change(id, |card| card.insists = true);
        self.retry(id);
    }

    /// Judges a card against the picked task and deliverable.
    pub fn rejudge(&mut self, id: CardId) {
        let Some(task) = self.task().cloned() else {
            return;
        };
        if self.queue.get(id).is_none_or(|card| card.file.is_none()) {
            return;
        }
        let deliverable = match self.deliverable() {
            DeliverableChoice::One(number) => number,
            DeliverableChoice::InOrder => 1,
        };
        self.withdraw(id);
        let before = self.queue.get(id).and_then(|card| self.shown_p_pay(card));
        self.queue.change(id, |card| {
            card.before = before;
            card.task = task;
            card.deliverable = deliverable;
            card.state = CardState::Waiting;
            card.vote = None;
            card.ticks = Ticks::default();
        });
        self.pump();
    }

    /// Takes a card out of the queue.
    pub fn remove(&mut self, id: CardId) {
        self.withdraw(id);
        self.queue.remove(id);
        self.pump();
    }

    /// Takes all settled cards out.
    pub fn remove_settled(&mut self) {
        let settled: Vec<CardId> = self
            .queue
            .iter()
            .filter(|card| card.state.is_settled())
            .map(|card| card.id)
            .collect();
        for id in settled {
            self.queue.remove(id);
        }
    }

    /// Tries all cards again that failed, or were cancelled.
    pub fn retry_failed(&mut self) {
        let failed = |card: &&Card<P::File>| matches!(card.state, CardState::Failed(_));
        let ids: Vec<CardId> = self
            .queue
            .iter()
            .filter(failed)
            .map(|card| card.id)
            .collect();
        for id in ids {
            self.retry(id);
        }
    }

    /// Whether waiting images are held back.
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Holds the waiting images back, or lets them go on. What the worker has, it finishes.
    pub fn set_paused(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        self.pump();
    }

    /// Gives the worker jobs until it has enough.
    pub(super) fn pump(&mut self) {
        while self.model.is_ready()
            && !self.is_paused
            && self.queue.in_flight() < self.max_in_flight()
        {
            let Some(id) = self.queue.next_waiting() else {
                return;
            };
            self.send(id);
        }
    }

    /// Jobs that the worker had are waiting again: it is gone.
    pub(super) fn take_jobs_back(&mut self) {
        let lost: Vec<CardId> = self
            .queue
            .iter()
            .filter(|card| card.job_id.is_some())
            .map(|card| card.id)
            .collect();
        for id in lost {
            self.queue.change(id, |card| {
                card.job_id = None;
                card.state = CardState::Waiting;
            });
        }
    }

    fn send(&mut self, id: CardId) {
        if self.queue.in_flight() == 0 {
            self.pace.begin(self.now_millis);
        }
        let job_id = self.next_job_id;
        self.next_job_id += 1;
        self.queue.change(id, |card| card.job_id = Some(job_id));
        let Some((card, image)) = self
            .queue
            .get(id)
            .and_then(|card| Some((card, card.file.clone()?)))
        else {
            return;
        };
        let task = &card.task;
        let files = JobFiles {
            image,
            input: self.assets.input(&task.task_id).cloned(),
            others: self.others_of(&task.task_id, card.deliverable),
            references: self.assets.references(&task.task_id).to_vec(),
        };
        let request = Request::Score(ScoreJob {
            job_id,
            task_json: task.to_json(),
            deliverable: card.deliverable,
            image_name: card.name.clone(),
            threshold: None,
            insists: card.insists,
        });
        self.port.post(&request, Some(&files));
    }

    /// Lets the worker read the brief of the picked deliverable before its first image comes.
    pub(super) fn prepare(&mut self) {
        let Some(wanted) = self.to_prepare() else {
            return;
        };
        if self.model.is_ready() && self.asked_to_prepare.as_ref() != Some(&wanted) {
            self.port.post(&Request::Prepare(wanted.clone()), None);
            self.asked_to_prepare = Some(wanted);
        }
    }

    /// What the next image will come with.
    fn to_prepare(&self) -> Option<Preparation> {
        let task = self.task()?;
        let deliverable = match self.deliverable() {
            DeliverableChoice::One(number) => number,
            DeliverableChoice::InOrder => 1,
        };
        let beside = Beside {
            input: self.assets.input(&task.task_id).is_some(),
            n_others: self.others_of(&task.task_id, deliverable).len(),
            n_references: self.assets.references(&task.task_id).len(),
        };
        Some(Preparation {
            task_json: task.to_json(),
            deliverable,
            beside,
        })
    }

    /// The rest of a deliverable's set: the latest image of each other one that is not known to be bad.
    fn others_of(&self, task_id: &str, deliverable: u32) -> Vec<P::File> {
        let mut latest: Vec<(u32, P::File)> = Vec::new();
        for other in self.queue.iter() {
            let is_sibling = other.task.task_id == task_id && other.deliverable != deliverable;
            let Some(file) = other.file.as_ref().filter(|_| is_sibling) else {
                continue;
            };
            if !matches!(other.state, CardState::Failed(_)) {
                let place = latest.binary_search_by_key(&other.deliverable, |(known, _)| *known);
                match place {
                    Ok(idx) => latest[idx].1 = file.clone(),
                    Err(idx) => latest.insert(idx, (other.deliverable, file.clone())),
                }
            }
        }
        latest.into_iter().map(|(_, file)| file).collect()
    }

    fn withdraw(&mut self, id: CardId) {
        let job_id = self.queue.get(id).and_then(|card| card.job_id);
        if let Some(job_id) = job_id {
            self.port.post(&Request::Cancel { job_id }, None);
            self.queue.change(id, |card| card.job_id = None);
        }
    }
}
