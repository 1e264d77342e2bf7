//! In which order the worker works: what the page asked for and has not begun.
//!
//! Loads and jobs keep their order. Several jobs of one deliverable may be taken at once, but the first one after a pause
//! goes alone, so that nobody waits for a whole batch to see a first verdict. A preparation waits until no job does.

use crate::message::{Load, Preparation, Request, ScoreJob};
use std::collections::{HashSet, VecDeque};

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Work<F> {
    /// Load a pack, with the files that came along.
    Load(Load, F),
    /// Score these images of one deliverable, at least one.
    Score(Vec<(ScoreJob, F)>),
    /// Prepare a deliverable.
    Prepare(Preparation),
}

/// What waits, with files of the type `F` beside each job.
#[derive(Debug)]
pub struct Backlog<F> {
    waiting: VecDeque<Waiting<F>>,
    preparation: Option<Preparation>,
    /// Jobs that were taken and have not ended.
    under_way: HashSet<u32>,
    cancelled: HashSet<u32>,
    /// Whether the last thing taken was a job too.
    in_a_run: bool,
}

#[derive(Debug)]
enum Waiting<F> {
    Load(Load, F),
    Score(ScoreJob, F),
}

impl<F> Default for Backlog<F> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            preparation: None,
            under_way: HashSet::new(),
            cancelled: HashSet::new(),
            in_a_run: false,
        }
    }
}

impl<F> Backlog<F> {
    /// Takes a request of the page.
    pub fn push(&mut self, request: Request, files: F) {
        match request {
            Request::Load(load) => self.waiting.push_back(Waiting::Load(load, files)),
            Request::Score(job) => self.waiting.push_back(Waiting::Score(job, files)),
            Request::Prepare(preparation) => self.preparation = Some(preparation),
            Request::Cancel { job_id } => self.cancel(job_id),
            // These wait for nothing.
            Request::ListPacks | Request::DeletePacks { .. } => {}
        }
    }

    fn cancel(&mut self, job_id: u32) {
        let is_it = |waiting: &Waiting<F>| matches!(waiting, Waiting::Score(job, _) if job.job_id == job_id);
        self.waiting.retain(|waiting| !is_it(waiting));
        if self.under_way.contains(&job_id) {
            self.cancelled.insert(job_id);
        }
    }

    /// What to do now, with at most `max_batch` jobs; nothing where nothing waits.
    pub fn next(&mut self, max_batch: usize) -> Option<Work<F>> {
        let was_in_a_run = std::mem::take(&mut self.in_a_run);
        match self.waiting.pop_front() {
            Some(Waiting::Load(load, files)) => Some(Work::Load(load, files)),
            Some(Waiting::Score(job, files)) => {
                self.in_a_run = true;
                let most = if was_in_a_run { max_batch } else { 1 };
                Some(Work::Score(self.batch((job, files), most)))
            }
            None => self.preparation.take().map(Work::Prepare),
        }
    }

    /// `first` and the jobs right behind it that ask for the same.
    fn batch(&mut self, first: (ScoreJob, F), most: usize) -> Vec<(ScoreJob, F)> {
        let mut batch = vec![first];
        while batch.len() < most {
            let same = |job: &ScoreJob| {
                let first = &batch[0].0;
                job.deliverable == first.deliverable && job.task_json == first.task_json
            };
            match self.waiting.pop_front() {
                Some(Waiting::Score(job, files)) if same(&job) => batch.push((job, files)),
                Some(other) => {
                    self.waiting.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.under_way
            .extend(batch.iter().map(|(job, _)| job.job_id));
        batch
    }

    /// Whether the page has taken back a job that is under way.
    pub fn is_cancelled(&self, job_id: u32) -> bool {
        self.cancelled.contains(&job_id)
    }

    /// A job has ended; whether the page had taken it back.
    pub fn end(&mut self, job_id: u32) -> bool {
        self.under_way.remove(&job_id);
        self.cancelled.remove(&job_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Beside, DevicePreference};

    fn job(job_id: u32, deliverable: u32) -> Request {
        Request::Score(ScoreJob {
            job_id,
            task_json: "{}".to_owned(),
            deliverable,
            image_name: format!("{job_id}.png"),
            threshold: None,
            insists: false,
        })
    }

    fn preparation(deliverable: u32) -> Request {
        Request::Prepare(Preparation {
            task_json: "{}".to_owned(),
            deliverable,
            beside: Beside::default(),
        })
    }

    fn backlog(requests: impl IntoIterator<Item = Request>) -> Backlog<()> {
        let mut backlog = Backlog::default();
        for request in requests {
            backlog.push(request, ());
        }
        backlog
    }

    /// Ids of the jobs that are taken next.
    fn taken(backlog: &mut Backlog<()>, max_batch: usize) -> Vec<u32> {
        match backlog.next(max_batch) {
            Some(Work::Score(jobs)) => jobs.iter().map(|(job, ())| job.job_id).collect(),
            _ => Vec::new(),
        }
    }

    fn prepared(backlog: &mut Backlog<()>) -> Option<u32> {
        match backlog.next(4) {
            Some(Work::Prepare(preparation)) => Some(preparation.deliverable),
            _ => None,
        }
    }

    #[test]
    fn the_first_image_goes_alone_and_the_rest_in_batches_in_order() {
        let mut backlog = backlog((1..=8).map(|id| job(id, 1)));
        assert_eq!(taken(&mut backlog, 4), [1]);
        assert_eq!(taken(&mut backlog, 4), [2, 3, 4, 5]);
        assert_eq!(taken(&mut backlog, 4), [6, 7, 8]);
        assert_eq!(backlog.next(4), None);
        backlog.push(job(9, 1), ());
        backlog.push(job(10, 1), ());
        assert_eq!(taken(&mut backlog, 4), [9], "after a pause");
    }

    #[test]
    fn a_batch_holds_jobs_of_one_deliverable() {
        let mut backlog = backlog([job(1, 1), job(2, 1), job(3, 1), job(4, 2), job(5, 2)]);
        assert_eq!(taken(&mut backlog, 4), [1]);
        assert_eq!(taken(&mut backlog, 4), [2, 3]);
        assert_eq!(taken(&mut backlog, 4), [4, 5]);
    }

    #[test]
    fn a_load_is_not_overtaken_and_ends_a_run() {
        let load = Request::Load(Load {
            pack_url: "models/nano/".to_owned(),
            device: DevicePreference::Cpu,
            max_batch: None,
            insists: false,
        });
        let mut backlog = backlog([job(1, 1), job(2, 1), load, job(3, 1), job(4, 1)]);
        assert_eq!(taken(&mut backlog, 4), [1]);
        assert_eq!(taken(&mut backlog, 4), [2]);
        assert!(
            matches!(backlog.next(4), Some(Work::Load(load, _)) if load.pack_url == "models/nano/")
        );
        assert_eq!(taken(&mut backlog, 4), [3]);
    }

    #[test]
    fn preparing_waits_for_the_jobs_and_only_the_latest_is_done() {
        let mut backlog = backlog([preparation(1), job(1, 1), preparation(2)]);
        assert_eq!(taken(&mut backlog, 4), [1]);
        assert_eq!(prepared(&mut backlog), Some(2));
        assert_eq!(prepared(&mut backlog), None);
    }

    #[test]
    fn a_job_that_is_taken_back_never_begins_and_one_under_way_is_known() {
        let mut backlog = backlog([job(1, 1), job(2, 1), job(3, 1)]);
        assert_eq!(taken(&mut backlog, 1), [1]);
        backlog.push(Request::Cancel { job_id: 1 }, ());
        backlog.push(Request::Cancel { job_id: 2 }, ());
        assert!(backlog.is_cancelled(1));
        assert_eq!(taken(&mut backlog, 4), [3]);
        assert!(backlog.end(1));
        assert!(!backlog.end(3));
        assert!(!backlog.is_cancelled(1), "ended jobs are forgotten");
    }
}
