//! The published files, damaged a few thousand times: no panic, and what is read can be written.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod published;

use published::{FILES, text};
use serde_json::Value;
use servimage_bench::results::read_rows;
use servimage_bench::rules::{ImageFacts, check_rules};
use servimage_bench::task::{LoadedTasks, Task, load_tasks};

/// SplitMix64: the damage is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }
}

/// Damages bytes: flips, truncations, cuts and repeats.
fn damage_bytes(text: &str, dice: &mut Dice) -> String {
    let mut bytes = text.as_bytes().to_vec();
    match dice.below(5) {
        0 => bytes.truncate(dice.below(bytes.len())),
        1 => {
            let start = dice.below(bytes.len());
            let end = (start + 1 + dice.below(40)).min(bytes.len());
            bytes.drain(start..end);
        }
        2 => {
            let start = dice.below(bytes.len());
            let end = (start + 1 + dice.below(40)).min(bytes.len());
            let piece = bytes[start..end].to_vec();
            bytes.splice(start..start, piece);
        }
        _ => {
            for _ in 0..=dice.below(4) {
                let position = dice.below(bytes.len());
                bytes[position] ^= 1 << dice.below(8);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Damages the value itself, so that the text stays JSON: keys, kinds, numbers, missing fields.
fn damage_value(value: &mut Value, dice: &mut Dice) {
    let odd = [
        Value::Null,
        Value::from(-1e300),
        Value::from("极速"),
        Value::from(true),
        Value::from(Vec::<u8>::new()),
    ];
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(dice.below(fields.len())).unwrap().clone();
            match dice.below(8) {
                0 => drop(fields.remove(&key)),
                1 => {
                    let inner = fields.remove(&key).unwrap();
                    let mut damaged: Vec<char> = key.chars().collect();
                    let position = dice.below(damaged.len());
                    damaged[position] = '极';
                    fields.insert(damaged.into_iter().collect(), inner);
                }
                _ => damage_value(fields.get_mut(&key).unwrap(), dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.below(8) > 0 => {
            let position = dice.below(items.len());
            damage_value(&mut items[position], dice);
        }
        other => *other = odd[dice.below(odd.len())].clone(),
    }
}

/// Uses what was read as the page would: rules, language, version, and back to text.
fn use_tasks(loaded: &LoadedTasks, facts: &ImageFacts) {
    for task in &loaded.tasks {
        for deliverable in &task.deliverables {
            check_rules(task, deliverable.index, facts);
        }
        assert_eq!(
            Task::from_json(&task.to_json()).unwrap().version(),
            task.version()
        );
        assert!(matches!(task.language(), "zh" | "en"));
    }
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| !warning.task_id.is_empty())
    );
}

fn any_facts(dice: &mut Dice) -> ImageFacts {
    ImageFacts {
        file_type: ["JPEG", "PNG", ""][dice.below(3)].into(),
        width: dice.below(5000) as u32,
        height: dice.below(5000) as u32,
        dpi: [None, Some(72.0), Some(f64::NAN)][dice.below(3)],
        has_alpha: dice.below(2) == 0,
        background_rgb: [None, Some([250, 250, 250])][dice.below(2)],
    }
}

#[test]
fn damaged_bytes_of_a_task_are_an_error_or_a_task() {
    let mut dice = Dice(1);
    for file in FILES {
        let tasks: Vec<Value> = serde_json::from_str(&text(file)).unwrap();
        let mut n_read = 0;
        for _ in 0..600 {
            let task = tasks[dice.below(tasks.len())].to_string();
            let damaged = damage_bytes(&task, &mut dice);
            if let Ok(loaded) = load_tasks(&damaged) {
                n_read += loaded.tasks.len();
                use_tasks(&loaded, &any_facts(&mut dice));
            }
            read_rows(&damaged);
        }
        assert!(
            n_read > 100,
            "{file}: the damage must leave something to read, read {n_read}"
        );
    }
}

#[test]
fn damaged_fields_never_lose_a_task() {
    let mut dice = Dice(2);
    for file in FILES {
        let tasks: Vec<Value> = serde_json::from_str(&text(file)).unwrap();
        for _ in 0..600 {
            let mut task = tasks[dice.below(tasks.len())].clone();
            (0..=dice.below(3)).for_each(|_| damage_value(&mut task, &mut dice));
            let is_task = task.is_object();
            let loaded = load_tasks(&Value::from(vec![task]).to_string()).unwrap();
            assert_eq!(loaded.tasks.len(), usize::from(is_task));
            use_tasks(&loaded, &any_facts(&mut dice));
        }
    }
}

#[test]
fn a_damaged_file_is_an_error_with_its_place_or_all_its_tasks() {
    let mut dice = Dice(3);
    for file in FILES {
        let whole = text(file);
        let n_tasks = load_tasks(&whole).unwrap().tasks.len();
        for _ in 0..12 {
            match load_tasks(&damage_bytes(&whole, &mut dice)) {
                Ok(loaded) => assert!(loaded.tasks.len() + 2 >= n_tasks, "{}", loaded.tasks.len()),
                Err(error) => assert!(error.to_string().contains("line"), "{error}"),
            }
        }
    }
}
