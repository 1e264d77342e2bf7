//! Figures of a pack on pictures that its training never saw.
//!
//! Pairs: each held-out picture, as the network sees it, against its damaged copy, both under one held-out brief; a pair
//! is in order when the clean one gets the higher P(pay). Decisions: random damages, briefs and prices, with one draw
//! of the proxy client each. Everything is seeded by the picture's name: the same pack gives the same figures.

use crate::batch::{apply_all, random_damages};
use crate::brief::Brief;
use crate::damage::Damage;
use crate::error::TrainError;
use crate::figures::{Bin, Share, auroc, ece, reliability, spearman};
use crate::nano::processor;
use crate::picture::Picture;
use crate::scorer::Scorer;
use crate::source::CleanPicture;
use crate::truth::{Truth, sigmoid};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::Serialize;
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;

/// Severities of the pairs.
pub const SEVERITIES: [f32; 4] = [0.25, 0.5, 0.75, 1.0];

/// Decisions a picture.
const DECISIONS_EACH: usize = 12;

/// One decision of the proxy client, and what the pack said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The pack's log-odds before calibration.
    pub pay_logit: f64,
    /// The client's true probability.
    pub p_true: f64,
    /// The client's draw.
    pub paid: bool,
}

/// Pairs of one damage at one severity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairCell {
    /// The damage.
    pub damage: &'static str,
    /// Its severity.
    pub severity: f32,
    /// Pairs in order.
    pub in_order: Share,
}

/// Figures of the payment decisions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PaymentFigures {
    /// Decisions guessed right at a threshold of 0.5.
    pub accuracy: Share,
    /// Right when always guessing the commoner decision.
    pub majority: f64,
    /// Right when knowing the client's true probability: nothing can do better on average.
    pub bayes: f64,
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Expected calibration error over ten bins of equal size.
    pub ece: f64,
    /// The bins.
    pub reliability: Vec<Bin>,
}

/// All figures of a pack over one set of pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Clean pictures.
    pub n_pictures: usize,
    /// Pairs over the damages of training, all severities.
    pub pairs: Share,
    /// Pairs over damages that training never applied.
    pub pairs_unseen: Share,
    /// Each damage at each severity.
    pub cells: Vec<PairCell>,
    /// Rank correlation of clarity with severity over the damages charged to clarity (negative: it falls).
    pub spearman_clarity: f64,
    /// The same of the aesthetic.
    pub spearman_aesthetic: f64,
    /// Payment decisions.
    pub payment: PaymentFigures,
}

/// A picture at the size at which the network sees it.
#[must_use]
pub fn at_seen_size(picture: &Picture) -> Picture {
    let (width, height) =
        servimage_image::target_size(picture.width as u32, picture.height as u32, &processor());
    picture.resized(width as usize, height as usize)
}

fn rng_of(name: &str, purpose: u64) -> SmallRng {
    let digest = Sha1::digest(name.as_bytes());
    let seed = digest
        .iter()
        .take(8)
        .fold(purpose, |seed, byte| seed.rotate_left(8) ^ u64::from(*byte));
    SmallRng::seed_from_u64(seed)
}

/// Random decisions over pictures, 12 each; `held_out_briefs` picks the sentence forms that training never used.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn decisions(
    scorer: &Scorer,
    pictures: &[CleanPicture],
    held_out_briefs: bool,
) -> Result<Vec<Decision>, TrainError> {
    let mut decisions = Vec::with_capacity(pictures.len() * DECISIONS_EACH);
    each_decision(pictures, held_out_briefs, |copy, brief, (p_true, paid)| {
        decisions.push(Decision {
            pay_logit: scorer.score(copy, brief)?.pay_logit,
            p_true,
            paid,
        });
        Ok(())
    })?;
    Ok(decisions)
}

/// Makes the random decisions and hands each to `judge`: the damaged picture, the brief, and the proxy client's true
/// probability and draw.
///
/// # Errors
/// [`TrainError`] from a damage or from `judge`.
pub fn each_decision(
    pictures: &[CleanPicture],
    held_out_briefs: bool,
    mut judge: impl FnMut(&Picture, &Brief, (f64, bool)) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    for clean in pictures {
        let seen = at_seen_size(&clean.picture);
        let mut rng = rng_of(&clean.name, 1);
        for _ in 0..DECISIONS_EACH {
            let applied = if rng.random_bool(0.3) {
                Vec::new()
            } else {
                random_damages(&mut rng)
            };
            let copy = apply_all(&seen, &applied, &mut rng)?;
            let brief = Brief::random(held_out_briefs, &mut rng);
            let truth = Truth::of(&applied);
            let p_true = truth.p_pay(brief.price_usd);
            judge(
                &copy,
                &brief,
                (p_true, truth.draw(brief.price_usd, &mut rng)),
            )?;
        }
    }
    Ok(())
}

/// Figures of the payment decisions under the pack's calibration.
#[must_use]
pub fn payment_figures(decisions: &[Decision], a: f64, b: f64) -> PaymentFigures {
    let predicted: Vec<f64> = decisions
        .iter()
        .map(|d| sigmoid(a * d.pay_logit + b))
        .collect();
    let paid: Vec<bool> = decisions.iter().map(|d| d.paid).collect();
    let right = predicted
        .iter()
        .zip(&paid)
        .filter(|(p, paid)| (**p >= 0.5) == **paid)
        .count() as u64;
    let n = decisions.len() as u64;
    let n_paid = paid.iter().filter(|paid| **paid).count() as u64;
    let bins = reliability(&predicted, &paid, 10);
    PaymentFigures {
        accuracy: Share::of(right, n),
        majority: n_paid.max(n - n_paid) as f64 / n.max(1) as f64,
        bayes: decisions
            .iter()
            .map(|d| d.p_true.max(1.0 - d.p_true))
            .sum::<f64>()
            / n.max(1) as f64,
        auroc: auroc(&predicted, &paid),
        ece: ece(&bins),
        reliability: bins,
    }
}

/// Counts of pairs by damage and severity, and the concepts beside the severities.
#[derive(Default)]
struct Tally {
    cells: BTreeMap<(Damage, u32), (u64, u64)>,
    clarity: (Vec<f64>, Vec<f64>),
    aesthetic: (Vec<f64>, Vec<f64>),
}

impl Tally {
    fn add(&mut self, scorer: &Scorer, clean: &CleanPicture) -> Result<(), TrainError> {
        let seen = at_seen_size(&clean.picture);
        let mut rng = rng_of(&clean.name, 2);
        let brief = Brief::random(true, &mut rng);
        let best = scorer.score(&seen, &brief)?;
        self.clarity.0.push(0.0);
        self.clarity.1.push(best.clarity);
        self.aesthetic.0.push(0.0);
        self.aesthetic.1.push(best.aesthetic);
        for damage in Damage::CLARITY
            .into_iter()
            .chain(Damage::AESTHETIC)
            .chain(Damage::UNSEEN)
        {
            for severity in SEVERITIES {
                let found = scorer.score(&damage.apply(&seen, severity, &mut rng)?, &brief)?;
                let cell = self
                    .cells
                    .entry((damage, (severity * 100.0) as u32))
                    .or_default();
                cell.0 += u64::from(found.pay_logit < best.pay_logit);
                cell.1 += 1;
                let (severities, scores, score) = match damage {
                    d if Damage::CLARITY.contains(&d) => {
                        (&mut self.clarity.0, &mut self.clarity.1, found.clarity)
                    }
                    d if Damage::AESTHETIC.contains(&d) => (
                        &mut self.aesthetic.0,
                        &mut self.aesthetic.1,
                        found.aesthetic,
                    ),
                    _ => continue,
                };
                severities.push(f64::from(severity));
                scores.push(score);
            }
        }
        Ok(())
    }

    fn share(&self, damages: &[Damage]) -> Share {
        let counted = self
            .cells
            .iter()
            .filter(|((damage, _), _)| damages.contains(damage));
        let (hits, n) = counted.fold((0, 0), |(hits, n), (_, cell)| (hits + cell.0, n + cell.1));
        Share::of(hits, n)
    }
}

/// All figures over held-out pictures; `on_picture` hears of each.
///
/// # Errors
/// [`TrainError`] from the network or a damage.
pub fn evaluate(
    scorer: &Scorer,
    pictures: &[CleanPicture],
    mut on_picture: impl FnMut(),
) -> Result<Figures, TrainError> {
    let mut tally = Tally::default();
    for clean in pictures {
        tally.add(scorer, clean)?;
        on_picture();
    }
    let calibration = &scorer.manifest.calibration;
    let payment = payment_figures(
        &decisions(scorer, pictures, true)?,
        calibration.a,
        calibration.b,
    );
    let trained: Vec<Damage> = Damage::CLARITY
        .into_iter()
        .chain(Damage::AESTHETIC)
        .collect();
    let cells = tally
        .cells
        .iter()
        .map(|((damage, severity), (hits, n))| PairCell {
            damage: damage.name(),
            severity: *severity as f32 / 100.0,
            in_order: Share::of(*hits, *n),
        });
    Ok(Figures {
        n_pictures: pictures.len(),
        pairs: tally.share(&trained),
        pairs_unseen: tally.share(&Damage::UNSEEN),
        cells: cells.collect(),
        spearman_clarity: spearman(&tally.clarity.0, &tally.clarity.1),
        spearman_aesthetic: spearman(&tally.aesthetic.0, &tally.aesthetic.1),
        payment,
    })
}
