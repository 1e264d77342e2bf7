//! Exponential and what is made of it, as branch-free code that vectorises.

/// `e^x` with a relative error under 3e-7; x is held within -87.3..=88.3, NaN stays NaN.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; `e^r` is its Taylor polynomial of degree 7, whose last term is under 1.5e-8.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const MIN: f32 = -87.3;
    const MAX: f32 = 88.3;
    // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Comparisons, not `clamp`: one instruction each, and NaN passes.
    let x = if x < MIN { MIN } else { x };
    let x = if x > MAX { MAX } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = (((r / 5040.0 + 1.0 / 720.0) * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0;
    let power = ((tail * r + 0.5) * r) * r + r + 1.0;
    power * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// `max(x, 0)`; NaN stays NaN.
#[inline(always)]
pub(super) fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// `x / (1 + e^-x)`.
#[inline(always)]
pub(super) fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// Of GELU's tanh form, `x` times the logistic function of `GELU_SLOPE (x + GELU_CUBE x^3)`: `2 sqrt(2 / pi)`.
pub(super) const GELU_SLOPE: f32 = 1.595_769;

/// See [`GELU_SLOPE`].
pub(super) const GELU_CUBE: f32 = 0.044_715;

/// GELU in its tanh form; `(1 + tanh(u)) / 2` is the logistic function of `2 u`.
#[inline(always)]
pub(super) fn gelu_tanh(x: f32) -> f32 {
    x / (1.0 + exp(-GELU_SLOPE * (x + GELU_CUBE * x * x * x)))
}

/// GELU with the error function, absolute error under 1e-6.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    let tail = normal_tail(x.abs(), x.abs());
    // x Phi(x) is `x - tail` on the right and `-tail` on the left.
    (if x > 0.0 { x } else { 0.0 }) - tail
}

/// `times (1 - Phi(x))` for `x >= 0`, `Phi` the normal distribution.
///
/// `erfc(z) = t (a1 + t (a2 + ...)) e^(-z^2)` with `t = 1 / (1 + p z)`: Abramowitz and Stegun, 7.1.26.
#[inline(always)]
pub(super) fn normal_tail(x: f32, times: f32) -> f32 {
    const P: f32 = 0.327_591_1;
    const A: [f32; 5] = [
        0.254_829_6,
        -0.284_496_74,
        1.421_413_7,
        -1.453_152,
        1.061_405_4,
    ];
    let z = x * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + P * z);
    let polynomial = ((((A[4] * t + A[3]) * t + A[2]) * t + A[1]) * t + A[0]) * t;
    0.5 * times * polynomial * exp(-z * z)
}
