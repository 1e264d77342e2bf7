//! Promises over the three published files: nothing is lost, everything odd is named.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod published;

use published::{FILES, text};
use serde_json::Value;
use servimage_bench::rules::{ImageFacts, check_rules};
use servimage_bench::task::{LoadedTasks, Task, load_tasks};
use servimage_bench::verdict::RuleOutcome;
use std::collections::{BTreeMap, BTreeSet};

fn all() -> LoadedTasks {
    let mut all = LoadedTasks::default();
    for file in FILES {
        let loaded = load_tasks(&text(file)).unwrap();
        all.tasks.extend(loaded.tasks);
        all.warnings.extend(loaded.warnings);
    }
    all
}

fn cents(dollars: f64) -> i64 {
    (dollars * 100.0).round() as i64
}

#[test]
fn every_task_deliverable_and_dollar_is_read() {
    let tasks = all().tasks;
    assert_eq!(tasks.len(), 1_070);
    assert_eq!(
        tasks
            .iter()
            .map(|task| task.deliverables.len())
            .sum::<usize>(),
        2_046
    );
    // The headline figure is the sum of the tasks' own prices ...
    assert_eq!(
        tasks
            .iter()
            .map(|task| cents(task.price_usd.unwrap()))
            .sum::<i64>(),
        29_503_808
    );
    // ... of which each deliverable bears an equal share, rounded: 20 cents more in all.
    let shares = tasks
        .iter()
        .flat_map(|task| &task.deliverables)
        .map(|d| cents(d.price_usd.unwrap()));
    assert_eq!(shares.sum::<i64>(), 29_503_828);
    for task in &tasks {
        let share = task.price_usd.unwrap() / task.deliverables.len() as f64;
        let near = |price_usd: Option<f64>| (price_usd.unwrap() - share).abs() < 0.06;
        assert!(
            task.deliverables.iter().all(|d| near(d.price_usd)),
            "{}",
            task.task_id
        );
    }
    let of_category = |category: &str| {
        let prices = tasks
            .iter()
            .filter(|task| task.category == category)
            .map(|task| cents(task.price_usd.unwrap()));
        (prices.clone().count(), prices.sum::<i64>())
    };
    assert_eq!(of_category("C-Portrait"), (271, 1_528_591));
    assert_eq!(of_category("C-Product"), (450, 14_699_384));
    assert_eq!(of_category("C-Digital"), (349, 13_275_833));
}

#[test]
fn every_point_has_its_text_also_under_a_damaged_key() {
    let tasks = all().tasks;
    let points = || tasks.iter().flat_map(|task| &task.points);
    assert_eq!(points().count(), 7_416);
    assert!(points().all(|point| !point.text.is_empty() && point.extra.is_empty()));
    assert!(tasks.iter().all(|task| task.extra.is_empty()));
}

#[test]
fn what_is_odd_is_a_warning_that_names_the_task_and_nothing_else_is() {
    let warnings = all().warnings;
    let named = |part: &str| {
        let of_part = warnings
            .iter()
            .filter(|warning| warning.message.contains(part));
        of_part
            .map(|warning| warning.task_id.as_str())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        named("read as \"point_requirement\""),
        BTreeSet::from(["product-198", "product-207", "product-233"])
    );
    assert_eq!(named("min_dpi of 8000"), BTreeSet::from(["digital-296"]));
    let empty = [
        "product-043",
        "product-215",
        "product-379",
        "product-383",
        "product-416",
    ];
    assert_eq!(named("of 0 reads as damaged"), BTreeSet::from(empty));
    let all_named: BTreeSet<_> = warnings
        .iter()
        .map(|warning| warning.task_id.as_str())
        .collect();
    assert_eq!(all_named.len(), 3 + 1 + 5, "{warnings:#?}");
}

#[test]
fn languages_sets_and_needs_are_read_from_the_briefs() {
    let tasks = all().tasks;
    assert_eq!(
        tasks.iter().filter(|task| task.language() == "zh").count(),
        856
    );
    assert_eq!(
        tasks.iter().filter(|task| task.output_quantity > 1).count(),
        245
    );
    // The published asset fields are all empty; every portrait brief asks to change a given photo.
    assert!(
        tasks
            .iter()
            .all(|task| task.has_input == (task.category == "C-Portrait"))
    );
    let logos = || {
        tasks
            .iter()
            .filter(|task| task.name.to_lowercase().contains("logo"))
    };
    assert!(logos().count() > 100 && logos().all(|task| task.wants_text));
    assert!(
        tasks
            .iter()
            .filter(|task| task.category == "C-Portrait")
            .all(|task| !task.wants_text)
    );
}

#[test]
fn published_tasks_come_back_as_they_were() {
    let damaged = ["product-198", "product-207", "product-233"];
    for file in FILES {
        let published: Vec<Value> = serde_json::from_str(&text(file)).unwrap();
        for (task, mut published) in load_tasks(&text(file)).unwrap().tasks.iter().zip(published) {
            let again = Task::from_json(&task.to_json()).unwrap();
            assert_eq!((&again, again.version()), (task, task.version()));
            // 62 and 62.0 are the same price.
            let price = &mut published["original_task_data"]["price_usd"];
            *price = Value::from(price.as_f64().unwrap());
            let repaired = damaged.contains(&task.task_id.as_str());
            assert_eq!(task.to_value() != published, repaired, "{}", task.task_id);
        }
    }
}

#[test]
fn versions_tell_tasks_apart() {
    let tasks = all().tasks;
    let versions: BTreeSet<_> = tasks.iter().map(Task::version).collect();
    assert_eq!(versions.len(), tasks.len());
    assert!(versions.iter().all(|version| version.len() == 16));
    let mut edited = tasks[0].clone();
    edited.points[0].text.push('!');
    assert_ne!(edited.version(), tasks[0].version());
}

#[test]
fn every_published_rule_gets_a_row() {
    let facts = ImageFacts {
        file_type: "PNG".into(),
        width: 1024,
        height: 1024,
        dpi: Some(72.0),
        has_alpha: false,
        background_rgb: Some([255; 3]),
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for task in all().tasks {
        for deliverable in &task.deliverables {
            let results = check_rules(&task, deliverable.index, &facts);
            let types: Vec<_> = results
                .iter()
                .filter(|result| result.rule == "file_type")
                .collect();
            assert!(types.len() <= 2, "{}", task.task_id);
            *counts.entry("file_type".into()).or_default() += usize::from(!types.is_empty());
            for result in results.iter().filter(|result| result.rule != "file_type") {
                *counts.entry(result.rule.clone()).or_default() += 1;
            }
            let unmeasured = |outcome| matches!(outcome, RuleOutcome::CannotCheck);
            assert!(results.iter().all(
                |r| !r.required.is_empty() && (unmeasured(r.outcome) || !r.measured.is_empty())
            ));
        }
    }
    let expected = [
        ("annotation", 1),
        ("file_type", 457),
        ("required_text", 1),
        ("visual_specs.aspect_ratio", 886),
        ("visual_specs.background_color", 2),
        ("visual_specs.color", 1),
        ("visual_specs.colors", 6),
        ("visual_specs.dimensions", 667),
        ("visual_specs.file_type", 1),
        ("visual_specs.material", 1),
        ("visual_specs.min_pages", 1),
        ("visual_specs.resolution.min_dpi", 357),
        ("visual_specs.style", 3),
    ];
    assert_eq!(
        counts,
        expected
            .map(|(rule, count)| (rule.to_owned(), count))
            .into()
    );
}
