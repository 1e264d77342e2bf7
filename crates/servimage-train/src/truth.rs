//! The proxy client: concept scores from severities, and a payment draw from the concepts.
//!
//! ```text
//! clarity   = 5 - 4 * (1 - product of (1 - severity) over the damages charged to clarity)
//! aesthetic = the same over the damages charged to the aesthetic
//! logit pay = 3 - 6 * lost(clarity) - 5 * lost(aesthetic) - 0.4 * ln(price / 100 USD)
//! lost(c)   = (5 - c) / 4
//! ```
//!
//! These are constructed labels, not decisions of people: a clean 100-dollar picture is paid for with
//! probability 0.95, one at clarity 3 with 0.5, and dearer jobs are judged harder.

use crate::damage::{Concept, Damage};
use rand::Rng;

/// Price at which the price term vanishes.
pub const REFERENCE_PRICE_USD: f64 = 100.0;

/// A damage and how bad it is, 0..=1.
pub type Applied = (Damage, f32);

/// What is true of an example by construction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// 1..=5
    pub clarity: f32,
    /// 1..=5
    pub aesthetic: f32,
}

impl Truth {
    /// Scores after the damages; both 5 without any.
    #[must_use]
    pub fn of(applied: &[Applied]) -> Self {
        let score = |concept: Concept| {
            let charged = applied
                .iter()
                .filter(|(damage, _)| damage.concept() == concept);
            let kept: f32 = charged.map(|(_, severity)| 1.0 - severity).product();
            5.0 - 4.0 * (1.0 - kept)
        };
        Self {
            clarity: score(Concept::Clarity),
            aesthetic: score(Concept::Aesthetic),
        }
    }

    /// Log-odds of payment at a price.
    #[must_use]
    pub fn pay_logit(&self, price_usd: f64) -> f64 {
        let lost = |score: f32| (5.0 - f64::from(score)) / 4.0;
        3.0 - 6.0 * lost(self.clarity)
            - 5.0 * lost(self.aesthetic)
            - 0.4 * (price_usd / REFERENCE_PRICE_USD).ln()
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
        let truth = Truth::of(&[(Damage::Blur, 0.5), (Damage::Noise, 0.5)]);
        assert_eq!((truth.clarity, truth.aesthetic), (2.0, 5.0));
        assert_eq!(
            Truth::of(&[]),
            Truth {
                clarity: 5.0,
                aesthetic: 5.0
            }
        );
    }

    #[test]
    fn draws_follow_the_documented_probability_and_dearer_jobs_are_judged_harder() {
        let truth = Truth::of(&[(Damage::Blur, 0.5)]);
        assert!((truth.p_pay(100.0) - 0.5).abs() < 1e-9);
        assert!(truth.p_pay(1000.0) < truth.p_pay(100.0));
        let mut rng = SmallRng::seed_from_u64(5);
        let n_paid = (0..4000).filter(|_| truth.draw(100.0, &mut rng)).count();
        assert!((1880..=2120).contains(&n_paid), "{n_paid} of 4000"); // 4 standard deviations around 2000
    }
}
