//! Where the pooling of the payment head lies on the image under evaluation: the weights `softmax(q . h_i / sqrt(d))` of its visual
//! tokens, which are read back with the pooled vector anyway.

use servimage_bench::verdict::Attention;
use servimage_model::{ModelInput, ModelOutput};

/// Steps of a weight in 1: more digits than an eye sees, and few bytes where thousands of verdicts are kept.
const STEPS: f64 = 1e5;

/// The weights of the first image of a prompt, whose visual tokens are `image_token` and lie row by row, one for `merge` x `merge`
/// patches. Absent where the output has none of this prompt.
pub(crate) fn attention(
    output: &ModelOutput,
    input: &ModelInput,
    image_token: u32,
    merge: usize,
) -> Option<Attention> {
    let [_, height, width] = input.grids.first()?.map(|n| n as usize);
    let (rows, columns) = (height / merge, width / merge);
    let tokens = input.ids.iter().zip(&output.pooling_weights);
    let on_images = tokens.filter(|(id, _)| **id == image_token);
    let weights: Vec<f64> = on_images
        .map(|(_, weight)| f64::from(*weight))
        .take(rows * columns)
        .collect();
    let share: f64 = weights.iter().sum();
    if weights.len() < rows * columns || share <= 0.0 {
        return None;
    }
    let rounded = |weight: f64| (weight * STEPS).round() / STEPS;
    Some(Attention {
        columns: columns as u32,
        share: rounded(share),
        weights: weights
            .iter()
            .map(|weight| rounded(weight / share))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: u32 = 9;

    /// Text, an image of 1 x 2 cells, text, an image of one cell.
    fn prompt() -> ModelInput {
        let ids = vec![1, IMAGE, IMAGE, 2, IMAGE, 3];
        ModelInput {
            positions: vec![[0; 3]; ids.len()],
            ids,
            patches: Vec::new(),
            grids: vec![[1, 2, 4], [1, 2, 2]],
            prefix_len: 1,
        }
    }

    fn output(pooling_weights: Vec<f32>) -> ModelOutput {
        ModelOutput {
            concept_logits: None,
            pay_logits: [0.0; 2],
            digit_logits: None,
            pooling_weights,
        }
    }

    #[test]
    fn only_the_first_image_counts_and_its_cells_sum_to_one() {
        let found = attention(
            &output(vec![0.25, 0.125, 0.375, 0.05, 0.1, 0.1]),
            &prompt(),
            IMAGE,
            2,
        );
        let expected = Attention {
            columns: 2,
            share: 0.5,
            weights: vec![0.25, 0.75],
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn a_head_without_pooling_has_no_map() {
        assert_eq!(attention(&output(Vec::new()), &prompt(), IMAGE, 2), None);
        assert_eq!(
            attention(
                &output(vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
                &prompt(),
                IMAGE,
                2
            ),
            None
        );
    }
}
