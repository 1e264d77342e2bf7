//! Blind mode: the visitor decides before the verdict is shown, and the two are compared.
//!
//! Agreement is corrected for chance by Cohen's kappa, `(p_o - p_e) / (1 - p_e)` (Cohen 1960).

use super::Session;
use super::port::WorkerPort;
use super::queue::{Card, CardId, CardState};
use servimage_bench::results::{Decision, ResultRow, write_rows};

/// Votes against verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Images with both.
    pub n: usize,
    /// Images on which both say the same.
    pub n_agree: usize,
    /// Cohen's kappa; `None` where chance alone would agree on everything, as with one side constant on both.
    pub kappa: Option<f64>,
}

/// Compares pairs of visitor and model.
pub fn agreement(pairs: impl Iterator<Item = (bool, bool)>) -> Agreement {
    let (mut n, mut n_agree, mut n_visitor, mut n_model) = (0_usize, 0_usize, 0_usize, 0_usize);
    for (visitor, model) in pairs {
        n += 1;
        n_agree += usize::from(visitor == model);
        n_visitor += usize::from(visitor);
        n_model += usize::from(model);
    }
    let share = |count: usize| count as f64 / n.max(1) as f64;
    let (visitor, model) = (share(n_visitor), share(n_model));
    let by_chance = visitor * model + (1.0 - visitor) * (1.0 - model);
    let kappa =
        (n > 0 && by_chance < 1.0).then(|| (share(n_agree) - by_chance) / (1.0 - by_chance));
    Agreement { n, n_agree, kappa }
}

impl<P: WorkerPort> Session<P> {
    /// Whether verdicts are hidden until the visitor has voted.
    pub fn is_blind(&self) -> bool {
        self.is_blind
    }

    /// Hides the verdicts that come next, or shows all. What was seen already stays in sight.
    pub fn set_blind(&mut self, is_blind: bool) {
        self.is_blind = is_blind;
        if !is_blind {
            let hidden: Vec<CardId> = self
                .queue
                .iter()
                .filter(|card| !self.is_open(card))
                .map(|card| card.id)
                .collect();
            for id in hidden {
                self.queue.change(id, |card| card.is_open = true);
            }
        }
    }

    /// Whether a card's verdict may be shown; what has none yet has nothing to hide.
    pub fn is_open(&self, card: &Card<P::File>) -> bool {
        card.is_open || !matches!(card.state, CardState::Done { .. })
    }

    /// Takes the visitor's decision on a verdict that is still hidden, and shows it.
    pub fn vote(&mut self, id: CardId, pays: bool) {
        if self.queue.get(id).is_some_and(|card| !self.is_open(card)) {
            self.queue.change(id, |card| {
                card.vote = Some(pays);
                card.is_open = true;
            });
        }
    }

    /// How far the visitor and the model agree, at the threshold of the moment.
    pub fn agreement(&self) -> Agreement {
        let threshold = self.threshold();
        agreement(
            self.queue
                .iter()
                .filter_map(|card| match (&card.state, card.vote) {
                    (CardState::Done { verdict, .. }, Some(vote)) => {
                        Some((vote, verdict.p_pay >= threshold))
                    }
                    _ => None,
                }),
        )
    }

    /// The votes as upstream's result rows, the verdict's numbers beside them. `timestamp` is ISO 8601
    /// without a zone.
    pub fn export_votes(&self, timestamp: &str) -> String {
        let row = |card: &Card<P::File>| {
            let (CardState::Done { verdict, .. }, Some(accepted)) = (&card.state, card.vote) else {
                return None;
            };
            let mut row = ResultRow::new(&Decision {
                model: &card.folder,
                task_id: &card.task.task_id,
                category: &card.task.category,
                notes: "blind vote on the ServImage page",
                timestamp,
                deliverable: card.deliverable,
                n_deliverables: card.task.deliverables.len() as u32,
                accepted,
            });
            row.set("image", &card.name.as_str().into());
            row.set("p_pay", &verdict.p_pay.into());
            row.set(
                "pack_sha256",
                &verdict.provenance.pack_sha256.as_str().into(),
            );
            Some(row)
        };
        write_rows(&self.queue.iter().filter_map(row).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{done, drop_images, ready_session};
    use servimage_bench::results::read_rows;

    #[test]
    fn kappa_is_agreement_beyond_chance() {
        // 20 both yes, 15 both no, 5 and 10 mixed: the textbook example with kappa 0.4.
        let pairs = [
            (20, true, true),
            (5, true, false),
            (10, false, true),
            (15, false, false),
        ];
        let all = pairs
            .iter()
            .flat_map(|&(count, one, other)| std::iter::repeat_n((one, other), count));
        let found = agreement(all);
        assert_eq!((found.n, found.n_agree), (50, 35));
        assert!((found.kappa.expect("a kappa") - 0.4).abs() < 1e-9);
    }

    #[test]
    fn without_variation_there_is_no_kappa() {
        assert_eq!(
            agreement([(true, true), (true, true)].into_iter()).kappa,
            None
        );
        assert_eq!(agreement(std::iter::empty()), Agreement::default());
    }

    #[test]
    fn a_verdict_stays_hidden_until_the_vote_and_the_vote_stays_as_it_was() {
        let mut session = ready_session();
        session.set_blind(true);
        let ids = drop_images(&mut session, &["a.png", "b.png"]);
        session.on_response(done(1, 0.9));
        let is_open =
            |session: &Session<_>, id| session.is_open(session.queue.get(id).expect("the card"));
        assert!(!is_open(&session, ids[0]));
        assert_eq!(
            session.outlook(),
            None,
            "sums would give the hidden verdict away"
        );
        assert_eq!(session.queue.counts(0.5).pay, 0);
        session.vote(ids[0], false);
        assert!(is_open(&session, ids[0]));
        session.vote(ids[0], true);
        assert_eq!(
            session.queue.get(ids[0]).expect("the card").vote,
            Some(false)
        );
        assert_eq!((session.agreement().n, session.agreement().n_agree), (1, 0));
        session.on_response(done(2, 0.9));
        session.set_blind(false);
        assert!(is_open(&session, ids[1]));
        session.vote(ids[1], true);
        assert_eq!(
            session.agreement().n,
            1,
            "a verdict that was seen cannot be voted on"
        );
    }

    #[test]
    fn votes_are_exported_as_result_rows_that_read_back() {
        let mut session = ready_session();
        session.set_blind(true);
        let ids = drop_images(&mut session, &["a.png"]);
        session.on_response(done(1, 0.9));
        session.vote(ids[0], true);
        let rows = read_rows(&session.export_votes("2026-11-25T03:00:00"));
        assert!(rows.errors.is_empty());
        let row = &rows.rows[0];
        assert_eq!((row.accepted(), row.deliverable()), (Some(true), Some(1)));
        assert_eq!(row.get("p_pay").and_then(|p| p.as_f64()), Some(0.9));
    }
}
