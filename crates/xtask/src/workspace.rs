//! Where things lie in the repository.

use std::path::{Path, PathBuf};

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
