//! Sizes of the two bundles, raw and gzip, against budgets: a page that is slow to arrive is not used.

use crate::workspace;
use anyhow::{Result, bail, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::ops::AddAssign;
use std::path::Path;

/// One of the two bundles.
struct Budget {
    bundle: &'static str,
    is_worker: bool,
    gzip_bytes_max: usize,
}

/// The budgets, in bytes after gzip, of what `wasm-opt` has shrunk.
const BUDGETS: [Budget; 2] = [
    Budget {
        bundle: "page",
        is_worker: false,
        gzip_bytes_max: 400_000,
    },
    Budget {
        bundle: "worker",
        is_worker: true,
        gzip_bytes_max: 2_500_000,
    },
];

/// Trunk names the worker's files after its package; all others are the page's.
const WORKER_PREFIX: &str = "servimage-worker";

/// Whether a file of `dist/` belongs to the worker.
pub fn is_of_worker(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with(WORKER_PREFIX)
}

/// Where wasm-bindgen puts the page's own JavaScript modules.
const MODULES: &str = "snippets";

/// Size of one file or of a bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    raw_bytes: usize,
    gzip_bytes: usize,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.raw_bytes += other.raw_bytes;
        self.gzip_bytes += other.gzip_bytes;
    }
}

/// Print a table of both bundles and fail if one is over its budget.
pub fn check() -> Result<()> {
    println!("| bundle | raw | gzip | budget (gzip) |\n|---|---:|---:|---:|");
    let mut over = Vec::new();
    for budget in &BUDGETS {
        let size = measure(budget)?;
        println!(
            "| {} | {} | {} | {} |",
            budget.bundle,
            kilobytes(size.raw_bytes),
            kilobytes(size.gzip_bytes),
            kilobytes(budget.gzip_bytes_max)
        );
        if size.gzip_bytes > budget.gzip_bytes_max {
            over.push(budget.bundle);
        }
    }
    for (name, size) in texts()? {
        println!(
            "| the page's texts, {name} | {} | {} | |",
            kilobytes(size.raw_bytes),
            kilobytes(size.gzip_bytes)
        );
    }
    if !over.is_empty() {
        bail!("over the size budget: {}", over.join(", "));
    }
    Ok(())
}

/// Sum over the files of `dist/` that a visitor loads for one bundle, the page's own modules in `snippets/` included.
fn measure(budget: &Budget) -> Result<Size> {
    let total = sum(&workspace::dist(), budget)?;
    ensure!(
        total.raw_bytes > 0,
        "dist/ holds no file of the {}",
        budget.bundle
    );
    Ok(total)
}

fn sum(folder: &Path, budget: &Budget) -> Result<Size> {
    let mut total = Size::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_of_modules = name == MODULES || folder.iter().any(|part| part == MODULES);
        if entry.file_type()?.is_dir() && is_of_modules {
            total += sum(&entry.path(), budget)?;
        }
        let of_bundle = is_of_worker(&entry.path()) == budget.is_worker;
        let is_code = [".html", ".js", ".css", ".wasm"]
            .iter()
            .any(|end| name.ends_with(end));
        if of_bundle && is_code {
            let bytes = fs::read(entry.path())?;
            total += Size {
                raw_bytes: bytes.len(),
                gzip_bytes: gzip_len(&bytes)?,
            };
        }
    }
    Ok(total)
}

/// What a visitor loads beside the page's bundle before it is drawn: the texts of one language.
fn texts() -> Result<Vec<(String, Size)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(workspace::dist().join("texts"))? {
        let path = entry?.path();
        let bytes = fs::read(&path)?;
        let size = Size {
            raw_bytes: bytes.len(),
            gzip_bytes: gzip_len(&bytes)?,
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        all.push((name.into_owned(), size));
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(all)
}

/// Length after gzip at its best level, as static hosts send it.
fn gzip_len(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn kilobytes(bytes: usize) -> String {
    format!("{} KB", bytes.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_measured_and_not_guessed() -> Result<()> {
        assert!(gzip_len(&[7; 100_000])? < 1000, "repetition shrinks");
        let noise: Vec<u8> = (0_u32..10_000)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        assert!(gzip_len(&noise)? > 100);
        Ok(())
    }

    #[test]
    fn a_started_kilobyte_counts() {
        assert_eq!(kilobytes(400_001), "401 KB");
    }
}
