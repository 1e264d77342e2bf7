//! Two pictures over each other: candidates, or a candidate and the client's own picture.

use super::Session;
use super::port::WorkerPort;
use super::queue::{CardId, CardState};

/// A picture that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The image of a card.
    Card(CardId),
    /// The client's picture for the task of a card.
    Input(CardId),
}

/// What lies on the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compare {
    /// Shown left of the line.
    pub left: Side,
    /// Shown right of it.
    pub right: Side,
}

impl Side {
    /// As the value of an option: `card-7` or `input-7`.
    pub fn word(self) -> String {
        match self {
            Self::Card(id) => format!("card-{id}"),
            Self::Input(id) => format!("input-{id}"),
        }
    }

    /// Reads [`Side::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        let (kind, id) = word.split_once('-')?;
        let id = id.parse().ok()?;
        match kind {
            "card" => Some(Self::Card(id)),
            "input" => Some(Self::Input(id)),
            _ => None,
        }
    }
}

impl<P: WorkerPort> Session<P> {
    /// What can lie beside a card: the client's picture first, then the other images in their order.
    pub fn comparable(&self, id: CardId) -> Vec<Side> {
        let others = self
            .queue
            .ids_for_show()
            .into_iter()
            .filter(|other| *other != id);
        let sides = std::iter::once(Side::Input(id)).chain(others.map(Side::Card));
        sides.filter(|side| self.picture(*side).is_some()).collect()
    }

    /// A card beside what it is best compared with; `None` where it stands alone.
    pub fn compare(&self, id: CardId) -> Option<Compare> {
        self.picture(Side::Card(id))?;
        let sides = self.comparable(id);
        let task = |id: CardId| {
            self.queue
                .get(id)
                .map(|card| (&card.task.task_id, card.deliverable))
        };
        let is_rival = |side: &&Side| match side {
            Side::Input(_) => true,
            Side::Card(other) => task(*other) == task(id),
        };
        let left = *sides.iter().find(is_rival).or(sides.first())?;
        Some(Compare {
            left,
            right: Side::Card(id),
        })
    }

    /// The file of a side, where it is there and is not known to be no picture.
    pub fn picture(&self, side: Side) -> Option<&P::File> {
        match side {
            Side::Card(id) => {
                let card = self.queue.get(id)?;
                let has_failed = matches!(card.state, CardState::Failed(_));
                card.file.as_ref().filter(|_| !has_failed)
            }
            Side::Input(id) => self.assets.input(&self.queue.get(id)?.task.task_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{drop_images, ready_session};

    #[test]
    fn a_lone_image_has_nothing_beside_it() {
        let mut session = ready_session();
        let ids = drop_images(&mut session, &["a.png"]);
        assert_eq!(session.compare(ids[0]), None);
        assert_eq!(session.compare(99), None);
    }

    #[test]
    fn the_clients_picture_stands_first_then_a_rival_for_the_same_deliverable() {
        let mut session = ready_session();
        let ids = drop_images(&mut session, &["a.png", "b.png"]);
        session.pick_task("starter-digital-002");
        let other = drop_images(&mut session, &["elsewhere.png"]);
        let beside = |session: &Session<_>, id| session.compare(id).map(|compare| compare.left);
        assert_eq!(beside(&session, ids[0]), Some(Side::Card(ids[1])));
        assert_eq!(
            beside(&session, other[0]),
            Some(Side::Card(ids[0])),
            "better a stranger than nothing"
        );
        let task_id = session
            .queue
            .get(ids[0])
            .expect("the card")
            .task
            .task_id
            .clone();
        session.assets.pick_input(&task_id, Some("input.png"));
        assert_eq!(beside(&session, ids[0]), Some(Side::Input(ids[0])));
        assert_eq!(session.picture(Side::Input(ids[0])), Some(&"input.png"));
        assert_eq!(session.comparable(ids[0]).len(), 3);
    }

    #[test]
    fn a_side_survives_its_word() {
        for side in [Side::Card(7), Side::Input(12)] {
            assert_eq!(Side::from_word(&side.word()), Some(side));
        }
        assert_eq!(Side::from_word("moon-1"), None);
    }
}
