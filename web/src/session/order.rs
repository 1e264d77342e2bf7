//! In which order a long queue is listed, and which part of it lies in sight.

use super::Session;
use super::port::WorkerPort;
use super::queue::{Card, CardId, CardState};
use std::ops::Range;

/// Queues that are longer are shown as a list with one open card.
pub const MAX_CARDS: usize = 12;

/// Rows that are drawn beyond each edge of what is in sight.
const MARGIN_ROWS: usize = 4;

/// Rows that PageUp and PageDown walk.
const PAGE_ROWS: usize = 6;

/// Order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest drop first, its images in their order.
    #[default]
    Newest,
    /// The highest P(pay) first; what has none stands last.
    Likeliest,
    /// The lowest P(pay) first; what has none stands last.
    Unlikeliest,
    /// By file name.
    Name,
}

impl Order {
    /// All of them, with their words in the page's markup.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Newest, "newest"),
        (Self::Likeliest, "likeliest"),
        (Self::Unlikeliest, "unlikeliest"),
        (Self::Name, "name"),
    ];

    /// Reads a word; an unknown one is the first order.
    pub fn from_word(word: &str) -> Self {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(order, _)| *order).unwrap_or_default()
    }
}

impl<P: WorkerPort> Session<P> {
    /// Ids in this order.
    pub fn ids_in(&self, order: Order) -> Vec<CardId> {
        let mut ids = self.queue.ids_for_show();
        if order == Order::Newest {
            return ids;
        }
        if order == Order::Name {
            let name = |id: &CardId| self.queue.get(*id).map_or("", |card| card.name.as_str());
            ids.sort_by_cached_key(|id| super::intake::natural_key(name(id)));
            return ids;
        }
        let sign = if order == Order::Likeliest { -1.0 } else { 1.0 };
        // A hidden verdict must not show by its place.
        let place = |id: CardId| {
            let p_pay = self.queue.get(id).and_then(|card| self.shown_p_pay(card));
            (p_pay.map_or(f64::INFINITY, |p_pay| p_pay * sign), id)
        };
        by_place(ids.into_iter().map(place).collect())
    }

    /// P(pay) of a judged card, where it may be shown.
    pub fn shown_p_pay(&self, card: &Card<P::File>) -> Option<f64> {
        match &card.state {
            CardState::Done { verdict, .. } if self.is_open(card) => Some(verdict.p_pay),
            _ => None,
        }
    }
}

/// Ids by their places; equal places keep their order. One sort for all lists: each is 5 KB of wasm.
pub(super) fn by_place(mut places: Vec<(f64, CardId)>) -> Vec<CardId> {
    places.sort_by(|one, other| one.0.total_cmp(&other.0));
    places.into_iter().map(|(_, id)| id).collect()
}

/// Rows to draw of `n_rows` with `row_px` each, where `view_px` from `scroll_px` on are in sight.
pub fn rows_in_sight(scroll_px: f64, view_px: f64, row_px: f64, n_rows: usize) -> Range<usize> {
    let first = (scroll_px / row_px).max(0.0) as usize;
    let last = ((scroll_px + view_px) / row_px).max(0.0).ceil() as usize;
    let start = first.saturating_sub(MARGIN_ROWS).min(n_rows);
    start..(last + MARGIN_ROWS).clamp(start, n_rows)
}

/// The row to which a key leads from row `here`; `None` for other keys and an empty list.
pub fn row_after(key: &str, here: usize, n_rows: usize) -> Option<usize> {
    let last = n_rows.checked_sub(1)?;
    let there = match key {
        "ArrowDown" => here + 1,
        "ArrowUp" => here.saturating_sub(1),
        "PageDown" => here + PAGE_ROWS,
        "PageUp" => here.saturating_sub(PAGE_ROWS),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    Some(there.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{done, drop_images, ready_session};

    #[test]
    fn a_list_is_ordered_by_what_may_be_shown() {
        let mut session = ready_session();
        let ids = drop_images(&mut session, &["b10.png", "b2.png", "a.png"]);
        session.on_response(done(1, 0.2));
        session.on_response(done(2, 0.9));
        assert_eq!(session.ids_in(Order::Newest), ids);
        assert_eq!(session.ids_in(Order::Likeliest), [ids[1], ids[0], ids[2]]);
        assert_eq!(session.ids_in(Order::Unlikeliest), [ids[0], ids[1], ids[2]]);
        assert_eq!(session.ids_in(Order::Name), [ids[2], ids[1], ids[0]]);
        session.set_blind(true);
        session.on_response(done(3, 0.99));
        assert_eq!(session.ids_in(Order::Likeliest), [ids[1], ids[0], ids[2]]);
    }

    #[test]
    fn only_the_rows_in_sight_and_a_margin_are_drawn() {
        assert_eq!(rows_in_sight(0.0, 640.0, 64.0, 500), 0..14);
        assert_eq!(rows_in_sight(6400.0, 640.0, 64.0, 500), 96..114);
        assert_eq!(rows_in_sight(31_360.0, 640.0, 64.0, 500), 486..500);
        assert_eq!(rows_in_sight(9_999.0, 640.0, 64.0, 3), 3..3);
        assert_eq!(rows_in_sight(0.0, 640.0, 64.0, 0), 0..0);
    }

    #[test]
    fn keys_walk_the_list_and_stop_at_its_ends() {
        let walked = ["ArrowUp", "ArrowDown", "PageDown", "End", "PageUp", "x"]
            .map(|key| row_after(key, 1, 5));
        assert_eq!(walked, [Some(0), Some(2), Some(4), Some(4), Some(0), None]);
        assert_eq!(row_after("End", 0, 0), None);
    }

    #[test]
    fn every_order_has_its_own_word() {
        for (order, word) in Order::ALL {
            assert_eq!(Order::from_word(word), order);
        }
        assert_eq!(Order::from_word("moon"), Order::Newest);
    }
}
