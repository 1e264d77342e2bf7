//! The brief's soft rules as a checklist: the visitor ticks what the image meets.

use super::Session;
use super::port::WorkerPort;
use super::queue::CardId;

/// Ticks of one image, by the place of the rule in the task. The benchmark's longest list has 48.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticks(pub u64);

impl Ticks {
    /// Whether the rule at this place is ticked; a list longer than 64 ends there.
    pub fn has(self, idx: usize) -> bool {
        idx < 64 && self.0 >> idx & 1 == 1
    }

    /// Ticks or clears one.
    pub fn set(&mut self, idx: usize, is_ticked: bool) {
        let bit = if idx < 64 { 1 << idx } else { 0 };
        self.0 = if is_ticked {
            self.0 | bit
        } else {
            self.0 & !bit
        };
    }

    /// Number of ticks.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }
}

impl<P: WorkerPort> Session<P> {
    /// Ticks or clears one of the soft rules for a card.
    pub fn tick(&mut self, id: CardId, idx: usize, is_ticked: bool) {
        // Not a change of the card that would draw it anew: the box on the screen has changed already.
        self.queue
            .annotate(id, |card| card.ticks.set(idx, is_ticked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::judged_session;

    #[test]
    fn ticks_are_kept_by_place() {
        let mut ticks = Ticks::default();
        ticks.set(0, true);
        ticks.set(47, true);
        ticks.set(200, true);
        assert!(ticks.has(0) && ticks.has(47) && !ticks.has(1) && !ticks.has(200));
        ticks.set(0, false);
        assert_eq!(ticks.count(), 1);
    }

    #[test]
    fn a_tick_goes_with_the_card_into_the_export() {
        let mut session = judged_session();
        let id = session.queue.iter().next().expect("a card").id;
        session.tick(id, 1, true);
        let exported = session.export_jsonl();
        let points: Vec<bool> = session
            .queue
            .get(id)
            .expect("the card")
            .task
            .points
            .iter()
            .enumerate()
            .map(|(idx, _)| idx == 1)
            .collect();
        assert!(points.len() > 1, "the starter task has soft rules");
        assert!(
            exported.contains(&format!(
                "\"checklist\":{}",
                serde_json::to_string(&points).expect("JSON")
            )),
            "{exported}"
        );
    }
}
