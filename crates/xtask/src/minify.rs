//! Minifies the scripts and styles in `dist/` with esbuild, each in its place: nothing names their contents' hash but the names
//! that Trunk gave them.

use crate::command::{command, run};
use crate::npm::Project;
use crate::{shell, workspace};
use anyhow::Result;

/// Minifies every script and style of the page and its worker.
pub fn run_over_dist() -> Result<()> {
    let dist = workspace::dist();
    // The package's own file is a script or a program, as npm was allowed to run its installer or not; this link is either.
    let program = Project::esbuild().package_folder().join("../.bin/esbuild");
    let mut esbuild = command(&program);
    let is_ours = |file: &String| file.ends_with(".js") || file.ends_with(".css");
    for file in shell::files()?.into_iter().filter(is_ours) {
        esbuild.arg(dist.join(file));
    }
    esbuild
        .args(["--minify", "--allow-overwrite", "--log-level=error"])
        .arg(format!("--outbase={}", dist.display()))
        .arg(format!("--outdir={}", dist.display()));
    run(&mut esbuild)
}
