//! A brief in the visitor's own words: a task beside those of the benchmark, or an existing one with other words or
//! another price, to see what that changes.

use super::Session;
use super::port::WorkerPort;
use super::queue::{CardId, CardState};
use servimage_bench::task::{Deliverable, Task};

/// Task ids of own briefs; a number follows.
const OWN_ID: &str = "own-";

/// What the visitor writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnBrief {
    /// Title.
    pub title: String,
    /// What is wanted.
    pub brief: String,
    /// Price of all of it in US dollars, as it was typed.
    pub price: String,
    /// One deliverable a line.
    pub deliverables: String,
    /// Category as the benchmark names it.
    pub category: String,
    /// Whether the client gives a picture to work from.
    pub has_input: bool,
}

impl OwnBrief {
    /// What stands in the form for a task that is to be changed.
    pub fn of_task(task: &Task) -> Self {
        let lines: Vec<&str> = task
            .deliverables
            .iter()
            .map(|deliverable| deliverable.subtask.as_str())
            .collect();
        Self {
            title: task.name.clone(),
            brief: task.requirement.clone(),
            price: price_of(task)
                .map(|price| price.to_string())
                .unwrap_or_default(),
            deliverables: lines.join("\n"),
            category: task.category.clone(),
            has_input: task.has_input,
        }
    }

    /// The task that it says; rules and soft rules are those of `base`, where it changes one.
    pub fn to_task(&self, number: u32, base: Option<&Task>) -> Task {
        let mut task = base.cloned().unwrap_or_default();
        task.task_id = format!("{OWN_ID}{number}");
        task.name = self.title.trim().to_owned();
        task.requirement = self.brief.trim().to_owned();
        task.constraints = None;
        task.category.clone_from(&self.category);
        let price = self.price.trim().parse::<f64>().ok();
        task.price_usd = price.filter(|price| price.is_finite() && *price >= 0.0);
        let mut lines: Vec<&str> = self.deliverables.lines().map(str::trim).collect();
        lines.retain(|line| !line.is_empty());
        if lines.is_empty() {
            lines.push(&task.name);
        }
        let share = |of: Option<&Deliverable>| match (task.price_usd, base.and_then(price_of), of) {
            // Another price keeps the shares of the deliverables.
            (Some(price), Some(all), Some(of)) if all > 0.0 => {
                of.price_usd.map(|own| own * price / all)
            }
            (price, ..) => price.map(|price| price / lines.len() as f64),
        };
        let same = |idx: usize| {
            let n_same = base.is_some_and(|base| base.deliverables.len() == lines.len());
            base.and_then(|base| base.deliverables.get(idx))
                .filter(|_| n_same)
        };
        let deliverables = lines
            .iter()
            .zip(1u32..)
            .enumerate()
            .map(|(idx, (line, index))| Deliverable {
                index,
                name: format!("subtask_{index}"),
                subtask: (*line).to_owned(),
                price_usd: share(same(idx)).map(|price| (price * 100.0).round() / 100.0),
                rules: same(idx).map(|of| of.rules.clone()).unwrap_or_default(),
                ..Deliverable::default()
            });
        task.deliverables = deliverables.collect();
        task.output_quantity = task.deliverables.len() as u32;
        task.input_assets = None;
        if self.has_input {
            task.set_input_assets("a picture of the client's");
        }
        // Read again as published: what follows from the words is derived there.
        let read = Task::from_json(&task.to_json());
        read.unwrap_or(task)
    }
}

/// Price of a task, or what its deliverables add up to.
pub fn price_of(task: &Task) -> Option<f64> {
    let prices = || {
        task.deliverables
            .iter()
            .filter_map(|deliverable| deliverable.price_usd)
    };
    task.price_usd
        .or_else(|| prices().next().map(|_| prices().sum()))
}

/// Whether a task is a brief of the visitor's own: nobody measured how good verdicts on such are.
pub fn is_own(task: &Task) -> bool {
    task.task_id.starts_with(OWN_ID)
}

impl<P: WorkerPort> Session<P> {
    /// Takes the visitor's brief and picks it. Where a card asked "what if", it is judged anew for it, and keeps what
    /// came out before. Gives the task to keep, with its number.
    pub fn add_own_brief(&mut self, brief: &OwnBrief, of_card: Option<CardId>) -> (u32, String) {
        let numbers = self
            .catalog
            .iter()
            .filter_map(|task| task.task_id.strip_prefix(OWN_ID)?.parse().ok());
        let number = numbers.max().unwrap_or(0u32) + 1;
        let card = of_card.and_then(|id| self.queue.get(id));
        let (base, deliverable) = match card {
            Some(card) => (Some(card.task.clone()), card.deliverable),
            None => (None, 1),
        };
        let task = brief.to_task(number, base.as_deref());
        let (text, n_deliverables) = (task.to_json(), task.output_quantity.max(1));
        self.catalog.add_own(task);
        self.pick_task(&format!("{OWN_ID}{number}"));
        if let Some(id) = of_card {
            self.pick_deliverable(super::DeliverableChoice::One(
                deliverable.min(n_deliverables),
            ));
            self.rejudge(id);
        }
        (number, text)
    }

    /// Brings own briefs back that were kept.
    pub fn bring_briefs_back(&mut self, texts: Vec<(u32, String)>) {
        for (_, text) in texts {
            if let Ok(task) = Task::from_json(&text) {
                self.catalog.add_own(task);
            }
        }
    }

    /// Forgets the picked brief, which is the visitor's own; its number.
    pub fn forget_own_brief(&mut self) -> Option<u32> {
        let id = self.task().filter(|task| is_own(task))?.task_id.clone();
        self.catalog.remove(&id);
        self.pick_first();
        id.strip_prefix(OWN_ID)?.parse().ok()
    }

    /// P(pay) of a card for the brief before this one, where both may be seen, and that of now.
    pub fn what_changed(&self, id: CardId) -> Option<(f64, f64)> {
        let card = self.queue.get(id)?;
        match &card.state {
            CardState::Done { verdict, .. } if self.is_open(card) => {
                Some((card.before?, verdict.p_pay))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::{done, judged_session};

    fn brief(price: &str, deliverables: &str) -> OwnBrief {
        OwnBrief {
            title: "海报 for a tea house".into(),
            brief: "A poster with the headline OPEN".into(),
            price: price.into(),
            deliverables: deliverables.into(),
            category: "C-Digital".into(),
            has_input: false,
        }
    }

    #[test]
    fn own_words_become_a_task_with_shares_of_the_price_and_what_follows_from_them() {
        let task = brief("90", "front\n\n back \nspine").to_task(3, None);
        assert_eq!((task.task_id.as_str(), task.output_quantity), ("own-3", 3));
        assert_eq!(task.deliverables[1].subtask, "back");
        assert_eq!(task.deliverables[2].price_usd, Some(30.0));
        assert!(task.wants_text, "a headline is text");
        assert!(is_own(&task));
        let task = brief("no idea", "").to_task(1, None);
        assert_eq!(task.deliverables.len(), 1);
        assert_eq!(task.deliverables[0].price_usd, None);
    }

    #[test]
    fn another_price_keeps_rules_and_the_shares_of_the_deliverables() {
        let base = servimage_bench::starter::starter_tasks()
            .into_iter()
            .find(|task| task.deliverables.len() > 1)
            .expect("a set");
        let mut changed = OwnBrief::of_task(&base);
        changed.price = (price_of(&base).expect("a price") * 2.0).to_string();
        let task = changed.to_task(1, Some(&base));
        for (one, other) in task.deliverables.iter().zip(&base.deliverables) {
            assert_eq!(one.rules, other.rules);
            let (now, then) = (
                one.price_usd.expect("a price"),
                other.price_usd.expect("a price"),
            );
            assert!((now - 2.0 * then).abs() < 0.011, "{now} of {then}");
        }
        assert_eq!(task.points.len(), base.points.len());
    }

    #[test]
    fn what_if_judges_the_card_again_and_keeps_what_came_out_before() {
        let mut session = judged_session();
        let id = session.queue.iter().next().expect("a card").id;
        let mut changed = OwnBrief::of_task(&session.queue.get(id).expect("a card").task);
        changed.brief += " At night.";
        session.add_own_brief(&changed, Some(id));
        assert_eq!(session.what_changed(id), None, "not judged yet");
        let job_id = session
            .queue
            .get(id)
            .and_then(|card| card.job_id)
            .expect("a job");
        session.on_response(done(job_id, 0.5));
        assert_eq!(session.what_changed(id), Some((0.75, 0.5)));
        assert!(session.task().is_some_and(|task| is_own(task)));
        assert_eq!(session.forget_own_brief(), Some(1));
        assert!(session.task().is_some_and(|task| !is_own(task)));
    }

    #[test]
    fn own_briefs_come_back_after_a_reload() {
        let mut before = judged_session();
        let (number, text) = before.add_own_brief(&brief("20", "front"), None);
        let mut after = judged_session();
        after.bring_briefs_back(vec![(number, text), (7, "no JSON".into())]);
        let task = after.catalog.get("own-1").expect("it is there");
        assert_eq!(task.name, "海报 for a tea house");
        assert_eq!(
            after.add_own_brief(&brief("", ""), None).0,
            2,
            "numbers go on"
        );
    }
}
