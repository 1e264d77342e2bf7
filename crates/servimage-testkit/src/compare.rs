//! How far a result is from the reference.

/// Two results that cannot be compared, because one has other values than numbers or another length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The lengths differ.
    #[error("{found} values found, {expected} expected")]
    Length {
        /// Length of what was found.
        found: usize,
        /// Length of the reference.
        expected: usize,
    },
    /// A value is NaN or infinite.
    #[error("value {index} is not finite")]
    NotFinite {
        /// Where.
        index: usize,
    },
}

/// `max |found - expected| / max |expected|`, the error that all parity tolerances are stated in.
///
/// Relative to the largest value of the tensor, so that values near zero do not blow it up. Zero for two
/// empty slices. Where the reference is all zero the absolute error is returned.
///
/// # Errors
/// [`Mismatch`] for slices of different lengths and for values that are not finite: a NaN would
/// otherwise compare as no error at all.
pub fn max_relative_error(found: &[f32], expected: &[f32]) -> Result<f64, Mismatch> {
    if found.len() != expected.len() {
        return Err(Mismatch::Length {
            found: found.len(),
            expected: expected.len(),
        });
    }
    let mut largest_error = 0.0_f64;
    let mut largest_expected = 0.0_f64;
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        if !found.is_finite() || !expected.is_finite() {
            return Err(Mismatch::NotFinite { index });
        }
        let expected = f64::from(*expected);
        largest_error = largest_error.max((f64::from(*found) - expected).abs());
        largest_expected = largest_expected.max(expected.abs());
    }
    Ok(if largest_expected > 0.0 {
        largest_error / largest_expected
    } else {
        largest_error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_relative_to_the_largest_reference_value() {
        assert_eq!(
            max_relative_error(&[1.0, -4.5, 0.0], &[1.0, -4.0, 0.25]),
            Ok(0.125)
        );
        assert_eq!(max_relative_error(&[0.5], &[0.0]), Ok(0.5));
        assert_eq!(max_relative_error(&[], &[]), Ok(0.0));
    }

    #[test]
    fn a_nan_or_a_missing_value_is_never_close() {
        assert_eq!(
            max_relative_error(&[1.0, f32::NAN], &[1.0, 1.0]),
            Err(Mismatch::NotFinite { index: 1 })
        );
        assert_eq!(
            max_relative_error(&[f32::INFINITY], &[1.0]),
            Err(Mismatch::NotFinite { index: 0 })
        );
        assert_eq!(
            max_relative_error(&[1.0], &[1.0, 2.0]),
            Err(Mismatch::Length {
                found: 1,
                expected: 2
            })
        );
    }
}
