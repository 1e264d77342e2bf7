//! Gradients of a batch, and the mean over the parts of a step that several threads work out.

use crate::batch::{Batch, BatchPlan, Sampler};
use crate::error::TrainError;
use crate::nano::NanoConfig;
use crate::optimizer::Gradients;
use crate::trainee::Trainee;
use crate::weights::{Rounded, Taken, Weights};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Transaction};
use std::ops::Range;

/// Weights and the network that is made of them.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Plain weights.
    pub weights: &'a Weights,
    /// Values to run on in their place.
    pub rounded: &'a Rounded,
    /// Shapes.
    pub config: &'a NanoConfig,
    /// Where it runs; records gradients.
    pub device: &'a Device,
}

/// Gradients and losses of one or more batches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// By name.
    pub gradients: Gradients,
    /// [`crate::trainee::Losses::parts`]; only the first where only the vision tower learns.
    pub parts: [f32; 7],
}

impl Point<'_> {
    /// Gradients of one batch. The weights must be complete.
    ///
    /// # Errors
    /// [`TrainError::Load`] where a tensor has another shape.
    pub fn differentiate(&self, batch: &Batch) -> Result<Found, TrainError> {
        let (trainee, taken, _) =
            Trainee::build(self.weights, self.rounded, self.config, 0, self.device)?;
        let (parts, total) = if batch.vision_only {
            let guess = trainee.vision_loss(batch, self.device);
            (guess.clone(), guess * 4.0)
        } else {
            let losses = trainee.losses(batch, self.device);
            (losses.parts(), losses.total())
        };
        let mut by_id = GradientsParams::from_grads(total.backward(), &trainee);
        let mut found = Found {
            gradients: by_name(&mut by_id, &taken),
            ..Found::default()
        };
        for (part, value) in found.parts.iter_mut().zip(parts.into_data().iter::<f32>()) {
            *part = value;
        }
        Ok(found)
    }

    /// Mean over the batches of `numbers`, each made and differentiated on a thread of its own; summed in their order.
    ///
    /// # Errors
    /// [`TrainError`] from data or network.
    pub fn differentiate_parts(
        &self,
        sampler: &Sampler,
        plan: &BatchPlan,
        numbers: Range<u64>,
    ) -> Result<Found, TrainError> {
        let n = numbers.end.saturating_sub(numbers.start).max(1) as f32;
        let found: Vec<Result<Found, TrainError>> = std::thread::scope(|scope| {
            let threads: Vec<_> = numbers
                .map(|number| {
                    scope.spawn(move || self.differentiate(&sampler.batch(number, plan)?))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a part of a step does not panic"))
                .collect()
        });
        let mut mean = Found::default();
        for part in found {
            mean.add(part?, 1.0 / n);
        }
        Ok(mean)
    }
}

impl Found {
    fn add(&mut self, other: Self, share: f32) {
        for (sum, value) in self.parts.iter_mut().zip(other.parts) {
            *sum += share * value;
        }
        for (name, values) in other.gradients {
            let sum = self
                .gradients
                .entry(name)
                .or_insert_with(|| vec![0.0; values.len()]);
            sum.iter_mut()
                .zip(values)
                .for_each(|(sum, value)| *sum += share * value);
        }
    }
}

/// Gradients by the checkpoint's names, all read back at once; parameters without one are left out.
pub(crate) fn by_name(found: &mut GradientsParams, taken: &[Taken]) -> Gradients {
    let mut names = Vec::with_capacity(taken.len());
    let mut transaction = Transaction::default();
    for Taken { name, id, rank } in taken {
        transaction = match rank {
            1 => match found.remove::<1>(*id) {
                Some(gradient) => transaction.register(gradient),
                None => continue,
            },
            _ => match found.remove::<2>(*id) {
                Some(gradient) => transaction.register(gradient),
                None => continue,
            },
        };
        names.push(name.clone());
    }
    let values = transaction.execute();
    names
        .into_iter()
        .zip(values.into_iter().map(|data| data.iter::<f32>().collect()))
        .collect()
}
