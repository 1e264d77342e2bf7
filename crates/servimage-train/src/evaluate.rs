//! Figures of a pack on a world that its training never saw.

use crate::decisions::{Decision, decisions};
use crate::error::TrainError;
use crate::figures::{Figure, Share};
use crate::ordering::{DamagePairs, SwapPairs, damage_pairs, swap_pairs};
use crate::scorer::Scorer;
use crate::truth::{N_CONCEPTS, sigmoid};
use crate::world::World;
use serde::Serialize;
use servimage_bench::agreement::{Bin, auroc, brier, ece, kappa, reliability, spearman};
use servimage_model::heads::CONCEPT_HEADS;

/// Figures of the payment decisions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PaymentFigures {
    /// Decisions guessed right at a threshold of 0.5.
    pub accuracy: Share,
    /// Right when always guessing the commoner decision.
    pub majority: f64,
    /// Right when knowing the client's true probability: nothing can do better on average.
    pub bayes: f64,
    /// How far the accuracy is from the majority's to the Bayes limit, 0..=1.
    pub share_of_way: f64,
    /// Area under the ROC curve.
    pub auroc: Figure,
    /// Expected calibration error over ten bins of equal mass.
    pub ece: Figure,
    /// Brier score.
    pub brier: Figure,
    /// Cohen's kappa with the client's draws.
    pub kappa: f64,
    /// The bins.
    pub reliability: Vec<Bin>,
}

/// Rank correlation of a concept with its truth where it applies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConceptFigure {
    /// Its name.
    pub concept: &'static str,
    /// Spearman's.
    pub spearman: Figure,
}

/// Figures of the decisions under briefs in one language.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LanguageFigures {
    /// `en` or `zh`.
    pub language: &'static str,
    /// Decisions guessed right.
    pub accuracy: Share,
    /// Area under the ROC curve.
    pub auroc: Figure,
    /// Spearman of the brief's score.
    pub brf: Figure,
}

/// All figures of a pack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Clean pictures.
    pub n_pictures: usize,
    /// Payment decisions.
    pub payment: PaymentFigures,
    /// Concepts.
    pub concepts: Vec<ConceptFigure>,
    /// Both languages.
    pub languages: Vec<LanguageFigures>,
    /// Clean against damaged copies.
    pub damages: DamagePairs,
    /// The same picture under the met and another brief.
    pub swaps: SwapPairs,
}

/// Figures of the payment decisions under the pack's calibration.
#[must_use]
pub fn payment_figures(decisions: &[Decision], a: f64, b: f64) -> PaymentFigures {
    let predicted: Vec<f64> = decisions
        .iter()
        .map(|d| sigmoid(a * d.score.pay_logit + b))
        .collect();
    let paid: Vec<bool> = decisions.iter().map(|d| d.paid).collect();
    let guessed: Vec<bool> = predicted.iter().map(|p| *p >= 0.5).collect();
    let right = guessed
        .iter()
        .zip(&paid)
        .filter(|(guess, paid)| guess == paid)
        .count() as u64;
    let n = decisions.len() as u64;
    let n_paid = paid.iter().filter(|paid| **paid).count() as u64;
    let some = |chosen: &[usize]| -> (Vec<f64>, Vec<bool>) {
        chosen.iter().map(|i| (predicted[*i], paid[*i])).unzip()
    };
    let figure = |of: fn(&[f64], &[bool]) -> f64| {
        Figure::of(decisions.len(), |chosen| {
            let (predicted, paid) = some(chosen);
            of(&predicted, &paid)
        })
    };
    let accuracy = Share::of(right, n);
    let majority = n_paid.max(n - n_paid) as f64 / n.max(1) as f64;
    let best = decisions
        .iter()
        .map(|d| d.p_true.max(1.0 - d.p_true))
        .sum::<f64>();
    let bayes = best / n.max(1) as f64;
    PaymentFigures {
        accuracy,
        majority,
        bayes,
        share_of_way: (accuracy.value - majority) / (bayes - majority).max(1e-9),
        auroc: figure(auroc),
        ece: figure(|predicted, paid| ece(&reliability(predicted, paid, 10))),
        brier: figure(brier),
        kappa: kappa(&guessed, &paid),
        reliability: reliability(&predicted, &paid, 10),
    }
}

/// Spearman of one concept over the decisions to which it applies.
fn concept_figure(decisions: &[&Decision], concept: usize) -> Figure {
    let both = decisions.iter().filter_map(|d| {
        Some((
            f64::from(d.truth.scores[concept]?),
            d.score.concepts[concept],
        ))
    });
    let both: Vec<(f64, f64)> = both.collect();
    Figure::of(both.len().max(1), |chosen| {
        let chosen = chosen.iter().filter_map(|i| both.get(*i).copied());
        let (truth, said): (Vec<f64>, Vec<f64>) = chosen.unzip();
        spearman(&truth, &said)
    })
}

fn language_figures(decisions: &[Decision], chinese: bool, a: f64, b: f64) -> LanguageFigures {
    let own: Vec<Decision> = decisions
        .iter()
        .filter(|d| d.chinese == chinese)
        .copied()
        .collect();
    let payment = payment_figures(&own, a, b);
    LanguageFigures {
        language: if chinese { "zh" } else { "en" },
        accuracy: payment.accuracy,
        auroc: payment.auroc,
        brf: concept_figure(&own.iter().collect::<Vec<_>>(), 0),
    }
}

/// All figures over a held-out world; `on_picture` hears of each picture of the pairs.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn evaluate(
    scorer: &Scorer,
    world: &World,
    n_decisions: usize,
    on_picture: impl FnMut(),
) -> Result<Figures, TrainError> {
    let (a, b) = (scorer.manifest.calibration.a, scorer.manifest.calibration.b);
    let decisions = decisions(scorer, world, n_decisions)?;
    let all: Vec<&Decision> = decisions.iter().collect();
    let concepts = (0..N_CONCEPTS).map(|i| ConceptFigure {
        concept: CONCEPT_HEADS[i].0,
        spearman: concept_figure(&all, i),
    });
    Ok(Figures {
        n_pictures: world.pictures.len(),
        payment: payment_figures(&decisions, a, b),
        concepts: concepts.collect(),
        languages: [false, true]
            .map(|chinese| language_figures(&decisions, chinese, a, b))
            .to_vec(),
        damages: damage_pairs(scorer, world, on_picture)?,
        swaps: swap_pairs(scorer, world, n_decisions / 4)?,
    })
}
