//! A verdict, prepared for the eye: what to draw and which words to take, but no language yet.

use crate::text::Key;
use servimage_bench::verdict::{CONCEPTS, ConceptScore, RuleOutcome, RuleResult, Verdict};

/// One concept's row.
#[derive(Clone, Debug, PartialEq)]
pub struct ConceptRow {
    /// Name in the verdict, such as `brf`.
    pub id: &'static str,
    /// Its title.
    pub title: Key,
    /// What it asks, in a few words.
    pub hint: Key,
    /// What is known.
    pub value: ConceptValue,
}

/// A concept's number, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum ConceptValue {
    /// 1..=5, with the probabilities of 1, 2, 3, 4, 5 where they are known.
    Score(f64, Option<[f64; 5]>),
    /// It does not apply, for a reason that has a translation.
    NotApplicable(Key),
    /// It does not apply, in the engine's own English words.
    NotApplicableSaid(String),
}

/// The engine's reasons by words that only they hold; a reason that is not here is shown as it was said.
const REASONS: [(&str, Key); 7] = [
    ("no concept head", Key::WhyNoHead),
    ("not learned this concept", Key::WhyNotLearned),
    ("asks for no text", Key::WhyNoText),
    ("not an editing task", Key::WhyNoInput),
    ("input image was not given", Key::WhyInputNotGiven),
    ("asks for a single image", Key::WhyNoSet),
    ("no other deliverable", Key::WhyNoOthers),
];

/// The seven concepts in their order.
pub fn concept_rows(verdict: &Verdict) -> Vec<ConceptRow> {
    CONCEPTS
        .iter()
        .map(|id| {
            let (title, hint) = concept_words(id);
            let value = verdict
                .concepts
                .get(*id)
                .map_or(ConceptValue::NotApplicable(Key::WhyNotGiven), concept_value);
            ConceptRow {
                id,
                title,
                hint,
                value,
            }
        })
        .collect()
}

fn concept_value(concept: &ConceptScore) -> ConceptValue {
    if let (true, Some(score)) = (concept.applicable, concept.score) {
        return ConceptValue::Score(score, concept.distribution);
    }
    let said = concept.why_not.as_deref().unwrap_or_default();
    match REASONS.iter().find(|(words, _)| said.contains(words)) {
        Some((_, key)) => ConceptValue::NotApplicable(*key),
        None if said.is_empty() => ConceptValue::NotApplicable(Key::WhyNotGiven),
        None => ConceptValue::NotApplicableSaid(said.to_owned()),
    }
}

fn concept_words(id: &str) -> (Key, Key) {
    match id {
        "brf" => (Key::ConceptBrief, Key::ConceptBriefHint),
        "veq_clarity" => (Key::ConceptClarity, Key::ConceptClarityHint),
        "veq_realism" => (Key::ConceptRealism, Key::ConceptRealismHint),
        "veq_aesthetic" => (Key::ConceptAesthetic, Key::ConceptAestheticHint),
        "veq_text" => (Key::ConceptText, Key::ConceptTextHint),
        "cns_edit" => (Key::ConceptEdit, Key::ConceptEditHint),
        _ => (Key::ConceptSet, Key::ConceptSetHint),
    }
}

/// Title of one of the benchmark's categories.
pub fn category_title(category: &str) -> Option<Key> {
    match category {
        "C-Portrait" => Some(Key::CategoryPortrait),
        "C-Product" => Some(Key::CategoryProduct),
        "C-Digital" => Some(Key::CategoryDigital),
        _ => None,
    }
}

/// Title of a hard rule; `None` for one without a translation, which is shown by its own name.
pub fn rule_title(rule: &RuleResult) -> Option<Key> {
    const TITLES: [(&str, Key); 9] = [
        ("aspect_ratio", Key::RuleAspect),
        ("dimensions", Key::RuleDimensions),
        ("resolution", Key::RuleResolution),
        ("file_type", Key::RuleFileType),
        ("background", Key::RuleBackground),
        ("color", Key::RuleColours),
        ("style", Key::RuleStyle),
        ("material", Key::RuleMaterial),
        ("required_text", Key::RuleText),
    ];
    TITLES
        .iter()
        .find(|(part, _)| rule.rule.contains(part))
        .map(|(_, title)| *title)
}

/// Word, symbol and CSS name of an outcome: never colour alone.
pub fn outcome_words(outcome: RuleOutcome) -> (Key, &'static str, &'static str) {
    match outcome {
        RuleOutcome::Pass => (Key::OutcomePass, "✓", "pass"),
        RuleOutcome::Fail => (Key::OutcomeFail, "✕", "fail"),
        RuleOutcome::Warning => (Key::OutcomeWarning, "!", "warning"),
        RuleOutcome::CannotCheck => (Key::OutcomeCannotCheck, "–", "cannot-check"),
    }
}

/// The sentence for an error code; `None` where only the message itself says it.
pub fn error_sentence(code: &str) -> Option<Key> {
    Some(match code {
        "image.empty" => Key::ErrorEmpty,
        "image.damaged" => Key::ErrorDamaged,
        "image.unreadable" | "image.missing" => Key::ErrorUnreadable,
        "image.truncated" => Key::ErrorTruncated,
        "image.not_an_image" => Key::ErrorNotAnImage,
        super::queue::TOO_LARGE => Key::ErrorTooLarge,
        "image.unsupported" => Key::ErrorUnsupported,
        "pack.source" | "pack.missing_file" | "pack.network" => Key::ErrorPackMissing,
        "pack.hash" | "pack.length" | "pack.size" | "pack.part" | "pack.json" => {
            Key::ErrorPackDamaged
        }
        "pack.self_test_failed" => Key::ErrorSelfTest,
        "device.no_gpu" => Key::ErrorNoGpu,
        "worker.broken" => Key::ErrorWorker,
        super::queue::CANCELLED => Key::ErrorCancelled,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_with(id: &str, concept: ConceptScore) -> Verdict {
        let mut verdict = crate::session::tests::verdict("a.png", 0.7);
        verdict.concepts.insert(id.to_owned(), concept);
        verdict
    }

    fn silent(why_not: Option<&str>) -> ConceptScore {
        ConceptScore {
            applicable: false,
            why_not: why_not.map(str::to_owned),
            score: None,
            distribution: None,
        }
    }

    #[test]
    fn all_seven_concepts_have_a_row_even_where_the_verdict_is_silent() {
        let rows = concept_rows(&crate::session::tests::verdict("a.png", 0.7));
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), CONCEPTS);
        assert!(matches!(rows[0].value, ConceptValue::Score(score, Some(_)) if score == 4.0));
        assert_eq!(rows[6].value, ConceptValue::NotApplicable(Key::WhyNotGiven));
    }

    #[test]
    fn a_concept_without_a_number_says_why() {
        let at = |why| {
            concept_rows(&verdict_with("cns_edit", silent(why)))[5]
                .value
                .clone()
        };
        let known = Some("the task's input image was not given");
        assert_eq!(
            at(known),
            ConceptValue::NotApplicable(Key::WhyInputNotGiven)
        );
        let unlearned = Some("this model has not learned this concept");
        assert_eq!(
            at(unlearned),
            ConceptValue::NotApplicable(Key::WhyNotLearned)
        );
        let new = "the moon is in the wrong phase";
        assert_eq!(at(Some(new)), ConceptValue::NotApplicableSaid(new.into()));
        assert_eq!(at(None), ConceptValue::NotApplicable(Key::WhyNotGiven));
    }

    #[test]
    fn every_outcome_has_its_own_symbol() {
        let all = [
            RuleOutcome::Pass,
            RuleOutcome::Fail,
            RuleOutcome::Warning,
            RuleOutcome::CannotCheck,
        ];
        let symbols: std::collections::BTreeSet<_> = all
            .map(|outcome| outcome_words(outcome).1)
            .into_iter()
            .collect();
        assert_eq!(symbols.len(), all.len());
    }

    #[test]
    fn rules_are_titled_by_what_they_ask() {
        let rule = |name: &str| RuleResult {
            rule: name.into(),
            required: String::new(),
            measured: String::new(),
            outcome: RuleOutcome::Pass,
        };
        assert_eq!(
            rule_title(&rule("visual_specs.aspect_ratio")),
            Some(Key::RuleAspect)
        );
        assert_eq!(
            rule_title(&rule("background_color")),
            Some(Key::RuleBackground)
        );
        assert_eq!(rule_title(&rule("pc")), None);
    }
}
