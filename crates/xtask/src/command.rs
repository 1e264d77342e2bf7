//! Running other programs: each is shown before it runs, and a failure says which one it was.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A command in the repository's root, with cargo's folder of programs on its path.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(workspace::root())
        .env("PATH", search_path());
    command
}

/// A command whose arguments are separated by blanks.
pub fn words(line: &str) -> Command {
    let mut parts = line.split_whitespace();
    let mut command = command(parts.next().unwrap_or_default());
    command.args(parts);
    command
}

/// Show the command, run it, and fail unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("\n> {shown}");
    let status = command
        .status()
        .with_context(|| format!("`{shown}` did not start"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Standard output of a command, `None` where it is missing or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// The command as a person would type it, without the paths of this machine.
pub fn show(command: &Command) -> String {
    let root = format!("{}/", workspace::root().display());
    let variables = command.get_envs().filter_map(|(name, value)| {
        let shown = name != "PATH" && name != "SERVIMAGE_XTASK";
        value
            .filter(|_| shown)
            .map(|value| format!("{}={}", name.display(), value.display()))
    });
    let words = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.display().to_string());
    let line: Vec<String> = variables.chain(words).collect();
    line.join(" ").replace(&root, "")
}

/// `PATH` with the folder into which `cargo install` puts programs.
fn search_path() -> std::ffi::OsString {
    let current = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&current).chain(cargo_bin());
    env::join_paths(folders).unwrap_or(current)
}

fn cargo_bin() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("bin"))
}
