//! Where the published files lie: `$SERVIMAGE_SHARED/bench`, else beside the repository.

use std::path::PathBuf;

/// The three files below `bench/`.
pub const FILES: [&str; 3] = [
    "C-Portrait/Portrait.json",
    "C-Product/Product.json",
    "C-Digital/Digital.json",
];

/// Text of one file.
pub fn text(file: &str) -> String {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let shared = std::env::var_os("SERVIMAGE_SHARED").map_or_else(beside, PathBuf::from);
    let path = shared.join("bench").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
