//! From logits to the verdict's numbers: concept distributions, applicability, P(pay).

use servimage_bench::task::Task;
use servimage_bench::verdict::{CONCEPTS, ConceptScore};
use servimage_model::ModelOutput;
use servimage_pack::manifest::{Calibration, Manifest};
use std::collections::BTreeMap;

/// What was given beside the image: decides which concepts apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// Whether the task's input image was given.
    pub input: bool,
    /// Whether other deliverables of the task were given.
    pub others: bool,
}

/// Calibrated probability that the client pays, from the logits of reject and accept.
pub(crate) fn p_pay([reject, accept]: [f32; 2], calibration: &Calibration) -> f64 {
    let logit = f64::from(accept) - f64::from(reject);
    servimage_bench::score::calibrate(logit, calibration.a, calibration.b)
}

/// Logits of the scores 1 to 5, by concept.
pub(crate) type ConceptLogits = BTreeMap<&'static str, [f32; 5]>;

/// Logits of the concept head; the N/A class is left out.
pub(crate) fn head_logits(output: &ModelOutput) -> ConceptLogits {
    let all = output.concept_logits.iter().flatten();
    let scores = |[one, two, three, four, five, _]: &[f32; 6]| [*one, *two, *three, *four, *five];
    let named = CONCEPTS.iter().zip(all);
    named
        .map(|(&concept, logits)| (concept, scores(logits)))
        .collect()
}

/// All seven concepts, those that do not apply with their reason.
pub(crate) fn concepts(
    logits: &ConceptLogits,
    manifest: &Manifest,
    task: &Task,
    given: Given,
) -> BTreeMap<String, ConceptScore> {
    let score = |concept| match (why_not(concept, manifest, task, given), logits.get(concept)) {
        (None, Some(logits)) => scored(logits),
        (why_not, _) => not_applicable(why_not),
    };
    let all = CONCEPTS.iter();
    all.map(|&concept| (concept.to_owned(), score(concept)))
        .collect()
}

/// Why a concept does not apply, if it does not.
pub(crate) fn why_not(
    concept: &str,
    manifest: &Manifest,
    task: &Task,
    given: Given,
) -> Option<&'static str> {
    why_not_answered(concept, manifest).or_else(|| why_not_asked(concept, task, given))
}

fn why_not_answered(concept: &str, manifest: &Manifest) -> Option<&'static str> {
    let heads = &manifest.heads;
    let is_trained = heads.concepts.iter().any(|trained| trained == concept);
    let is_zero_shot = heads.concepts.is_empty() && heads.zero_shot.is_some();
    match (is_trained, is_zero_shot) {
        (true, _) => None,
        (false, true) if manifest.template.concept_tails.contains_key(concept) => None,
        (false, true) => Some("this model's template has no question for this concept"),
        (false, false) => Some("this model has not learned this concept"),
    }
}

/// Applicability comes from the task: the N/A class was never trained (spec, "Four things", 2).
fn why_not_asked(concept: &str, task: &Task, given: Given) -> Option<&'static str> {
    match concept {
        "veq_text" if !task.wants_text => Some("the task asks for no text in the image"),
        "cns_edit" if given.input => None,
        "cns_edit" if task.has_input => Some("the task's input image was not given"),
        "cns_edit" => Some("not an editing task: it has no input image"),
        "cns_set" if task.deliverables.len() < 2 => Some("the task asks for a single image"),
        "cns_set" if !given.others => Some("no other deliverable of the task was given"),
        _ => None,
    }
}

fn not_applicable(why_not: Option<&'static str>) -> ConceptScore {
    ConceptScore {
        applicable: false,
        why_not: why_not.map(str::to_owned),
        score: None,
        distribution: None,
    }
}

/// Softmax over the classes 1 to 5 (N/A masked), and its expectation.
fn scored(logits: &[f32]) -> ConceptScore {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = logits
        .iter()
        .map(|&logit| f64::from(logit - largest).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    let mut distribution = [0.0; 5];
    for (share, weight) in distribution.iter_mut().zip(&weights) {
        *share = weight / sum;
    }
    let score = distribution
        .iter()
        .zip(1..)
        .map(|(share, class)| share * f64::from(class))
        .sum();
    ConceptScore {
        applicable: true,
        why_not: None,
        score: Some(score),
        distribution: Some(distribution),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concept_score_is_the_expectation_of_its_distribution() {
        let score = scored(&[0.0, 0.0, 0.0, 0.0, 3.0_f32.ln()]);
        let distribution = score.distribution.expect("scored");
        assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((distribution[4] - 3.0 / 7.0).abs() < 1e-6);
        assert!((score.score.expect("scored") - (1.0 + 2.0 + 3.0 + 4.0 + 15.0) / 7.0).abs() < 1e-6);
    }

    #[test]
    fn a_concept_that_a_pack_does_not_list_was_not_learned() {
        let shipped = include_str!("../../../public/models/nano/manifest.json");
        let mut manifest: Manifest = serde_json::from_str(shipped).expect("a manifest");
        let asked = |manifest: &Manifest| {
            let given = Given {
                input: true,
                others: true,
            };
            why_not("cns_edit", manifest, &Task::default(), given)
        };
        manifest.heads.concepts = vec!["brf".to_owned(), "cns_edit".to_owned()];
        assert_eq!(asked(&manifest), None);
        manifest.heads.concepts.pop();
        let why = asked(&manifest).expect("a reason");
        assert!(why.contains("not learned"), "{why}");
    }

    #[test]
    fn calibration_moves_the_probability() {
        let calibration = |a, b| Calibration {
            method: "platt".into(),
            a,
            b,
            n: 1,
            reliability: vec![],
        };
        assert!((p_pay([0.0, 0.0], &calibration(1.0, 0.0)) - 0.5).abs() < 1e-12);
        assert!(
            (p_pay([1.0, 3.0], &calibration(0.5, 0.0)) - 1.0 / (1.0 + (-1.0_f64).exp())).abs()
                < 1e-9
        );
        assert!(p_pay([1.0, 3.0], &calibration(0.5, -2.0)) < 0.5);
    }
}
