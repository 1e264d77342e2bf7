//! The kernels' cases as a module for the browser, and their run there.

use crate::checks::node;
use crate::command::{self, command, words};
use crate::{setup, workspace};
use anyhow::Result;

/// The worker's profile (`web/index.html`): burn is then built once for both.
const PROFILE: &str = "wasm";

/// Build the cases into `target/e2e/kernel-cases`.
pub fn build() -> Result<()> {
    // Together with the worker, so that the features of what they share agree with those of its own build.
    command::run(&mut words(&format!(
        "cargo build --locked --target wasm32-unknown-unknown --profile {PROFILE} -p servimage-worker -p servimage-kernel-cases"
    )))?;
    let target = workspace::root().join("target");
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
    bindgen.arg(target.join("e2e").join("kernel-cases"));
    command::run(bindgen.arg(target.join(wasm)))
}

/// Build them and run them in Chromium, or time the linear layer there.
pub fn run_in_chromium(bench: bool) -> Result<()> {
    setup::for_testing()?;
    build()?;
    match bench {
        true => node(&["measure-kernels.mjs"]),
        false => node(&["--test", "--test-reporter=spec", "kernels.test.mjs"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
