//! Finished verdicts outlive a reload: each card is kept as one JSON text in the browser's own storage. Its
//! picture is not: images stay where the visitor has them. The texts are read by `platform::storage`, with the
//! browser's own parser: a second one for verdicts would be 40 KB of wasm.

use super::Session;
use super::checklist::Ticks;
use super::export::json;
use super::port::WorkerPort;
use super::queue::{Card, CardId, CardState};
use serde::{Deserialize, Serialize};
use servimage_bench::task::Task;
use servimage_bench::verdict::Verdict;
use std::sync::Arc;

/// A card with its verdict.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptCard {
    name: String,
    folder: String,
    verdict: Verdict,
    work_millis: f64,
    vote: Option<bool>,
    ticks: u64,
}

impl<P: WorkerPort> Session<P> {
    /// Cards that changed since the last call, with the text to keep, or `None` to forget the card.
    pub fn take_unsaved(&mut self) -> Vec<(CardId, Option<String>)> {
        let changed = self.queue.take_changed();
        changed
            .into_iter()
            .map(|id| (id, self.queue.get(id).and_then(kept)))
            .collect()
    }

    /// Brings back what was kept, under the ids of then.
    pub fn bring_back(&mut self, all: Vec<(CardId, KeptCard)>) {
        for (id, kept) in all {
            let task = self.task_of(&kept.verdict);
            self.queue.insert(Card {
                id,
                batch: 0,
                name: kept.name,
                folder: kept.folder,
                file: None,
                task,
                deliverable: kept.verdict.deliverable,
                state: CardState::Done {
                    verdict: Arc::new(kept.verdict),
                    work_millis: kept.work_millis,
                },
                revision: 0,
                job_id: None,
                is_open: true,
                vote: kept.vote,
                ticks: Ticks(kept.ticks),
                before: None,
                insists: false,
            });
        }
    }

    /// Gives cards that came back without their task the one that is there now.
    pub(super) fn adopt_tasks(&mut self) {
        let is_stub = |card: &&Card<P::File>| card.task.deliverables.is_empty();
        let stubs = self.queue.iter().filter(is_stub);
        let found: Vec<(CardId, Arc<Task>)> = stubs
            .filter_map(|card| Some((card.id, self.catalog.get(&card.task.task_id)?.clone())))
            .collect();
        for (id, task) in found {
            self.queue.change(id, |card| card.task = task);
        }
    }

    /// The task of a verdict; of a task that is not there, what the verdict itself knows.
    fn task_of(&self, verdict: &Verdict) -> Arc<Task> {
        self.catalog
            .get(&verdict.task_id)
            .cloned()
            .unwrap_or_else(|| {
                Arc::new(Task {
                    task_id: verdict.task_id.clone(),
                    name: verdict.task_id.clone(),
                    ..Task::default()
                })
            })
    }
}

/// A hidden verdict is not kept: the visitor could not vote on it without its picture.
fn kept<F>(card: &Card<F>) -> Option<String> {
    let CardState::Done {
        verdict,
        work_millis,
    } = &card.state
    else {
        return None;
    };
    let kept = KeptCard {
        name: card.name.clone(),
        folder: card.folder.clone(),
        verdict: Verdict::clone(verdict),
        work_millis: *work_millis,
        vote: card.vote,
        ticks: card.ticks.0,
    };
    card.is_open.then(|| json(&kept).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{drop_images, judged_session, ready_session};

    /// What the browser would hold after these changes.
    fn stored<P: WorkerPort>(session: &mut Session<P>) -> Vec<(CardId, KeptCard)> {
        let changes = session.take_unsaved().into_iter();
        let texts = changes.filter_map(|(id, text)| Some((id, text?)));
        texts
            .map(|(id, text)| (id, serde_json::from_str(&text).expect("it reads back")))
            .collect()
    }

    #[test]
    fn a_reload_keeps_finished_verdicts_with_vote_and_ticks_and_not_the_others() {
        let mut before = judged_session();
        let id = before.queue.iter().next().expect("a card").id;
        before.tick(id, 2, true);
        let texts = stored(&mut before);
        assert_eq!(texts.len(), 1, "the failed one can be dropped again");
        let mut after = ready_session();
        after.bring_back(texts);
        let card = after.queue.get(id).expect("the card");
        assert!(card.ticks.has(2));
        assert_eq!(card.state, before.queue.get(id).expect("the card").state);
        assert_eq!(
            after.export_jsonl().lines().next(),
            before.export_jsonl().lines().next()
        );
        let new = drop_images(&mut after, &["new.png"]);
        assert_ne!(new[0], id, "a new card takes a new id");
        after.retry(id);
        assert!(
            after.queue.get(id).expect("the card").state.is_settled(),
            "without its picture it is not judged again"
        );
    }

    #[test]
    fn a_card_of_the_benchmark_gets_its_task_back_with_the_benchmark() {
        let mut before = judged_session();
        let mut text = stored(&mut before).remove(0).1;
        text.verdict.task_id = "product-007".into();
        let mut after = ready_session();
        after.bring_back(vec![(5, text)]);
        assert!(
            after
                .queue
                .get(5)
                .expect("the card")
                .task
                .deliverables
                .is_empty()
        );
        after.add_bench_json("Product.json", &crate::session::tests::set_task_json());
        assert_eq!(
            after.queue.get(5).expect("the card").task.name,
            "A set of two"
        );
    }

    #[test]
    fn a_card_that_is_removed_or_judged_anew_is_forgotten() {
        let mut session = judged_session();
        let id = session.queue.iter().next().expect("a card").id;
        stored(&mut session);
        session.retry(id);
        assert_eq!(session.take_unsaved(), [(id, None)]);
        session.remove(id);
        assert_eq!(session.take_unsaved(), [(id, None)]);
        assert!(session.take_unsaved().is_empty());
    }

    #[test]
    fn a_new_image_does_not_take_the_place_of_a_card_on_its_way_back() {
        let mut before = judged_session();
        let text = stored(&mut before).remove(0).1;
        let mut after = ready_session();
        after.queue.reserve(Some(30));
        let new = drop_images(&mut after, &["new.png"]);
        after.bring_back(vec![(30, text)]);
        assert_eq!(after.queue.iter().count(), 2);
        assert_ne!(new[0], 30);
    }

    #[test]
    fn cards_come_back_in_their_order_whatever_the_storage_does() {
        let mut before = judged_session();
        let text = stored(&mut before).remove(0).1;
        let mut after = ready_session();
        after.bring_back(vec![(9, text.clone()), (2, text.clone()), (30, text)]);
        assert_eq!(after.queue.ids_for_show(), [2, 9, 30]);
        assert_eq!(
            after.queue.iter().map(|card| card.id).collect::<Vec<_>>(),
            [2, 9, 30]
        );
    }
}
