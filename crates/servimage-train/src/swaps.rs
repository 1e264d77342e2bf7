//! Pairs that a pack should put in order by their brief: the one that is met above another one; and whether it reads the price.

use crate::caption::Garbling;
use crate::content::Content;
use crate::decisions::{plan, rng_of};
use crate::error::TrainError;
use crate::figures::Share;
use crate::point::{Kind, Language, Point};
use crate::scorer::Scorer;
use crate::truth::{concept, sigmoid};
use crate::wear::Worn;
use crate::world::{Wish, World, judged, some_points, sure};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Prices that [`price_figures`] asks at, in USD.
pub const PRICES_USD: [f64; 3] = [20.0, 100.0, 500.0];

/// The same picture under a brief of which all is met, and under one of which nothing is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Clean pictures under a met brief at one price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceFigure {
    /// In USD.
    pub price_usd: f64,
    /// Mean P(pay), calibrated.
    pub said: f64,
    /// Mean of the client's true probability.
    pub rule: f64,
    /// Pictures.
    pub n: usize,
}

/// One pair of briefs.
struct Swap {
    by_payment: bool,
    by_brf: bool,
    language: &'static str,
    /// Kind of its only point.
    kind: Option<Kind>,
}

/// A neutral wish: a true point of the picture in a held-out form.
pub(crate) fn true_wish(content: &Content, number: usize) -> Wish {
    let mut rng = rng_of(number, 5);
    // What damages may move or hide is not asked for.
    let points = some_points(&sure(content.facts, true), 1, &mut rng);
    Wish::asking(&points, true, 100.0, &mut rng)
}

fn swap_of(scorer: &Scorer, world: &World, number: usize) -> Result<Swap, TrainError> {
    let mut rng = rng_of(number, 6);
    let plain = world.content(&plan(number), &mut rng);
    let content = plain.dressed(&world.dress(&plain, 0.2, &mut rng), Garbling::Glyphs);
    let (language, name) = [(Language::English, "en"), (Language::Chinese, "zh")][number % 2];
    let points = some_points(&content.facts, 1 + number / 2 % 4, &mut rng);
    let others: Vec<Point> = points.iter().map(|point| point.other(&mut rng)).collect();
    let mut score = |points: &[Point]| {
        let wish = Wish::asking_in(language, points, world.held_out(), 100.0, &mut rng);
        let example = judged(&content, &wish, Worn::clean(&content.picture), None);
        scorer.score(&example.images, &example.brief)
    };
    let (met, other) = (score(&points)?, score(&others)?);
    Ok(Swap {
        by_payment: met.pay_logit > other.pay_logit,
        by_brf: met.concepts[concept::BRF] > other.concepts[concept::BRF],
        language: name,
        kind: match points[..] {
            [point] => Some(point.kind),
            _ => None,
        },
    })
}

/// `n` contents of a world, each under two briefs in a held-out form.
///
/// # Errors
/// [`TrainError`] from the network.
pub fn swap_pairs(scorer: &Scorer, world: &World, n: usize) -> Result<SwapPairs, TrainError> {
    let swaps: Result<Vec<Swap>, TrainError> = (0..n)
        .into_par_iter()
        .map(|number| swap_of(scorer, world, number))
        .collect();
    let swaps = swaps?;
    let by_brf = |name: &dyn Fn(&Swap) -> Option<&'static str>| {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for swap in &swaps {
            if let Some(name) = name(swap) {
                let count = counts.entry(name).or_default();
                *count = (count.0 + u64::from(swap.by_brf), count.1 + 1);
            }
        }
        let shares = counts.into_iter();
        shares
            .map(|(name, (hits, n))| (name.to_owned(), Share::of(hits, n)))
            .collect()
    };
    let share = |hit: fn(&Swap) -> bool| {
        Share::of(
            swaps.iter().filter(|swap| hit(swap)).count() as u64,
            n as u64,
        )
    };
    Ok(SwapPairs {
        by_payment: share(|swap| swap.by_payment),
        by_brf: share(|swap| swap.by_brf),
        languages: by_brf(&|swap| Some(swap.language)),
        kinds: by_brf(&|swap| swap.kind.map(Kind::name)),
    })
}

/// The first `n` clean pictures of a world (or all), each under one met brief at each of [`PRICES_USD`].
///
/// # Errors
/// [`TrainError`] from the network.
pub fn price_figures(
    scorer: &Scorer,
    world: &World,
    n: usize,
) -> Result<Vec<PriceFigure>, TrainError> {
    let pictures = &world.pictures[..n.min(world.pictures.len())];
    let calibration = &scorer.manifest.calibration;
    let figure = |price_usd: f64| -> Result<PriceFigure, TrainError> {
        let both: Result<Vec<(f64, f64)>, TrainError> = pictures
            .par_iter()
            .enumerate()
            .map(|(number, clean)| {
                let mut rng = rng_of(number, 7);
                let content = Content::view(clean, plan(number).window, &mut rng);
                let mut wish = true_wish(&content, number);
                wish.brief.price_usd = price_usd;
                let example = judged(&content, &wish, Worn::clean(&content.picture), None);
                let score = scorer.score(&example.images, &example.brief)?;
                let said = sigmoid(calibration.a * score.pay_logit + calibration.b);
                Ok((said, example.truth.p_pay(price_usd)))
            })
            .collect();
        let both = both?;
        let mean = |of: fn(&(f64, f64)) -> f64| {
            both.iter().map(of).sum::<f64>() / both.len().max(1) as f64
        };
        Ok(PriceFigure {
            price_usd,
            said: mean(|(said, _)| *said),
            rule: mean(|(_, rule)| *rule),
            n: both.len(),
        })
    };
    PRICES_USD.into_iter().map(figure).collect()
}
