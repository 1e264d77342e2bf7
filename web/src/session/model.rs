//! Where the model stands: starting, loading, ready or failed.

use servimage_bench::message::{LoadPhase, LoadedPack};
use servimage_bench::preflight::Preflight;
use servimage_bench::verdict::ErrorInfo;

/// State of the model behind the page.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelState {
    /// The worker's own code is on its way.
    Starting,
    /// The pack is being loaded.
    Loading(LoadProgress),
    /// Nothing is loaded before the visitor has said whether that pack is wanted on this device.
    Asking(Box<Preflight>),
    /// Images can be scored.
    Ready(Box<LoadedPack>),
    /// Nothing will be scored until the visitor tries again.
    Failed(ErrorInfo),
}

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// Current phase.
    pub phase: LoadPhase,
    /// Bytes done of `total_bytes`; 0 of 0 in phases without a size.
    pub done_bytes: u64,
    /// All bytes of the phase.
    pub total_bytes: u64,
}

/// Phases in the order in which they happen.
pub const LOAD_PHASES: [LoadPhase; 5] = [
    LoadPhase::Device,
    LoadPhase::Download,
    LoadPhase::Weights,
    LoadPhase::Compile,
    LoadPhase::SelfTest,
];

impl ModelState {
    /// `loading`, `asking`, `ready` or `failed`: the word in `data-state`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Starting | Self::Loading(_) => "loading",
            Self::Asking(_) => "asking",
            Self::Ready(_) => "ready",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether images can be scored now.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

impl LoadProgress {
    /// Share of the bytes done, 0..=1; `None` where the phase has no size.
    pub fn fraction(&self) -> Option<f64> {
        (self.total_bytes > 0).then(|| (self.done_bytes as f64 / self.total_bytes as f64).min(1.0))
    }

    /// 0-based place of the phase among [`LOAD_PHASES`].
    pub fn phase_idx(&self) -> usize {
        LOAD_PHASES
            .iter()
            .position(|phase| *phase == self.phase)
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_share_only_where_there_is_a_size() {
        let mut progress = LoadProgress {
            phase: LoadPhase::Weights,
            done_bytes: 3,
            total_bytes: 4,
        };
        assert_eq!(progress.fraction(), Some(0.75));
        progress.done_bytes = 9;
        assert_eq!(progress.fraction(), Some(1.0));
        progress.total_bytes = 0;
        assert_eq!(progress.fraction(), None);
        assert_eq!(progress.phase_idx(), 2);
    }
}
