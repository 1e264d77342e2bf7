//! What a run does when: what its data look like, and from when on the network runs on rounded weights.
//!
//! Everything follows from how much of the run is done, 0..=1: the share of the steps, or of the minutes where those are
//! up first.

use crate::batch::BatchPlan;
use crate::nano::STARTING_VISION_LAYERS;
use crate::wear::Wear;
use crate::world::PairPlan;
use serde::{Deserialize, Serialize};
use servimage_pack::Layout;

/// What a run is to do. A run that stopped early goes on with the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Steps in all.
    pub n_steps: u64,
    /// Minutes of training in all, whichever comes first.
    pub minutes: Option<f32>,
    /// Pairs of examples in a part of a step.
    pub n_pairs: usize,
    /// Parts of a step; more than one are worked out side by side.
    pub n_parts: usize,
    /// Highest learning rate.
    pub peak_rate: f32,
    /// Share of the run at the beginning in which only the vision tower learns.
    pub vision_share: f32,
    /// Share of the run on small windows, that included; see [`Schedule::plan`].
    pub small_share: f32,
    /// Layout that the network runs in towards the end; f32: plain weights throughout.
    pub quant: Layout,
    /// Share of the run at the end in which the network runs on weights rounded as `quant`.
    pub quant_share: f32,
    /// Seed of weights and data.
    pub seed: u64,
    /// Only this many batches, over and over: shows whether the network can learn at all.
    pub distinct: Option<u64>,
    /// Whether each example gets another one's truth.
    #[serde(default)]
    pub shuffle_labels: bool,
    /// Whether it goes on from another run's weights: what is easy does not come first then.
    #[serde(default)]
    pub goes_on: bool,
    /// Share of the run at the beginning in which only what a pack lacks learns, where it goes on from a pack.
    #[serde(default)]
    pub alone_share: f32,
    /// Examples on which the payment head learns alone when all the steps are done, rounded up to whole batches
    /// ([`crate::payment_head`]).
    #[serde(default)]
    pub head_examples: usize,
    /// Layers of the vision tower. Where the run goes on from one with less, the new ones begin as ones that change nothing.
    #[serde(default = "starting_vision_layers")]
    pub vision_layers: usize,
}

/// What runs had before they said it.
fn starting_vision_layers() -> usize {
    STARTING_VISION_LAYERS
}

/// Share of the vision tower's time alone that it spends on small windows.
const VISION_SMALL: f32 = 0.7;

impl Schedule {
    /// Step whose data a step uses.
    pub(crate) fn data_step(&self, step: u64) -> u64 {
        self.distinct.map_or(step, |n| step % n.max(1))
    }

    /// How much of the run is done after `step` steps and `seconds` of training, 0..=1.
    #[must_use]
    pub fn done(&self, step: u64, seconds: f32) -> f32 {
        if self.n_steps == 0 {
            return 1.0;
        }
        let of_steps = step as f32 / self.n_steps as f32;
        let of_time = self
            .minutes
            .map_or(0.0, |minutes| seconds / (60.0 * minutes.max(1e-3)));
        of_steps.max(of_time).min(1.0)
    }

    /// Whether only what a pack lacks learns when `done` of the run is.
    #[must_use]
    pub fn is_alone(&self, done: f32) -> bool {
        done < self.alone_share
    }

    /// How much of the part in which all learns is behind (0..=1) when `done` of the run is; a half as long as it has not begun.
    #[must_use]
    pub(crate) fn of_all(&self, done: f32) -> f32 {
        if self.is_alone(done) {
            return 0.5;
        }
        (done - self.alone_share) / (1.0 - self.alone_share).max(1e-3)
    }

    /// How much of the part on rounded weights is behind (0..=1) when `done` of the run is; `None` on plain ones.
    #[must_use]
    pub fn quantized(&self, done: f32) -> Option<f32> {
        let first = 1.0 - self.quant_share;
        let is_rounded = self.quant != Layout::F32 && self.quant_share > 0.0 && done > first + 1e-6;
        is_rounded.then(|| (done - first) / self.quant_share)
    }

    /// What the data of a step look like: small windows and briefs of one point first, then whole views and longer briefs.
    ///
    /// The vision tower, as long as it learns alone, sees whole views at the end of its time: damages look otherwise there.
    #[must_use]
    pub fn plan(&self, step: u64, done: f32) -> BatchPlan {
        const SMALL: [[usize; 2]; 4] = [[128, 128], [160, 96], [96, 160], [128, 128]];
        const WHOLE: [[usize; 2]; 4] = [[224, 224], [256, 192], [192, 256], [224, 224]];
        // What a pack lacks belongs to both towers.
        let vision_only = done < self.vision_share && !self.is_alone(done);
        let is_small = done
            < match vision_only {
                true => (VISION_SMALL * self.vision_share).min(self.small_share),
                false => self.small_share,
            };
        let windows = if is_small { SMALL } else { WHOLE };
        let left = 1.0 - self.vision_share;
        let of_rest = match self.goes_on {
            true => 1.0,
            false => ((done - self.vision_share) / left.max(1e-3)).clamp(0.0, 1.0),
        };
        BatchPlan {
            n_pairs: self.n_pairs,
            pair: PairPlan {
                window: windows[(step / 2) as usize % windows.len()],
                max_points: match of_rest {
                    x if x < 0.3 => 1,
                    x if x < 0.5 => 2,
                    _ => 4,
                },
                figures: if !vision_only && of_rest < 0.4 {
                    0.5
                } else {
                    0.4
                },
                wear: match self.goes_on && vision_only {
                    true => Wear::LOOKED_FOR,
                    false => Wear::ALONE,
                },
            },
            // Not in every step: longer sequences make the shorter ones beside them longer too. Small ones cost little.
            with_others: match (of_rest < 0.12, is_small) {
                (true, _) => 0.0,
                (false, true) if step.is_multiple_of(3) => 0.0,
                (false, true) => 0.85,
                (false, false) if step.is_multiple_of(2) => 0.0,
                // Sets and edits are two or three pictures each.
                (false, false) => 0.5,
            },
            sets: 0.65,
            briefs: match of_rest {
                // What briefs ask for is known by then, and both examples of such a pair show one picture.
                _ if self.goes_on => 0.2,
                x if x < 0.3 => 0.75,
                _ => 0.4,
            },
            vision_only,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_done_when_its_steps_or_its_minutes_are_up() {
        let schedule = Schedule {
            n_steps: 100,
            minutes: Some(2.0),
            n_pairs: 1,
            n_parts: 1,
            peak_rate: 1e-3,
            vision_share: 0.1,
            small_share: 0.5,
            quant: Layout::Q4,
            quant_share: 0.25,
            seed: 1,
            distinct: None,
            shuffle_labels: false,
            goes_on: false,
            alone_share: 0.0,
            head_examples: 0,
            vision_layers: 2,
        };
        assert_eq!(schedule.done(50, 6.0), 0.5);
        assert_eq!(schedule.done(10, 60.0), 0.5);
        assert_eq!(schedule.done(10, 500.0), 1.0);
        let none = Schedule {
            n_steps: 0,
            ..schedule
        };
        assert_eq!(none.done(0, 0.0), 1.0);
        assert_eq!([0.7, 0.75].map(|done| schedule.quantized(done)), [None; 2]);
        assert_eq!(schedule.quantized(1.0), Some(1.0));
        let points = [0.0, 0.3, 0.5, 0.9].map(|done| schedule.plan(8, done).pair.max_points);
        assert_eq!(points, [1, 1, 2, 4]);
        assert!(schedule.plan(0, 0.05).vision_only && !schedule.plan(0, 0.2).vision_only);
        let sides = [0.05, 0.08, 0.2, 0.6].map(|done| schedule.plan(0, done).pair.window[0]);
        assert_eq!(sides, [128, 224, 128, 224]);
        let on = Schedule {
            goes_on: true,
            ..schedule
        };
        assert_eq!(on.plan(8, 0.2).pair.max_points, 4);
        // Faint damages are looked for while the vision tower learns alone, and none of them before what the pack lacks.
        let from_pack = Schedule {
            alone_share: 0.02,
            small_share: 0.0,
            ..on
        };
        let plans = [0.01, 0.05, 0.2].map(|done| from_pack.plan(0, done));
        assert_eq!(plans.map(|plan| plan.vision_only), [false, true, false]);
        let wears = [Wear::ALONE, Wear::LOOKED_FOR, Wear::ALONE];
        assert_eq!(plans.map(|plan| plan.pair.wear), wears);
        assert_eq!(plans.map(|plan| plan.pair.window[0]), [224; 3]);
        assert!(from_pack.is_alone(0.01) && !from_pack.is_alone(0.02));
        assert_eq!([0.02, 1.0].map(|done| from_pack.of_all(done)), [0.0, 1.0]);
    }
}
