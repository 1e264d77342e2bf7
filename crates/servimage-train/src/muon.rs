//! Muon for the matrices between embeddings and heads: momentum, made orthogonal by five Newton-Schulz steps.
//!
//! `m = b m + g`, `w -= lr (0.2 sqrt(max(rows, columns)) orthogonal(g + b m) + decay w)`: updates as large as AdamW's, so
//! that both take one learning rate (Jordan et al., 2024; Liu et al., arXiv 2502.16982). burn's own optimizer does it; only the
//! momentum is kept here, so that a run can be saved and resumed.

use crate::weights::Values;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdjustLrFn, Muon, MuonConfig, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};

/// Decay of the momentum.
const BETA: f32 = 0.95;

/// Largest shorter side: making a matrix orthogonal costs the cube of it, and the two of 512 x 512 in nano's mergers would
/// take as long as all the others together.
const MAX_SIDE: usize = 256;

/// Whether a tensor is a matrix between two hidden vectors, and not too large.
///
/// Tables, patch filters and the last layers of heads are not: their rows are of one thing each.
#[must_use]
pub fn takes(name: &str, shape: &[usize]) -> bool {
    let is_hidden = ["blocks.", "layers.", "merger"]
        .iter()
        .any(|part| name.contains(part));
    let shorter = shape.iter().min();
    is_hidden && shape.len() == 2 && shorter.is_some_and(|side| (16..=MAX_SIDE).contains(side))
}

/// burn's optimizer, without a momentum of its own.
#[must_use]
pub fn muon(weight_decay: f32) -> Muon {
    MuonConfig::new()
        .with_momentum(MomentumConfig {
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
        })
        .with_weight_decay(Some(WeightDecayConfig::new(weight_decay)))
        .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
        .build()
}

/// One step of one matrix.
pub fn step(muon: &Muon, rate: f32, values: &mut Values, momentum: &mut Values, gradient: &[f32]) {
    let mut blend = Vec::with_capacity(gradient.len());
    for (m, g) in momentum.data.iter_mut().zip(gradient) {
        *m = BETA * *m + g;
        blend.push(g + BETA * *m);
    }
    let shape = [values.shape[0], values.shape[1]];
    let device = Device::flex();
    let tensor = |data| Tensor::<2>::from_data(TensorData::new(data, shape), &device);
    let before = tensor(std::mem::take(&mut values.data));
    let (after, _) = muon.step(f64::from(rate), before, tensor(blend), None);
    values.data = after.into_data().iter::<f32>().collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_moves_faint_directions_as_far_as_strong_ones() {
        const N: usize = 16;
        let square = |data| Values {
            shape: vec![N, N],
            data,
        };
        let gradient: Vec<f32> = (0..N * N)
            .map(|i| match (i / N, i % N) {
                (0, 0) => 100.0,
                (row, column) if row == column => 1.0,
                _ => 0.0,
            })
            .collect();
        let (mut values, mut momentum) = (square(vec![0.0; N * N]), square(vec![0.0; N * N]));
        step(&muon(0.0), 1e-3, &mut values, &mut momentum, &gradient);
        // As large as an update of AdamW: about 0.2 times the rate, by the root of the mean square.
        let moved: Vec<f32> = (0..N)
            .map(|i| -values.data[i * N + i] / (1e-3 * 0.2 * 4.0))
            .collect();
        assert!(
            moved.iter().all(|far| (0.6..1.3).contains(far)),
            "{moved:?}"
        );
        assert_eq!(momentum.data, gradient);
    }

    #[test]
    fn tables_filters_and_heads_are_left_to_adamw() {
        let takes = |name| takes(name, &[64, 64]);
        assert!(takes("model.language_model.layers.0.mlp.up_proj.weight"));
        assert!(takes("model.visual.blocks.3.attn.qkv.weight"));
        assert!(!super::takes(
            "model.visual.merger.linear_fc1.weight",
            &[512, 512]
        ));
        for name in [
            "model.language_model.embed_tokens.weight",
            "model.visual.patch_embed.proj.weight",
            "model.visual.pos_embed.weight",
            "stage1.shared_encoder.0.weight",
            "stage2.fc1.weight",
        ] {
            assert!(!takes(name), "{name}");
        }
    }
}
