//! Batches from several threads, handed over in the order of their steps.

use crate::batch::{Batch, Sampler};
use crate::error::TrainError;
use crate::schedule::Schedule;
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

/// Makes the batches of `steps` on `n_threads` threads and hands each to `learn`, until it says that it is enough.
///
/// Thread `i` of `n` makes every `n`th batch from the `i`th on. `before` are the seconds that the run has trained already.
///
/// # Errors
/// [`TrainError`] from a batch or from `learn`.
pub fn produce(
    sampler: &Sampler,
    schedule: &Schedule,
    steps: Range<u64>,
    before: f32,
    n_threads: usize,
    mut learn: impl FnMut(Batch) -> Result<bool, TrainError>,
) -> Result<(), TrainError> {
    let n_threads = n_threads.max(1);
    let clock = Instant::now();
    std::thread::scope(|scope| {
        let lanes: Vec<Receiver<Result<Batch, TrainError>>> = (0..n_threads)
            .map(|lane| {
                let (sender, receiver) = sync_channel(1);
                let steps = steps.clone();
                scope.spawn(move || {
                    for step in steps.skip(lane).step_by(n_threads) {
                        let done = schedule.done(step, before + clock.elapsed().as_secs_f32());
                        let step = schedule.data_step(step);
                        if sender
                            .send(sampler.batch(step, &schedule.plan(step, done)))
                            .is_err()
                        {
                            return;
                        }
                    }
                });
                receiver
            })
            .collect();
        for step in 0..steps.end.saturating_sub(steps.start) {
            let Ok(batch) = lanes[step as usize % n_threads].recv() else {
                break;
            };
            if !learn(batch?)? {
                break;
            }
        }
        Ok(())
    })
}
