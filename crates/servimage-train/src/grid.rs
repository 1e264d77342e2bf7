//! Quantization-aware training: the network runs on the weights as a pack holds them, and the plain ones behind them learn.
//!
//! Straight-through: the gradient at a rounded weight moves the plain one. Towards the end plain weights are pulled to their
//! rounded values, which stops them from swinging between two of them (dampening: Nagel et al. 2022, "Overcoming
//! Oscillations in Quantization-Aware Training"; here a step of its own after the gradient's, as AdamW does with decay).
//! At the last step they lie on the grid, so packs of one run say nearly the same in every layout.

use crate::error::TrainError;
use crate::export::manifest;
use crate::nano::NanoConfig;
use crate::weights::{Rounded, Weights};
use rayon::prelude::*;
use servimage_pack::layout::rounded;
use servimage_pack::{Layout, expected_tensors};

/// Share of the quantized steps before weights are pulled at all: they must still be free to change their integers.
const FREE_SHARE: f32 = 0.5;

/// Power with which the pull grows to 1. Adam moves a weight by about the rate a step, so a pull above
/// `2 rate / scale` freezes it; with this power that is so from about three quarters of the quantized steps on, when the rate is
/// below a twentieth of its peak.
const PULL_POWER: i32 = 8;

/// Rounded values of weights, by name; empty where a run trains plain weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// The values.
    pub rounded: Rounded,
}

impl Grid {
    /// Rounds what a pack of layout `layout` quantizes, exactly as its writer does.
    ///
    /// # Errors
    /// [`TrainError::Pack`] for a weight that the layout cannot hold.
    pub fn of(weights: &Weights, config: &NanoConfig, layout: Layout) -> Result<Self, TrainError> {
        let tensors = expected_tensors(&manifest(config, layout), |_| None);
        let rounded: Result<Vec<_>, TrainError> = tensors
            .par_iter()
            .filter(|tensor| tensor.quantized)
            .filter_map(|tensor| Some((tensor, weights.tensors.get(&tensor.name)?)))
            .map(|(tensor, values)| {
                let found = rounded(&tensor.name, layout, &values.data, &values.shape)?;
                Ok((tensor.name.clone(), found))
            })
            .collect();
        Ok(Self {
            rounded: rounded?.into_iter().collect(),
        })
    }

    /// Moves weights by `strength` (0..=1) of the way to their rounded values.
    pub fn pull(&self, weights: &mut Weights, strength: f32) {
        for (name, rounded) in &self.rounded {
            let Some(values) = weights.tensors.get_mut(name) else {
                continue;
            };
            for (value, rounded) in values.data.iter_mut().zip(rounded) {
                *value += strength * (rounded - *value);
            }
        }
    }

    /// Root mean square distance of weights from their rounded values, as a share of their own.
    #[must_use]
    pub fn distance(&self, weights: &Weights) -> f32 {
        let (mut distance, mut size) = (0.0_f64, 0.0_f64);
        for (name, rounded) in &self.rounded {
            let values = weights.tensors.get(name).map(|values| &values.data);
            for (value, rounded) in values.into_iter().flatten().zip(rounded) {
                distance += f64::from(value - rounded).powi(2);
                size += f64::from(*value).powi(2);
            }
        }
        (distance / size.max(f64::MIN_POSITIVE)).sqrt() as f32
    }
}

/// How strongly weights are pulled when `done` (0..=1) of the quantized steps are behind.
#[must_use]
pub fn pull_strength(done: f32) -> f32 {
    ((done - FREE_SHARE) / (1.0 - FREE_SHARE))
        .clamp(0.0, 1.0)
        .powi(PULL_POWER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Values;

    fn weights() -> Weights {
        let data = |n: usize| (0..n).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut weights = Weights::default();
        for (name, shape) in [
            ("model.language_model.layers.0.mlp.up_proj.weight", [64, 32]),
            ("model.visual.patch_embed.proj.weight", [16, 1536]),
        ] {
            let values = Values {
                shape: shape.to_vec(),
                data: data(shape[0] * shape[1]),
            };
            weights.tensors.insert(name.to_owned(), values);
        }
        weights
    }

    #[test]
    fn weights_are_rounded_as_the_pack_rounds_them_and_patch_filters_are_not()
    -> Result<(), TrainError> {
        let (weights, config) = (weights(), NanoConfig::tiny(1024));
        let grid = Grid::of(&weights, &config, Layout::Q4)?;
        let name = "model.language_model.layers.0.mlp.up_proj.weight";
        let values = &weights.tensors[name];
        let expected = rounded(name, Layout::Q4, &values.data, &values.shape)?;
        assert_eq!(grid.rounded.get(name), Some(&expected));
        assert_ne!(expected, values.data);
        assert_eq!(
            grid.rounded.get("model.visual.patch_embed.proj.weight"),
            None
        );
        Ok(())
    }

    #[test]
    fn a_full_pull_puts_weights_on_the_grid_and_half_a_one_halves_the_way() -> Result<(), TrainError>
    {
        let (mut weights, config) = (weights(), NanoConfig::tiny(1024));
        let grid = Grid::of(&weights, &config, Layout::Q4)?;
        let before = grid.distance(&weights);
        grid.pull(&mut weights, 0.5);
        assert!((grid.distance(&weights) / before - 0.5).abs() < 0.01);
        grid.pull(&mut weights, 1.0);
        assert!(grid.distance(&weights) < 1e-6 && before > 0.03, "{before}");
        Ok(())
    }

    #[test]
    fn nothing_is_pulled_in_the_first_half_and_everything_at_the_end() {
        assert_eq!([0.0, 0.5, 1.0].map(pull_strength), [0.0, 0.0, 1.0]);
        assert!(pull_strength(0.75) < 0.005 && pull_strength(0.9) > 0.1);
    }
}
