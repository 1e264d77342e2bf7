//! The page's state as a URL fragment, which browsers never send: task, deliverable, threshold and the
//! scores, no pixels. `#v=1&task=ID&deliverable=2&threshold=0.6&score=0.8312:NAME&score=...`

use super::order::Order;
use super::port::WorkerPort;
use super::{DeliverableChoice, Session};
use std::fmt::Write;

/// More scores would make an address that chat programs cut.
const MAX_SCORES: usize = 100;

/// What an address brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shared {
    /// Task id; empty where none was picked.
    pub task_id: String,
    /// 1-based deliverable; `None` for all in order.
    pub deliverable: Option<u32>,
    /// The sender's threshold, 0..=1; `None` for the pack's own.
    pub threshold: Option<f64>,
    /// File names and their P(pay), the highest first.
    pub scores: Vec<(String, f64)>,
}

impl Shared {
    /// The fragment, without `#`.
    pub fn to_fragment(&self) -> String {
        let mut text = format!("v=1&task={}", encode(&self.task_id));
        // Writing to a `String` cannot fail.
        let _ = match self.deliverable {
            Some(number) => write!(text, "&deliverable={number}"),
            None => write!(text, "&deliverable=all"),
        };
        if let Some(threshold) = self.threshold {
            let _ = write!(text, "&threshold={threshold}");
        }
        for (name, p_pay) in self.scores.iter().take(MAX_SCORES) {
            let _ = write!(text, "&score={p_pay:.4}:{}", encode(name));
        }
        text
    }

    /// Reads a fragment, with or without `#`; `None` for one that is not ours. Fields that make no sense
    /// are left out.
    pub fn from_fragment(fragment: &str) -> Option<Self> {
        let fields = fragment.trim_start_matches('#').strip_prefix("v=1&")?;
        let mut shared = Self {
            deliverable: Some(1),
            ..Self::default()
        };
        let is_share = |number: &f64| (0.0..=1.0).contains(number);
        for (key, value) in fields.split('&').filter_map(|field| field.split_once('=')) {
            match key {
                "task" => shared.task_id = decode(value),
                "deliverable" if value == "all" => shared.deliverable = None,
                "deliverable" => {
                    shared.deliverable = Some(value.parse().ok().filter(|&n| n > 0).unwrap_or(1))
                }
                "threshold" => shared.threshold = value.parse().ok().filter(is_share),
                "score" if shared.scores.len() < MAX_SCORES => {
                    let score = value.split_once(':').and_then(|(p_pay, name)| {
                        let p_pay = p_pay.parse().ok().filter(is_share)?;
                        Some((decode(name), p_pay))
                    });
                    shared.scores.extend(score);
                }
                _ => {}
            }
        }
        Some(shared)
    }
}

impl<P: WorkerPort> Session<P> {
    /// What an address of this page would bring. Verdicts that are hidden stay hidden.
    pub fn share(&self) -> Shared {
        let ids = self.ids_in(Order::Likeliest).into_iter();
        let scores = ids.filter_map(|id| {
            let card = self.queue.get(id)?;
            Some((card.name.clone(), self.shown_p_pay(card)?))
        });
        let scores = scores.collect();
        Shared {
            task_id: self
                .task()
                .map(|task| task.task_id.clone())
                .unwrap_or_default(),
            deliverable: match self.deliverable() {
                DeliverableChoice::One(number) => Some(number),
                DeliverableChoice::InOrder => None,
            },
            threshold: self.threshold,
            scores,
        }
    }

    /// Takes what an address brings. A task that is not there yet is picked when the benchmark comes.
    pub fn restore(&mut self, shared: Shared) {
        self.set_threshold(shared.threshold);
        self.shared = Some(shared);
        self.pick_shared_task();
    }

    /// What the address brought, until it is put away.
    pub fn shared(&self) -> Option<&Shared> {
        self.shared.as_ref()
    }

    /// Puts away what the address brought.
    pub fn dismiss_shared(&mut self) {
        self.shared = None;
    }

    /// Picks the task of the address where it is there; whether it is.
    pub(super) fn pick_shared_task(&mut self) -> bool {
        let Some((task_id, deliverable)) = self
            .shared
            .as_ref()
            .map(|shared| (shared.task_id.clone(), shared.deliverable))
        else {
            return false;
        };
        let Some(task) = self.catalog.get(&task_id) else {
            return false;
        };
        let n_deliverables = (task.deliverables.len() as u32).max(1);
        self.pick_task(&task_id);
        self.pick_deliverable(deliverable.map_or(DeliverableChoice::InOrder, |number| {
            DeliverableChoice::One(number.min(n_deliverables))
        }));
        true
    }
}

/// Percent-encoding of everything but unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Undoes [`encode`]; a percent sign without two digits stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = digits
            .filter(|_| *first == b'%')
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{judged_session, ready_session, set_task_json};

    #[test]
    fn a_shared_state_survives_its_address() {
        let shared = Shared {
            task_id: "产品-7 & more".into(),
            deliverable: None,
            threshold: Some(0.35),
            scores: vec![("瓶 1#=&.png".into(), 0.8312), ("100%.png".into(), 0.0)],
        };
        let fragment = shared.to_fragment();
        assert!(fragment.is_ascii());
        assert_eq!(Shared::from_fragment(&format!("#{fragment}")), Some(shared));
    }

    #[test]
    fn a_broken_address_breaks_nothing() {
        assert_eq!(Shared::from_fragment("#images"), None);
        assert_eq!(Shared::from_fragment(""), None);
        let read = Shared::from_fragment(
            "v=1&task=%E4%zz%&threshold=7&deliverable=-3&score=2:a&score=x&moon",
        )
        .expect("ours");
        assert_eq!(
            (read.deliverable, read.threshold, read.scores.len()),
            (Some(1), None, 0)
        );
    }

    #[test]
    fn an_address_gives_back_task_threshold_and_scores() {
        let mut sender = judged_session();
        sender.pick_task("starter-digital-001");
        sender.set_threshold(Some(0.8));
        let fragment = sender.share().to_fragment();
        let mut receiver = ready_session();
        receiver.restore(Shared::from_fragment(&fragment).expect("ours"));
        assert_eq!(
            receiver.task().map(|task| task.task_id.as_str()),
            Some("starter-digital-001")
        );
        assert_eq!(receiver.threshold(), 0.8);
        assert_eq!(
            receiver.shared().expect("shared").scores,
            [("good.png".to_owned(), 0.75)]
        );
    }

    #[test]
    fn a_task_of_the_benchmark_is_picked_once_the_benchmark_is_there() {
        let mut session = ready_session();
        let first = session.task().map(|task| task.task_id.clone());
        let shared = Shared {
            task_id: "product-007".into(),
            deliverable: Some(2),
            ..Shared::default()
        };
        session.restore(shared);
        assert_eq!(session.task().map(|task| task.task_id.clone()), first);
        session.add_bench_json("Product.json", &set_task_json());
        assert_eq!(
            session.task().map(|task| task.task_id.as_str()),
            Some("product-007")
        );
        assert_eq!(session.deliverable(), DeliverableChoice::One(2));
    }
}
