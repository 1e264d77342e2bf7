//! Properties that hold for any input, not only for the published one.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use servimage_bench::results::{ResultRow, read_rows, write_rows};
use servimage_bench::rules::{ImageFacts, check_rules};
use servimage_bench::score::{calibrate, servimage_score};
use servimage_bench::task::{Deliverable, Task, load_tasks};
use servimage_bench::verdict::{CONCEPTS, ConceptScore, RuleOutcome};

/// Any JSON value, with the keys and words of the benchmark likelier than chance.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-10i32..4000).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9]{1,4}[:.x/][0-9.]{1,4}".prop_map(Value::from),
        "(\\$|#|rgb\\()?[0-9a-f.,]{0,8}\\)?".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        let object = btree_map(any_key(), inner.clone(), 0..6);
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            object.prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "task_id",
        "task_category",
        "original_task_data",
        "task_name_original",
        "requirements_original",
        "constraints_original",
        "input_assets_original",
        "output_quantity",
        "price_usd",
        "hard_rules",
        "deliverables",
        "subtask",
        "rules",
        "soft_rules",
        "points",
        "point_id",
        "point_requirement",
        "point极requirement",
        "visual_specs",
        "visual极specs",
        "file_type",
        "aspect_ratio",
        "dimensions",
        "width",
        "height",
        "min_width",
        "max_height",
        "resolution",
        "min_dpi",
        "background_color",
        "colors",
        "pc",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[a-z极]{1,6}"]
}

fn any_facts() -> impl Strategy<Value = ImageFacts> {
    let dpi = prop::option::of(any::<f64>());
    (
        "[A-Z]{0,4}",
        any::<u32>(),
        any::<u32>(),
        dpi,
        any::<bool>(),
        any::<Option<[u8; 3]>>(),
    )
        .prop_map(
            |(file_type, width, height, dpi, has_alpha, background_rgb)| ImageFacts {
                file_type,
                width,
                height,
                dpi,
                has_alpha,
                background_rgb,
            },
        )
}

fn task_with(rules: Value) -> Task {
    let deliverable = Deliverable {
        index: 1,
        name: "subtask_1".into(),
        rules,
        ..Deliverable::default()
    };
    Task {
        deliverables: vec![deliverable],
        ..Task::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_object_is_a_task_and_comes_back_the_same(
        fields in btree_map(any_key(), any_json(), 0..8),
    ) {
        let text = Value::Object(Map::from_iter(fields)).to_string();
        let task = Task::from_json(&text).expect("an object is a task");
        prop_assert!(!task.task_id.is_empty() && !task.deliverables.is_empty());
        let again = Task::from_json(&task.to_json()).expect("what is written is read");
        prop_assert_eq!(again.version(), task.version());
        prop_assert_eq!(again, task);
    }

    #[test]
    fn no_object_in_a_file_is_lost(items in vec(any_json(), 0..6)) {
        let n_objects = items.iter().filter(|item| item.is_object()).count();
        let n_others = items.len() - n_objects;
        let loaded = load_tasks(&Value::from(items).to_string()).expect("an array is a file of tasks");
        prop_assert_eq!(loaded.tasks.len(), n_objects);
        prop_assert!(loaded.warnings.len() >= n_others);
    }

    #[test]
    fn any_rules_are_judged_without_a_panic_and_none_is_dropped(rules in any_json(), facts in any_facts()) {
        let results = check_rules(&task_with(rules.clone()), 1, &facts);
        let n_rules = rules.as_object().map_or(usize::from(!rules.is_null()), |rules| {
            let specs = rules.get("visual_specs").and_then(Value::as_object);
            let n_specs = specs.map_or(0, |specs| {
                let resolution = specs.get("resolution").and_then(Value::as_object);
                specs.len() - usize::from(resolution.is_some_and(Map::is_empty))
            });
            rules.len() - usize::from(specs.is_some()) + n_specs
        });
        prop_assert!(results.len() >= n_rules, "{} rows for {} rules: {}", results.len(), n_rules, rules);
    }

    #[test]
    fn an_image_of_the_required_size_and_shape_passes(width in 100u32..20_000, height in 100u32..20_000) {
        let specs = json!({
            "dimensions": { "width": width, "height": height, "min_width": width, "max_height": height },
            "aspect_ratio": format!("{width}:{height}"),
        });
        let facts = ImageFacts { width, height, ..ImageFacts::default() };
        let results = check_rules(&task_with(json!({ "visual_specs": specs })), 1, &facts);
        prop_assert_eq!(results.len(), 2);
        prop_assert!(results.iter().all(|result| result.outcome == RuleOutcome::Pass), "{:?}", results);
    }

    #[test]
    fn rows_keep_their_bytes_and_their_other_fields(
        fields in btree_map("\\PC{1,8}", any_json(), 0..6),
        number in 1u32..30,
        note in any_json(),
    ) {
        let mut object = Map::from_iter(fields);
        for (key, value) in [("task_id", json!("a-1")), ("label", json!(1))] {
            object.insert(key.to_owned(), value);
        }
        object.insert("subtask_name".to_owned(), json!(format!("subtask_{number}")));
        let line = Value::Object(object.clone()).to_string() + "\n";
        let read = read_rows(&line);
        prop_assert!(read.errors.is_empty(), "{:?}", read.errors);
        prop_assert_eq!(write_rows(&read.rows), line);
        prop_assert_eq!(read.rows[0].deliverable(), Some(number));

        let mut row = read.rows[0].clone();
        row.set("note", &note);
        object.insert("note".to_owned(), note);
        let keys: Vec<String> = row.keys().map(str::to_owned).collect();
        prop_assert_eq!(keys.len(), object.len());
        prop_assert!(keys.iter().all(|key| row.raw(key) == object.get(key).map(Value::to_string).as_deref()));
        prop_assert_eq!(ResultRow::parse(row.line(), 1).expect("a set row is a row"), row);
    }

    #[test]
    fn a_score_lies_between_0_and_100(scores in vec(prop::option::of(1.0f64..=5.0), 7), weights in vec(0.0f64..9.0, 3)) {
        let concept = |score: &Option<f64>| ConceptScore {
            applicable: score.is_some(),
            why_not: None,
            score: *score,
            distribution: None,
        };
        let concepts = CONCEPTS.iter().zip(&scores).map(|(name, score)| ((*name).to_owned(), concept(score))).collect();
        let weights = ["brf", "veq", "cns"].map(str::to_owned).into_iter().zip(weights).collect();
        if let Some(score) = servimage_score(&concepts, &weights) {
            prop_assert!((0.0..=100.0 + 1e-9).contains(&score), "{}", score);
        }
    }

    #[test]
    fn calibration_keeps_the_order_of_logits(low in -200.0f64..200.0, step in 0.0f64..50.0, a in 0.01f64..4.0, b in -5.0f64..5.0) {
        let (p_low, p_high) = (calibrate(low, a, b), calibrate(low + step, a, b));
        prop_assert!((0.0..=1.0).contains(&p_low) && p_low <= p_high);
    }
}
