//! AdamW over named values, with a bound on the norm of the whole gradient; [`muon`] for the matrices that it takes.
//!
//! `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `w -= lr (m^ / (sqrt(v^) + e) + decay w)`, where the hats
//! correct the bias of the first steps. Plain loops: the state can be saved, resumed and compared bit for bit.

use crate::muon;
use crate::weights::{Values, Weights};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Decay of the mean of gradients.
const BETA1: f32 = 0.9;
/// Decay of the mean of squares.
const BETA2: f32 = 0.98;
const EPSILON: f32 = 1e-8;
/// Largest norm of a gradient.
const MAX_NORM: f32 = 1.0;

/// State of the optimizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamW {
    /// Decay of matrices a step, times the learning rate.
    pub weight_decay: f32,
    /// Means, `m.NAME`, and means of squares, `v.NAME`.
    pub moments: Weights,
}

/// Gradients by name.
pub type Gradients = BTreeMap<String, Vec<f32>>;

impl AdamW {
    /// One step; `step` counts from 0. Returns the gradient's norm before the bound.
    pub fn step(
        &mut self,
        weights: &mut Weights,
        gradients: &Gradients,
        step: u64,
        learning_rate: f32,
    ) -> f32 {
        let norm = gradients
            .values()
            .flatten()
            .map(|g| f64::from(*g).powi(2))
            .sum::<f64>()
            .sqrt() as f32;
        let scale = if norm > MAX_NORM {
            MAX_NORM / norm
        } else {
            1.0
        };
        let t = i32::try_from(step + 1).unwrap_or(i32::MAX);
        let (fix1, fix2) = (1.0 - BETA1.powi(t), 1.0 - BETA2.powi(t));
        let mut jobs: Vec<Job<'_>> = gradients
            .iter()
            .filter_map(|(name, gradient)| {
                let values = weights.tensors.remove(name)?;
                let is_hidden = muon::takes(name, &values.shape);
                let kept: &[&'static str] = if is_hidden { &["m"] } else { &["m", "v"] };
                let moments = kept.iter().map(|which| {
                    let blank = || Values {
                        shape: values.shape.clone(),
                        data: vec![0.0; gradient.len()],
                    };
                    let key = format!("{which}.{name}");
                    let moment = self.moments.tensors.remove(&key).unwrap_or_else(blank);
                    (key, moment)
                });
                let moments = moments.collect();
                Some(Job {
                    name,
                    gradient,
                    values,
                    moments,
                })
            })
            .collect();
        // The largest first, so that no thread is left with one at the end.
        jobs.sort_by_key(|job| Reverse(job.gradient.len()));
        let muon = muon::muon(self.weight_decay);
        let update = |job: &mut Job<'_>| {
            if let [(_, momentum)] = &mut job.moments[..] {
                muon::step(
                    &muon,
                    learning_rate,
                    &mut job.values,
                    momentum,
                    job.gradient,
                );
                return;
            }
            let learning_rate = learning_rate * rate_factor(job.name);
            let decay = if job.values.shape.len() > 1 {
                self.weight_decay
            } else {
                0.0
            };
            let [(_, first), (_, second)] = &mut job.moments[..] else {
                return;
            };
            for (i, g) in job.gradient.iter().map(|g| g * scale).enumerate() {
                let (m, v, w) = (
                    &mut first.data[i],
                    &mut second.data[i],
                    &mut job.values.data[i],
                );
                *m = BETA1 * *m + (1.0 - BETA1) * g;
                *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                *w -= learning_rate * ((*m / fix1) / ((*v / fix2).sqrt() + EPSILON) + decay * *w);
            }
        };
        each_of(&mut jobs, update);
        for job in jobs {
            weights.tensors.insert(job.name.to_owned(), job.values);
            self.moments.tensors.extend(job.moments);
        }
        norm
    }
}

/// Works on all, on as many threads as there are cores.
///
/// Not on rayon's: a run whose steps have several parts leaves it a single one.
fn each_of<T: Send>(all: &mut [T], work: impl Fn(&mut T) + Sync) {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(all.iter_mut());
    let next = || queue.lock().ok().and_then(|mut left| left.next());
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                while let Some(one) = next() {
                    work(one);
                }
            });
        }
    });
}

/// One tensor's step.
struct Job<'a> {
    name: &'a str,
    gradient: &'a [f32],
    values: Values,
    /// Mean of gradients and mean of squares under their names, or the momentum alone.
    moments: Vec<(String, Values)>,
}

/// Moves a running average of weights towards them: by a tenth at first, by a thousandth later.
pub fn average(average: &mut Weights, weights: &Weights, step: u64) {
    let share = (10.0 / (step as f32 + 100.0)).max(1e-3);
    for (name, values) in &weights.tensors {
        match average.tensors.get_mut(name) {
            Some(kept) => kept
                .data
                .iter_mut()
                .zip(&values.data)
                .for_each(|(kept, value)| *kept += share * (value - *kept)),
            None => {
                average.tensors.insert(name.clone(), values.clone());
            }
        }
    }
}

/// Share of the learning rate that a tensor gets.
///
/// A patch filter sums 1,536 neighbouring pixels that nearly all move together, and its weights are small: at the
/// common rate a few steps wipe the waves out that it starts from, and everything behind it turns constant.
fn rate_factor(name: &str) -> f32 {
    if name.ends_with("patch_embed.proj.weight") {
        0.01
    } else {
        1.0
    }
}

/// Share of a run in which the learning rate rises.
const WARM_UP: f32 = 0.04;

/// Learning rate when `done` (0..=1) of a run is: linear warm-up, then a cosine down to a hundredth.
#[must_use]
pub fn learning_rate(done: f32, peak: f32) -> f32 {
    if done < WARM_UP {
        return peak * (0.02 + 0.98 * done / WARM_UP);
    }
    let done = ((done - WARM_UP) / (1.0 - WARM_UP)).min(1.0);
    peak * (0.01 + 0.99 * 0.5 * (1.0 + (std::f32::consts::PI * done).cos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let mut weights = Weights::default();
        weights.tensors.insert(
            "w".to_owned(),
            Values {
                shape: vec![2],
                data: vec![3.0, -2.0],
            },
        );
        let mut optimizer = AdamW::default();
        for step in 0..400 {
            let w = &weights.tensors["w"].data;
            let gradients = [(
                "w".to_owned(),
                vec![2.0 * (w[0] - 1.0), 20.0 * (w[1] - 0.5)],
            )]
            .into();
            optimizer.step(
                &mut weights,
                &gradients,
                step,
                learning_rate(step as f32 / 400.0, 0.1),
            );
        }
        let w = &weights.tensors["w"].data;
        assert!(
            (w[0] - 1.0).abs() < 0.01 && (w[1] - 0.5).abs() < 0.01,
            "{w:?}"
        );
    }

    #[test]
    fn the_rate_warms_up_and_falls() {
        let rates: Vec<f32> = (0..=100)
            .map(|i| learning_rate(i as f32 / 100.0, 1.0))
            .collect();
        assert!(rates[0] < rates[3] && (rates[4] - 1.0).abs() < 1e-4);
        assert!(rates[4..].windows(2).all(|pair| pair[1] < pair[0]) && rates[100] < 0.02);
    }
}
