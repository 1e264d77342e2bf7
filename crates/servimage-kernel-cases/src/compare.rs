//! How far two results may lie apart.

/// Bound on the largest difference over the largest expected value: two orders of summation in f32, and two devices' `exp`.
pub const TOLERANCE: f32 = 2e-5;

/// The same where activations are f16: x, W and the result are rounded to 11 bits each (5e-4; a device may cut instead), sums are f32.
pub const F16_TOLERANCE: f32 = 2e-3;

/// Two results that are not the same.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Difference {
    /// The lengths differ.
    #[error("expected {expected} values, found {found}")]
    Length {
        /// Length of the reference.
        expected: usize,
        /// Length of what was found.
        found: usize,
    },
    /// A comparison that shows nothing.
    #[error("all {n} expected values are zero: nothing is shown")]
    Zeros {
        /// How many.
        n: usize,
    },
    /// A value is too far off; the worst one of all.
    #[error(
        "value {index}: expected {expected}, found {found}; off by {error:.1e} of the largest, {tolerance:.0e} is allowed"
    )]
    Value {
        /// Where.
        index: usize,
        /// By the reference.
        expected: f32,
        /// By the device.
        found: f32,
        /// Difference over the largest expected value.
        error: f32,
        /// Bound on it.
        tolerance: f32,
    },
}

/// The largest difference over the largest expected value; 0 for two empty results.
///
/// # Errors
/// [`Difference`] where it is above `tolerance`, is no number, or cannot be told.
pub fn compare(found: &[f32], expected: &[f32], tolerance: f32) -> Result<f32, Difference> {
    if found.len() != expected.len() {
        return Err(Difference::Length {
            expected: expected.len(),
            found: found.len(),
        });
    }
    let largest = expected.iter().fold(0.0, |top: f32, v| top.max(v.abs()));
    if largest == 0.0 && !expected.is_empty() {
        return Err(Difference::Zeros { n: expected.len() });
    }
    // What is no number is worse than any number.
    let error = |i: &usize| match (found[*i] - expected[*i]).abs() / largest {
        error if error.is_nan() => f32::INFINITY,
        error => error,
    };
    let worst = (0..expected.len()).max_by(|a, b| error(a).total_cmp(&error(b)));
    match worst.map(|index| (index, error(&index))) {
        None => Ok(0.0),
        Some((_, error)) if error <= tolerance => Ok(error),
        Some((index, error)) => Err(Difference::Value {
            index,
            expected: expected[index],
            found: found[index],
            error,
            tolerance,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_value_is_named() {
        assert_eq!(compare(&[], &[], TOLERANCE), Ok(0.0));
        assert_eq!(compare(&[1.0, 2.0], &[1.0, 2.0], TOLERANCE), Ok(0.0));
        let difference = compare(&[1.0, 2.5, 4.1], &[1.0, 2.0, 4.0], TOLERANCE);
        let words = difference.expect_err("they differ").to_string();
        assert!(
            words.starts_with("value 1: expected 2, found 2.5; off by 1.2e-1"),
            "{words}"
        );
    }

    #[test]
    fn what_shows_nothing_is_no_agreement() {
        let nan = compare(&[f32::NAN, 1.0], &[1.0, 1.0], 1.0);
        assert!(matches!(nan, Err(Difference::Value { index: 0, .. })));
        assert_eq!(
            compare(&[0.0], &[0.0], 1.0),
            Err(Difference::Zeros { n: 1 })
        );
        let short = compare(&[1.0], &[1.0, 2.0], 1.0);
        assert_eq!(
            short,
            Err(Difference::Length {
                expected: 2,
                found: 1
            })
        );
    }
}
