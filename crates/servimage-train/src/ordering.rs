//! Pairs that a pack should put in order: clean above damaged, and the brief that is met above another one.

use crate::caption::Garbling;
use crate::content::{Content, Dress};
use crate::damage::{Concept, Damage};
use crate::decisions::{plan, rng_of};
use crate::error::TrainError;
use crate::figures::Share;
use crate::point::{Kind, Language, Point};
use crate::scorer::Scorer;
use crate::truth::concept;
use crate::world::{Example, Wish, World, judged, some_points};
use serde::Serialize;
use std::collections::BTreeMap;

/// Severities of the pairs.
pub const SEVERITIES: [f32; 4] = [0.25, 0.5, 0.75, 1.0];

/// Hits and cases.
type Count = (u64, u64);

/// Pairs of one damage at one severity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairCell {
    /// The damage.
    pub damage: &'static str,
    /// Concept that pays for it.
    pub family: &'static str,
    /// Whether training applied it.
    pub trained: bool,
    /// Its severity.
    pub severity: f32,
    /// Pairs in which the clean picture has the higher P(pay).
    pub in_order: Share,
}

/// Clean pictures against damaged copies under one brief.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DamagePairs {
    /// Damages of training.
    pub trained: Share,
    /// Damages that training never applied.
    pub unseen: Share,
    /// The latter by family.
    pub unseen_by_family: Vec<(String, Share)>,
    /// Each damage at each severity.
    pub cells: Vec<PairCell>,
}

/// The same picture under a brief of which all is met, and under one of which nothing is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SwapPairs {
    /// Pairs in which the met brief has the higher P(pay).
    pub by_payment: Share,
    /// Pairs in which it has the higher score of the brief.
    pub by_brf: Share,
    /// The latter by language.
    pub languages: Vec<(String, Share)>,
    /// The latter for briefs of one point, by its kind.
    pub kinds: Vec<(String, Share)>,
}

fn family(damage: Damage) -> &'static str {
    match damage.concept() {
        Concept::Clarity => "clarity",
        Concept::Realism => "realism",
        Concept::Aesthetic => "aesthetic",
    }
}

/// A neutral wish: a true point of the picture in a held-out form.
fn true_wish(content: &Content, number: usize) -> Wish {
    let mut rng = rng_of(number, 5);
    let mut known = content.facts;
    // What damages may move or hide is not asked for.
    for kind in [
        Kind::Count,
        Kind::Place,
        Kind::Border,
        Kind::Caption,
        Kind::Background,
    ] {
        known.forget(kind);
    }
    let points = some_points(&known, 1, &mut rng);
    Wish::asking(&points, true, 100.0, &mut rng)
}

/// Pairs of each picture of a world and its damaged copies; `on_picture` hears of each.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn damage_pairs(
    scorer: &Scorer,
    world: &World,
    mut on_picture: impl FnMut(),
) -> Result<DamagePairs, TrainError> {
    let mut cells: BTreeMap<(bool, &'static str, &'static str, u32), Count> = BTreeMap::new();
    for (number, clean) in world.pictures.iter().enumerate() {
        let mut rng = rng_of(number, 4);
        let plain = Content::view(clean, plan(number).window, &mut rng);
        let wish = true_wish(&plain, number);
        let pay = |example: &Example| {
            Ok::<f64, TrainError>(scorer.score(&example.images, &example.brief)?.pay_logit)
        };
        let best = pay(&judged(&plain, &wish, Vec::new(), None, &mut rng)?)?;
        let mut count = |trained: bool,
                         family: &'static str,
                         name: &'static str,
                         severity: f32,
                         found: f64,
                         best: f64| {
            let cell = cells
                .entry((!trained, family, name, (severity * 100.0) as u32))
                .or_default();
            *cell = (cell.0 + u64::from(found < best), cell.1 + 1);
        };
        for (damage, trained) in damages() {
            for severity in SEVERITIES {
                let copy = judged(&plain, &wish, vec![(damage, severity)], None, &mut rng)?;
                count(
                    trained,
                    family(damage),
                    damage.name(),
                    severity,
                    pay(&copy)?,
                    best,
                );
            }
        }
        let caption = plain.caption(true, &mut rng);
        let mut captioned = |severity, garbling| {
            let dress = Dress {
                caption: Some((caption.clone(), severity)),
                ..Dress::default()
            };
            let mut dressed = plain.dressed(&dress, garbling);
            dressed.facts = plain.facts;
            pay(&judged(
                &dressed,
                &wish,
                Vec::new(),
                Some(severity),
                &mut rng,
            )?)
        };
        let whole = captioned(0.0, Garbling::Glyphs)?;
        for severity in SEVERITIES {
            let (glyphs, overprint) = (
                captioned(severity, Garbling::Glyphs)?,
                captioned(severity, Garbling::Overprint)?,
            );
            count(true, "text", "garbled letters", severity, glyphs, whole);
            count(
                false,
                "text",
                "overprinted letters",
                severity,
                overprint,
                whole,
            );
        }
        on_picture();
    }
    Ok(summed(&cells))
}

/// All damages, and whether training applies each.
fn damages() -> impl Iterator<Item = (Damage, bool)> {
    let trained = Damage::trained().into_iter().map(|damage| (damage, true));
    trained.chain(Damage::UNSEEN.into_iter().map(|damage| (damage, false)))
}

fn summed(cells: &BTreeMap<(bool, &'static str, &'static str, u32), Count>) -> DamagePairs {
    let sum = |wanted: &dyn Fn(bool, &str) -> bool| {
        let chosen = cells
            .iter()
            .filter(|((unseen, family, _, _), _)| wanted(*unseen, family));
        let (hits, n) = chosen.fold((0, 0), |(hits, n), (_, cell)| (hits + cell.0, n + cell.1));
        Share::of(hits, n)
    };
    let families = ["clarity", "realism", "aesthetic", "text"];
    DamagePairs {
        trained: sum(&|unseen, _| !unseen),
        unseen: sum(&|unseen, _| unseen),
        unseen_by_family: families
            .map(|wanted| {
                (
                    wanted.to_owned(),
                    sum(&|unseen, family| unseen && family == wanted),
                )
            })
            .to_vec(),
        cells: cells
            .iter()
            .map(|((unseen, family, damage, severity), (hits, n))| PairCell {
                damage,
                family,
                trained: !unseen,
                severity: *severity as f32 / 100.0,
                in_order: Share::of(*hits, *n),
            })
            .collect(),
    }
}

/// `n` contents of a world, each under two briefs in a held-out form.
///
/// # Errors
/// [`TrainError`] from the network.
pub fn swap_pairs(scorer: &Scorer, world: &World, n: usize) -> Result<SwapPairs, TrainError> {
    let (mut pay, mut brf) = (Count::default(), Count::default());
    let mut languages: BTreeMap<&str, Count> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, Count> = BTreeMap::new();
    for number in 0..n {
        let mut rng = rng_of(number, 6);
        let plan = plan(number);
        let plain = world.content(&plan, &mut rng);
        let content = plain.dressed(&world.dress(&plain, 0.2, &mut rng), Garbling::Glyphs);
        let language = [Language::English, Language::Chinese][number % 2];
        let points = some_points(&content.facts, 1 + number / 2 % 4, &mut rng);
        let others: Vec<Point> = points.iter().map(|point| point.other(&mut rng)).collect();
        let mut score = |points: &[Point]| {
            let wish = Wish::asking_in(language, points, world.held_out(), 100.0, &mut rng);
            let example = judged(&content, &wish, Vec::new(), None, &mut rng)?;
            scorer.score(&example.images, &example.brief)
        };
        let (met, other) = (score(&points)?, score(&others)?);
        let is_brf = met.concepts[concept::BRF] > other.concepts[concept::BRF];
        let add = |count: &mut Count, hit: bool| *count = (count.0 + u64::from(hit), count.1 + 1);
        add(&mut pay, met.pay_logit > other.pay_logit);
        add(&mut brf, is_brf);
        let name = if language == Language::English {
            "en"
        } else {
            "zh"
        };
        add(languages.entry(name).or_default(), is_brf);
        if let [point] = points[..] {
            add(kinds.entry(point.kind.name()).or_default(), is_brf);
        }
    }
    let named = |counts: BTreeMap<&str, Count>| {
        counts
            .into_iter()
            .map(|(name, (hits, n))| (name.to_owned(), Share::of(hits, n)))
            .collect()
    };
    Ok(SwapPairs {
        by_payment: Share::of(pay.0, pay.1),
        by_brf: Share::of(brf.0, brf.1),
        languages: named(languages),
        kinds: named(kinds),
    })
}
