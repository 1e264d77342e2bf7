//! Locked npm packages: Playwright's client, which drives the browser, and `wasm-opt` and esbuild, which shrink the bundles.

use crate::command::{run, words};
use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with a lock file, and the package in it that everything is installed for.
pub struct Project {
    folder: PathBuf,
    package: &'static str,
}

impl Project {
    /// Playwright's client in `tests/e2e`.
    pub fn playwright() -> Self {
        Self {
            folder: workspace::e2e(),
            package: "playwright-core",
        }
    }

    /// Binaryen, which holds `wasm-opt`, in `crates/xtask/wasm-opt`.
    pub fn binaryen() -> Self {
        Self {
            folder: workspace::root().join("crates/xtask/wasm-opt"),
            package: "binaryen",
        }
    }

    /// esbuild, which minifies scripts and styles, in the same folder.
    pub fn esbuild() -> Self {
        Self {
            package: "esbuild",
            ..Self::binaryen()
        }
    }

    /// Install what the lock file names unless the locked version is there already.
    pub fn install(&self) -> Result<()> {
        if self.is_installed()? {
            return Ok(());
        }
        let version = self.locked_version()?;
        eprintln!("xtask: installing {} {version}", self.package);
        let mut install = words("npm ci --no-audit --no-fund --loglevel=error");
        run(install.current_dir(&self.folder))
    }

    /// Whether the version that the lock file names is there.
    pub fn is_installed(&self) -> Result<bool> {
        let found = installed_version(&self.package_folder().join("package.json"));
        Ok(found == Some(self.locked_version()?))
    }

    /// Where npm puts the package.
    pub fn package_folder(&self) -> PathBuf {
        self.folder.join("node_modules").join(self.package)
    }

    fn locked_version(&self) -> Result<String> {
        let lock = self.folder.join("package-lock.json");
        let text =
            fs::read_to_string(&lock).with_context(|| format!("{} is missing", lock.display()))?;
        let lock: serde_json::Value = serde_json::from_str(&text)?;
        let version =
            lock["packages"][format!("node_modules/{}", self.package)]["version"].as_str();
        version
            .map(str::to_owned)
            .with_context(|| format!("the lock file names no {}", self.package))
    }
}

fn installed_version(package: &Path) -> Option<String> {
    let package: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(package).ok()?).ok()?;
    package["version"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_locked_version_counts_as_installed() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let project = Project {
            folder: folder.path().to_owned(),
            package: "tool",
        };
        fs::write(
            folder.path().join("package-lock.json"),
            r#"{"packages": {"node_modules/tool": {"version": "2.0.0"}}}"#,
        )?;
        assert!(!project.is_installed()?, "nothing is there");
        fs::create_dir_all(project.package_folder())?;
        let manifest = project.package_folder().join("package.json");
        fs::write(&manifest, r#"{"version": "1.9.0"}"#)?;
        assert!(!project.is_installed()?, "an older one is there");
        fs::write(&manifest, r#"{"version": "2.0.0"}"#)?;
        assert!(project.is_installed()?);
        Ok(())
    }

    #[test]
    fn both_lock_files_name_their_package() -> Result<()> {
        assert!(!Project::playwright().locked_version()?.is_empty());
        assert!(!Project::binaryen().locked_version()?.is_empty());
        Ok(())
    }
}
