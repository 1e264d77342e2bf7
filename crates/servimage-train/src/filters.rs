//! The first patch filters: cosines of all frequencies, scaled so that each answers about equally to real pictures.
//!
//! Random filters over raw pixels answer to the mean brightness and hardly to anything else, and blur, noise and
//! blocks live in the high frequencies: without this start the network does not find them in thousands of steps.

use crate::batch::Batch;
use crate::nano::NanoConfig;
use crate::weights::{Values, Weights};

/// Name of the patch embedding.
const NAME: &str = "model.visual.patch_embed.proj";

/// Share of red, green and blue in brightness and in the two colour differences.
const PLANES: [[f32; 3]; 3] = [
    [0.299, 0.587, 0.114],
    [-0.169, -0.331, 0.5],
    [0.5, -0.419, -0.081],
];

/// Smallest deviation that a filter is scaled by: keeps silent filters from shouting.
const MIN_DEVIATION: f32 = 1e-4;

/// One filter: colour plane, vertical and horizontal frequency in half waves a patch.
type Wave = [usize; 3];

/// Waves by importance: colour and brightness as such, then edges along the axes, diagonals, and what lies between.
fn waves(side: usize) -> Vec<Wave> {
    let mut waves: Vec<Wave> = vec![[0, 0, 0], [1, 0, 0], [2, 0, 0]];
    let order = (0..side).map(|i| (i * 5 + 1) % side);
    for u in order.clone().filter(|&u| u > 0) {
        waves.extend([[0, u, 0], [0, 0, u], [0, u, u]]);
    }
    for u in [4, 8, 12] {
        waves.extend([[1, u, u], [2, u, u]]);
    }
    waves.extend([[1, 0, 1], [1, 1, 0], [2, 0, 1], [2, 1, 0]]);
    for (u, v) in order
        .clone()
        .flat_map(|u| order.clone().map(move |v| (u, v)))
    {
        if u > 0 && v > 0 && u != v && (u + v) % 3 == 0 {
            waves.push([0, u, v]);
        }
    }
    waves
}

/// Values of one wave over a patch in the order of a patch row: colour, time, row, column; both frames see half of it.
fn filter([plane, u, v]: Wave, side: usize, n_frames: usize) -> Vec<f32> {
    let cosine = |frequency: usize, at: usize| {
        let angle = std::f32::consts::PI * frequency as f32 * (at as f32 + 0.5) / side as f32;
        angle.cos()
            * if frequency == 0 {
                1.0
            } else {
                std::f32::consts::SQRT_2
            }
    };
    let scale = 1.0 / (side * n_frames) as f32;
    let mut values = Vec::with_capacity(3 * n_frames * side * side);
    for share in PLANES[plane] {
        for _ in 0..n_frames {
            for y in 0..side {
                values.extend((0..side).map(|x| share * cosine(u, y) * cosine(v, x) * scale));
            }
        }
    }
    values
}

/// Puts the filters into `weights`, each shifted and scaled to mean 0 and deviation 1 over the patches of `batch`.
pub fn start_filters(weights: &mut Weights, config: &NanoConfig, batch: &Batch) {
    let (side, n_frames) = (config.vision.patch_size, config.vision.temporal_patch_size);
    let plane = side * side;
    let d_patch = 3 * n_frames * plane;
    let (mut weight, mut bias) = (Vec::new(), Vec::new());
    for wave in waves(side).into_iter().cycle().take(config.vision.d_model) {
        let mut values = filter(wave, side, n_frames);
        // The frames of a patch are alike.
        let one_frame = values
            .chunks_exact(n_frames * plane)
            .flat_map(|colour| &colour[..plane]);
        let one_frame: Vec<f32> = one_frame.map(|value| value * n_frames as f32).collect();
        let answers: Vec<f32> = batch
            .frames
            .chunks_exact(3 * plane)
            .map(|patch| {
                patch
                    .iter()
                    .zip(&one_frame)
                    .map(|(pixel, weight)| pixel * weight)
                    .sum()
            })
            .collect();
        let n = answers.len().max(1) as f32;
        let mean = answers.iter().sum::<f32>() / n;
        let deviation = (answers
            .iter()
            .map(|answer| (answer - mean).powi(2))
            .sum::<f32>()
            / n)
            .sqrt()
            .max(MIN_DEVIATION);
        values.iter_mut().for_each(|value| *value /= deviation);
        weight.extend(values);
        bias.push(-mean / deviation);
    }
    let d_model = config.vision.d_model;
    weights.tensors.insert(
        format!("{NAME}.weight"),
        Values {
            shape: vec![d_model, d_patch],
            data: weight,
        },
    );
    weights.tensors.insert(
        format!("{NAME}.bias"),
        Values {
            shape: vec![d_model],
            data: bias,
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fine_wave_answers_to_fine_detail_and_not_to_brightness() {
        let fine = filter([0, 0, 15], 16, 2);
        let flat = vec![0.7; fine.len()];
        let stripes: Vec<f32> = (0..fine.len())
            .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let answer = |patch: &[f32]| {
            patch
                .iter()
                .zip(&fine)
                .map(|(a, b)| a * b)
                .sum::<f32>()
                .abs()
        };
        assert!(answer(&flat) < 1e-4);
        assert!(answer(&stripes) > 0.5);
    }

    #[test]
    fn there_are_enough_different_waves_for_the_shipped_width() {
        let mut waves = waves(16);
        let n = waves.len();
        waves.sort_unstable();
        waves.dedup();
        assert_eq!(waves.len(), n);
        assert!(n >= 96, "{n}");
    }
}
