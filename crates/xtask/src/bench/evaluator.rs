//! A program that answers requests line by line: ours (`forward serve`) or a peer (`torch_cpu.py`).
//!
//! Several are open at once and asked in turn, so that all of them meet the same machine.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Longest wait for one answer: a 2B network takes some seconds to load and to run.
const PATIENCE: Duration = Duration::from_secs(240);

/// An open evaluator. Ends its program when it is dropped.
pub struct Evaluator {
    /// For messages and tables.
    pub name: String,
    /// What it said of itself when it was ready.
    pub about: Value,
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Evaluator {
    /// Starts the program and waits until it is ready.
    pub fn open(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} did not start"))?;
        let (requests, output) = (child.stdin.take(), child.stdout.take());
        let (sender, answers) = channel();
        if let Some(output) = output {
            thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                // Nobody listens any more when the evaluator is closed.
                lines
                    .take_while(|line| sender.send(line.clone()).is_ok())
                    .for_each(drop);
            });
        }
        let mut evaluator = Self {
            name: name.to_owned(),
            about: Value::Null,
            child,
            requests,
            answers,
        };
        evaluator.about = evaluator.answer()?;
        Ok(evaluator)
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, request: &Value) -> Result<Value> {
        let name = &self.name;
        let requests = self.requests.as_mut().context("the evaluator is closed")?;
        writeln!(requests, "{request}").with_context(|| format!("{name} has ended"))?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Value> {
        let name = &self.name;
        let Ok(line) = self.answers.recv_timeout(PATIENCE) else {
            bail!("{name} gave no answer; its own words stand above");
        };
        serde_json::from_str(&line).with_context(|| format!("{name} answered `{line}`"))
    }
}

impl Drop for Evaluator {
    fn drop(&mut self) {
        // The end of its input ends the program; one that hangs is ended.
        self.requests.take();
        let patience = 20;
        for _ in 0..patience {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The number `name` of an answer.
pub fn number(answer: &Value, name: &str) -> Result<f64> {
    answer[name]
        .as_f64()
        .with_context(|| format!("`{name}` is missing in {answer}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_evaluator_is_asked_and_answers() -> Result<()> {
        let mut echo = Evaluator::open(
            "echo",
            Command::new("sh").args(["-c", "echo '{\"ready\":true}'; cat"]),
        )?;
        assert_eq!(echo.about, json!({"ready": true}));
        assert_eq!(echo.ask(&json!({"a": 1}))?, json!({"a": 1}));
        Ok(())
    }

    #[test]
    fn a_program_that_ends_is_an_error_and_no_hang() {
        let ended = Evaluator::open("ended", &mut Command::new("true"));
        assert!(ended.is_err());
    }
}
