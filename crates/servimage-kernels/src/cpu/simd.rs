//! Plain loops, compiled a second time for AVX2 where the processor has it, and sums that vectorise.
//!
//! Native x86-64 builds assume no more than SSE2; what is called here is inlined into a function that may use AVX2. In the
//! browser the whole module is built with simd128, so the call is the plain one.

/// Calls `work` where AVX2 may be used; `work` and all that it calls must be `#[inline(always)]` to gain from it.
#[inline(always)]
pub(super) fn vectorize<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(work);
    }
    work()
}

/// Runs `work` with AVX2, NEON or simd128 where it may, else with plain numbers.
///
/// pulp's own `Arch` knows of AVX2 only under a feature that would build burn's dependencies anew, and takes plain numbers without a word.
#[inline(always)]
pub(super) fn dispatch<W: pulp::WithSimd>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return pulp::Simd::vectorize(simd, work);
    }
    #[cfg(target_family = "wasm")]
    if let Some(simd) = pulp::wasm::Simd128::try_new() {
        return pulp::Simd::vectorize(simd, work);
    }
    pulp::Arch::new().dispatch(work)
}

/// Partial sums: enough registers of any width to hide the time that an addition takes.
const LANES: usize = 32;

/// Partial sums of what is left: a register of 128 bits.
const FEW_LANES: usize = 4;

/// Sum of `f(value, other)` over both slices, in 32 partial sums.
#[inline(always)]
pub(super) fn sum_by(values: &[f32], others: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let (values, value_rest) = values.as_chunks::<LANES>();
    let (others, other_rest) = others.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (values, others) in values.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += f(values[lane], others[lane]);
        }
    }
    let (values, value_rest) = value_rest.as_chunks::<FEW_LANES>();
    let (others, other_rest) = other_rest.as_chunks::<FEW_LANES>();
    for (values, others) in values.iter().zip(others) {
        for lane in 0..FEW_LANES {
            sums[lane] += f(values[lane], others[lane]);
        }
    }
    for (&value, &other) in value_rest.iter().zip(other_rest) {
        sums[0] += f(value, other);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

/// Inner product.
#[inline(always)]
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    sum_by(left, right, |a, b| a * b)
}

/// Largest value; negative infinity of an empty slice.
#[inline(always)]
pub(super) fn max(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (chunks, rest) = values.as_chunks::<16>();
    let mut maxima = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for lane in 0..16 {
            maxima[lane] = larger(maxima[lane], chunk[lane]);
        }
    }
    let all = maxima.iter().chain(rest);
    all.fold(f32::NEG_INFINITY, |max, &value| larger(max, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lanes that a product gets.
    struct Lanes;

    impl pulp::WithSimd for Lanes {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }

    /// Plain numbers are right too, and several times slower: nothing else would tell.
    #[test]
    fn products_take_the_vectors_that_the_processor_has() {
        #[cfg(target_arch = "x86_64")]
        let expected = match std::arch::is_x86_feature_detected!("avx2") {
            true => 8,
            false => 1,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let expected = 4;
        assert_eq!(dispatch(Lanes), expected);
    }
}
