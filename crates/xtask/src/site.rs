//! Builds the page and the worker with Trunk into `dist/`, gives the page its policy and its service worker, and shrinks it all.

use crate::command::{command, run};
use crate::{csp, minify, shell, wasm_opt, workspace};
use anyhow::{Context, Result};
use std::fs;

/// Build both bundles with the profile `wasm` into `dist/`; without `wasm-opt` they work as well and are larger.
pub fn build() -> Result<()> {
    let dist = workspace::dist();
    let mut trunk = command("trunk");
    // Trunk would otherwise look for newer tools on the network; setup has installed the right ones.
    trunk.args(["build", "--skip-version-check", "--offline", "true"]);
    trunk
        .args(["--locked", "true", "--cargo-profile", "wasm", "--dist"])
        .arg(&dist);
    // Trunk takes only `true` and `false` for this variable; some terminals set it to 1.
    run(trunk.env_remove("NO_COLOR"))?;
    let index = dist.join("index.html");
    let html =
        fs::read_to_string(&index).with_context(|| format!("{} is missing", index.display()))?;
    fs::write(&index, csp::insert(&html)?)?;
    if !wasm_opt::is_there()? {
        eprintln!(
            "xtask: wasm-opt is not installed, the bundles stay larger (`cargo xtask wasm-size` installs it)"
        );
        return shell::write();
    }
    wasm_opt::shrink()?;
    minify::run_over_dist()?;
    shell::write()
}
