//! The proxy client: concept scores by construction, and a payment draw from them and the price.
//!
//! ```text
//! clarity, realism, aesthetic = 5 - 4 * (1 - product of (1 - severity) over the damages charged to it)
//! text  = 5 - 4 * share of spoiled letters; N/A without a caption
//! brf   = 5 * share of the brief's points that are met, at least 1; N/A without known points
//! edit  = 1 + 4 * kept * (0.3 + 0.7 * share of the asked changes made); N/A without an input picture
//! set   = 5 - 4 * share of palette, layout and treatment that differ from the others; N/A without others
//! logit pay = 4.5 - sum over the applicable concepts of WEIGHT * (5 - concept) / 4 - 0.4 * ln(price / 100 USD)
//! ```
//!
//! A whole loss of any concept leaves even odds at best. These are constructed labels, not decisions of people. Dearer jobs are judged harder.

use crate::damage::{Concept, Damage};
use rand::Rng;

/// Price at which the price term vanishes.
pub const REFERENCE_PRICE_USD: f64 = 100.0;

/// Number of concepts, in the order of [`servimage_model::heads::CONCEPT_HEADS`].
pub const N_CONCEPTS: usize = 7;

/// What a whole loss of a concept takes off the log-odds of payment.
pub const WEIGHTS: [f64; N_CONCEPTS] = [5.0, 6.0, 5.5, 5.0, 4.5, 5.0, 4.5];

/// Log-odds of payment for a flawless picture at [`REFERENCE_PRICE_USD`]: no concept weighs less, so that a whole loss of any
/// leaves even odds at best.
const FLAWLESS: f64 = 4.5;

/// Places of the concepts in [`Truth::scores`].
pub mod concept {
    /// `brf`
    pub const BRF: usize = 0;
    /// `veq_clarity`
    pub const CLARITY: usize = 1;
    /// `veq_realism`
    pub const REALISM: usize = 2;
    /// `veq_aesthetic`
    pub const AESTHETIC: usize = 3;
    /// `veq_text`
    pub const TEXT: usize = 4;
    /// `cns_edit`
    pub const EDIT: usize = 5;
    /// `cns_set`
    pub const SET: usize = 6;
}

/// A damage and how bad it is, 0..=1.
pub type Applied = (Damage, f32);

/// What is true of an example by construction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Truth {
    /// 1..=5 each; absent where the concept does not apply.
    pub scores: [Option<f32>; N_CONCEPTS],
}

impl Truth {
    /// The three scores of the picture as such, after damages; 5 without any.
    #[must_use]
    pub fn of(applied: &[Applied]) -> Self {
        let score = |concept: Concept| {
            let charged = applied
                .iter()
                .filter(|(damage, _)| damage.concept() == concept);
            let kept: f32 = charged.map(|(_, severity)| 1.0 - severity).product();
            Some(1.0 + 4.0 * kept)
        };
        let mut scores = [None; N_CONCEPTS];
        scores[concept::CLARITY] = score(Concept::Clarity);
        scores[concept::REALISM] = score(Concept::Realism);
        scores[concept::AESTHETIC] = score(Concept::Aesthetic);
        Self { scores }
    }

    /// With the brief's points judged; nothing changes without points.
    #[must_use]
    pub fn with_points(mut self, met: &[bool]) -> Self {
        if !met.is_empty() {
            let share = met.iter().filter(|met| **met).count() as f32 / met.len() as f32;
            self.scores[concept::BRF] = Some((5.0 * share).max(1.0));
        }
        self
    }

    /// With a caption of which `severity` (0..=1) of the letters are spoiled.
    #[must_use]
    pub fn with_text(mut self, severity: f32) -> Self {
        self.scores[concept::TEXT] = Some(5.0 - 4.0 * severity);
        self
    }

    /// As an edit that made `done` of the asked changes and left `kept` of the rest as it was, both 0..=1.
    #[must_use]
    pub fn with_edit(mut self, done: f32, kept: f32) -> Self {
        self.scores[concept::EDIT] = Some(1.0 + 4.0 * kept * (0.3 + 0.7 * done));
        self
    }

    /// Beside others from which `differing` (0..=1) of palette, layout and treatment differ.
    #[must_use]
    pub fn with_set(mut self, differing: f32) -> Self {
        self.scores[concept::SET] = Some(5.0 - 4.0 * differing);
        self
    }

    /// Log-odds of payment at a price.
    #[must_use]
    pub fn pay_logit(&self, price_usd: f64) -> f64 {
        let lost = self
            .scores
            .iter()
            .zip(WEIGHTS)
            .filter_map(|(score, weight)| {
                score.map(|score| weight * (5.0 - f64::from(score)) / 4.0)
            });
        FLAWLESS - lost.sum::<f64>() - 0.4 * (price_usd / REFERENCE_PRICE_USD).ln()
    }

    /// Probability of payment at a price.
    #[must_use]
    pub fn p_pay(&self, price_usd: f64) -> f64 {
        sigmoid(self.pay_logit(price_usd))
    }

    /// One decision of the proxy client.
    pub fn draw(&self, price_usd: f64, rng: &mut impl Rng) -> bool {
        rng.random::<f64>() < self.p_pay(price_usd)
    }
}

/// A score in 1..=5 as a distribution over the classes 1, 2, 3, 4, 5 whose mean is the score.
#[must_use]
pub fn soft_label(score: f32) -> [f32; 5] {
    let place = score.clamp(1.0, 5.0) - 1.0;
    std::array::from_fn(|class| (1.0 - (place - class as f32).abs()).max(0.0))
}

/// Logistic function.
#[must_use]
pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn a_soft_label_has_the_score_as_its_mean() {
        for score in [1.0, 1.25, 3.0, 4.9, 5.0] {
            let label = soft_label(score);
            let mean: f32 = label
                .iter()
                .zip(1..)
                .map(|(p, class)| p * class as f32)
                .sum();
            assert!(
                (mean - score).abs() < 1e-5 && (label.iter().sum::<f32>() - 1.0).abs() < 1e-5,
                "{score}"
            );
        }
    }

    #[test]
    fn damage_lowers_only_the_concept_that_it_is_charged_to() {
        let truth = Truth::of(&[
            (Damage::Blur, 0.5),
            (Damage::Noise, 0.5),
            (Damage::Ghost, 1.0),
        ]);
        let expected = [None, Some(2.0), Some(1.0), Some(5.0), None, None, None];
        assert_eq!(truth.scores, expected);
    }

    #[test]
    fn points_edits_and_sets_score_by_the_documented_formulas() {
        let truth = Truth::of(&[])
            .with_points(&[true, false, false, true])
            .with_text(0.25)
            .with_edit(1.0, 0.5)
            .with_set(1.0);
        let expected = [2.5, 5.0, 5.0, 5.0, 4.0, 3.0, 1.0].map(Some);
        assert_eq!(truth.scores, expected);
        let none_met = Truth::default().with_points(&[false]);
        assert_eq!(none_met.scores[concept::BRF], Some(1.0));
        assert_eq!(Truth::default().with_points(&[]), Truth::default());
    }

    #[test]
    fn draws_follow_the_documented_probability_and_dearer_jobs_are_judged_harder() {
        // Three quarters of the clarity's 6 leave log-odds of 0.
        let truth = Truth::of(&[(Damage::Blur, 0.75)]);
        assert!((truth.p_pay(100.0) - 0.5).abs() < 1e-6);
        assert!(truth.p_pay(1000.0) < truth.p_pay(100.0));
        let mut rng = SmallRng::seed_from_u64(5);
        let n_paid = (0..4000).filter(|_| truth.draw(100.0, &mut rng)).count();
        assert!((1880..=2120).contains(&n_paid), "{n_paid} of 4000"); // 4 standard deviations around 2000
    }
}
