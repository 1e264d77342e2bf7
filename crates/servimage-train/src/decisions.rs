//! Decisions of the proxy client over a world, and what a pack says of each.
//!
//! Everything is seeded by the decision's number: the same pack and world give the same decisions.

use crate::brief::Brief;
use crate::error::TrainError;
use crate::point::{Language, Point};
use crate::scorer::{Score, Scorer};
use crate::wear::Wear;
use crate::world::{Example, PairKind, PairPlan, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use rayon::prelude::*;
use servimage_prompt::Role;

/// Windows of the examples: the shapes in which the network sees pictures.
pub const WINDOWS: [[usize; 2]; 3] = [[224, 224], [256, 192], [192, 256]];

/// Share of drawings among contents of figures.
const FIGURES: f64 = 0.35;

/// One decision of the proxy client, and what the pack said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// What the pack said.
    pub score: Score,
    /// The client's true probability.
    pub p_true: f64,
    /// The client's draw.
    pub paid: bool,
    /// Whether the brief is Chinese.
    pub chinese: bool,
    /// True scores.
    pub truth: crate::truth::Truth,
}

/// The plan of a decision's number.
#[must_use]
pub fn plan(number: usize) -> PairPlan {
    PairPlan {
        window: WINDOWS[number % WINDOWS.len()],
        max_points: 4,
        figures: FIGURES,
        wear: Wear::ALONE,
    }
}

/// The generator of a decision's number for one purpose.
#[must_use]
pub fn rng_of(number: usize, purpose: u64) -> SmallRng {
    SmallRng::seed_from_u64((number as u64 + 1).wrapping_mul(0xD129_0C1F_73A9_5D2B) ^ purpose)
}

/// Kind of the pair that a decision belongs to.
fn kind(number: usize) -> PairKind {
    use PairKind::{Brief, Damage, Edit, Set};
    [Damage, Brief, Damage, Edit, Brief, Set, Damage, Brief][number % 8]
}

/// The two decisions of a pair's number, each with the client's draw.
fn pair_of(world: &World, number: usize) -> Result<[(Example, bool); 2], TrainError> {
    let mut rng = rng_of(number, 1);
    let pair = world.pair(kind(number), &plan(number), &mut rng)?;
    Ok(pair.map(|example| {
        let paid = rng.random::<f64>() < example.truth.p_pay(example.brief.price_usd);
        (example, paid)
    }))
}

/// Makes `n` decisions over a world, rounded up to an even number, on all cores and gives what `judge` makes of each, in
/// order: it gets the example and the client's draw.
///
/// # Errors
/// [`TrainError`] from a damage or from `judge`.
pub fn each_decision<T: Send>(
    world: &World,
    n: usize,
    judge: impl Fn(&Example, bool) -> Result<T, TrainError> + Sync,
) -> Result<Vec<T>, TrainError> {
    let pairs: Result<Vec<[T; 2]>, TrainError> = (0..n.div_ceil(2))
        .into_par_iter()
        .map(|number| {
            let [first, second] = pair_of(world, number)?;
            Ok([judge(&first.0, first.1)?, judge(&second.0, second.1)?])
        })
        .collect();
    Ok(pairs?.into_iter().flatten().collect())
}

/// `n` decisions over a world, rounded up to an even number.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn decisions(scorer: &Scorer, world: &World, n: usize) -> Result<Vec<Decision>, TrainError> {
    each_decision(world, n, |example, paid| decision(scorer, example, paid))
}

/// The same decisions once under an English and once under a Chinese brief of the same points; those without known points are
/// left out. What differs between the two halves is the language alone.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn in_both_languages(
    scorer: &Scorer,
    world: &World,
    n: usize,
) -> Result<Vec<Decision>, TrainError> {
    let worded = each_decision(world, n, |example, paid| {
        if example.points.is_empty() {
            return Ok(Vec::new());
        }
        let both = [Language::English, Language::Chinese].map(|language| {
            let told = example.told_in(language, world.held_out());
            decision(scorer, &told, paid)
        });
        both.into_iter().collect()
    })?;
    Ok(worded.concat())
}

fn decision(scorer: &Scorer, example: &Example, paid: bool) -> Result<Decision, TrainError> {
    Ok(Decision {
        score: scorer.score(&example.images, &example.brief)?,
        p_true: example.truth.p_pay(example.brief.price_usd),
        paid,
        chinese: !example.brief.requirement.is_ascii(),
        truth: example.truth,
    })
}

impl Example {
    /// Under a brief of the same known points in a language.
    fn told_in(&self, language: Language, held_out: bool) -> Self {
        let points: Vec<Point> = self.points.iter().map(|(point, _)| *point).collect();
        let is_edit = self.images.iter().any(|(role, _)| *role == Role::Input);
        let mut rng = rng_of(self.brief.price_usd.to_bits() as usize, 7);
        let mut told = self.clone();
        told.brief.requirement = Brief::asking(&points, is_edit, language, held_out, &mut rng);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Part, scenes};

    #[test]
    fn an_example_told_in_another_language_differs_in_its_words_alone() -> Result<(), TrainError> {
        let world = World {
            pictures: scenes(Part::Train, 2).collect(),
            real_briefs: Vec::new(),
            part: Part::Train,
        };
        let all = each_decision(&world, 16, |example, _| Ok(example.clone()))?;
        for example in all.iter().filter(|example| !example.points.is_empty()) {
            let [english, chinese] = [Language::English, Language::Chinese]
                .map(|language| example.told_in(language, true));
            assert!(english.brief.requirement.is_ascii());
            assert!(!chinese.brief.requirement.is_ascii());
            assert_eq!(english.images, chinese.images);
            assert_eq!(english.truth, example.truth);
            assert_eq!(english.brief.price_usd, chinese.brief.price_usd);
        }
        Ok(())
    }
}
