//! What pictures have been through before a client sees them: damages of all three families, often more than one.
//!
//! Deliverables of the world are rarely flawless. Were they, most truths would be the same 5, and no judge could follow
//! them: with a share `t` of equal truths a rank correlation of `sqrt(1 - t^3)` is the most that there is.

use crate::damage::Damage;
use crate::error::TrainError;
use crate::marks::Mark;
use crate::picture::Picture;
use crate::truth::Applied;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

/// Least severity.
const LEAST: f32 = 0.03;

/// Faint damages are the more frequent ones: a severity is an even draw raised to this.
const FAINT: f32 = 1.3;

/// Share of warps and ghosts beyond their even one, where they are looked for.
const SUBTLE: f64 = 0.25;

/// Share of damaged families that are damaged twice.
const TWICE: f64 = 0.1;

/// How far a colour is off, and in what share of the pixels, where a hopeless damage shows; a fainter one has to show by as
/// much less.
const SHOWS: [f32; 2] = [0.03, 0.04];

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
        shares: [0.85, 0.6, 0.4],
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

/// A picture with damages.
#[derive(Clone, Debug, PartialEq)]
pub struct Worn {
    /// With all of them.
    pub picture: Picture,
    /// The damages, in order.
    pub applied: Vec<Applied>,
    /// Where they show; `None` where a later one moved them.
    pub marks: Option<Vec<Mark>>,
}

impl Worn {
    /// Without any.
    #[must_use]
    pub fn clean(picture: &Picture) -> Self {
        Self {
            picture: picture.clone(),
            applied: Vec::new(),
            marks: Some(Vec::new()),
        }
    }

    /// With one more.
    ///
    /// # Errors
    /// [`TrainError::Jpeg`].
    pub fn and(self, (damage, severity): Applied, rng: &mut impl Rng) -> Result<Self, TrainError> {
        let next = damage.apply(&self.picture, severity, rng)?;
        Ok(self.with((damage, severity), next))
    }

    /// With all of them one after the other, but none that nobody sees: a drawing has no detail to paint over, and who was told
    /// that it was would learn to see what is not there. Another of the family comes in its place, as severe; where none of them
    /// shows either, nothing.
    ///
    /// # Errors
    /// [`TrainError::Jpeg`].
    pub fn visibly(
        picture: &Picture,
        applied: &[Applied],
        rng: &mut impl Rng,
    ) -> Result<Self, TrainError> {
        let mut worn = Self::clean(picture);
        for (damage, severity) in applied {
            for damage in instead(*damage, rng) {
                let next = damage.apply(&worn.picture, *severity, rng)?;
                if shows(&worn.picture, &next, *severity) {
                    worn = worn.with((damage, *severity), next);
                    break;
                }
            }
        }
        Ok(worn)
    }

    fn with(mut self, (damage, severity): Applied, next: Picture) -> Self {
        self.marks = self.marks.filter(|_| !damage.moves());
        if let Some(marks) = &mut self.marks {
            marks.extend(Mark::of(damage, &self.picture, &next));
        }
        self.applied.push((damage, severity));
        self.picture = next;
        self
    }
}

/// A damage and, in random order, those of its family that may stand in for it: what moves things was counted on.
fn instead(damage: Damage, rng: &mut impl Rng) -> Vec<Damage> {
    let families: [&[Damage]; 3] = [&Damage::REALISM, &Damage::AESTHETIC, &Damage::CLARITY];
    let family = families.into_iter().find(|family| family.contains(&damage));
    let mut others: Vec<Damage> = (family.unwrap_or_default().iter().copied())
        .filter(|other| *other != damage && !other.moves() && !damage.moves())
        .collect();
    others.shuffle(rng);
    [vec![damage], others].concat()
}

/// Whether a damage of a severity shows.
fn shows(before: &Picture, after: &Picture, severity: f32) -> bool {
    let [least, share] = SHOWS.map(|most| most * severity);
    let pixels = before.pixels.iter().zip(&after.pixels);
    let changed = pixels.filter(|(a, b)| (0..3).any(|c| (a[c] - b[c]).abs() > least));
    changed.count() as f32 >= share * before.pixels.len() as f32
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

    #[test]
    fn nothing_is_charged_that_nobody_sees_and_another_damage_comes_in_its_place()
    -> Result<(), TrainError> {
        let mut rng = SmallRng::seed_from_u64(3);
        let [grey, blue] = [[0.5; 3], [0.2, 0.3, 0.7]];
        let mut drawing = Picture::filled(64, 64, grey);
        for (i, pixel) in drawing.pixels.iter_mut().enumerate() {
            if (16..48).contains(&(i % 64)) && (16..48).contains(&(i / 64)) {
                *pixel = blue;
            }
        }
        let smoothed = (Damage::Oversmooth, 0.8);
        let alone = Worn::clean(&drawing).and(smoothed, &mut rng)?;
        let same = alone.picture.to_rgb8() == drawing.to_rgb8();
        assert!(same, "there is no detail to paint over");
        assert_eq!(alone.applied, [smoothed], "what is asked for is done");
        for _ in 0..20 {
            let worn = Worn::visibly(&drawing, &[smoothed, (Damage::Tilt, 0.4)], &mut rng)?;
            let [(other, severity), last] = worn.applied[..] else {
                panic!("{:?}", worn.applied);
            };
            assert!(other != Damage::Oversmooth && Damage::REALISM.contains(&other));
            assert_eq!((severity, last), (0.8, (Damage::Tilt, 0.4)));
            assert_ne!(worn.picture, drawing);
        }
        // Black stays black under any exposure, and there is nothing to bend or to tint either.
        let black = Picture::filled(64, 64, [0.0; 3]);
        let dark = Worn::visibly(&black, &[(Damage::Exposure, 0.9)], &mut rng)?;
        assert_eq!(dark, Worn::clean(&black));
        Ok(())
    }
}
