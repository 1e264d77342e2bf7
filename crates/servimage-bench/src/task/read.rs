//! JSON -> [`Task`]: every field is found where it should be, under a damaged key, or warned about.

use super::notes::{Notes, kind};
use super::{
    Deliverable, LoadWarning, LoadedTasks, MAX_PLAUSIBLE_DPI, MAX_TASKS, MAX_WARNINGS, Point, Task,
    brief,
};
use crate::error::BenchError;
use serde_json::{Map, Value};

/// Reads an array of tasks, an object with such an array under `tasks`, or one task.
pub(super) fn tasks(value: Value) -> Result<LoadedTasks, BenchError> {
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut object) => match object.remove("tasks") {
            Some(Value::Array(items)) => items,
            Some(other) => {
                return Err(BenchError::NotTasks {
                    found: kind(&other),
                });
            }
            None => vec![Value::Object(object)],
        },
        other => {
            return Err(BenchError::NotTasks {
                found: kind(&other),
            });
        }
    };
    if items.len() > MAX_TASKS {
        return Err(BenchError::TooManyTasks {
            found: items.len(),
            limit: MAX_TASKS,
        });
    }
    let mut loaded = LoadedTasks::default();
    // As a JSON object: a sorted map of another type would be more code in the page.
    let mut seen = Map::new();
    for (index, item) in items.into_iter().enumerate() {
        let position = index + 1;
        let Value::Object(object) = item else {
            let message = format!("expected a task, found {}; left out", kind(&item));
            loaded.warnings.push(LoadWarning {
                task_id: format!("task {position} of the file"),
                message,
            });
            continue;
        };
        let task = task(object, position, &mut loaded.warnings);
        if seen.insert(task.task_id.clone(), Value::Null).is_some() {
            let message = "the id occurs more than once; all are kept".to_owned();
            loaded.warnings.push(LoadWarning {
                task_id: task.task_id.clone(),
                message,
            });
        }
        loaded.tasks.push(task);
        limit_warnings(&mut loaded.warnings, position);
    }
    Ok(loaded)
}

/// Drops warnings beyond [`MAX_WARNINGS`] and says so once.
fn limit_warnings(warnings: &mut Vec<LoadWarning>, position: usize) {
    if warnings.len() > MAX_WARNINGS {
        warnings.truncate(MAX_WARNINGS - 1);
        warnings.push(LoadWarning {
            task_id: format!("task {position} of the file"),
            message: "more is odd from here on; the list ends".to_owned(),
        });
    }
}

/// Reads one task; `position` is its 1-based place in the file, for a task without an id.
pub(super) fn task(
    mut object: Map<String, Value>,
    position: usize,
    warnings: &mut Vec<LoadWarning>,
) -> Task {
    let mut notes = Notes::default();
    let mut task = Task {
        task_id: notes.text(&mut object, "task_id").unwrap_or_default(),
        ..Task::default()
    };
    if task.task_id.is_empty() {
        task.task_id = format!("task-{position}");
        notes.say(format!("has no task_id; called {}", task.task_id));
    }
    task.category = notes.text(&mut object, "task_category").unwrap_or_default();
    if !matches!(
        task.category.as_str(),
        "C-Portrait" | "C-Product" | "C-Digital"
    ) {
        notes.say(format!("unknown category {:?}", task.category));
    }
    original_task_data(&mut task, &mut object, &mut notes);
    task.points = points(&mut task.extra, &mut object, &mut notes);
    task.deliverables = deliverables(&mut task.extra, &mut object, &mut notes);
    if task.deliverables.is_empty() {
        notes.say("has no deliverables; read as one image of the task's price".to_owned());
        task.deliverables.push(whole_task(&task));
    }
    if task.output_quantity as usize != task.deliverables.len() {
        let n = task.deliverables.len();
        notes.say(format!(
            "output_quantity is {}, but there are {n} deliverables",
            task.output_quantity
        ));
    }
    keep(&mut task.extra, "", object);
    derive(&mut task);
    let task_id = &task.task_id;
    warnings.extend(
        notes
            .into_messages()
            .into_iter()
            .map(|message| LoadWarning {
                task_id: task_id.clone(),
                message,
            }),
    );
    task
}

fn original_task_data(task: &mut Task, object: &mut Map<String, Value>, notes: &mut Notes) {
    let mut data = notes.object(object, "original_task_data");
    task.name = notes
        .text(&mut data, "task_name_original")
        .unwrap_or_default();
    task.requirement = notes
        .text(&mut data, "requirements_original")
        .unwrap_or_default();
    task.constraints = notes.text_if_any(&mut data, "constraints_original");
    task.input_assets = notes.text_if_any(&mut data, "input_assets_original");
    if let Some(constraints) = task.constraints.as_deref().filter(|text| !text.is_empty()) {
        task.requirement = format!("{}\n{constraints}", task.requirement);
    }
    task.output_quantity = notes.count(&mut data, "output_quantity").unwrap_or(1);
    task.price_usd = notes.price(&mut data, "price_usd");
    if task.name.is_empty() && task.requirement.is_empty() {
        notes.say("has neither a name nor requirements".to_owned());
    }
    keep(&mut task.extra, "/original_task_data", data);
}

fn deliverables(
    extra: &mut Map<String, Value>,
    object: &mut Map<String, Value>,
    notes: &mut Notes,
) -> Vec<Deliverable> {
    let mut hard_rules = notes.object(object, "hard_rules");
    let items = notes.array(&mut hard_rules, "deliverables");
    keep(extra, "/hard_rules", hard_rules);
    (1..)
        .zip(items)
        .map(|(index, item)| deliverable(index, item, notes))
        .collect()
}

fn deliverable(index: u32, item: Value, notes: &mut Notes) -> Deliverable {
    let mut fields = match item {
        Value::Object(fields) => fields,
        Value::String(subtask) => Map::from_iter([("subtask".to_owned(), Value::String(subtask))]),
        other => {
            notes.say(format!(
                "deliverable {index} is {}; kept as a rule",
                kind(&other)
            ));
            Map::from_iter([("rules".to_owned(), other)])
        }
    };
    let mut rules = notes.take(&mut fields, "rules").unwrap_or(Value::Null);
    repair_keys(&mut rules, notes);
    odd_rules(index, &rules, notes);
    let subtask = notes.text(&mut fields, "subtask").unwrap_or_default();
    let price_usd = notes.price(&mut fields, "price_usd");
    Deliverable {
        index,
        name: format!("subtask_{index}"),
        subtask,
        price_usd,
        rules,
        extra: fields,
    }
}

/// A task without deliverables is one image.
fn whole_task(task: &Task) -> Deliverable {
    Deliverable {
        index: 1,
        name: "subtask_1".to_owned(),
        subtask: task.name.clone(),
        price_usd: task.price_usd,
        ..Deliverable::default()
    }
}

/// Keys that the checker knows; one damaged by stray characters gets its name back.
const RULE_KEYS: [&str; 13] = [
    "file_type",
    "visual_specs",
    "aspect_ratio",
    "dimensions",
    "width",
    "height",
    "min_width",
    "min_height",
    "max_width",
    "max_height",
    "resolution",
    "min_dpi",
    "background_color",
];

fn repair_keys(rules: &mut Value, notes: &mut Notes) {
    if let Value::Object(fields) = rules {
        for key in RULE_KEYS {
            let damaged = fields.keys().any(|found| !found.is_ascii());
            if let Some(value) = damaged.then(|| notes.take(fields, key)).flatten() {
                fields.insert(key.to_owned(), value);
            }
        }
    }
    let inner: Box<dyn Iterator<Item = &mut Value>> = match rules {
        Value::Object(fields) => Box::new(fields.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => return,
    };
    inner.for_each(|value| repair_keys(value, notes));
}

/// Warns of values that no client means: the checker lets them pass as warnings.
fn odd_rules(index: u32, rules: &Value, notes: &mut Notes) {
    if !matches!(rules, Value::Null | Value::Object(_)) {
        notes.say(format!(
            "the rules of deliverable {index} are {}; kept",
            kind(rules)
        ));
    }
    let specs = &rules["visual_specs"];
    if let Some(dpi) = specs["resolution"]["min_dpi"]
        .as_f64()
        .filter(|&dpi| dpi <= 0.0 || dpi > MAX_PLAUSIBLE_DPI)
    {
        notes.say(format!(
            "deliverable {index}: a min_dpi of {dpi} reads as damaged"
        ));
    }
    for (side, pixels) in specs["dimensions"].as_object().into_iter().flatten() {
        if pixels.as_f64().is_some_and(|pixels| pixels <= 0.0) {
            notes.say(format!(
                "deliverable {index}: dimensions.{side} of {pixels} reads as damaged"
            ));
        }
    }
}

fn points(
    extra: &mut Map<String, Value>,
    object: &mut Map<String, Value>,
    notes: &mut Notes,
) -> Vec<Point> {
    let mut soft_rules = notes.object(object, "soft_rules");
    let items = notes.array(&mut soft_rules, "points");
    keep(extra, "/soft_rules", soft_rules);
    (1..)
        .zip(items)
        .map(|(index, item)| point(index, item, notes))
        .collect()
}

fn point(index: usize, item: Value, notes: &mut Notes) -> Point {
    let mut fields = match item {
        Value::Object(fields) => fields,
        Value::String(text) => {
            Map::from_iter([("point_requirement".to_owned(), Value::String(text))])
        }
        other => {
            notes.say(format!(
                "point {index} is {}; kept as its text",
                kind(&other)
            ));
            Map::from_iter([(
                "point_requirement".to_owned(),
                Value::String(other.to_string()),
            )])
        }
    };
    let id = notes
        .text(&mut fields, "point_id")
        .unwrap_or_else(|| format!("ep_{index:03}"));
    let text = notes
        .text_if_any(&mut fields, "point_requirement")
        .or_else(|| notes.only_text(&mut fields, &id));
    if text.is_none() {
        notes.say(format!("point {id} has no text"));
    }
    Point {
        id,
        text: text.unwrap_or_default(),
        extra: fields,
    }
}

fn derive(task: &mut Task) {
    let named = task
        .input_assets
        .as_deref()
        .is_some_and(|assets| !assets.trim().is_empty());
    let brief = format!("{} {}", task.name, task.requirement);
    task.has_input = named || brief::changes_a_photo(&task.category, &brief);
    task.wants_text = task
        .deliverables
        .iter()
        .any(|d| d.rules.get("required_text").is_some())
        || brief::wants_text(&brief)
        || task
            .deliverables
            .iter()
            .any(|d| brief::wants_text(&d.subtask));
}

/// Moves what is left of an object into `extra`, under its JSON pointer.
fn keep(extra: &mut Map<String, Value>, pointer: &str, rest: Map<String, Value>) {
    for (key, value) in rest {
        extra.insert(format!("{pointer}/{key}"), value);
    }
}
