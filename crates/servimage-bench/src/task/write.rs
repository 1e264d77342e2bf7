//! [`Task`] -> JSON in the published form.

use super::{Deliverable, Point, Task};
use serde_json::{Map, Value, json};

/// The task as published, with what was unknown put back in its place.
pub(super) fn task(task: &Task) -> Value {
    let mut hard_rules = rest_of(task, "/hard_rules");
    hard_rules.insert(
        "deliverables".into(),
        task.deliverables.iter().map(deliverable).collect(),
    );
    let mut soft_rules = rest_of(task, "/soft_rules");
    soft_rules.insert("points".into(), task.points.iter().map(point).collect());
    let mut object = rest_of(task, "");
    object.insert("task_id".into(), json!(task.task_id));
    object.insert("task_category".into(), json!(task.category));
    object.insert("original_task_data".into(), original_task_data(task));
    object.insert("hard_rules".into(), Value::Object(hard_rules));
    object.insert("soft_rules".into(), Value::Object(soft_rules));
    Value::Object(object)
}

fn original_task_data(task: &Task) -> Value {
    let mut data = rest_of(task, "/original_task_data");
    data.insert("task_name_original".into(), json!(task.name));
    let constraints = task.constraints.as_deref().filter(|text| !text.is_empty());
    let own = constraints.and_then(|text| task.requirement.strip_suffix(text)?.strip_suffix('\n'));
    data.insert(
        "requirements_original".into(),
        json!(own.unwrap_or(&task.requirement)),
    );
    if let Some(input_assets) = &task.input_assets {
        data.insert("input_assets_original".into(), json!(input_assets));
    }
    if let Some(constraints) = task
        .constraints
        .as_ref()
        .filter(|text| text.is_empty() || own.is_some())
    {
        data.insert("constraints_original".into(), json!(constraints));
    }
    data.insert("output_quantity".into(), json!(task.output_quantity));
    if let Some(price_usd) = task.price_usd {
        data.insert("price_usd".into(), json!(price_usd));
    }
    Value::Object(data)
}

fn deliverable(deliverable: &Deliverable) -> Value {
    let mut object = deliverable.extra.clone();
    object.insert("subtask".into(), json!(deliverable.subtask));
    if !deliverable.rules.is_null() {
        object.insert("rules".into(), deliverable.rules.clone());
    }
    if let Some(price_usd) = deliverable.price_usd {
        object.insert("price_usd".into(), json!(dollars(price_usd)));
    }
    Value::Object(object)
}

fn point(point: &Point) -> Value {
    let mut object = point.extra.clone();
    object.insert("point_id".into(), json!(point.id));
    object.insert("point_requirement".into(), json!(point.text));
    Value::Object(object)
}

/// `$5.42`; more digits where two would not bring the price back.
fn dollars(price_usd: f64) -> String {
    let cents = format!("{price_usd:.2}");
    if cents.parse() == Ok(price_usd) {
        format!("${cents}")
    } else {
        format!("${price_usd}")
    }
}

/// The kept fields that lie directly in the object at `pointer`.
fn rest_of(task: &Task, pointer: &str) -> Map<String, Value> {
    let fields = task.extra.iter().filter_map(|(path, value)| {
        let key = path.strip_prefix(pointer)?.strip_prefix('/')?;
        let nested = pointer.is_empty() && OBJECTS.iter().any(|object| key.starts_with(object));
        (!nested).then(|| (key.to_owned(), value.clone()))
    });
    fields.collect()
}

/// Beginnings of the pointers that lie inside one of the task's objects.
const OBJECTS: [&str; 3] = ["original_task_data/", "hard_rules/", "soft_rules/"];

/// Appends `value` with sorted keys and no white space, whatever order the map type keeps.
pub(super) fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            // Not sorted by the library, whose sort is large: where the map keeps its keys sorted, each goes to the end.
            let mut entries: Vec<(&String, &Value)> = Vec::new();
            for (key, value) in object {
                let idx = entries.partition_point(|(known, _)| *known < key);
                entries.insert(idx, (key, value));
            }
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
