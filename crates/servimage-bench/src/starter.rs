//! The starter tasks: briefs written for this project, so that the page works before anybody
//! brings a benchmark. None of their wording comes from ServImageBench.

use crate::task::{Task, load_tasks};

/// The tasks in the published form.
pub const STARTER_JSON: &str = include_str!("../data/starter.json");

/// Tasks for portrait, product and digital work, in English and Chinese.
pub fn starter_tasks() -> Vec<Task> {
    load_tasks(STARTER_JSON)
        .expect("a test reads the embedded file")
        .tasks
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_starter_file_is_clean() {
        let loaded = load_tasks(STARTER_JSON).expect("the starter file is JSON");
        assert_eq!(loaded.warnings, []);
        let ids: BTreeSet<_> = loaded
            .tasks
            .iter()
            .map(|task| task.task_id.as_str())
            .collect();
        assert_eq!(ids.len(), loaded.tasks.len());
    }

    #[test]
    fn a_visitor_finds_every_kind_of_task() {
        let tasks = starter_tasks();
        assert!(tasks.len() >= 12);
        for category in ["C-Portrait", "C-Product", "C-Digital"] {
            let of_category: Vec<_> = tasks
                .iter()
                .filter(|task| task.category == category)
                .collect();
            assert!(of_category.len() >= 3, "{category}");
            assert!(
                of_category.iter().any(|task| task.language() == "zh"),
                "{category} in Chinese"
            );
            assert!(
                of_category.iter().any(|task| task.language() == "en"),
                "{category} in English"
            );
        }
        assert!(tasks.iter().any(|task| task.has_input));
        assert!(
            tasks
                .iter()
                .any(|task| !task.has_input && task.category == "C-Portrait")
        );
        assert!(tasks.iter().any(|task| task.output_quantity >= 3));
        assert!(tasks.iter().any(|task| task.wants_text));
        assert!(tasks.iter().any(|task| !task.wants_text));
    }

    #[test]
    fn every_starter_task_has_a_price_points_and_hard_rules() {
        for task in starter_tasks() {
            let price_usd = task.price_usd.expect("a price");
            let shares: f64 = task
                .deliverables
                .iter()
                .filter_map(|deliverable| deliverable.price_usd)
                .sum();
            assert!(
                (price_usd - shares).abs() < 0.05,
                "{}: {price_usd} against {shares}",
                task.task_id
            );
            assert!((5.0..=600.0).contains(&price_usd), "{}", task.task_id);
            assert!(task.points.len() >= 3, "{}", task.task_id);
            assert!(
                task.deliverables
                    .iter()
                    .all(|deliverable| deliverable.rules.is_object()),
                "{}",
                task.task_id
            );
        }
    }
}
