//! The few figures that a page computes from a verdict: calibrated probability, expected dollars
//! and the ServImageScore `100 * sum(w_g * mean_g) / sum(w_g)` over the groups that apply.

use crate::verdict::ConceptScore;
use std::collections::BTreeMap;

/// Group of each concept; see [`crate::verdict::CONCEPTS`].
pub fn group_of(concept: &str) -> Option<&'static str> {
    match concept {
        "brf" => Some("brf"),
        "veq_clarity" | "veq_realism" | "veq_aesthetic" | "veq_text" => Some("veq"),
        "cns_edit" | "cns_set" => Some("cns"),
        _ => None,
    }
}

/// Probability 0..=1 of a logit: `1 / (1 + exp(-logit))`, without overflow.
pub fn sigmoid(logit: f64) -> f64 {
    if logit >= 0.0 {
        1.0 / (1.0 + (-logit).exp())
    } else {
        let e = logit.exp();
        e / (1.0 + e)
    }
}

/// Calibrated probability `sigmoid(a * logit + b)` of the logit difference accept - reject
/// (Platt scaling; temperature scaling where `b` is 0 and `a` is 1 / temperature).
pub fn calibrate(logit: f64, a: f64, b: f64) -> f64 {
    sigmoid(a * logit + b)
}

/// `p_pay * price_usd` in US dollars; absent where the deliverable has no price.
pub fn expected_usd(p_pay: f64, price_usd: Option<f64>) -> Option<f64> {
    price_usd.map(|price_usd| p_pay * price_usd)
}

/// Place of a concept's score 1..=5 on 0..=1.
pub fn normalised(score: f64) -> f64 {
    ((score - 1.0) / 4.0).clamp(0.0, 1.0)
}

/// ServImageScore 0..=100: the mean of each group's applicable concepts, weighted by group.
///
/// `weights` maps `brf`, `veq`, `cns` to weights (0 where absent), renormalised over the groups
/// that apply. Absent where no weighted group has an applicable concept.
pub fn servimage_score(
    concepts: &BTreeMap<String, ConceptScore>,
    weights: &BTreeMap<String, f64>,
) -> Option<f64> {
    let (mut sum, mut total_weight) = (0.0, 0.0);
    for group in ["brf", "cns", "veq"] {
        let of_group = |name: &str| group_of(name) == Some(group);
        let scores: Vec<f64> = concepts
            .iter()
            .filter(|(name, concept)| concept.applicable && of_group(name))
            .filter_map(|(_, concept)| concept.score.map(normalised))
            .collect();
        if scores.is_empty() {
            continue;
        }
        let weight = weights
            .get(group)
            .copied()
            .filter(|weight| *weight > 0.0)
            .unwrap_or(0.0);
        sum += weight * scores.iter().sum::<f64>() / scores.len() as f64;
        total_weight += weight;
    }
    (total_weight > 0.0).then(|| 100.0 * sum / total_weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concept(score: f64) -> ConceptScore {
        ConceptScore {
            applicable: true,
            why_not: None,
            score: Some(score),
            distribution: None,
        }
    }

    fn equal_weights() -> BTreeMap<String, f64> {
        ["brf", "veq", "cns"]
            .map(|group| (group.to_owned(), 1.0))
            .into()
    }

    #[test]
    fn groups_weigh_the_same_however_many_concepts_they_hold() {
        let concepts = BTreeMap::from([
            ("brf".to_owned(), concept(5.0)),
            ("veq_clarity".to_owned(), concept(1.0)),
            ("veq_realism".to_owned(), concept(3.0)),
        ]);
        // brf 1.0 and veq 0.25; cns does not apply and takes no weight.
        assert_eq!(servimage_score(&concepts, &equal_weights()), Some(62.5));
    }

    #[test]
    fn a_concept_that_does_not_apply_changes_nothing() {
        let mut concepts = BTreeMap::from([("brf".to_owned(), concept(4.0))]);
        let without = servimage_score(&concepts, &equal_weights());
        let absent = ConceptScore {
            applicable: false,
            ..concept(1.0)
        };
        concepts.insert("cns_edit".to_owned(), absent);
        assert_eq!(servimage_score(&concepts, &equal_weights()), without);
        assert_eq!(servimage_score(&BTreeMap::new(), &equal_weights()), None);
    }

    #[test]
    fn weights_shift_the_score_towards_their_group() {
        let concepts = BTreeMap::from([
            ("brf".to_owned(), concept(5.0)),
            ("cns_set".to_owned(), concept(1.0)),
        ]);
        let weights = BTreeMap::from([("brf".to_owned(), 3.0), ("cns".to_owned(), 1.0)]);
        assert_eq!(servimage_score(&concepts, &weights), Some(75.0));
    }

    #[test]
    fn calibration_stays_a_probability_at_any_logit() {
        assert_eq!(calibrate(0.0, 2.0, 0.0), 0.5);
        assert!((calibrate(2.0, 0.5, 1.0) - 0.880_797).abs() < 1e-6);
        assert_eq!(
            (calibrate(1e6, 1.0, 0.0), calibrate(-1e6, 1.0, 0.0)),
            (1.0, 0.0)
        );
    }

    #[test]
    fn expected_dollars_need_a_price() {
        assert_eq!(expected_usd(0.25, Some(80.0)), Some(20.0));
        assert_eq!(expected_usd(0.25, None), None);
    }
}
