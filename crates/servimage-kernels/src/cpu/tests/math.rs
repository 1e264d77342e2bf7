//! The exponential and the activations.

use super::super::math;

/// Points in `from..to`.
fn grid(from: f64, to: f64) -> impl Iterator<Item = f32> {
    (0..40_000).map(move |i| (from + (to - from) * f64::from(i) / 40_000.0) as f32)
}

fn max_error(from: f64, to: f64, found: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
    let error = |x: f32| (f64::from(found(x)) - exact(f64::from(x))).abs();
    grid(from, to).map(error).fold(0.0, f64::max)
}

/// Complementary error function by its Taylor series near 0 and its continued fraction away from it.
fn erfc(z: f64) -> f64 {
    if z < 0.0 {
        return 2.0 - erfc(-z);
    }
    let root_pi = std::f64::consts::PI.sqrt();
    if z < 2.5 {
        let mut term = z;
        let mut sum = z;
        for n in 1..80 {
            term *= -z * z / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return 1.0 - 2.0 / root_pi * sum;
    }
    let fraction = (1..=80)
        .rev()
        .fold(z, |rest, k| z + f64::from(k) / 2.0 / rest);
    (-z * z).exp() / (root_pi * fraction)
}

#[test]
fn the_exponential_is_within_3e_7_of_the_exact_one() {
    for x in grid(-87.0, 88.0) {
        let exact = f64::from(x).exp();
        let error = (f64::from(math::exp(x)) - exact).abs() / exact;
        assert!(error < 3e-7, "exp({x}): relative error {error}");
    }
}

#[test]
fn the_exponential_ends_small_and_large_and_keeps_nan() {
    assert!(math::exp(f32::NEG_INFINITY) < 2e-38);
    assert!(math::exp(-1e30) < 2e-38);
    assert!(math::exp(f32::INFINITY) > 2e38);
    assert!(math::exp(f32::NAN).is_nan());
    assert_eq!(math::exp(0.0), 1.0);
}

#[test]
fn activations_are_within_1e_6_of_the_exact_ones() {
    let gelu = |x: f64| 0.5 * x * erfc(-x / 2.0_f64.sqrt());
    let gelu_tanh = |x: f64| {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
        0.5 * x * (1.0 + inner.tanh())
    };
    let silu = |x: f64| x / (1.0 + (-x).exp());
    assert!(max_error(-12.0, 8.0, math::gelu, gelu) < 1e-6);
    assert!(max_error(-12.0, 8.0, math::gelu_tanh, gelu_tanh) < 1e-6);
    assert!(max_error(-90.0, 8.0, math::silu, silu) < 1e-6);
}
