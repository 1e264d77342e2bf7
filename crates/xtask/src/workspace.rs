//! Where things lie in the repository, and what cargo knows of it.

use crate::command::words;
use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// What `cargo metadata` says of the workspace and all that it depends on, as far as `T` looks at it.
pub fn metadata<T: DeserializeOwned>() -> Result<T> {
    let mut metadata = words("cargo metadata --format-version 1 --locked");
    let output = metadata
        .output()
        .context("`cargo metadata` did not start")?;
    if !output.status.success() {
        bail!(
            "`cargo metadata` failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Root of the repository.
pub fn root() -> &'static Path {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir
        .ancestors()
        .nth(2)
        .expect("xtask lies two folders below the root")
}

/// The built page.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The end-to-end tests.
pub fn e2e() -> PathBuf {
    root().join("tests").join("e2e")
}

/// What cargo builds, and what the benches write.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The pack that ships with the page.
pub fn nano() -> PathBuf {
    root().join("public/models/nano")
}
