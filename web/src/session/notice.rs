//! What the page says aloud: shown as a line and announced to screen readers.

/// Something that happened, free of any language.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Images were queued.
    Queued {
        /// How many.
        count: usize,
        /// Whether they can be judged at once.
        model_ready: bool,
    },
    /// An image was judged.
    Judged {
        /// File name.
        name: String,
        /// Whether the client would pay.
        pay: bool,
        /// Probability, 0..=1.
        p_pay: f64,
    },
    /// An image was judged, and the verdict waits for the visitor's vote.
    JudgedBlind {
        /// File name.
        name: String,
    },
    /// An image could not be judged.
    ImageFailed {
        /// File name.
        name: String,
    },
    /// A long queue is worked off.
    AllJudged {
        /// Images with a verdict.
        done: usize,
        /// Images without.
        failed: usize,
    },
    /// The benchmark is there.
    BenchLoaded {
        /// Its tasks.
        tasks: usize,
        /// Oddities in its files.
        warnings: usize,
    },
    /// The benchmark is gone.
    BenchForgotten,
    /// A JSON file holds no tasks.
    NotABenchFile {
        /// File name.
        name: String,
        /// Why.
        why: String,
    },
    /// Files in folders were passed over.
    Skipped {
        /// How many.
        count: usize,
    },
    /// A file, or part of an archive, could not be unpacked.
    NotUnpacked {
        /// Its path.
        name: String,
        /// Why.
        why: String,
        /// How many others could not either.
        n_more: usize,
    },
    /// The browser gave nothing from its clipboard.
    NothingPasted {
        /// Why.
        why: String,
    },
    /// A text went to the clipboard.
    Copied,
    /// The address of this state went to the clipboard.
    LinkCopied,
    /// The worker broke, and a fresh one goes on.
    Recovered,
    /// The report was written.
    ReportSaved,
}

impl Notice {
    /// Whether it stays on the page until it is dismissed; the others are only announced.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::BenchLoaded { .. }
                | Self::BenchForgotten
                | Self::NotABenchFile { .. }
                | Self::Skipped { .. }
                | Self::LinkCopied
                | Self::NotUnpacked { .. }
                | Self::NothingPasted { .. }
                | Self::Recovered
        )
    }
}
