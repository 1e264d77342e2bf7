//! What quantization changes: the verdicts of two packs on the same pictures, damages, briefs and prices.

use crate::decisions::each_decision;
use crate::error::TrainError;
use crate::scorer::Scorer;
use crate::truth::{N_CONCEPTS, sigmoid};
use crate::world::World;
use serde::Serialize;

/// What a pack says of one decision, calibrated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// P(pay).
    pub p_pay: f64,
    /// Whether that is at or above the pack's threshold.
    pub pay: bool,
    /// Every concept, 1..=5.
    pub concepts: [f64; N_CONCEPTS],
}

/// How far two packs are from each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Decisions compared.
    pub n: usize,
    /// Share of the same decision.
    pub agreement: f64,
    /// Mean of |difference of P(pay)|.
    pub mean_dp: f64,
    /// Largest |difference of P(pay)|.
    pub max_dp: f64,
    /// Mean |difference of a concept|, in points of 1..=5.
    pub mean_concept: f64,
    /// Largest.
    pub max_concept: f64,
}

/// What a pack says of `n` decisions over a world.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn verdicts(scorer: &Scorer, world: &World, n: usize) -> Result<Vec<Said>, TrainError> {
    let (calibration, threshold) = (&scorer.manifest.calibration, scorer.manifest.threshold);
    each_decision(world, n, |example, _| {
        let score = scorer.score(&example.images, &example.brief)?;
        let p_pay = sigmoid(calibration.a * score.pay_logit + calibration.b);
        Ok(Said {
            p_pay,
            pay: p_pay >= threshold,
            concepts: score.concepts,
        })
    })
}

/// Compares two packs' verdicts on the same decisions.
#[must_use]
pub fn difference(expected: &[Said], found: &[Said]) -> Difference {
    let pairs = || expected.iter().zip(found);
    let n = pairs().count();
    let same = pairs().filter(|(a, b)| a.pay == b.pay).count();
    let (mean_dp, max_dp) = spread(pairs().map(|(a, b)| a.p_pay - b.p_pay));
    let concepts = pairs().flat_map(|(a, b)| a.concepts.iter().zip(b.concepts).map(|(a, b)| a - b));
    let (mean_concept, max_concept) = spread(concepts);
    Difference {
        n,
        agreement: same as f64 / n.max(1) as f64,
        mean_dp,
        max_dp,
        mean_concept,
        max_concept,
    }
}

/// Mean and largest size of differences.
fn spread(differences: impl Iterator<Item = f64>) -> (f64, f64) {
    let (n, sum, max) = differences.fold((0.0, 0.0, 0.0_f64), |(n, sum, max), d| {
        (n + 1.0, sum + d.abs(), max.max(d.abs()))
    });
    (sum / f64::max(n, 1.0), max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_counted_over_all_decisions() {
        let said = |p_pay: f64, clarity: f64| Said {
            p_pay,
            pay: p_pay >= 0.5,
            concepts: [3.0, clarity, 3.0, 3.0, 3.0, 3.0, 3.0],
        };
        let found = difference(
            &[said(0.4, 2.0), said(0.9, 5.0)],
            &[said(0.6, 2.5), said(0.9, 5.0)],
        );
        assert_eq!((found.n, found.agreement), (2, 0.5));
        assert!((found.mean_dp - 0.1).abs() < 1e-9 && (found.max_dp - 0.2).abs() < 1e-9);
        assert!((found.mean_concept - 0.5 / 14.0).abs() < 1e-9);
        assert!((found.max_concept - 0.5).abs() < 1e-9);
    }
}
