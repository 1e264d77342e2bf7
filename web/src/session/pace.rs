//! How long a queue still takes, from when its images came out and how large their files are: reading them, waiting and batches are
//! all in there.

use super::Session;
use super::port::WorkerPort;
use super::queue::Card;

/// Images that came out within this of one another belong to one batch. They share its time, so the pace counts from batch to batch.
const TOGETHER_MILLIS: f64 = 80.0;

/// Images of a batch at most: those that come out in quick succession would be one without an end.
const MOST_IN_BATCH: f64 = 8.0;

/// What a batch counts for once the next one is there: machines warm up, and get other work.
const FADE: f64 = 0.9;

/// Batches that end this soon after the first image was begun do not count, and the first one never does: code is compiled to its
/// best, and the page decodes pictures for the eye beside the worker. An image took 80 ms then and 25 ms later (2026-11-27).
const WARM_UP_MILLIS: f64 = 4000.0;

/// Images that must have come out behind those before anything is told.
const LEAST_IMAGES: u32 = 6;

/// A batch counts for no more than so many times the usual time of an image: a tab that slept says nothing about the images.
const MOST_OF_USUAL: f64 = 4.0;

/// Images and what they took.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    millis: f64,
    images: f64,
    bytes: f64,
}

impl Work {
    fn faded(self, by: f64) -> Self {
        Self {
            millis: self.millis * by,
            images: self.images * by,
            bytes: self.bytes * by,
        }
    }

    fn and(self, next: Self) -> Self {
        Self {
            millis: self.millis + next.millis,
            images: self.images + next.images,
            bytes: self.bytes + next.bytes,
        }
    }
}

/// The pace of a queue.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// When the last image came out, or work began.
    since_millis: f64,
    /// Whether the next image begins a batch however soon it comes.
    is_fresh: bool,
    /// Batches that are over, the latest with the most weight.
    past: Work,
    /// The batch that comes out now: how many more belong to it nobody knows yet.
    batch: Work,
    /// When the first image was begun.
    began_millis: Option<f64>,
    has_warmed_up: bool,
    n_images: u32,
}

impl Pace {
    /// Work begins, or goes on after a pause that must not count.
    pub fn begin(&mut self, now_millis: f64) {
        (self.since_millis, self.is_fresh) = (now_millis, true);
        self.began_millis.get_or_insert(now_millis);
    }

    /// An image with a file of this size came out, judged or failed.
    pub fn settled(&mut self, now_millis: f64, bytes: f64) {
        let millis = now_millis - self.since_millis;
        let is_apart = self.is_fresh || millis >= TOGETHER_MILLIS;
        if self.batch.images >= MOST_IN_BATCH || self.batch.images > 0.0 && is_apart {
            self.end_batch();
        }
        (self.since_millis, self.is_fresh) = (now_millis, false);
        self.batch = self.batch.and(Work {
            millis,
            images: 1.0,
            bytes,
        });
    }

    /// What came out together is whole, and counts once the machine is warm.
    fn end_batch(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        if !self.has_warmed_up {
            let began_millis = self.began_millis.unwrap_or_default();
            self.has_warmed_up = self.since_millis - began_millis >= WARM_UP_MILLIS;
            return;
        }
        if self.past.images > 0.0 {
            let usual = self.past.millis / self.past.images;
            batch.millis = batch.millis.min(MOST_OF_USUAL * usual * batch.images);
        }
        self.n_images += batch.images as u32;
        self.past = self.past.faded(FADE).and(batch);
    }

    /// Milliseconds for so many images with so many bytes in all: half by their number, half by their size. `None` while too few
    /// are known.
    pub fn millis_for(&self, images: f64, bytes: f64) -> Option<f64> {
        let known = self.past;
        if self.n_images < LEAST_IMAGES {
            return None;
        }
        let by_number = images / known.images;
        let by_size = match known.bytes > 0.0 {
            true => bytes / known.bytes,
            false => by_number,
        };
        Some(known.millis * (by_number + by_size) / 2.0)
    }
}

impl<P: WorkerPort> Session<P> {
    /// What the clock says, in milliseconds from any beginning; for whatever the session is told next.
    pub fn at(&mut self, now_millis: f64) {
        self.now_millis = now_millis;
    }

    /// Milliseconds until the queue is worked off; `None` where nothing waits or too little is known.
    pub fn eta_millis(&self) -> Option<f64> {
        let (mut n_open, mut bytes) = (0.0, 0.0);
        for card in self.queue.iter().filter(|card| !card.state.is_settled()) {
            n_open += 1.0;
            bytes += Self::bytes_of(card);
        }
        let left = self.pace.millis_for(n_open, bytes)?;
        (n_open > 0.0).then_some(left)
    }

    pub(super) fn bytes_of(card: &Card<P::File>) -> f64 {
        card.file.as_ref().map_or(0.0, P::size_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::recorded::RECORDED;
    use crate::session::tests::{done, drop_images, ready_session};

    /// Pace after images of a size that came out at these times, work having begun long before.
    fn pace(times: &[f64]) -> Pace {
        let mut pace = Pace::default();
        pace.begin(-WARM_UP_MILLIS);
        times.iter().for_each(|at| pace.settled(*at, 10.0));
        pace
    }

    /// Batches of four, 400 ms apart, each within 6 ms.
    fn in_fours(n_batches: usize, from: f64) -> Vec<f64> {
        let batch = |idx| (0..4).map(move |i| from + 400.0 * idx as f64 + 2.0 * f64::from(i));
        (1..=n_batches).flat_map(batch).collect()
    }

    #[test]
    fn the_first_images_tell_nothing() {
        assert_eq!(pace(&[]).millis_for(1.0, 10.0), None);
        let slow_start = [2000.0, 2100.0, 2200.0, 2300.0, 2400.0, 2500.0];
        assert_eq!(pace(&slow_start).millis_for(1.0, 10.0), None);
        let steady: Vec<f64> = (0..10).map(|idx| 5000.0 + 100.0 * f64::from(idx)).collect();
        let each = pace(&steady).millis_for(1.0, 10.0).expect("enough");
        assert!((each - 100.0).abs() < 1e-6, "{each}");
    }

    #[test]
    fn what_comes_out_while_everything_warms_up_does_not_count() {
        let mut pace = Pace::default();
        pace.begin(0.0);
        (1..=20).for_each(|idx| pace.settled(200.0 * f64::from(idx), 10.0));
        assert_eq!(pace.millis_for(1.0, 10.0), None);
        (1..=10).for_each(|idx| pace.settled(4000.0 + 100.0 * f64::from(idx), 10.0));
        let each = pace.millis_for(1.0, 10.0).expect("enough");
        assert!((each - 100.0).abs() < 1e-6, "{each}");
    }

    #[test]
    fn a_batch_counts_as_a_whole() {
        let mut times = vec![900.0];
        times.extend(in_fours(8, 900.0));
        let each = pace(&times).millis_for(1.0, 10.0).expect("enough");
        assert!((each - 100.0).abs() < 2.0, "{each}");
    }

    #[test]
    fn a_larger_file_is_expected_to_take_longer() {
        let pace = pace(&in_fours(6, 0.0));
        let of = |bytes| pace.millis_for(1.0, bytes).expect("enough");
        assert!((of(20.0) / of(10.0) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn a_pause_and_a_tab_that_slept_do_not_count() {
        let mut paused = pace(&in_fours(6, 0.0));
        paused.begin(60_000.0);
        let later = in_fours(6, 60_000.0);
        later.iter().for_each(|at| paused.settled(*at, 10.0));
        let each = paused.millis_for(1.0, 10.0).expect("enough");
        assert!((each - 100.0).abs() < 2.0, "{each}");
        let mut times = in_fours(6, 0.0);
        times.extend(in_fours(6, 90_000.0));
        let each = pace(&times).millis_for(1.0, 10.0).expect("enough");
        assert!(each < 150.0, "{each}: one batch counts four times at most");
    }

    #[test]
    fn on_a_recorded_run_the_time_left_holds() {
        let mut pace = Pace::default();
        pace.begin(0.0);
        let end = f64::from(RECORDED[RECORDED.len() - 1].0);
        for (idx, (at, kilobytes)) in RECORDED.iter().enumerate() {
            let at = f64::from(*at);
            pace.settled(at, f64::from(*kilobytes));
            let rest = &RECORDED[idx + 1..];
            let bytes: u32 = rest.iter().map(|(_, kilobytes)| kilobytes).sum();
            let left = pace.millis_for(rest.len() as f64, f64::from(bytes));
            if at > 0.25 * end {
                let error = (at + left.expect("a quarter is enough") - end) / end;
                let bound = if at < 0.5 * end { 0.25 } else { 0.15 };
                assert!(error.abs() < bound, "{error:.2} of the whole at {at} ms");
            }
        }
    }

    #[test]
    fn the_time_left_is_for_what_is_open() {
        let mut session = ready_session();
        drop_images(&mut session, &["x.png"; 20]);
        for job_id in 1..=10 {
            session.at(f64::from(job_id) * 5000.0);
            session.on_response(done(job_id, 0.7));
        }
        assert_eq!(session.eta_millis().map(f64::round), Some(50_000.0));
        for job_id in 11..=20 {
            session.at(f64::from(job_id) * 5000.0);
            session.on_response(done(job_id, 0.7));
        }
        assert_eq!(session.eta_millis(), None, "nothing waits");
    }
}
