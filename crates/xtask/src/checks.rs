//! `test` and `ci`: the lists of what has to hold.

use crate::command::{command, run, words};
use crate::{audit, bench, kernels, layers, setup, site, size, workspace};
use anyhow::{Result, anyhow};
use std::process::Command;
use std::time::Instant;

/// The crates that also run in the browser; they are linted a second time for wasm.
const BROWSER_SET: &str = "-p servimage-bench -p servimage-image -p servimage-pack -p servimage-prompt \
                           -p servimage-kernel-cases -p servimage-model -p servimage-engine -p servimage-worker -p servimage-web";

/// Every test, after installing what they need.
pub fn test() -> Result<()> {
    timed("set-up", setup::for_testing)?;
    timed("layers", layers::check)?;
    timed("audit", audit::check)?;
    // Both end in long steps of one thread (tests that wait, whole-program optimisation): side by side they fill two cores.
    let (native, bundles) = std::thread::scope(|scope| {
        let bundles = scope.spawn(bundles);
        let native = timed("native tests", native_tests);
        (native, bundles.join())
    });
    native?;
    bundles.map_err(|_| anyhow!("building the bundles panicked, see above"))??;
    timed("end-to-end tests", bench::end_to_end)
}

/// What the end-to-end tests open, within its budgets.
fn bundles() -> Result<()> {
    timed("page", site::build)?;
    timed("sizes", size::check)?;
    timed("kernel cases", kernels::build)
}

/// Everything that has to hold before a landing, the quick checks first.
pub fn ci() -> Result<()> {
    timed("set-up", setup::for_testing)?;
    timed("format", || run(&mut words("cargo fmt --all --check")))?;
    timed("layers", layers::check)?;
    timed("clippy", clippy)?;
    timed("documentation", documentation)?;
    timed("tests", test)
}

/// One profile for everything that links burn, so that burn is built once; the rest in dev.
fn native_tests() -> Result<()> {
    // The binary and the tests in one go: their features then agree. The end-to-end tests need it.
    run(&mut words("cargo build --release --locked --bins --tests"))?;
    // Set-up has installed a software Vulkan, so the tests that need a GPU run too.
    run(&mut words(
        "cargo test --release --locked -- --include-ignored",
    ))?;
    run(&mut words("cargo test --locked -p xtask -p inventory"))?;
    run(&mut words("cargo test --locked -p servimage-web"))
}

fn clippy() -> Result<()> {
    run(&mut words(
        "cargo clippy --release --locked --all-targets -- -D warnings",
    ))?;
    run(&mut words(
        "cargo clippy --locked -p xtask -p inventory -p servimage-web --all-targets -- -D warnings",
    ))?;
    let wasm = format!(
        "cargo clippy --locked --target wasm32-unknown-unknown --profile wasm {BROWSER_SET} -- -D warnings"
    );
    let rules = workspace::root().join("crates/xtask/clippy-wasm");
    run(words(&wasm).env("CLIPPY_CONF_DIR", rules))
}

fn documentation() -> Result<()> {
    let mut doc = words("cargo doc --release --locked --no-deps");
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Run one step and print how long it took: the machine that CI runs on is small.
fn timed(name: &str, step: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    step()?;
    eprintln!(
        "xtask: {name} done in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// `node ARGUMENTS` in `tests/e2e`, with the names of what it drives.
pub fn node_command(arguments: &[&str]) -> Command {
    let mut node = command("node");
    node.current_dir(workspace::e2e()).args(arguments);
    if let Ok(xtask) = std::env::current_exe() {
        node.env("SERVIMAGE_XTASK", xtask);
    }
    node.env("SERVIMAGE_CHROMIUM", setup::chromium());
    node
}

/// Runs [`node_command`].
pub fn node(arguments: &[&str]) -> Result<()> {
    run(&mut node_command(arguments))
}
