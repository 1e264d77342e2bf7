//! Each operation against a plain f64 version of its definition, at sizes that leave a rest everywhere.

mod attention;
mod dequantize;
mod linear;
mod math;
mod product;
mod rows;

/// Sums in another order, in f32.
const TOLERANCE: f64 = 1e-5;

/// Values in -1..1, the same for the same seed.
pub(crate) fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(next).collect()
}

/// Holds `found` against `expected`, relative to the largest expected value or 1.
fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let largest = expected.iter().fold(1.0_f64, |max, v| max.max(v.abs()));
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(
            error <= TOLERANCE * largest,
            "{what}: value {i} is {found}, expected {expected}"
        );
    }
}
