//! A program that is run once: how long it took, and the most memory that it held.

use crate::command::show;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often memory is looked at; the system keeps the peak, so only what grows in the very end is missed.
const INTERVAL: Duration = Duration::from_millis(20);

/// What a finished program took.
pub struct Finished {
    /// Wall time, in seconds.
    pub seconds: f64,
    /// Most memory that it held at once, where the system says so.
    pub peak_bytes: Option<u64>,
    /// Its standard output, where it was asked for.
    pub output: String,
}

/// Runs a program that must succeed within `limit`. Its standard error is shown.
pub fn watch(command: &mut Command, limit: Duration) -> Result<Finished> {
    let shown = show(command);
    eprintln!("\n> {shown}");
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{shown}` did not start"))?;
    let mut stdout = child.stdout.take();
    let output = thread::spawn(move || {
        let mut text = String::new();
        let output = stdout.as_mut();
        output.map_or(Ok(0), |output| output.read_to_string(&mut text))?;
        Ok::<_, io::Error>(text)
    });
    let mut peak_bytes = None;
    let status = loop {
        peak_bytes = peak_of(&child).or(peak_bytes);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{shown}` was ended: it took more than {limit:?}");
        }
        thread::sleep(INTERVAL);
    };
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    let output = output.join().expect("reading a pipe does not panic")?;
    Ok(Finished {
        seconds,
        peak_bytes,
        output,
    })
}

fn peak_of(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_time_of_a_program_are_known() -> Result<()> {
        let finished = watch(
            Command::new("sh").args(["-c", "sleep 0.1; echo done"]),
            Duration::from_secs(20),
        )?;
        assert_eq!(finished.output, "done\n");
        assert!(finished.seconds >= 0.1);
        Ok(())
    }

    #[test]
    fn a_program_that_hangs_or_fails_is_an_error() {
        let limit = Duration::from_millis(50);
        assert!(watch(Command::new("sleep").arg("20"), limit).is_err());
        assert!(watch(&mut Command::new("false"), Duration::from_secs(20)).is_err());
    }
}
