//! The pack's own vectors: an input and what the reference gives for it.
//!
//! A device that does not reproduce them must not score: a browser drops a rejected shader without a word and
//! the output stays zero (notes on burn, 1.4).

use crate::error::EngineError;
use servimage_bench::message::{SelfTestReport, SelfTestRow};
use servimage_model::{ModelInput, ModelOutput, ServImageModel, Trace, head_rows};
use servimage_pack::{Manifest, Pack, PackSource};
use servimage_prompt::mrope_positions;

/// Input and expected tensors of a self-test.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfTestVectors {
    /// What the network is given.
    pub input: ModelInput,
    /// Expected values by name, such as `stage1.hidden_states`.
    pub expected: Trace,
    /// Bound on the largest difference over the largest expected value, per tensor.
    pub tolerance: f64,
}

/// The vectors of a pack, if it carries any.
///
/// # Errors
/// [`EngineError::Pack`] where a tensor cannot be read, [`EngineError::BadVectors`] where they do not fit.
pub async fn vectors_of<S: PackSource>(
    pack: &Pack<S>,
) -> Result<Option<SelfTestVectors>, EngineError> {
    let manifest = pack.manifest();
    let Some(self_test) = &manifest.self_test else {
        return Ok(None);
    };
    let ids = pack.read_tensor("self_test.input_ids").await?.to_u32()?;
    let grids = pack
        .read_tensor("self_test.image_grid_thw")
        .await?
        .to_u32()?;
    let patches = pack.read_tensor("self_test.pixel_values").await?.to_f32()?;
    let (grids, rest) = grids.as_chunks::<3>();
    if !rest.is_empty() {
        return Err(EngineError::BadVectors {
            what: "self_test.image_grid_thw".to_owned(),
            expected: "three values an image".to_owned(),
            found: format!("{} left over", rest.len()),
        });
    }
    let positions = mrope_positions(&ids, grids, &manifest.special_tokens, merge_of(manifest))?;
    let mut expected = Trace::new();
    for name in &self_test.expected {
        let values = pack
            .read_tensor(&format!("self_test.{name}"))
            .await?
            .to_f32()?;
        expected.push((name.clone(), values));
    }
    let image = manifest.special_tokens.image;
    let prefix_len = ids.iter().position(|&id| id == image).unwrap_or(0);
    let input = ModelInput {
        ids,
        positions,
        patches,
        grids: grids.to_vec(),
        prefix_len,
    };
    Ok(Some(SelfTestVectors {
        input,
        expected,
        tolerance: self_test.tolerance,
    }))
}

/// Patches along a side that make one visual token.
fn merge_of(manifest: &Manifest) -> u32 {
    u32::try_from(manifest.vision.spatial_merge_size).unwrap_or(u32::MAX)
}

/// Compares what a device gave with what is expected, tensor by tensor.
///
/// # Errors
/// [`EngineError::BadVectors`] where an expected tensor was not computed or has another size.
pub fn max_errors(vectors: &SelfTestVectors, found: &Trace) -> Result<SelfTestReport, EngineError> {
    let rows = vectors
        .expected
        .iter()
        .map(|(name, expected)| {
            let values = found
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, values)| values);
            match values {
                Some(values) if values.len() == expected.len() => Ok(row(name, expected, values)),
                other => Err(EngineError::BadVectors {
                    what: name.clone(),
                    expected: format!("{} values", expected.len()),
                    found: other.map_or("none".to_owned(), |values| {
                        format!("{} values", values.len())
                    }),
                }),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let passed = rows
        .iter()
        .all(|row| row.max_relative_error <= vectors.tolerance);
    Ok(SelfTestReport {
        passed,
        tolerance: vectors.tolerance,
        rows,
    })
}

/// Holds a second run of the heads against the vectors too: a tensor's error becomes the larger one.
pub(crate) fn include(report: &mut SelfTestReport, vectors: &SelfTestVectors, found: &Trace) {
    for (name, values) in found {
        let expected = vectors.expected.iter().find(|(other, _)| other == name);
        let at = report.rows.iter_mut().find(|row| &row.tensor == name);
        if let (Some((_, expected)), Some(at)) = (expected, at) {
            let second = row(name, expected, values);
            at.max_abs_error = at.max_abs_error.max(second.max_abs_error);
            at.max_relative_error = at.max_relative_error.max(second.max_relative_error);
        }
    }
    let within = |row: &SelfTestRow| row.max_relative_error <= report.tolerance;
    report.passed = report.rows.iter().all(within);
}

fn row(name: &str, expected: &[f32], found: &[f32]) -> SelfTestRow {
    let largest = expected
        .iter()
        .map(|value| f64::from(value.abs()))
        .fold(0.0, f64::max);
    let max_abs_error = expected
        .iter()
        .zip(found)
        .map(|(expected, found)| (f64::from(*expected) - f64::from(*found)).abs())
        .fold(0.0, |worst: f64, error| {
            if error.is_nan() {
                f64::INFINITY
            } else {
                worst.max(error)
            }
        });
    let max_relative_error = if largest > 0.0 {
        max_abs_error / largest
    } else {
        max_abs_error
    };
    SelfTestRow {
        tensor: name.to_owned(),
        max_relative_error,
        max_abs_error,
    }
}

/// The largest relative difference between what the heads say of a prompt run whole and the same prompt run behind a kept
/// prefix: as a first prompt, as a later one, and as two in one batch.
///
/// # Errors
/// [`EngineError`] where the device fails.
pub(crate) async fn prefix_difference(
    model: &ServImageModel,
    input: &ModelInput,
) -> Result<f64, EngineError> {
    let mut whole = input.clone();
    whole.prefix_len = 0;
    let whole = model.evaluate(&whole).await?;
    let mut outputs = vec![model.evaluate(input).await?, model.evaluate(input).await?];
    outputs.extend(
        model
            .evaluate_batch(&[input.clone(), input.clone()])
            .await?,
    );
    let expected = named(&whole);
    let mut worst: f64 = 0.0;
    for output in outputs {
        for ((name, expected), (_, found)) in expected.iter().zip(named(&output)) {
            let row = row(name, expected, &found);
            worst = worst.max(row.max_relative_error);
        }
    }
    Ok(worst)
}

/// Everything that a verdict is made of.
fn named(output: &ModelOutput) -> Trace {
    let mut rows = head_rows(output);
    let digits = output.digit_logits.iter();
    rows.extend(digits.map(|digits| ("digits".to_owned(), digits.to_vec())));
    rows.push(("pay".to_owned(), output.pay_logits.to_vec()));
    if !output.pooling_weights.is_empty() {
        rows.push(("pooling".to_owned(), output.pooling_weights.clone()));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(expected: &[f32]) -> SelfTestVectors {
        let input = ModelInput {
            ids: vec![],
            positions: vec![],
            patches: vec![],
            grids: vec![],
            prefix_len: 0,
        };
        SelfTestVectors {
            input,
            expected: vec![("a".to_owned(), expected.to_vec())],
            tolerance: 1e-3,
        }
    }

    #[test]
    fn a_device_that_is_off_fails_and_says_where() {
        let report = max_errors(
            &vectors(&[1.0, -2.0]),
            &vec![("a".to_owned(), vec![1.0, -2.01])],
        )
        .expect("same size");
        assert!(!report.passed);
        assert!((report.rows[0].max_relative_error - 0.005).abs() < 1e-6);
        let near = max_errors(
            &vectors(&[1.0, -2.0]),
            &vec![("a".to_owned(), vec![1.0, -2.001])],
        )
        .expect("same size");
        assert!(near.passed);
    }

    #[test]
    fn zeros_and_nan_never_pass() {
        for bad in [vec![0.0, 0.0], vec![f32::NAN, -2.0]] {
            assert!(
                !max_errors(&vectors(&[1.0, -2.0]), &vec![("a".to_owned(), bad)])
                    .expect("same size")
                    .passed
            );
        }
    }

    #[test]
    fn a_tensor_that_was_not_computed_is_an_error() {
        assert!(max_errors(&vectors(&[1.0]), &vec![]).is_err());
        assert!(max_errors(&vectors(&[1.0]), &vec![("a".to_owned(), vec![])]).is_err());
    }
}
