//! Single odd tasks: what a reader makes of them, and what a writer gives back.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::{Value, json};
use servimage_bench::error::BenchError;
use servimage_bench::rules::{ImageFacts, check_rules};
use servimage_bench::task::{LoadedTasks, Task, load_tasks};
use servimage_bench::verdict::RuleOutcome;

fn published() -> Value {
    json!({
        "task_id": "product-007",
        "task_category": "C-Product",
        "original_task_data": {
            "task_name_original": "A mug", "requirements_original": "A blue mug.", "output_quantity": 1, "price_usd": 12.5
        },
        "hard_rules": { "deliverables": [{ "subtask": "The mug", "price_usd": "$12.50" }] },
        "soft_rules": { "points": [{ "point_id": "ep_001", "point_requirement": "It is blue" }] },
    })
}

fn load(task: &Value) -> LoadedTasks {
    load_tasks(&json!([task]).to_string()).unwrap()
}

#[test]
fn prices_are_read_with_and_without_a_dollar_sign() {
    for (price, expected) in [
        (json!("$12.50"), Some(12.5)),
        (json!("12.50"), Some(12.5)),
        (json!(" US$ 1,250 "), Some(1250.0)),
        (json!("1250.5 USD"), Some(1250.5)),
        (json!(12.5), Some(12.5)),
        (json!("on request"), None),
        (json!(-3), None),
        (json!(null), None),
    ] {
        let mut task = published();
        task["hard_rules"]["deliverables"][0]["price_usd"] = price.clone();
        let loaded = load(&task);
        assert_eq!(
            loaded.tasks[0].deliverables[0].price_usd, expected,
            "{price}"
        );
        assert_eq!(
            loaded.warnings.is_empty(),
            expected.is_some(),
            "{price}: {:?}",
            loaded.warnings
        );
        // A price that could not be read is still there when the task is written.
        assert!(
            expected.is_some() || loaded.tasks[0].to_json().contains(&price.to_string()),
            "{price}"
        );
    }
}

#[test]
fn a_clean_task_has_no_warning_and_an_input_when_it_names_one() {
    let mut task = published();
    let clean = load(&task);
    assert_eq!(clean.warnings, []);
    assert!(!clean.tasks[0].has_input);
    task["original_task_data"]["input_assets_original"] = json!("sketch.png");
    assert!(load(&task).tasks[0].has_input);

    let mut found = clean.tasks[0].clone();
    found.set_input_assets("inputs/task_7");
    assert!(Task::from_json(&found.to_json()).unwrap().has_input);
    assert_eq!(found.folder_names(), ["task_7", "task_07", "task_007"]);
}

#[test]
fn constraints_follow_the_requirements_and_part_again() {
    let mut published = published();
    published["original_task_data"]["constraints_original"] = json!("No logo.");
    let task = &load(&published).tasks[0];
    assert_eq!(task.requirement, "A blue mug.\nNo logo.");
    assert_eq!(task.to_value(), published);
}

#[test]
fn unknown_fields_are_kept_where_they_were() {
    let mut published = published();
    published["deadline"] = json!("2026-02-01");
    published["original_task_data"]["client"] = json!({ "name": "C", "ids": [1, 2] });
    published["hard_rules"]["version"] = json!(3);
    published["hard_rules"]["deliverables"][0]["rules"] = json!({ "smell": { "min_roses": 3 } });
    published["soft_rules"]["points"][0]["weight"] = json!(0.5);
    let loaded = load(&published);
    assert_eq!(loaded.tasks[0].to_value(), published);
    let results = check_rules(&loaded.tasks[0], 1, &ImageFacts::default());
    assert_eq!(
        (results[0].rule.as_str(), results[0].outcome),
        ("smell", RuleOutcome::CannotCheck)
    );
}

#[test]
fn damaged_keys_are_repaired_and_named() {
    let text = published().to_string();
    let damaged = text
        .replace("\"deliverables\"", "\"deliver极ables\"")
        .replace("\"price_usd\":\"$", "\"price极usd\":\"$");
    let loaded = load_tasks(&damaged).unwrap();
    assert_eq!(loaded.tasks[0], load_tasks(&text).unwrap().tasks[0]);
    assert_eq!(loaded.warnings.len(), 2);
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| warning.to_string().starts_with("product-007: key "))
    );

    let mut task = published();
    task["hard_rules"]["deliverables"][0]["rules"] =
        json!({ "visual极specs": { "dimensions": { "wi极dth": 640 } } });
    let loaded = load(&task);
    let facts = ImageFacts {
        width: 640,
        height: 480,
        ..ImageFacts::default()
    };
    let results = check_rules(&loaded.tasks[0], 1, &facts);
    assert_eq!(
        (results[0].rule.as_str(), results[0].outcome),
        ("visual_specs.dimensions", RuleOutcome::Pass)
    );
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
}

#[test]
fn a_task_without_deliverables_is_one_image_of_its_price() {
    let mut task = published();
    task["hard_rules"] = json!(null);
    let loaded = load(&task);
    let deliverables = &loaded.tasks[0].deliverables;
    assert_eq!(
        (
            deliverables.len(),
            deliverables[0].index,
            deliverables[0].price_usd
        ),
        (1, 1, Some(12.5))
    );
    assert!(
        loaded
            .warnings
            .iter()
            .any(|warning| warning.message.contains("no deliverables"))
    );
}

#[test]
fn deliverables_carry_upstreams_names_in_file_order() {
    let mut task = published();
    let deliverable = task["hard_rules"]["deliverables"][0].clone();
    task["hard_rules"]["deliverables"] = Value::from(vec![deliverable; 11]);
    let loaded = load(&task);
    let tenth = loaded.tasks[0].deliverable(10).unwrap();
    assert_eq!((tenth.index, tenth.name.as_str()), (10, "subtask_10"));
    assert!(loaded.tasks[0].deliverable(12).is_none());
    assert!(loaded.warnings[0].message.contains("11 deliverables"));
}

#[test]
fn what_holds_no_tasks_is_an_error() {
    assert!(matches!(
        load_tasks("[{\"task_id\": "),
        Err(BenchError::NotJson { line: 1, .. })
    ));
    assert!(matches!(
        load_tasks("42"),
        Err(BenchError::NotTasks { found: "a number" })
    ));
    assert!(matches!(
        Task::from_json("[]"),
        Err(BenchError::NotTasks { found: "an array" })
    ));
    assert_eq!(load_tasks("\u{feff}[]").unwrap(), LoadedTasks::default());
    let partly = load_tasks(&format!("[7, {}]", published())).unwrap();
    assert_eq!((partly.tasks.len(), partly.warnings.len()), (1, 1));
}

#[test]
fn a_price_under_a_damaged_key_is_found_at_once_and_not_only_when_the_task_is_read_again() {
    let json = r#"{"task_id":"product-001","original_task_data":{"price_usd":"$12.5极","pri极ce_usd":"$12.50"},
        "hard_rules":{"deliverables":[{"subtask":"Front","rules":null,"ru极les":{"file_type":["PNG"]}}]}}"#;
    let task = Task::from_json(json).unwrap();
    assert_eq!(task.price_usd, Some(12.5));
    assert_eq!(
        task.extra["/original_task_data/price_usd (unread)"],
        "$12.5极"
    );
    assert_eq!(task.deliverables[0].rules["file_type"][0], "PNG");
    let again = Task::from_json(&task.to_json()).unwrap();
    assert_eq!(again.version(), task.version());
}
