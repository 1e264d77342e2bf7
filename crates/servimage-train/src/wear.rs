//! What pictures have been through before a client sees them: damages of all three families, often more than one.
//!
//! Deliverables of the world are rarely flawless. Were they, most truths would be the same 5, and no judge could follow
//! them: with a share `t` of equal truths a rank correlation of `sqrt(1 - t^3)` is the most that there is.

use crate::damage::Damage;
use crate::truth::Applied;
use rand::Rng;
use rand::seq::IndexedRandom;

/// Least severity.
const LEAST: f32 = 0.03;

/// Faint damages are the more frequent ones: a severity is an even draw raised to this.
const FAINT: f32 = 1.3;

/// Share of warps and ghosts beyond their even one, where they are looked for.
const SUBTLE: f64 = 0.25;

/// Share of damaged families that are damaged twice.
const TWICE: f64 = 0.1;

/// How pictures are worn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wear {
    /// Share of pictures that each family damages, by itself: realism, aesthetic, clarity.
    pub shares: [f64; 3],
    /// Whether what is in the picture may be moved ([`Damage::moves`]).
    pub moving: bool,
    /// Whether the damages that are hardest to see, warps and ghosts, are half of those of their family.
    pub subtle: bool,
}

impl Wear {
    /// Where examples differ in their damages.
    pub const ALONE: Self = Self {
        shares: [0.65; 3],
        moving: true,
        subtle: false,
    };

    /// Where they differ in their briefs.
    pub const UNDER_BRIEFS: Self = Self {
        shares: [0.55; 3],
        moving: true,
        subtle: false,
    };

    /// Where the vision tower that knows the rest looks for what it misses.
    pub const LOOKED_FOR: Self = Self {
        shares: [0.85, 0.5, 0.4],
        moving: true,
        subtle: true,
    };

    /// Of edits and of deliverables of a set: nothing in them is moved, as where things are is what they are judged by.
    pub const BESIDE_OTHERS: Self = Self {
        shares: [0.45; 3],
        moving: false,
        subtle: false,
    };

    /// Damages of training with random severities, in the order in which they come about: as the picture is made, as it is
    /// graded and framed, as it is taken and sent.
    pub fn damages(self, rng: &mut impl Rng) -> Vec<Applied> {
        let families: [&[Damage]; 3] = [&Damage::REALISM, &Damage::AESTHETIC, &Damage::CLARITY];
        let mut applied = Vec::new();
        for (family, share) in families.into_iter().zip(self.shares) {
            let mut allowed: Vec<Damage> = family
                .iter()
                .filter(|damage| self.moving || !damage.moves())
                .copied()
                .collect();
            if !rng.random_bool(share) {
                continue;
            }
            if self.subtle && family == Damage::REALISM && rng.random_bool(SUBTLE) {
                allowed = vec![Damage::Warp, Damage::Ghost];
            }
            let n = if rng.random_bool(TWICE) { 2 } else { 1 };
            applied.extend((0..n).map(|_| {
                let damage = allowed.choose(rng).expect("no family only moves things");
                (*damage, severity(rng))
            }));
        }
        applied
    }
}

fn severity(rng: &mut impl Rng) -> f32 {
    LEAST + (1.0 - LEAST) * rng.random::<f32>().powf(FAINT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::Concept;
    use rand::{SeedableRng, rngs::SmallRng};

    #[test]
    fn each_family_damages_its_share_of_the_pictures_and_only_with_damages_of_training() {
        let wear = Wear {
            shares: [0.6; 3],
            moving: false,
            subtle: false,
        };
        let mut rng = SmallRng::seed_from_u64(2);
        let worn: Vec<Vec<Applied>> = (0..2000).map(|_| wear.damages(&mut rng)).collect();
        for concept in [Concept::Clarity, Concept::Realism, Concept::Aesthetic] {
            let hit = |applied: &&Vec<Applied>| applied.iter().any(|(d, _)| d.concept() == concept);
            let n = worn.iter().filter(hit).count();
            assert!((1110..=1290).contains(&n), "{concept:?}: {n} of 2000"); // 4 standard deviations around 1200
        }
        let all = worn.iter().flatten();
        assert!(all.clone().all(|(damage, severity)| {
            Damage::trained().contains(damage)
                && !damage.moves()
                && (LEAST..=1.0).contains(severity)
        }));
        let n_faint = all.clone().filter(|(_, severity)| *severity < 0.5).count();
        assert!(
            n_faint * 2 > all.count(),
            "faint damages are the more frequent ones"
        );
        let looked_for: Vec<Applied> = (0..2000)
            .flat_map(|_| Wear::LOOKED_FOR.damages(&mut rng))
            .collect();
        let count = |is: &dyn Fn(Damage) -> bool| looked_for.iter().filter(|(d, _)| is(*d)).count();
        let n_unreal = count(&|damage| damage.concept() == Concept::Realism);
        let n_subtle = count(&|damage| matches!(damage, Damage::Warp | Damage::Ghost));
        assert!(
            (1740..=2000).contains(&n_unreal),
            "{n_unreal} of about 1,870"
        );
        let share = n_subtle as f64 / n_unreal as f64;
        assert!(
            (0.45..0.55).contains(&share),
            "{share} are warps and ghosts"
        );
    }
}
