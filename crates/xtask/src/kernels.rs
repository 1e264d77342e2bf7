//! The kernels' cases as a module for the browser, and their run there.

use crate::checks::node;
use crate::command::{self, command, words};
use crate::{setup, workspace};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The worker's profile (`web/index.html`): burn is then built once for both.
const PROFILE: &str = "wasm";

/// Build the cases into `target/e2e/kernel-cases`.
pub fn build() -> Result<()> {
    // Together with the worker, so that the features of what they share agree with those of its own build.
    command::run(&mut words(&format!(
        "cargo build --locked --target wasm32-unknown-unknown --profile {PROFILE} -p servimage-worker -p servimage-kernel-cases"
    )))?;
    bind(&workspace::root().join("target"))
}

/// Wrap the module of a target folder for the browser.
fn bind(target: &Path) -> Result<()> {
    let wasm = format!("wasm32-unknown-unknown/{PROFILE}/servimage-kernel-cases.wasm");
    let mut bindgen = command("wasm-bindgen");
    bindgen.args([
        "--target",
        "web",
        "--no-typescript",
        "--out-name",
        "kernel-cases",
        "--out-dir",
    ]);
    bindgen.arg(workspace::root().join("target/e2e/kernel-cases"));
    command::run(bindgen.arg(target.join(wasm)))
}

/// Build the cases with cubecl's kernel compiler, which the worker leaves out: only then burn's own matmul runs in a browser. That is
/// another burn build, in a target folder of its own.
fn build_with_compiler() -> Result<()> {
    let workspace = workspace_with_compiler()?;
    let mut cargo = words(&format!(
        "cargo build --target wasm32-unknown-unknown --profile {PROFILE} -p servimage-kernel-cases"
    ));
    let target = workspace.join("target");
    command::run(
        cargo
            .current_dir(&workspace)
            .env("CARGO_TARGET_DIR", &target),
    )?;
    bind(&target)
}

/// A copy of the workspace without the stand-in for `inventory`.
fn workspace_with_compiler() -> Result<PathBuf> {
    let folder = workspace::root().join("target/bench/cubecl");
    let mut list = words("git ls-files crates web .cargo rust-toolchain.toml Cargo.lock");
    let names = command::output(&mut list).context("`git ls-files` failed")?;
    for name in names.lines() {
        let content = fs::read(workspace::root().join(name))?;
        renew(&folder.join(name), &content)?;
    }
    let manifest = fs::read_to_string(workspace::root().join("Cargo.toml"))?;
    renew(
        &folder.join("Cargo.toml"),
        without_patches(&manifest)?.as_bytes(),
    )?;
    Ok(folder)
}

/// Write a file where its content is another: cargo builds anew what has changed its time.
fn renew(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content).with_context(|| format!("{} could not be written", path.display()))
}

/// A manifest without its `[patch.crates-io]`.
fn without_patches(manifest: &str) -> Result<String> {
    let (before, patches) = manifest
        .split_once("[patch.crates-io]\n")
        .context("Cargo.toml patches nothing: the worker has the compiler then")?;
    let after = patches.find("\n[").map_or("", |at| &patches[at..]);
    Ok(format!("{before}{after}"))
}

/// Build them and run them in Chromium.
pub fn run_in_chromium() -> Result<()> {
    setup::for_testing()?;
    build()?;
    node(&["--test", "--test-reporter=spec", "kernels.test.mjs"])
}

/// Time the linear layer in Chromium, ours and burn's.
pub fn bench_in_chromium() -> Result<()> {
    setup::for_testing()?;
    build_with_compiler()?;
    node(&["measure-kernels.mjs"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_is_built_without_the_stand_in() -> Result<()> {
        let manifest = fs::read_to_string(workspace::root().join("Cargo.toml"))?;
        let without: toml::Table = without_patches(&manifest)?.parse()?;
        assert!(manifest.contains("crates/inventory") && !without.contains_key("patch"));
        assert!(without["profile"].get(PROFILE).is_some());
        assert!(without_patches("[workspace]").is_err());
        Ok(())
    }

    #[test]
    fn the_cases_are_built_as_the_worker_is() {
        let index = std::fs::read_to_string(workspace::root().join("web/index.html"))
            .expect("the page's template");
        let worker = index.lines().find(|line| line.contains("servimage-worker"));
        let profile = format!("data-cargo-profile=\"{PROFILE}\"");
        assert!(
            worker.is_some_and(|line| line.contains(&profile)),
            "{worker:?}"
        );
    }
}
