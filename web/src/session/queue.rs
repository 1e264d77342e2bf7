//! The queue: one card an image, in the order in which they came.

use super::checklist::Ticks;
use super::order::by_place;
use servimage_bench::task::Task;
use servimage_bench::verdict::{ErrorInfo, Verdict};
use std::sync::Arc;

/// Code of the error that a cancelled job shows.
pub const CANCELLED: &str = "page.cancelled";

/// Code of the error of an image that is over the limits; a visitor may insist.
pub const TOO_LARGE: &str = "image.too_large";

/// Identifies a card for as long as the page lives.
pub type CardId = u32;

/// Where a card's image stands.
#[derive(Clone, Debug, PartialEq)]
pub enum CardState {
    /// For its turn or for the model.
    Waiting,
    /// Bytes to pixels.
    Decoding,
    /// The network runs.
    Scoring,
    /// Judged.
    Done {
        /// What came out.
        verdict: Arc<Verdict>,
        /// Milliseconds of work on this image.
        work_millis: f64,
    },
    /// Failed alone, or cancelled by the visitor.
    Failed(ErrorInfo),
}

impl CardState {
    /// The word in `data-state`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Decoding => "decoding",
            Self::Scoring => "scoring",
            Self::Done { .. } => "done",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether nothing more will happen by itself.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed(_))
    }
}

/// One image in the queue.
#[derive(Clone, Debug)]
pub struct Card<F> {
    /// Its id.
    pub id: CardId,
    /// Which drop it came with, counted from 1.
    pub batch: u32,
    /// File name as it was brought.
    pub name: String,
    /// Folder that it was brought in; empty for a single file.
    pub folder: String,
    /// The file; `None` after a reload, which keeps verdicts and not pictures.
    pub file: Option<F>,
    /// The task against which it is judged.
    pub task: Arc<Task>,
    /// 1-based deliverable of that task.
    pub deliverable: u32,
    /// Where it stands.
    pub state: CardState,
    /// Raised with each change; what shows the card redraws when it moves.
    pub revision: u32,
    /// The worker's job, while one is under way.
    pub job_id: Option<u32>,
    /// Whether the verdict may be shown: in blind mode not before the vote.
    pub is_open: bool,
    /// The visitor's own decision, made before the verdict was shown.
    pub vote: Option<bool>,
    /// Soft rules that the visitor ticked.
    pub ticks: Ticks,
    /// P(pay) for the brief before this one, where the visitor saw it.
    pub before: Option<f64>,
    /// Whether the visitor wants it opened although it is over the limits.
    pub insists: bool,
}

/// All cards.
#[derive(Clone, Debug)]
pub struct Queue<F> {
    /// By rising id.
    cards: Vec<Card<F>>,
    next_id: CardId,
    batch: u32,
    changed: Vec<CardId>,
}

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Self {
            cards: Vec::new(),
            next_id: 1,
            batch: 0,
            changed: Vec::new(),
        }
    }
}

/// How many cards stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All cards.
    pub total: usize,
    /// Judged.
    pub done: usize,
    /// Judged, not hidden, and the client would pay.
    pub pay: usize,
    /// Failed or cancelled.
    pub failed: usize,
}

impl<F> Queue<F> {
    /// The images that come next are one drop.
    pub fn begin_batch(&mut self) {
        self.batch += 1;
    }

    /// Ids as they are shown: the newest drop first, its images in their order.
    pub fn ids_for_show(&self) -> Vec<CardId> {
        // Places are whole numbers and exact: 2^21 drops fit above 2^32 ids.
        let place = |card: &Card<F>| f64::from(card.id) - f64::from(card.batch) * 2_f64.powi(32);
        by_place(
            self.cards
                .iter()
                .map(|card| (place(card), card.id))
                .collect(),
        )
    }

    /// Adds an image, brought under this path, and gives its card.
    pub fn push(&mut self, path: &str, file: F, task: Arc<Task>, deliverable: u32) -> CardId {
        let id = self.next_id;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.insert(Card {
            id,
            batch: self.batch,
            name: name.to_owned(),
            folder: folder.to_owned(),
            file: Some(file),
            task,
            deliverable,
            state: CardState::Waiting,
            revision: 0,
            job_id: None,
            is_open: false,
            vote: None,
            ticks: Ticks::default(),
            before: None,
            insists: false,
        });
        id
    }

    /// Cards up to this id are on their way: new ones come behind them.
    pub fn reserve(&mut self, last: Option<CardId>) {
        self.next_id = self.next_id.max(last.map_or(1, |last| last + 1));
    }

    /// Adds a whole card; those that come later get higher ids.
    pub fn insert(&mut self, card: Card<F>) {
        self.next_id = self.next_id.max(card.id + 1);
        let idx = self.cards.partition_point(|other| other.id < card.id);
        self.cards.insert(idx, card);
    }

    /// Cards that changed or went since the last call.
    pub fn take_changed(&mut self) -> Vec<CardId> {
        std::mem::take(&mut self.changed)
    }

    /// The card with this id.
    pub fn get(&self, id: CardId) -> Option<&Card<F>> {
        self.idx_of(id).map(|idx| &self.cards[idx])
    }

    fn idx_of(&self, id: CardId) -> Option<usize> {
        self.cards.binary_search_by_key(&id, |card| card.id).ok()
    }

    /// Changes a card and raises its revision; `false` where there is no such card.
    pub fn change(&mut self, id: CardId, change: impl FnOnce(&mut Card<F>)) -> bool {
        self.annotate(id, |card| {
            change(card);
            card.revision += 1;
        })
    }

    /// Changes what is noted on a card without drawing it anew; `false` where there is no such card.
    pub fn annotate(&mut self, id: CardId, change: impl FnOnce(&mut Card<F>)) -> bool {
        let Some(idx) = self.idx_of(id) else {
            return false;
        };
        change(&mut self.cards[idx]);
        self.note(id);
        true
    }

    /// Takes a card out.
    pub fn remove(&mut self, id: CardId) -> Option<Card<F>> {
        let idx = self.idx_of(id)?;
        self.note(id);
        Some(self.cards.remove(idx))
    }

    fn note(&mut self, id: CardId) {
        if !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }

    /// The card whose job this is; `None` for a job that was cancelled or superseded.
    pub fn of_job(&self, job_id: u32) -> Option<CardId> {
        self.cards
            .iter()
            .find(|card| card.job_id == Some(job_id))
            .map(|card| card.id)
    }

    /// The oldest card that waits and is not yet with the worker.
    pub fn next_waiting(&self) -> Option<CardId> {
        self.cards
            .iter()
            .find(|card| card.job_id.is_none() && card.state == CardState::Waiting)
            .map(|card| card.id)
    }

    /// Cards in the order in which they came.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Card<F>> {
        self.cards.iter()
    }

    /// Number of jobs that the worker has.
    pub fn in_flight(&self) -> usize {
        self.cards
            .iter()
            .filter(|card| card.job_id.is_some())
            .count()
    }

    /// How many cards stand where, with those as paid whose P(pay) reaches `threshold`.
    pub fn counts(&self, threshold: f64) -> Counts {
        let mut counts = Counts {
            total: self.cards.len(),
            ..Counts::default()
        };
        for card in &self.cards {
            match &card.state {
                CardState::Done { verdict, .. } => {
                    counts.done += 1;
                    counts.pay += usize::from(card.is_open && verdict.p_pay >= threshold);
                }
                CardState::Failed(_) => counts.failed += 1,
                _ => {}
            }
        }
        counts
    }
}
