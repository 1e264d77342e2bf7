//! Figures of a pack on a world that its training never saw.

use crate::decisions::{Decision, decisions, in_both_languages, rng_of};
use crate::error::TrainError;
use crate::figures::{Figure, Share};
use crate::ordering::{DamagePairs, damage_pairs};
use crate::scorer::Scorer;
use crate::swaps::{PriceFigure, SwapPairs, price_figures, swap_pairs};
use crate::truth::{N_CONCEPTS, sigmoid};
use crate::world::World;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use servimage_bench::agreement::{Bin, auroc, brier, ece, kappa, reliability, spearman};
use servimage_model::heads::CONCEPT_HEADS;

/// Pictures that are asked about at several prices.
const N_PRICED: usize = 40;

/// Figures of the payment decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentFigures {
    /// Decisions guessed right at a threshold of 0.5.
    pub accuracy: Share,
    /// Right when always guessing the commoner decision.
    pub majority: f64,
    /// Right when knowing the client's true probability: nothing can do better on average.
    pub bayes: f64,
    /// How far the accuracy is from the majority's (0) to the Bayes limit (1).
    pub share_of_way: Figure,
    /// Area under the ROC curve.
    pub auroc: Figure,
    /// The same of the client's true probability: the draws are random even to who knows it.
    pub auroc_limit: f64,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConceptFigure {
    /// Its name.
    pub concept: String,
    /// Spearman's.
    pub spearman: Figure,
    /// The most that scores without ties can reach, many truths being equal.
    pub limit: f64,
}

/// Figures of the decisions with known points, all of them under briefs in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanguageFigures {
    /// `en` or `zh`.
    pub language: String,
    /// Decisions guessed right.
    pub accuracy: Share,
    /// Area under the ROC curve.
    pub auroc: Figure,
    /// Spearman of the brief's score.
    pub brf: Figure,
}

/// All figures of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Clean pictures of the pairs.
    pub n_pictures: usize,
    /// Payment decisions.
    pub payment: PaymentFigures,
    /// Concepts.
    pub concepts: Vec<ConceptFigure>,
    /// Both languages.
    pub languages: Vec<LanguageFigures>,
    /// What the first of these figures fall to by chance.
    pub shuffled: ShuffledFigures,
    /// Pairs, unless only decisions were asked for.
    pub pairs: Option<PairFigures>,
}

/// Figures of the same scores where each is held against the truth and the draw of another decision: what chance gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShuffledFigures {
    /// As [`PaymentFigures::share_of_way`].
    pub share_of_way: Figure,
    /// As [`PaymentFigures::auroc`].
    pub auroc: Figure,
    /// As [`Figures::concepts`].
    pub concepts: Vec<ConceptFigure>,
}

/// Figures of pairs that share all but one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairFigures {
    /// Clean against damaged copies.
    pub damages: DamagePairs,
    /// The same picture under the met and another brief.
    pub swaps: SwapPairs,
    /// Clean pictures at several prices.
    pub prices: Vec<PriceFigure>,
}

/// How much to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Payment decisions; a quarter as many pairs of briefs.
    pub n_decisions: usize,
    /// At most so many clean pictures for the pairs, evenly spread over the world; none at all for 0.
    pub n_pictures: usize,
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
    let some = |chosen: &[usize]| -> (Vec<f64>, Vec<bool>) {
        chosen.iter().map(|i| (predicted[*i], paid[*i])).unzip()
    };
    let figure = |of: fn(&[f64], &[bool]) -> f64| {
        Figure::of(decisions.len(), |chosen| {
            let (predicted, paid) = some(chosen);
            of(&predicted, &paid)
        })
    };
    let limits = |chosen: &[usize]| limits_of(chosen.iter().map(|i| &decisions[*i]));
    let right_of = |chosen: &[usize]| {
        let right = chosen.iter().filter(|i| guessed[**i] == paid[**i]).count();
        right as f64 / chosen.len().max(1) as f64
    };
    let (majority, bayes) = limits_of(decisions.iter());
    PaymentFigures {
        accuracy: Share::of(right, decisions.len() as u64),
        majority,
        bayes,
        share_of_way: Figure::of(decisions.len(), |chosen| {
            let (majority, bayes) = limits(chosen);
            (right_of(chosen) - majority) / (bayes - majority).max(1e-9)
        }),
        auroc: figure(auroc),
        auroc_limit: auroc(
            &decisions.iter().map(|d| d.p_true).collect::<Vec<f64>>(),
            &paid,
        ),
        ece: figure(|predicted, paid| ece(&reliability(predicted, paid, 10))),
        brier: figure(brier),
        kappa: kappa(&guessed, &paid),
        reliability: reliability(&predicted, &paid, 10),
    }
}

/// Shares of right guesses of always guessing the commoner decision, and of knowing each true probability.
fn limits_of<'a>(decisions: impl Iterator<Item = &'a Decision>) -> (f64, f64) {
    let (mut n, mut n_paid, mut best) = (0.0, 0.0, 0.0);
    for decision in decisions {
        n += 1.0;
        n_paid += f64::from(u8::from(decision.paid));
        best += decision.p_true.max(1.0 - decision.p_true);
    }
    let n = f64::max(n, 1.0);
    (n_paid.max(n - n_paid) / n, best / n)
}

/// Rank correlation of values with themselves once chance has put those that are equal in an order: `sqrt(1 - sum (t^3 - t) /
/// (n^3 - n))` over the groups of `t` equal ones.
fn limit_of_ties(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let cubic = |n: usize| (n as f64).powi(3) - n as f64;
    let tied: f64 = values.chunk_by(|a, b| a == b).map(|t| cubic(t.len())).sum();
    (1.0 - tied / cubic(values.len().max(2))).max(0.0).sqrt()
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

fn concept_figures(decisions: &[Decision]) -> Vec<ConceptFigure> {
    let all: Vec<&Decision> = decisions.iter().collect();
    let figure = |i: usize| ConceptFigure {
        concept: CONCEPT_HEADS[i].0.to_owned(),
        spearman: concept_figure(&all, i),
        limit: limit_of_ties(
            all.iter()
                .filter_map(|d| d.truth.scores[i].map(f64::from))
                .collect(),
        ),
    };
    (0..N_CONCEPTS).map(figure).collect()
}

/// Figures of the scores where each is held against another decision's truth.
fn shuffled_figures(decisions: &[Decision], a: f64, b: f64) -> ShuffledFigures {
    let mut others = decisions.to_vec();
    others.shuffle(&mut rng_of(decisions.len(), 9));
    let pairs = decisions.iter().zip(&others);
    let shuffled: Vec<Decision> = pairs
        .map(|(own, other)| Decision {
            score: own.score,
            ..*other
        })
        .collect();
    let payment = payment_figures(&shuffled, a, b);
    ShuffledFigures {
        share_of_way: payment.share_of_way,
        auroc: payment.auroc,
        concepts: concept_figures(&shuffled),
    }
}

fn language_figures(decisions: &[Decision], chinese: bool, a: f64, b: f64) -> LanguageFigures {
    let own: Vec<Decision> = decisions
        .iter()
        .filter(|d| d.chinese == chinese)
        .copied()
        .collect();
    let payment = payment_figures(&own, a, b);
    LanguageFigures {
        language: if chinese { "zh" } else { "en" }.to_owned(),
        accuracy: payment.accuracy,
        auroc: payment.auroc,
        brf: concept_figure(&own.iter().collect::<Vec<_>>(), 0),
    }
}

/// A world of at most `most` of the pictures, evenly spread.
fn spread(world: &World, most: usize) -> World {
    let n = world.pictures.len();
    let most = most.min(n);
    World {
        pictures: (0..most)
            .map(|i| world.pictures[i * n / most].clone())
            .collect(),
        ..world.clone()
    }
}

/// All figures over a held-out world; `on_picture` hears of each picture of the pairs.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn evaluate(
    scorer: &Scorer,
    world: &World,
    amount: Amount,
    on_picture: impl Fn() + Sync,
) -> Result<Figures, TrainError> {
    let (a, b) = (scorer.manifest.calibration.a, scorer.manifest.calibration.b);
    let decisions = decisions(scorer, world, amount.n_decisions)?;
    let told = in_both_languages(scorer, world, amount.n_decisions)?;
    let few = spread(world, amount.n_pictures);
    let pairs = match few.pictures.is_empty() {
        true => None,
        false => Some(PairFigures {
            damages: damage_pairs(scorer, &few, on_picture)?,
            swaps: swap_pairs(scorer, world, amount.n_decisions / 4)?,
            prices: price_figures(scorer, &few, N_PRICED)?,
        }),
    };
    Ok(Figures {
        n_pictures: few.pictures.len(),
        payment: payment_figures(&decisions, a, b),
        concepts: concept_figures(&decisions),
        languages: [false, true]
            .map(|chinese| language_figures(&told, chinese, a, b))
            .to_vec(),
        shuffled: shuffled_figures(&decisions, a, b),
        pairs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scorer::Score;
    use crate::truth::Truth;

    /// Decisions of a judge that knows everything.
    fn all_knowing(n: usize) -> Vec<Decision> {
        let decision = |i: usize| {
            let lost = (i * 37 % n) as f32 / n as f32;
            let truth = Truth::default().with_text(lost);
            let mut concepts = [3.0; N_CONCEPTS];
            concepts[4] = f64::from(5.0 - 4.0 * lost);
            Decision {
                score: Score {
                    concepts,
                    pay_logit: truth.pay_logit(100.0),
                },
                p_true: truth.p_pay(100.0),
                paid: lost < 0.9,
                chinese: false,
                truth,
            }
        };
        (0..n).map(decision).collect()
    }

    #[test]
    fn equal_truths_bound_the_rank_correlation() {
        assert_eq!(limit_of_ties(vec![1.0, 2.0, 3.0]), 1.0);
        assert_eq!(limit_of_ties(vec![2.0; 5]), 0.0);
        // Three of four are equal: chance orders them, and the mean over all six orders of Spearman's is this.
        let truth = [1.0, 5.0, 5.0, 5.0];
        let orders = [
            [2.0, 3.0, 4.0],
            [2.0, 4.0, 3.0],
            [3.0, 2.0, 4.0],
            [3.0, 4.0, 2.0],
            [4.0, 2.0, 3.0],
            [4.0, 3.0, 2.0],
        ];
        let found = orders.map(|[a, b, c]| spearman(&truth, &[1.0, a, b, c]));
        let mean = found.iter().sum::<f64>() / 6.0;
        assert!(
            (limit_of_ties(truth.to_vec()) - mean).abs() < 1e-12,
            "{mean}"
        );
    }

    #[test]
    fn who_knows_everything_scores_full_marks_and_chance_once_labels_are_shuffled() {
        let decisions = all_knowing(400);
        let text = |figures: &[ConceptFigure]| figures[4].spearman.value;
        assert!(payment_figures(&decisions, 1.0, 0.0).auroc.value > 0.999);
        assert!(text(&concept_figures(&decisions)) > 0.999);
        let shuffled = shuffled_figures(&decisions, 1.0, 0.0);
        assert!((shuffled.auroc.value - 0.5).abs() < 0.15, "{shuffled:?}");
        assert!(text(&shuffled.concepts).abs() < 0.15, "{shuffled:?}");
    }
}
