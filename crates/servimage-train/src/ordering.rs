//! Pairs that a pack should put in order by P(pay): a clean picture above its damaged copies.

use crate::caption::Garbling;
use crate::content::{Content, Dress};
use crate::damage::{Concept, Damage};
use crate::decisions::{plan, rng_of};
use crate::error::TrainError;
use crate::figures::Share;
use crate::scorer::Scorer;
use crate::source::CleanPicture;
use crate::swaps::true_wish;
use crate::wear::Worn;
use crate::world::{Example, World, judged};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Severities of the pairs.
pub const SEVERITIES: [f32; 4] = [0.25, 0.5, 0.75, 1.0];

/// Hits and cases.
type Count = (u64, u64);

/// Pairs of one damage at one severity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairCell {
    /// The damage.
    pub damage: String,
    /// Concept that pays for it.
    pub family: String,
    /// Whether training applied it.
    pub trained: bool,
    /// Its severity.
    pub severity: f32,
    /// Pairs in which the clean picture has the higher P(pay).
    pub in_order: Share,
}

/// How a copy was damaged; in the order of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Damaged {
    unseen: bool,
    family: &'static str,
    damage: &'static str,
    percent: u32,
}

impl Damaged {
    fn of(trained: bool, family: &'static str, damage: &'static str, severity: f32) -> Self {
        Self {
            unseen: !trained,
            family,
            damage,
            percent: (severity * 100.0) as u32,
        }
    }
}

/// A damaged copy, and whether its clean picture got the higher P(pay).
type Pair = (Damaged, bool);

/// Clean pictures against damaged copies under one brief.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DamagePairs {
    /// Damages of training.
    pub trained: Share,
    /// Damages that training never applied.
    pub unseen: Share,
    /// The damages of training by family.
    pub trained_by_family: Vec<(String, Share)>,
    /// The others by family.
    pub unseen_by_family: Vec<(String, Share)>,
    /// Each damage at each severity.
    pub cells: Vec<PairCell>,
}

fn family(damage: Damage) -> &'static str {
    match damage.concept() {
        Concept::Clarity => "clarity",
        Concept::Realism => "realism",
        Concept::Aesthetic => "aesthetic",
    }
}

/// Pairs of each picture of a world and its damaged copies, on all cores; `on_picture` hears of each.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn damage_pairs(
    scorer: &Scorer,
    world: &World,
    on_picture: impl Fn() + Sync,
) -> Result<DamagePairs, TrainError> {
    let found: Result<Vec<Vec<Pair>>, TrainError> = world
        .pictures
        .par_iter()
        .enumerate()
        .map(|(number, clean)| {
            let pairs = pairs_of(scorer, clean, number)?;
            on_picture();
            Ok(pairs)
        })
        .collect();
    let mut cells: BTreeMap<Damaged, Count> = BTreeMap::new();
    for (copy, in_order) in found?.into_iter().flatten() {
        let cell = cells.entry(copy).or_default();
        *cell = (cell.0 + u64::from(in_order), cell.1 + 1);
    }
    Ok(summed(&cells))
}

/// All pairs of one clean picture.
fn pairs_of(scorer: &Scorer, clean: &CleanPicture, number: usize) -> Result<Vec<Pair>, TrainError> {
    let mut rng = rng_of(number, 4);
    let plain = Content::view(clean, plan(number).window, &mut rng);
    let wish = true_wish(&plain, number);
    let pay = |example: &Example| {
        Ok::<f64, TrainError>(scorer.score(&example.images, &example.brief)?.pay_logit)
    };
    let mut pairs = Vec::new();
    let whole = Worn::clean(&plain.picture);
    let best = pay(&judged(&plain, &wish, whole.clone(), None))?;
    for (damage, trained) in damages() {
        for severity in SEVERITIES {
            let worn = whole.clone().and((damage, severity), &mut rng)?;
            let copy = judged(&plain, &wish, worn, None);
            let kind = Damaged::of(trained, family(damage), damage.name(), severity);
            pairs.push((kind, pay(&copy)? < best));
        }
    }
    let caption = plain.caption(true, &mut rng);
    let captioned = |severity, garbling| {
        let dress = Dress {
            caption: Some((caption.clone(), severity)),
            ..Dress::default()
        };
        let mut dressed = plain.dressed(&dress, garbling);
        dressed.facts = plain.facts;
        let worn = Worn::clean(&dressed.picture);
        pay(&judged(&dressed, &wish, worn, Some(severity)))
    };
    let whole = captioned(0.0, Garbling::Glyphs)?;
    for severity in SEVERITIES {
        for (trained, name, garbling) in [
            (true, "garbled letters", Garbling::Glyphs),
            (false, "overprinted letters", Garbling::Overprint),
        ] {
            let copy = Damaged::of(trained, "text", name, severity);
            pairs.push((copy, captioned(severity, garbling)? < whole));
        }
    }
    Ok(pairs)
}

/// All damages, and whether training applies each.
fn damages() -> impl Iterator<Item = (Damage, bool)> {
    let trained = Damage::trained().into_iter().map(|damage| (damage, true));
    trained.chain(Damage::UNSEEN.into_iter().map(|damage| (damage, false)))
}

fn summed(cells: &BTreeMap<Damaged, Count>) -> DamagePairs {
    let sum = |wanted: &dyn Fn(&Damaged) -> bool| {
        let chosen = cells.iter().filter(|(copy, _)| wanted(copy));
        let (hits, n) = chosen.fold((0, 0), |(hits, n), (_, cell)| (hits + cell.0, n + cell.1));
        Share::of(hits, n)
    };
    let families = ["clarity", "realism", "aesthetic", "text"];
    let by_family = |unseen: bool| {
        let share = |family| sum(&|copy| copy.unseen == unseen && copy.family == family);
        families
            .map(|family| (family.to_owned(), share(family)))
            .to_vec()
    };
    DamagePairs {
        trained: sum(&|copy| !copy.unseen),
        unseen: sum(&|copy| copy.unseen),
        trained_by_family: by_family(false),
        unseen_by_family: by_family(true),
        cells: cells
            .iter()
            .map(|(copy, (hits, n))| PairCell {
                damage: copy.damage.to_owned(),
                family: copy.family.to_owned(),
                trained: !copy.unseen,
                severity: copy.percent as f32 / 100.0,
                in_order: Share::of(*hits, *n),
            })
            .collect(),
    }
}
