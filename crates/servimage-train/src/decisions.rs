//! Decisions of the proxy client over a world, and what a pack says of each.
//!
//! Everything is seeded by the decision's number: the same pack and world give the same decisions.

use crate::error::TrainError;
use crate::scorer::{Score, Scorer};
use crate::world::{Example, PairKind, PairPlan, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};

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

/// Makes `n` decisions over a world and hands each to `judge`: the example and the client's draw.
///
/// # Errors
/// [`TrainError`] from a damage or from `judge`.
pub fn each_decision(
    world: &World,
    n: usize,
    mut judge: impl FnMut(&Example, bool) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    for number in 0..n.div_ceil(2) {
        let mut rng = rng_of(number, 1);
        for example in world.pair(kind(number), &plan(number), &mut rng)? {
            let paid = rng.random::<f64>() < example.truth.p_pay(example.brief.price_usd);
            judge(&example, paid)?;
        }
    }
    Ok(())
}

/// `n` decisions over a world, rounded up to an even number.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn decisions(scorer: &Scorer, world: &World, n: usize) -> Result<Vec<Decision>, TrainError> {
    let mut decisions = Vec::with_capacity(n);
    each_decision(world, n, |example, paid| {
        decisions.push(Decision {
            score: scorer.score(&example.images, &example.brief)?,
            p_true: example.truth.p_pay(example.brief.price_usd),
            paid,
            chinese: !example.brief.requirement.is_ascii(),
            truth: example.truth,
        });
        Ok(())
    })?;
    Ok(decisions)
}
