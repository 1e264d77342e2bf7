//! What a run does at which step: how much data of what size, and from when on the network runs on rounded weights.

use crate::batch::BatchPlan;
use serde::{Deserialize, Serialize};
use servimage_pack::Layout;

/// What a run is to do. A run that stopped early goes on with the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Steps in all.
    pub n_steps: u64,
    /// Pairs of copies a step; twice as many while the windows are small.
    pub n_pairs: usize,
    /// Highest learning rate.
    pub peak_rate: f32,
    /// Share of the steps at the beginning in which only the vision tower learns.
    pub vision_share: f32,
    /// Share of the steps on small windows before whole views, those included.
    pub small_share: f32,
    /// Layout that the network runs in towards the end; f32: plain weights throughout.
    pub quant: Layout,
    /// Share of the steps at the end in which the network runs on weights rounded as `quant`.
    pub quant_share: f32,
    /// Seed of weights and data.
    pub seed: u64,
    /// Only this many batches, over and over: shows whether the network can learn at all.
    pub distinct: Option<u64>,
}

impl Schedule {
    /// Step whose data a step uses.
    pub(crate) fn data_step(&self, step: u64) -> u64 {
        self.distinct.map_or(step, |n| step % n.max(1))
    }

    /// How much of the steps on rounded weights is behind after `step` (0..=1); `None` while it runs on plain ones.
    #[must_use]
    pub fn quantized(&self, step: u64) -> Option<f32> {
        let n_rounded = (self.n_steps as f32 * self.quant_share).round();
        let left = self.n_steps.saturating_sub(step + 1) as f32;
        let is_rounded = self.quant != Layout::F32 && left < n_rounded;
        is_rounded.then(|| 1.0 - left / n_rounded)
    }

    /// What the data of a step look like: many small windows under short briefs first, then whole views under whole briefs.
    #[must_use]
    pub fn plan(&self, step: u64) -> BatchPlan {
        const SMALL: [[usize; 2]; 4] = [[128, 128], [128, 96], [96, 128], [128, 128]];
        const WHOLE: [[usize; 2]; 6] = [
            [224, 224],
            [256, 192],
            [192, 256],
            [160, 160],
            [288, 160],
            [160, 288],
        ];
        let done = step as f32 / self.n_steps as f32;
        let vision_only = done < self.vision_share;
        if vision_only || done < self.small_share {
            let n_pairs = self.n_pairs * 2;
            BatchPlan {
                n_pairs,
                window: SMALL[step as usize % SMALL.len()],
                short_briefs: true,
                vision_only,
            }
        } else {
            BatchPlan {
                n_pairs: self.n_pairs,
                window: WHOLE[step as usize % WHOLE.len()],
                short_briefs: false,
                vision_only,
            }
        }
    }
}
