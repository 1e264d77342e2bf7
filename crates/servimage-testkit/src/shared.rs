//! Where the reference data lies: `SERVIMAGE_SHARED`, by default `../shared` beside the repository.

use std::env;
use std::path::{Path, PathBuf};

/// Reference data that is not there.
#[derive(Debug, thiserror::Error)]
#[error(
    "reference data is missing at {path}: set SERVIMAGE_SHARED to the folder that holds `golden` and `bench`"
)]
pub struct SharedError {
    /// Where it was looked for.
    pub path: PathBuf,
}

/// The folder that holds `golden/` and `bench/`.
///
/// # Errors
/// [`SharedError`] where neither `SERVIMAGE_SHARED` nor `../shared` is a folder.
pub fn shared() -> Result<PathBuf, SharedError> {
    locate(env::var_os("SERVIMAGE_SHARED").map(PathBuf::from))
}

/// One golden, such as `a`: a tiny checkpoint beside the reference implementation's outputs.
///
/// # Errors
/// [`SharedError`] where the golden does not exist.
pub fn golden_dir(name: &str) -> Result<PathBuf, SharedError> {
    existing(shared()?.join("golden").join(name))
}

fn locate(chosen: Option<PathBuf>) -> Result<PathBuf, SharedError> {
    existing(chosen.unwrap_or_else(default_path))
}

/// `../shared`, seen from the repository's root.
fn default_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")
}

fn existing(path: PathBuf) -> Result<PathBuf, SharedError> {
    match path.canonicalize() {
        Ok(found) if found.is_dir() => Ok(found),
        _ => Err(SharedError { path }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_folder_is_named_and_not_passed_over() {
        let error = locate(Some(PathBuf::from("/nowhere/at/all")))
            .err()
            .map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("/nowhere/at/all")));
    }

    #[test]
    fn the_goldens_are_found() -> Result<(), SharedError> {
        assert!(golden_dir("a")?.join("golden.safetensors").is_file());
        assert!(golden_dir("no-such-golden").is_err());
        Ok(())
    }
}
