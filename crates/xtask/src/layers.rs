//! The architecture as a test: a crate depends on lower rows only.
//!
//! Reads `cargo metadata` and reports every edge between our crates that does not go down, every tree
//! that holds burn where it must not, and every crate that talks to JavaScript outside the two
//! browser crates. `crates/README.md` says why.

use crate::workspace;
use anyhow::{Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Rows by crate, lowest first. A new crate gets its row here and in `crates/README.md`.
const ROWS: [(&str, u8); 17] = [
    ("inventory", 0),
    ("servimage-bench", 0),
    ("servimage-image", 0),
    ("servimage-pack", 0),
    ("servimage-safetensors", 0),
    ("servimage-host", 1),
    ("servimage-prompt", 1),
    ("servimage-kernels", 1),
    ("servimage-fuzz", 2),
    ("servimage-kernel-cases", 2),
    ("servimage-model", 2),
    ("servimage-engine", 3),
    ("servimage-train", 3),
    ("servimage-cli", 4),
    ("servimage-worker", 4),
    ("servimage-web", 4),
    ("xtask", 5),
];

/// What any crate's tests may use besides lower rows.
const TESTKIT: &str = "servimage-testkit";

/// The one crate of ours that xtask uses.
const SERVER: &str = "servimage-host";

/// Crates whose trees hold no burn: they build in seconds, and the page stays small.
const WITHOUT_BURN: [&str; 11] = [
    "inventory",
    "servimage-bench",
    "servimage-fuzz",
    "servimage-host",
    "servimage-image",
    "servimage-pack",
    "servimage-prompt",
    "servimage-safetensors",
    "servimage-web",
    TESTKIT,
    "xtask",
];

/// The only crates that talk to JavaScript (the last one to its tests), and the packages by which it is done.
const BROWSER_CRATES: [&str; 3] = [
    "servimage-worker",
    "servimage-web",
    "servimage-kernel-cases",
];
const BROWSER_PACKAGES: [&str; 5] = [
    "js-sys",
    "serde-wasm-bindgen",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "web-sys",
];

/// Fail with a list of all findings, one a line.
pub fn check() -> Result<()> {
    let metadata: Metadata = workspace::metadata()?;
    let findings = metadata.findings();
    if !findings.is_empty() {
        bail!("the layers do not hold:\n  {}", findings.join("\n  "));
    }
    println!(
        "layers: {} crates, every edge goes to a lower row",
        metadata.workspace_members.len()
    );
    Ok(())
}

/// The part of `cargo metadata` that is looked at.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDependency>,
}

#[derive(Debug, Deserialize)]
struct NodeDependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

/// `kind` is absent for a normal dependency, else `build` or `dev`.
#[derive(Debug, Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl NodeDependency {
    fn is_shipped(&self) -> bool {
        self.dep_kinds
            .iter()
            .any(|kind| kind.kind.as_deref() != Some("dev"))
    }
}

fn row(name: &str) -> Option<u8> {
    ROWS.iter()
        .find(|(crate_name, _)| *crate_name == name)
        .map(|(_, row)| *row)
}

impl Metadata {
    fn findings(&self) -> Vec<String> {
        let graph = Graph::new(self);
        let mut findings = Vec::new();
        for id in &self.workspace_members {
            let name = graph.name(id);
            if name != TESTKIT && row(name).is_none() {
                findings.push(format!(
                    "{name} has no row: give it one in xtask's `layers`"
                ));
            }
            for dependency in graph.dependencies(id) {
                findings.extend(self.check_edge(name, graph.name(&dependency.pkg), dependency));
            }
            if WITHOUT_BURN.contains(&name) {
                let path = graph.path_to(id, is_burn);
                findings.extend(
                    path.map(|path| format!("{name} must not pull in burn: {}", path.join(" -> "))),
                );
            }
        }
        findings
    }

    fn check_edge(&self, from: &str, to: &str, dependency: &NodeDependency) -> Option<String> {
        if BROWSER_PACKAGES.contains(&to) && !BROWSER_CRATES.contains(&from) {
            return Some(format!(
                "{from} -> {to}: only {} talk to JavaScript",
                BROWSER_CRATES.join(", ")
            ));
        }
        if !self.workspace_members.contains(&dependency.pkg) {
            return None;
        }
        let shipped = dependency.is_shipped();
        if to == TESTKIT {
            return shipped.then(|| format!("{from} -> {to}: allowed as a dev-dependency only"));
        }
        // Nothing below them may be slow to build: xtask and the testkit know none of our crates, but for the server
        // that xtask shares with the command line.
        let goes_down = match (from, row(from), row(to)) {
            ("xtask", ..) if to == SERVER => true,
            (TESTKIT | "xtask", ..) => false,
            (_, Some(from), Some(to)) => to < from,
            _ => false,
        };
        (!goes_down).then(|| format!("{from} -> {to}: not a lower row"))
    }
}

fn is_burn(name: &str) -> bool {
    name == "burn" || name.starts_with("burn-") || name.starts_with("cubecl")
}

/// Packages by id.
struct Graph<'a> {
    names: BTreeMap<&'a str, &'a str>,
    nodes: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let package = |package: &'a Package| (package.id.as_str(), package.name.as_str());
        let node = |node: &'a Node| (node.id.as_str(), node);
        Self {
            names: metadata.packages.iter().map(package).collect(),
            nodes: metadata.resolve.nodes.iter().map(node).collect(),
        }
    }

    fn name(&self, id: &str) -> &'a str {
        self.names
            .get(id)
            .copied()
            .unwrap_or("a package without a name")
    }

    fn dependencies(&self, id: &str) -> &'a [NodeDependency] {
        self.nodes.get(id).map_or(&[], |node| &node.deps)
    }

    /// The first path over shipped dependencies to a package that is looked for.
    fn path_to(&self, start: &'a str, wanted: fn(&str) -> bool) -> Option<Vec<&'a str>> {
        let mut seen = BTreeSet::from([start]);
        let mut paths = vec![vec![start]];
        while let Some(path) = paths.pop() {
            let last = path.last().copied()?;
            if wanted(self.name(last)) {
                return Some(path.iter().map(|id| self.name(id)).collect());
            }
            for dependency in self.dependencies(last) {
                let id = dependency.pkg.as_str();
                if dependency.is_shipped() && seen.insert(id) {
                    paths.push(path.iter().copied().chain([id]).collect());
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
