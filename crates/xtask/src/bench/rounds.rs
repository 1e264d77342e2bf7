//! Evaluators asked in turn.

use super::evaluator::{Evaluator, number};
use super::figures::numbers;
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds behind the first one, at most.
    pub rounds: usize,
    /// No further round after this, but for three.
    pub time: Duration,
}

const ROUNDS_MIN: usize = 3;

/// What one evaluator gave.
struct Found {
    /// Of the first evaluation of this request, which may compile.
    first: f64,
    millis: Vec<f64>,
    last: Value,
}

/// One request to each evaluator in turn, round after round: `{NAME: {first, millis, last, about}}`, `last` being the last answer. An
/// evaluator that fails gets `{error}` and is left out.
pub fn in_turn(evaluators: &mut [(Evaluator, Value)], effort: Effort) -> Value {
    let mut found: Vec<Result<Found, String>> = Vec::new();
    for (evaluator, request) in evaluators.iter_mut() {
        found.push(timed(evaluator, request).map(|(first, last)| Found {
            first,
            millis: Vec::new(),
            last,
        }));
    }
    let start = Instant::now();
    for round in 0..effort.rounds {
        if round >= ROUNDS_MIN && start.elapsed() > effort.time {
            break;
        }
        for ((evaluator, request), slot) in evaluators.iter_mut().zip(&mut found) {
            let Ok(found) = slot else { continue };
            match timed(evaluator, request) {
                Ok((millis, answer)) => {
                    found.millis.push(millis);
                    found.last = answer;
                }
                Err(error) => *slot = Err(error),
            }
        }
    }
    let entries = evaluators.iter().zip(found).map(|((evaluator, _), found)| {
        let value = match found {
            Ok(found) => json!({"first": found.first, "millis": found.millis, "last": found.last, "about": evaluator.about}),
            Err(error) => json!({"error": error}),
        };
        (evaluator.name.clone(), value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

fn timed(evaluator: &mut Evaluator, request: &Value) -> Result<(f64, Value), String> {
    let mut ask = || -> Result<(f64, Value)> {
        let answer = evaluator.ask(request)?;
        Ok((number(&answer, "millis")?, answer))
    };
    ask().map_err(|error| format!("{error:#}"))
}

/// The times of `name` in what [`in_turn`] gave.
pub fn millis(found: &Value, name: &str) -> Vec<f64> {
    numbers(&found[name]["millis"])
}

/// Largest difference of the payment and concept logits of two answers over the largest value of the second.
pub fn difference(found: &Value, expected: &Value) -> Option<f64> {
    let logits = |answer: &Value| {
        let mut all = Vec::new();
        flatten(&answer["pay_logits"], &mut all);
        flatten(&answer["concept_logits"], &mut all);
        all
    };
    let (found, expected) = (logits(found), logits(expected));
    let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let pairs = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    (found.len() == expected.len() && largest > 0.0).then(|| pairs.fold(0.0, f64::max) / largest)
}

fn flatten(value: &Value, into: &mut Vec<f64>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| flatten(value, into)),
        other => into.extend(other.as_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn evaluator(name: &str, script: &str) -> Result<(Evaluator, Value)> {
        let evaluator = Evaluator::open(name, Command::new("sh").args(["-c", script]))?;
        Ok((evaluator, json!({})))
    }

    #[test]
    fn one_that_fails_does_not_end_the_others() -> Result<()> {
        let sound = "echo {}; while read line; do echo '{\"millis\": 2}'; done";
        let mut both = [
            evaluator("sound", sound)?,
            evaluator("failing", "echo {}; read line; echo '{\"millis\": 1}'")?,
        ];
        let effort = Effort {
            rounds: 4,
            time: Duration::from_secs(9),
        };
        let found = in_turn(&mut both, effort);
        assert_eq!(millis(&found, "sound"), [2.0; 4]);
        assert!(found["failing"]["error"].is_string(), "{found}");
        Ok(())
    }

    #[test]
    fn networks_that_disagree_are_seen() {
        let answer = |pay: f64| json!({"pay_logits": [pay, 1.0], "concept_logits": [[4.0]]});
        assert_eq!(difference(&answer(2.0), &answer(2.0)), Some(0.0));
        assert_eq!(difference(&answer(3.0), &answer(2.0)), Some(0.25));
        assert_eq!(difference(&json!({}), &answer(2.0)), None);
    }
}
