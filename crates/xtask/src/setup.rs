//! Installs what is missing on a machine that has rustup and a C compiler, and says what it does.
//!
//! A second run finds everything in place and installs nothing. Programs come from crates.io, Debian's
//! packages (as root) and the npm registry; none is downloaded from anywhere else.

use crate::command::{command, output, run, words};
use crate::npm::Project;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Oldest Node.js whose test runner reads `tests/e2e`; `wasm-opt` runs on it too.
const NODE_MAJOR_MIN: u32 = 18;

/// A program installed by cargo.
struct CargoTool {
    package: &'static str,
    program: &'static str,
    version: &'static str,
    /// Whether to build with the versions that the package was released with. Trunk 0.21.14 does
    /// not compile with newer ones (its `lightningcss` meets two versions of `cssparser`).
    locked: bool,
}

const CARGO_TOOLS: [CargoTool; 2] = [
    CargoTool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: "0.2.130",
        locked: false,
    },
    CargoTool {
        package: "trunk",
        program: "trunk",
        version: "0.21.14",
        locked: true,
    },
];

/// What building the page needs: the wasm target, Trunk and the wasm-bindgen command.
pub fn for_building() -> Result<()> {
    wasm_target()?;
    CARGO_TOOLS.iter().try_for_each(cargo_tool)
}

/// What shrinking the bundles needs beyond that: Node.js and `wasm-opt`.
pub fn for_shrinking() -> Result<()> {
    for_building()?;
    debian_packages(&missing(&node_packages()))?;
    Project::binaryen().install()?;
    Project::esbuild().install()
}

/// What the tests need beyond that: Chromium, a Vulkan driver, Playwright's client.
pub fn for_testing() -> Result<()> {
    for_building()?;
    // All in one go: apt reads its lists once.
    debian_packages(&missing(&[node_packages(), browser_packages()].concat()))?;
    Project::binaryen().install()?;
    Project::esbuild().install()?;
    Project::playwright().install()
}

fn wasm_target() -> Result<()> {
    let installed = output(&mut words("rustup target list --installed")).context(
        "rustup is needed: install it from your system's packages or from the Rust project",
    )?;
    if installed.lines().any(|target| target.trim() == WASM_TARGET) {
        return Ok(());
    }
    eprintln!("xtask: the wasm target is missing, installing it");
    run(&mut words(&format!("rustup target add {WASM_TARGET}")))
}

fn cargo_tool(tool: &CargoTool) -> Result<()> {
    let found = output(command(tool.program).arg("--version"));
    if found
        .as_deref()
        .is_some_and(|text| has_version(text, tool.version))
    {
        return Ok(());
    }
    eprintln!(
        "xtask: {} {} is missing, building it (minutes, once)",
        tool.program, tool.version
    );
    let mut install = words(&format!(
        "cargo install {} --version {} --force",
        tool.package, tool.version
    ));
    if tool.locked {
        install.arg("--locked");
    }
    // Built for seconds of use, not for speed: whole-program optimisation of Trunk alone takes ten
    // minutes of processor time.
    install
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    // One folder for both, so that what they share is built once.
    install
        .arg("--target-dir")
        .arg(workspace::root().join("target").join("tools"));
    run(&mut install)
}

/// Whether the answer to `--version`, such as `trunk 0.21.14`, names exactly this version.
fn has_version(answer: &str, version: &str) -> bool {
    answer
        .split_whitespace()
        .any(|word| word.trim_start_matches('v') == version)
}

/// Major version in an answer such as `v20.20.2`.
fn major(answer: &str) -> Option<u32> {
    answer
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn debian_packages(missing: &[&str]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_root() || output(&mut words("apt-get --version")).is_none() {
        bail!("these packages are missing, please install them (Debian's names): {list}");
    }
    eprintln!("xtask: installing Debian packages: {list}");
    run(&mut words("apt-get update -qq"))?;
    let mut install = words(&format!(
        "apt-get install -y -qq --no-install-recommends {list}"
    ));
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether something is there, and the Debian package that brings it.
type Wanted = (bool, &'static str);

fn node_packages() -> Vec<Wanted> {
    let node = output(&mut words("node --version")).and_then(|answer| major(&answer));
    let has_node = node.is_some_and(|major| major >= NODE_MAJOR_MIN);
    let has_npm = output(&mut words("npm --version")).is_some();
    vec![(has_node, "nodejs"), (has_npm, "npm")]
}

fn browser_packages() -> Vec<Wanted> {
    let has_driver = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
        .iter()
        .any(|folder| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()));
    vec![
        (Path::new(&chromium()).exists(), "chromium"),
        (has_driver, "mesa-vulkan-drivers"),
        (has_vulkan_loader(), "libvulkan1"),
    ]
}

fn missing(wanted: &[Wanted]) -> Vec<&'static str> {
    let missing = wanted.iter().filter(|(present, _)| !present);
    missing.map(|(_, package)| *package).collect()
}

/// The browser that the end-to-end tests drive.
pub fn chromium() -> String {
    std::env::var("SERVIMAGE_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned())
}

fn has_vulkan_loader() -> bool {
    let cache = output(&mut words("/sbin/ldconfig -p")).unwrap_or_default();
    cache.contains("libvulkan.so.1")
}

fn is_root() -> bool {
    output(&mut words("id -u")).is_some_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_of_a_tool_counts_as_missing() {
        assert!(has_version("trunk 0.21.14\n", "0.21.14"));
        assert!(has_version("wasm-bindgen 0.2.130 (abc)", "0.2.130"));
        assert!(!has_version("trunk 0.21.1\n", "0.21.14"));
        assert!(!has_version("trunk 0.22.1", "0.21.14"));
    }

    #[test]
    fn an_old_node_counts_as_missing() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert!(major("v16.4.0").is_some_and(|major| major < NODE_MAJOR_MIN));
        assert_eq!(major("not node"), None);
    }
}
