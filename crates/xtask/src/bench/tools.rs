//! Our own programs that are timed, and what they are fed.

use super::watched::watch;
use crate::command::command;
use crate::workspace;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A build from nothing takes half an hour on two cores.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// Built programs.
#[derive(Clone, Debug)]
pub struct Tools {
    /// `benches/forward` of servimage-engine.
    pub forward: PathBuf,
    /// `benches/gradients.rs` of servimage-kernel-cases.
    pub gradients: PathBuf,
    /// `benches/linear.rs` of servimage-kernel-cases.
    pub linear: PathBuf,
    /// The command line.
    pub servimage: PathBuf,
    /// `made-up-checkpoint` of the testkit.
    pub made_up_checkpoint: PathBuf,
}

impl Tools {
    /// The programs in `folder`, built elsewhere: for a machine without a compiler.
    pub fn built(folder: &Path) -> Result<Self> {
        let program = |name: &str| {
            let path = folder.join(name);
            ensure!(path.is_file(), "{} is not there", path.display());
            Ok(path)
        };
        Ok(Self {
            forward: program("forward")?,
            gradients: program("gradients")?,
            linear: program("linear")?,
            servimage: program("servimage")?,
            made_up_checkpoint: program("made-up-checkpoint")?,
        })
    }

    /// Builds everything in the one native profile.
    pub fn build() -> Result<Self> {
        let mut cargo = command("cargo");
        cargo.args([
            "build",
            "--release",
            "--locked",
            "--bins",
            "--bench",
            "forward",
            "--bench",
            "gradients",
            "--bench",
            "linear",
        ]);
        cargo.arg("--message-format=json-render-diagnostics");
        let messages = watch(&mut cargo, BUILD_LIMIT)?.output;
        let built = |kind: &str, name: &str| {
            let messages = messages
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            let mut found = messages.filter(|message: &Value| {
                message["target"]["name"] == name && message["target"]["kind"][0] == kind
            });
            let program =
                found.find_map(|message| message["executable"].as_str().map(PathBuf::from));
            program.with_context(|| format!("cargo built no {kind} {name}"))
        };
        Ok(Self {
            forward: built("bench", "forward")?,
            gradients: built("bench", "gradients")?,
            linear: built("bench", "linear")?,
            servimage: built("bin", "servimage")?,
            made_up_checkpoint: built("bin", "made-up-checkpoint")?,
        })
    }

    /// `forward WORDS`.
    pub fn forward(&self, words: &[&str]) -> Command {
        let mut forward = command(&self.forward);
        forward.args(words);
        forward
    }

    /// Writes the input file `name` for a pack and gives its path; `what` as in `forward input`.
    pub fn input(&self, pack: &Path, name: &str, what: &[&str]) -> Result<PathBuf> {
        let path = folder("inputs")?.join(format!("{name}.json"));
        let mut forward = self.forward(&["input"]);
        let made = forward.arg(pack).arg(&path).args(what).output()?;
        let said = String::from_utf8_lossy(&made.stderr);
        ensure!(
            made.status.success(),
            "the input {name} was not made: {said}"
        );
        Ok(path)
    }

    /// A made-up prompt: tokens of text, images, and a seed for their pixels.
    pub fn made_up_input(
        &self,
        pack: &Path,
        n_text: usize,
        n_images: usize,
        seed: usize,
    ) -> Result<PathBuf> {
        let pack_name = pack.file_name().unwrap_or_default().display();
        let name = format!("{pack_name}-{n_text}-{n_images}-{seed}");
        let [text, images, seed] = [n_text, n_images, seed].map(|n| n.to_string());
        self.input(pack, &name, &["made-up", &text, &images, &seed])
    }
}

/// A folder under `target/bench`.
pub fn folder(name: &str) -> Result<PathBuf> {
    let path = workspace::target().join("bench").join(name);
    fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    Ok(path)
}

/// An empty folder under `target/bench`.
pub fn empty_folder(name: &str) -> Result<PathBuf> {
    let path = folder(name)?;
    fs::remove_dir_all(&path)?;
    folder(name)
}

/// Nano with room for a brief of `n_tokens` tokens: a pack of the same weights and another manifest.
pub fn nano_with_long_briefs(n_tokens: usize) -> Result<PathBuf> {
    let (from, to) = (workspace::nano(), empty_folder("nano-long")?);
    for entry in fs::read_dir(&from)? {
        let path = entry?.path();
        fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
    }
    let path = to.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path)?)?;
    let room = &mut manifest["template"]["max_brief_tokens"];
    ensure!(room.is_u64(), "nano's template has no max_brief_tokens");
    *room = n_tokens.into();
    fs::write(&path, serde_json::to_vec(&manifest)?)?;
    Ok(to)
}
