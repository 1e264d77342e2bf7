//! Sets up what we are compared with: a Python environment with PyTorch, and two npm packages.
//!
//! Both lie in folders that git ignores. A peer that cannot be set up costs its rows, not the run.

use super::tools::folder;
use super::watched::watch;
use crate::command::command;
use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// PyTorch's wheel brings its CUDA libraries along: 3 GB over the network, 6 GB on the disk.
const INSTALL_LIMIT: Duration = Duration::from_secs(900);

/// Folder of the peers' scripts.
pub fn scripts() -> PathBuf {
    workspace::root().join("benches/peers")
}

/// Python of an environment that has `requirements.txt`; `SERVIMAGE_BENCH_VENV` names one that is there already.
pub fn python() -> Result<PathBuf> {
    let given = std::env::var_os("SERVIMAGE_BENCH_VENV").map(PathBuf::from);
    let venv = match given {
        Some(venv) => venv,
        None => workspace::target().join("bench/venv"),
    };
    let python = venv.join("bin/python");
    let wanted = fs::read_to_string(scripts().join("requirements.txt"))?;
    if has_modules(&python) {
        return Ok(python);
    }
    ensure!(
        std::env::var_os("SERVIMAGE_BENCH_VENV").is_none(),
        "{} lacks some of benches/peers/requirements.txt",
        venv.display()
    );
    eprintln!("xtask: setting up PyTorch for the comparison (minutes, 6 GB, once):\n{wanted}");
    folder("")?;
    watch(
        command("python3").args(["-m", "venv"]).arg(&venv),
        INSTALL_LIMIT,
    )
    .context("Python 3 with its venv module is needed (Debian: python3-venv)")?;
    let mut pip = command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-compile", "-r"]);
    watch(pip.arg(scripts().join("requirements.txt")), INSTALL_LIMIT)?;
    Ok(python)
}

fn has_modules(python: &PathBuf) -> bool {
    let modules = "import torch, transformers, safetensors, numpy, onnx, onnxscript, onnxruntime";
    let tried = Command::new(python).args(["-c", modules]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// A script of ours, to be run by that Python in the repository's root.
pub fn script(python: &PathBuf, name: &str) -> Command {
    let mut script = command(python);
    script
        .arg(scripts().join(name))
        .env("PYTHONUNBUFFERED", "1");
    script
}

/// Installs the locked npm packages of the browser's peers unless they are there.
pub fn npm() -> Result<()> {
    let locked = scripts().join("package-lock.json");
    let installed = scripts().join("node_modules/.package-lock.json");
    let newer = |a: &PathBuf, b: &PathBuf| {
        Some(fs::metadata(a).ok()?.modified().ok()? >= fs::metadata(b).ok()?.modified().ok()?)
    };
    if newer(&installed, &locked) == Some(true) {
        return Ok(());
    }
    eprintln!("xtask: installing onnxruntime-web and transformers.js into benches/peers (once)");
    let mut npm = command("npm");
    npm.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    watch(npm.current_dir(scripts()), INSTALL_LIMIT)?;
    Ok(())
}
