//! Figures of a pack on a world that its training never saw.

use crate::decisions::Decision;
use crate::figures::{Bin, Share, auroc, ece, reliability, spearman};
use crate::truth::{N_CONCEPTS, sigmoid};
use serde::Serialize;

/// Figures of the payment decisions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PaymentFigures {
    /// Decisions guessed right at a threshold of 0.5.
    pub accuracy: Share,
    /// Right when always guessing the commoner decision.
    pub majority: f64,
    /// Right when knowing the client's true probability: nothing can do better on average.
    pub bayes: f64,
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Expected calibration error over ten bins of equal size.
    pub ece: f64,
    /// The bins.
    pub reliability: Vec<Bin>,
}

/// Figures of the payment decisions under the pack's calibration.
#[must_use]
pub fn payment_figures(decisions: &[Decision], a: f64, b: f64) -> PaymentFigures {
    let predicted: Vec<f64> = decisions
        .iter()
        .map(|d| sigmoid(a * d.score.pay_logit + b))
        .collect();
    let paid: Vec<bool> = decisions.iter().map(|d| d.paid).collect();
    let right = predicted
        .iter()
        .zip(&paid)
        .filter(|(p, paid)| (**p >= 0.5) == **paid)
        .count() as u64;
    let n = decisions.len() as u64;
    let n_paid = paid.iter().filter(|paid| **paid).count() as u64;
    let bins = reliability(&predicted, &paid, 10);
    PaymentFigures {
        accuracy: Share::of(right, n),
        majority: n_paid.max(n - n_paid) as f64 / n.max(1) as f64,
        bayes: decisions
            .iter()
            .map(|d| d.p_true.max(1.0 - d.p_true))
            .sum::<f64>()
            / n.max(1) as f64,
        auroc: auroc(&predicted, &paid),
        ece: ece(&bins),
        reliability: bins,
    }
}

/// Rank correlation of each concept with its truth where it applies, and how many decisions that is.
#[must_use]
pub fn concept_figures(decisions: &[Decision]) -> [(f64, usize); N_CONCEPTS] {
    std::array::from_fn(|i| {
        let both = decisions.iter().filter_map(|d| Some((f64::from(d.truth.scores[i]?), d.score.concepts[i])));
        let (truth, said): (Vec<f64>, Vec<f64>) = both.unzip();
        (spearman(&truth, &said), truth.len())
    })
}
