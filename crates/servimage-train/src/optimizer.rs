//! AdamW over named values, with a bound on the norm of the whole gradient.
//!
//! `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `w -= lr (m^ / (sqrt(v^) + e) + decay w)`, where the hats
//! correct the bias of the first steps. Plain loops: the state can be saved, resumed and compared bit for bit.

use crate::weights::{Values, Weights};
use std::collections::BTreeMap;

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
        for (name, gradient) in gradients {
            let Some(values) = weights.tensors.get_mut(name) else {
                continue;
            };
            let learning_rate = learning_rate * rate_factor(name);
            let decay = if values.shape.len() > 1 {
                self.weight_decay
            } else {
                0.0
            };
            let shape = values.shape.clone();
            let mut first = self.take(format!("m.{name}"), &shape, gradient.len());
            let mut second = self.take(format!("v.{name}"), &shape, gradient.len());
            for (i, g) in gradient.iter().map(|g| g * scale).enumerate() {
                let (m, v) = (&mut first.data[i], &mut second.data[i]);
                *m = BETA1 * *m + (1.0 - BETA1) * g;
                *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                let update = (*m / fix1) / ((*v / fix2).sqrt() + EPSILON) + decay * values.data[i];
                values.data[i] -= learning_rate * update;
            }
            self.moments.tensors.insert(format!("m.{name}"), first);
            self.moments.tensors.insert(format!("v.{name}"), second);
        }
        norm
    }

    fn take(&mut self, name: String, shape: &[usize], n: usize) -> Values {
        let blank = || Values {
            shape: shape.to_vec(),
            data: vec![0.0; n],
        };
        self.moments.tensors.remove(&name).unwrap_or_else(blank)
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

/// Learning rate of a step: linear warm-up, then a cosine down to a hundredth.
#[must_use]
pub fn learning_rate(step: u64, n_steps: u64, peak: f32) -> f32 {
    let warm_up = (n_steps / 20).max(1);
    if step < warm_up {
        return peak * (step + 1) as f32 / warm_up as f32;
    }
    let done = (step - warm_up) as f32 / (n_steps - warm_up).max(1) as f32;
    peak * (0.01 + 0.99 * 0.5 * (1.0 + (std::f32::consts::PI * done.min(1.0)).cos()))
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
                learning_rate(step, 400, 0.1),
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
        let rates: Vec<f32> = (0..100).map(|step| learning_rate(step, 100, 1.0)).collect();
        assert!(rates[0] < rates[4] && (rates[4] - 1.0).abs() < 1e-6);
        assert!(rates[5..].windows(2).all(|pair| pair[1] < pair[0]) && rates[99] < 0.02);
    }
}
