//! What the page says aloud: shown as a line and announced to screen readers.

use super::Session;
use super::port::WorkerPort;

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
    /// Files in folders and archives were passed over.
    Skipped {
        /// How many.
        count: usize,
        /// The first of their names.
        names: String,
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

/// Names of files that one sentence holds.
const MAX_NAMES: usize = 3;

impl Notice {
    /// Files at these paths were passed over.
    pub fn skipped(paths: &[String]) -> Self {
        let name = |path: &String| path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut names: Vec<String> = paths.iter().take(MAX_NAMES).map(name).collect();
        if paths.len() > MAX_NAMES {
            names.push("…".to_owned());
        }
        Self::Skipped {
            count: paths.len(),
            names: names.join(", "),
        }
    }

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

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Notices {
    latest: Option<Notice>,
    /// Those that [stay](Notice::is_lasting), the last of each kind: an outcome announced after them does not take them away.
    lasting: Vec<Notice>,
}

impl<P: WorkerPort> Session<P> {
    /// What was last said to the visitor.
    pub fn notice(&self) -> Option<&Notice> {
        self.notices.latest.as_ref()
    }

    /// What stays on the page until it is dismissed.
    pub fn lasting_notices(&self) -> &[Notice] {
        &self.notices.lasting
    }

    /// Says something to the visitor.
    pub fn notify(&mut self, notice: Notice) {
        if notice.is_lasting() {
            let kind = std::mem::discriminant(&notice);
            let lasting = &mut self.notices.lasting;
            lasting.retain(|known| std::mem::discriminant(known) != kind);
            lasting.push(notice.clone());
        }
        self.notices.latest = Some(notice);
    }

    /// Takes the notices away.
    pub fn dismiss_notice(&mut self) {
        self.notices = Notices::default();
    }
}
