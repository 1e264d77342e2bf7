//! What the checkpoint was to reach (issue 4) beside what it reaches.

use crate::about::Evaluation;
use crate::evaluate::PairFigures;
use crate::figures::{Figure, Share};
use servimage_model::heads::CONCEPT_HEADS;

/// Least Spearman correlation of each concept with its truth, in the order of [`CONCEPT_HEADS`]; the brief has a goal of its own.
const SPEARMAN: [Option<f64>; 7] = [
    None,
    Some(0.85),
    Some(0.7),
    Some(0.7),
    Some(0.7),
    Some(0.7),
    Some(0.7),
];

/// Largest pack, in MB.
const SIZE_MB: f64 = 6.0;

/// One goal and its figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// What is measured.
    pub name: String,
    /// What was to be reached.
    pub wanted: String,
    /// What a judge would reach who knew each truth.
    pub limit: String,
    /// The figure with its interval.
    pub found: String,
    /// Whether it is reached.
    pub outcome: Outcome,
}

/// Whether a goal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The figure reaches it; `sure` where its whole interval does.
    Met {
        /// Whether the interval stays on this side of the goal.
        sure: bool,
    },
    /// The figure does not.
    Missed {
        /// Whether the interval stays on this side of the goal.
        sure: bool,
    },
}

impl Outcome {
    /// Of a figure with its interval that is to be at least `goal`.
    fn at_least(goal: f64, value: f64, [low, high]: [f64; 2]) -> Self {
        if value >= goal {
            Self::Met { sure: low >= goal }
        } else {
            Self::Missed { sure: high < goal }
        }
    }

    /// In the card's words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Met { sure: true } => "met",
            Self::Met { sure: false } => "met, but the interval holds less",
            Self::Missed { sure: true } => "**not met**",
            Self::Missed { sure: false } => "**not met**, but the interval holds the goal",
        }
    }
}

/// `81.2 % (79.0 to 83.3)`
pub(super) fn percent([value, low, high]: [f64; 3]) -> String {
    let [value, low, high] = [value, low, high].map(|x| 100.0 * x);
    format!("{value:.1} % ({low:.1} to {high:.1})")
}

pub(super) fn share(share: &Share) -> String {
    percent([share.value, share.low, share.high])
}

pub(super) fn figure(figure: &Figure) -> String {
    rounded(figure, 3)
}

fn rounded(figure: &Figure, digits: usize) -> String {
    let Figure {
        value, low, high, ..
    } = figure;
    format!("{value:.digits$} ({low:.3} to {high:.3})")
}

/// Digits in which a value is told, three or more: it does not look as if it reached a goal that it misses.
fn digits(goal: f64, value: f64) -> usize {
    let told = |digits: usize| format!("{value:.digits$}").parse().unwrap_or(value);
    let is_true = |digits: &usize| (told(*digits) >= goal) == (value >= goal);
    (3..8).find(is_true).unwrap_or(8)
}

fn of_share(name: &str, goal: f64, found: &Share) -> Goal {
    Goal {
        name: format!("{name} (n = {})", found.n),
        wanted: format!("at least {:.0} %", 100.0 * goal),
        limit: "100 %".to_owned(),
        found: share(found),
        outcome: Outcome::at_least(goal, found.value, [found.low, found.high]),
    }
}

fn of_figure(name: &str, goal: f64, limit: f64, found: &Figure) -> Goal {
    Goal {
        name: format!("{name} (n = {})", found.n),
        wanted: format!("at least {goal}"),
        limit: format!("{limit:.3}"),
        found: rounded(found, digits(goal, found.value)),
        outcome: Outcome::at_least(goal, found.value, [found.low, found.high]),
    }
}

/// Difference of two shares of different cases: at most three points.
fn between(name: &str, [one, other]: [&Share; 2]) -> Goal {
    let difference = one.value - other.value;
    let half = |share: &Share| (share.high - share.low) / 2.0;
    let half = half(one).hypot(half(other));
    let (low, high) = (difference - half, difference + half);
    let goal = 0.03;
    let outcome = if difference.abs() <= goal {
        Outcome::Met {
            sure: low >= -goal && high <= goal,
        }
    } else {
        Outcome::Missed {
            sure: low > goal || high < -goal,
        }
    };
    let [points, low, high] = [difference, low, high].map(|x| 100.0 * x);
    Goal {
        name: format!(
            "{name}, English less Chinese (n = {} and {})",
            one.n, other.n
        ),
        wanted: "at most 3 points either way".to_owned(),
        limit: String::new(),
        found: format!("{points:+.1} points ({low:+.1} to {high:+.1})"),
        outcome,
    }
}

/// Every goal of a pack that ships.
#[must_use]
pub fn goals(evaluation: &Evaluation, pairs: &PairFigures) -> Vec<Goal> {
    let figures = &evaluation.figures;
    let payment = &figures.payment;
    let way = &payment.share_of_way;
    let mut goals = vec![
        Goal {
            name: format!(
                "payment accuracy, from the commoner decision's (0 %) to the Bayes limit's (100 %) (n = {})",
                way.n
            ),
            wanted: "at least 85 %".to_owned(),
            limit: "100 %".to_owned(),
            found: percent([way.value, way.low, way.high]),
            outcome: Outcome::at_least(0.85, way.value, [way.low, way.high]),
        },
        of_figure(
            "AUROC of the payment",
            0.9,
            payment.auroc_limit,
            &payment.auroc,
        ),
        Goal {
            name: format!(
                "expected calibration error, 10 bins of equal mass (n = {})",
                payment.ece.n
            ),
            wanted: "at most 0.03".to_owned(),
            limit: String::new(),
            found: figure(&payment.ece),
            outcome: Outcome::at_least(
                -0.03,
                -payment.ece.value,
                [-payment.ece.high, -payment.ece.low],
            ),
        },
    ];
    for concept in &figures.concepts {
        let place = CONCEPT_HEADS
            .iter()
            .position(|(name, _)| *name == concept.concept);
        if let Some(goal) = place.and_then(|place| SPEARMAN[place]) {
            goals.push(of_figure(
                &format!("Spearman of `{}` with its truth", concept.concept),
                goal,
                concept.limit,
                &concept.spearman,
            ));
        }
    }
    goals.push(of_share(
        "brief swap: the met brief has the higher `brf` than another",
        0.85,
        &pairs.swaps.by_brf,
    ));
    goals.push(of_share(
        "damages never trained on: clean above damaged in P(pay)",
        0.85,
        &pairs.damages.unseen,
    ));
    let language = |name: &str| figures.languages.iter().find(|l| l.language == name);
    if let (Some(en), Some(zh)) = (language("en"), language("zh")) {
        goals.push(between("payment accuracy", [&en.accuracy, &zh.accuracy]));
    }
    if let [(_, en), (_, zh)] = &pairs.swaps.languages[..] {
        goals.push(between("brief swap", [en, zh]));
    }
    let size_mb = evaluation.pack.size_bytes as f64 / 1e6;
    goals.push(Goal {
        name: "size of the pack".to_owned(),
        wanted: format!("at most {SIZE_MB} MB"),
        limit: String::new(),
        found: format!("{size_mb:.2} MB"),
        outcome: Outcome::at_least(-SIZE_MB, -size_mb, [-size_mb; 2]),
    });
    goals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_by_the_figure_and_sure_by_the_interval() {
        let outcome = |value, low, high| Outcome::at_least(0.85, value, [low, high]).words();
        assert_eq!(outcome(0.9, 0.86, 0.93), "met");
        assert_eq!(outcome(0.9, 0.8, 0.95), "met, but the interval holds less");
        assert_eq!(
            outcome(0.8, 0.75, 0.86),
            "**not met**, but the interval holds the goal"
        );
        assert_eq!(outcome(0.8, 0.75, 0.84), "**not met**");
    }

    #[test]
    fn a_figure_just_short_of_its_goal_is_not_told_as_the_goal() {
        let told = |value| {
            let (low, high, n) = (0.65, 0.74, 430);
            let found = Figure {
                value,
                low,
                high,
                n,
            };
            of_figure("x", 0.7, 0.959, &found).found
        };
        assert_eq!(told(0.6995), "0.6995 (0.650 to 0.740)");
        assert_eq!(told(0.69996), "0.69996 (0.650 to 0.740)");
        assert_eq!(told(0.6994), "0.699 (0.650 to 0.740)");
        assert_eq!(told(0.7), "0.700 (0.650 to 0.740)");
    }

    #[test]
    fn languages_may_differ_by_three_points_either_way() {
        let between =
            |hits, other| between("x", [&Share::of(hits, 10_000), &Share::of(other, 10_000)]);
        assert_eq!(between(8_000, 8_100).outcome, Outcome::Met { sure: true });
        assert_eq!(
            between(8_000, 8_700).outcome,
            Outcome::Missed { sure: true }
        );
        assert_eq!(
            between(8_700, 8_000).outcome,
            Outcome::Missed { sure: true }
        );
        assert_eq!(
            between(8_000, 8_310).outcome,
            Outcome::Missed { sure: false }
        );
    }
}
