//! A vision tower with more layers that says the same as before: how a run that goes on gets room to learn more.
//!
//! New layers are copies of the ones that they stand behind, with projections back into the stream of zeros: they add nothing until
//! they learn, and gradients reach them at once (Wu et al., "LLaMA Pro", arXiv 2401.02415).

use crate::error::TrainError;
use crate::nano::tapped_layer;
use crate::weights::Weights;

/// What layers of the vision tower are called in a checkpoint, up to their number.
const BLOCKS: &str = "model.visual.blocks.";
/// What writes into the stream.
const PROJECTIONS: [&str; 2] = ["attn.proj.", "mlp.linear_fc2."];

/// Makes the vision tower `n_layers` deep.
///
/// # Errors
/// [`TrainError::OtherDepth`] where it has more, or less than half as many before or behind the layer whose output the text tower
/// gets too.
pub(crate) fn deepen(weights: &mut Weights, n_layers: usize) -> Result<(), TrainError> {
    let names = weights.tensors.keys();
    let n_before = names
        .filter_map(|name| Some(split(name)?.0 + 1))
        .max()
        .unwrap_or(0);
    if n_before == n_layers {
        return Ok(());
    }
    let origins = origins(n_before, n_layers).ok_or(TrainError::OtherDepth {
        expected: n_layers,
        found: n_before,
    })?;
    let mut before = std::mem::take(&mut weights.tensors);
    for (layer, origin) in origins.iter().enumerate() {
        let is_new = layer > 0 && origins[layer - 1] == *origin;
        let of_origin = before.iter().filter_map(|(name, values)| {
            Some((split(name).filter(|(i, _)| i == origin)?.1, values))
        });
        for (part, values) in of_origin {
            let mut values = values.clone();
            if is_new && PROJECTIONS.iter().any(|start| part.starts_with(start)) {
                values.data.fill(0.0);
            }
            let name = format!("{BLOCKS}{layer}.{part}");
            weights.tensors.insert(name, values);
        }
    }
    before.retain(|name, _| split(name).is_none());
    weights.tensors.extend(before);
    Ok(())
}

/// Number of the layer that a tensor is of, and its name in there.
fn split(name: &str) -> Option<(usize, &str)> {
    let (layer, part) = name.strip_prefix(BLOCKS)?.split_once('.')?;
    Some((layer.parse().ok()?, part))
}

/// Which of `before` layers each of `after` is made of: the first ones twice, up to the tapped layer and behind it, so that the tap
/// stays behind the same layers.
fn origins(before: usize, after: usize) -> Option<Vec<usize>> {
    if before < 2 || after < before {
        return None;
    }
    let [tap, new_tap] = [before, after].map(|n_layers| tapped_layer(n_layers) + 1);
    let parts = [(0..tap, new_tap), (tap..before, after - new_tap)];
    let mut origins = Vec::with_capacity(after);
    for (part, n) in parts {
        let n_new = n.checked_sub(part.len()).filter(|n| *n <= part.len())?;
        for (i, layer) in part.enumerate() {
            origins.extend(std::iter::repeat_n(layer, 1 + usize::from(i < n_new)));
        }
    }
    Some(origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tap_stays_behind_the_same_layers() {
        assert_eq!(origins(5, 8), Some(vec![0, 0, 1, 1, 2, 2, 3, 4]));
        assert_eq!(origins(5, 9), Some(vec![0, 0, 1, 1, 2, 2, 3, 3, 4]));
        assert_eq!(origins(5, 6), Some(vec![0, 0, 1, 2, 3, 4]));
        assert_eq!(origins(2, 4), Some(vec![0, 0, 1, 1]));
        assert_eq!(
            [(5, 10), (5, 4), (2, 5), (0, 2)].map(|(a, b)| origins(a, b)),
            [const { None }; 4]
        );
    }
}
