//! `audit`: licences, sources and versions of everything that we depend on, against `deny.toml`.
//!
//! cargo-deny says more (advisories above all) and is meant to read the same file. It is a large program to build, and its database cannot
//! be reached where this project is built, so it is no part of the tests.

use crate::workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Fails with a list of all findings, one a line.
pub fn check() -> Result<()> {
    let path = workspace::root().join("deny.toml");
    let rules: Rules = toml::from_str(&fs::read_to_string(&path)?)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let metadata: Metadata = workspace::metadata()?;
    let used = metadata.used();
    let findings = rules.findings(&used)?;
    if !findings.is_empty() {
        bail!("deny.toml does not hold:\n  {}", findings.join("\n  "));
    }
    println!(
        "audit: {} packages, licences, sources and versions as in deny.toml; advisories are not looked up",
        used.len()
    );
    Ok(())
}

/// The part of `deny.toml` that is held here.
#[derive(Debug, Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
    /// Packages that name a file in place of a licence.
    #[serde(default)]
    clarify: Vec<Clarification>,
}

#[derive(Debug, Deserialize)]
struct Clarification {
    #[serde(rename = "crate")]
    name: String,
    expression: String,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Absent: no version at all.
    #[serde(default)]
    deny_multiple_versions: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

/// The part of `cargo metadata` that is looked at.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Clone, Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Metadata {
    /// Packages of others that ours reach on any platform, tools and tests included.
    fn used(&self) -> Vec<&Package> {
        let edges: BTreeMap<&str, &[String]> = self
            .resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node.dependencies.as_slice()))
            .collect();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.workspace_members.iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                let next = edges.get(id).copied().unwrap_or_default();
                open.extend(next.iter().map(String::as_str));
            }
        }
        let is_used = |package: &&Package| {
            seen.contains(package.id.as_str()) && !self.workspace_members.contains(&package.id)
        };
        self.packages.iter().filter(is_used).collect()
    }
}

impl Rules {
    fn findings(&self, packages: &[&Package]) -> Result<Vec<String>> {
        let allowed = self
            .licenses
            .allow
            .iter()
            .map(|text| {
                spdx::Licensee::parse(text).with_context(|| format!("`{text}` is no licence"))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut findings = Vec::new();
        for package in packages {
            let what = format!("{} {}", package.name, package.version);
            let license = package.license.as_deref().or_else(|| {
                let mut stated = self.licenses.clarify.iter();
                let stated = stated.find(|stated| stated.name == package.name)?;
                Some(stated.expression.as_str())
            });
            findings
                .extend(license_finding(license, &allowed).map(|text| format!("{what}: {text}")));
            let source = package.source.as_deref().unwrap_or("a folder");
            let registry = source.strip_prefix("registry+").unwrap_or(source);
            if !self
                .sources
                .allow_registry
                .iter()
                .any(|known| known == registry)
            {
                findings.push(format!("{what}: comes from {source}"));
            }
        }
        for ban in &self.bans.deny {
            let versions: BTreeSet<&str> = packages
                .iter()
                .filter(|package| package.name == ban.name)
                .map(|package| package.version.as_str())
                .collect();
            let most = usize::from(ban.deny_multiple_versions);
            if versions.len() > most {
                let list = versions.into_iter().collect::<Vec<_>>().join(", ");
                findings.push(format!(
                    "{}: at most {most} versions, found {list}",
                    ban.name
                ));
            }
        }
        Ok(findings)
    }
}

/// What is wrong with a package's licence.
fn license_finding(license: Option<&str>, allowed: &[spdx::Licensee]) -> Option<String> {
    let Some(license) = license else {
        return Some("states no licence".to_owned());
    };
    // Old packages write a slash for `OR`.
    match spdx::Expression::parse_mode(license, spdx::ParseMode::LAX) {
        Err(error) => Some(format!("licence `{license}` cannot be read: {error}")),
        Ok(expression) => {
            let is_allowed = expression
                .evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)));
            (!is_allowed).then(|| format!("licence `{license}` is not allowed"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
        clarify = [{ crate = "told", expression = "MIT" }]
        [bans]
        deny = [{ crate = "burn", deny-multiple-versions = true }, { crate = "openssl" }]
        [sources]
        allow-registry = ["https://index.example/crates"]
    "#;

    const REGISTRY: &str = "registry+https://index.example/crates";

    fn package(name: &str, version: &str, license: Option<&str>, source: &str) -> Package {
        Package {
            id: format!("{name}@{version}"),
            name: name.to_owned(),
            version: version.to_owned(),
            license: license.map(str::to_owned),
            source: Some(source.to_owned()),
        }
    }

    fn findings(packages: &[Package]) -> Result<Vec<String>> {
        let rules: Rules = toml::from_str(RULES)?;
        rules.findings(&packages.iter().collect::<Vec<_>>())
    }

    #[test]
    fn licences_pass_where_one_of_a_choice_is_allowed_and_all_of_a_sum() -> Result<()> {
        for (license, passes) in [
            (Some("MIT"), true),
            (Some("GPL-3.0-only OR MIT"), true),
            (Some("Unlicense/MIT"), true),
            (Some("Apache-2.0 WITH LLVM-exception"), true),
            (Some("MIT AND GPL-3.0-only"), false),
            (Some("GPL-3.0-only"), false),
            (Some("as you like"), false),
            (None, false),
        ] {
            let found = findings(&[package("a", "1.0.0", license, REGISTRY)])?;
            assert_eq!(found.is_empty(), passes, "{license:?}: {found:?}");
        }
        assert!(findings(&[package("told", "1.0.0", None, REGISTRY)])?.is_empty());
        Ok(())
    }

    #[test]
    fn other_sources_second_versions_and_banned_crates_are_named() -> Result<()> {
        let found = findings(&[
            package("burn", "0.22.1", Some("MIT"), REGISTRY),
            package("burn", "0.21.0", Some("MIT"), REGISTRY),
            package("openssl", "1.0.0", Some("MIT"), REGISTRY),
            package("b", "1.0.0", Some("MIT"), "git+https://git.example/b"),
        ])?;
        assert_eq!(
            found,
            [
                "b 1.0.0: comes from git+https://git.example/b",
                "burn: at most 1 versions, found 0.21.0, 0.22.1",
                "openssl: at most 0 versions, found 1.0.0",
            ]
        );
        Ok(())
    }
}
