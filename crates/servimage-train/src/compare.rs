//! What quantization changes: the verdicts of two packs on the same pictures, damages, briefs and prices.

use crate::error::TrainError;
use crate::evaluate::each_decision;
use crate::scorer::Scorer;
use crate::source::CleanPicture;
use crate::truth::sigmoid;
use serde::Serialize;

/// What a pack says of one decision, calibrated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// P(pay).
    pub p_pay: f64,
    /// Whether that is at or above the pack's threshold.
    pub pay: bool,
    /// Clarity, 1..=5.
    pub clarity: f64,
    /// Aesthetic, 1..=5.
    pub aesthetic: f64,
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
    /// Mean |difference of clarity|, in points of 1..=5.
    pub mean_clarity: f64,
    /// Largest.
    pub max_clarity: f64,
    /// Mean |difference of the aesthetic|, in points of 1..=5.
    pub mean_aesthetic: f64,
    /// Largest.
    pub max_aesthetic: f64,
}

/// What a pack says of the decisions over held-out pictures and briefs, in an order that follows from the pictures alone.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn verdicts(scorer: &Scorer, pictures: &[CleanPicture]) -> Result<Vec<Said>, TrainError> {
    let mut said = Vec::new();
    let (calibration, threshold) = (&scorer.manifest.calibration, scorer.manifest.threshold);
    each_decision(pictures, true, |copy, brief, _| {
        let score = scorer.score(copy, brief)?;
        let p_pay = sigmoid(calibration.a * score.pay_logit + calibration.b);
        said.push(Said {
            p_pay,
            pay: p_pay >= threshold,
            clarity: score.clarity,
            aesthetic: score.aesthetic,
        });
        Ok(())
    })?;
    Ok(said)
}

/// Compares two packs' verdicts on the same decisions.
#[must_use]
pub fn difference(expected: &[Said], found: &[Said]) -> Difference {
    let pairs = || expected.iter().zip(found);
    let n = pairs().count();
    let spread = |of: fn(&Said) -> f64| {
        let all = pairs().map(|(a, b)| (of(a) - of(b)).abs());
        let (sum, max) = all.fold((0.0, 0.0_f64), |(sum, max), d| (sum + d, max.max(d)));
        (sum / n.max(1) as f64, max)
    };
    let same = pairs().filter(|(a, b)| a.pay == b.pay).count();
    let (mean_dp, max_dp) = spread(|said| said.p_pay);
    let (mean_clarity, max_clarity) = spread(|said| said.clarity);
    let (mean_aesthetic, max_aesthetic) = spread(|said| said.aesthetic);
    Difference {
        n,
        agreement: same as f64 / n.max(1) as f64,
        mean_dp,
        max_dp,
        mean_clarity,
        max_clarity,
        mean_aesthetic,
        max_aesthetic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_counted_over_all_decisions() {
        let said = |p_pay: f64, clarity: f64| Said {
            p_pay,
            pay: p_pay >= 0.5,
            clarity,
            aesthetic: 3.0,
        };
        let found = difference(
            &[said(0.4, 2.0), said(0.9, 5.0)],
            &[said(0.6, 2.5), said(0.9, 5.0)],
        );
        assert_eq!((found.n, found.agreement), (2, 0.5));
        assert!((found.mean_dp - 0.1).abs() < 1e-9 && (found.max_dp - 0.2).abs() < 1e-9);
        assert!((found.mean_clarity - 0.25).abs() < 1e-9 && (found.max_clarity - 0.5).abs() < 1e-9);
        assert_eq!((found.mean_aesthetic, found.max_aesthetic), (0.0, 0.0));
    }
}
