//! Shrinks the WebAssembly of both bundles with Binaryen's `wasm-opt`, in its npm packaging, run by Node.js.
//!
//! Runs behind Trunk, on the files in `dist/`: Trunk's own call of `wasm-opt` wants a program on the path, and `serve` has
//! to work on a machine without Node.js. Nothing names the contents' hash, so the files can change (`data-integrity` is
//! off for the page, and the worker is started by its name).

use crate::command::{command, output, run, words};
use crate::npm::Project;
use crate::shell::hex;
use crate::{size, workspace};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// What the modules use beyond WebAssembly 1.0; `rustc` turns these on, and stripping removes the section that says so.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// What is asked for: the smallest module, and no names of functions in it.
const WANTED: [&str; 2] = ["-Oz", "--strip-debug"];

/// What the page gets before that, for another 4 KB: its control flow put together anew, and nothing read from the first KB of memory (the far
/// end of the stack). The worker's loops stay as they were measured.
const PAGE_FIRST: [&str; 4] = ["--low-memory-unused", "--flatten", "--rereloop", "-Oz"];

/// What `wasm-opt` is told for a module.
fn wanted(module: &Path) -> Vec<&'static str> {
    let first: &[&str] = match size::is_of_worker(module) {
        true => &[],
        false => &PAGE_FIRST,
    };
    [first, &WANTED, &FEATURES].concat()
}

/// Whether `wasm-opt`, and esbuild behind it, can run here.
pub fn is_there() -> Result<bool> {
    let has_node = output(&mut words("node --version")).is_some();
    Ok(has_node && Project::binaryen().is_installed()? && Project::esbuild().is_installed()?)
}

/// Shrink every module in `dist/` in place.
pub fn shrink() -> Result<()> {
    let program = Project::binaryen().package_folder().join("bin/wasm-opt");
    let kept = workspace::target().join("wasm-opt");
    fs::create_dir_all(&kept)?;
    for module in modules(&workspace::dist())? {
        // Minutes for the worker: what was shrunk before is taken from there.
        let mut hash = Sha256::new();
        hash.update(fs::read(&module)?);
        let wanted = wanted(&module);
        wanted.iter().for_each(|word| hash.update(word));
        let small = kept.join(format!("{}.wasm", hex(&hash.finalize())));
        if small.exists() {
            fs::copy(&small, &module)?;
            continue;
        }
        let mut wasm_opt = command("node");
        wasm_opt.arg(&program).arg(&module).args(wanted);
        let part = small.with_extension("part");
        run(wasm_opt.arg("--output").arg(&part))?;
        fs::rename(&part, &small)?;
        fs::copy(&small, &module)
            .with_context(|| format!("{} was not written", small.display()))?;
    }
    Ok(())
}

fn modules(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut modules = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            modules.push(path);
        }
    }
    modules.sort();
    Ok(modules)
}
