//! `cargo xtask`: set-up, build, serve, test. What a person runs and what CI runs is the same code.
//!
//! Each subcommand is one module; [`command`] runs other programs and [`setup`] installs what is missing.

mod audit;
mod bench;
mod checks;
mod command;
mod csp;
mod fuzz;
mod kernels;
mod layers;
mod minify;
mod npm;
mod server;
mod setup;
mod shell;
mod site;
mod size;
mod wasm_opt;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Set-up, build, serve and test ServImage.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand, Debug)]
enum Task {
    /// Build the page and serve it on this machine, installing what is missing.
    Serve {
        /// Port on 127.0.0.1; 0 takes a free one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Serve another model pack at /models/NAME/, NAME being the folder's name; may be repeated.
        #[arg(long, value_name = "DIR")]
        pack: Vec<PathBuf>,
        /// Serve what was built last.
        #[arg(long)]
        no_build: bool,
        /// Print a line for each request: method, length of its body, path.
        #[arg(long)]
        log: bool,
    },
    /// Install what tests need, then run every test: native crates, page, layers, real browser.
    Test,
    /// Everything that has to hold before a landing: format, clippy, documentation, tests, sizes.
    Ci,
    /// Check that every crate depends on lower rows of the architecture only.
    Layers,
    /// Hold licences, sources and versions of all dependencies against deny.toml.
    Audit,
    /// Build both bundles and hold their sizes against the budgets.
    WasmSize {
        /// Measure what was built last.
        #[arg(long)]
        no_build: bool,
    },
    /// Measure us and our peers side by side and write the tables of benches/README.md.
    Bench(bench::BenchOptions),
    /// Run every kernel in real Chromium against its CPU twin.
    Kernels {
        /// Time our linear layer there against burn's instead, and print a Markdown table. Builds burn once more.
        #[arg(long)]
        bench: bool,
    },
    /// Fuzz what reads bytes from strangers, guided by coverage; panics, hangs and hunger for memory are findings.
    Fuzz {
        /// One target; all where absent.
        target: Option<String>,
        /// Seconds for each.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Take the README's screenshot of the page with a verdict.
    Shots {
        /// Use what was built last.
        #[arg(long)]
        no_build: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Serve {
            port,
            pack,
            no_build,
            log,
        } => {
            build_page_unless(no_build, setup::for_building)?;
            server::serve(port, &pack, log)
        }
        Task::Test => checks::test(),
        Task::Ci => checks::ci(),
        Task::Layers => layers::check(),
        Task::Audit => audit::check(),
        Task::WasmSize { no_build } => {
            build_page_unless(no_build, setup::for_shrinking)?;
            size::check()
        }
        Task::Bench(options) => bench::run(&options),
        Task::Kernels { bench: false } => kernels::run_in_chromium(),
        Task::Kernels { bench: true } => kernels::bench_in_chromium(),
        Task::Fuzz { target, seconds } => fuzz::run_targets(target.as_deref(), seconds),
        Task::Shots { no_build } => {
            build_page_unless(no_build, setup::for_testing)?;
            bench::shots()
        }
    }
}

fn build_page_unless(no_build: bool, set_up: fn() -> Result<()>) -> Result<()> {
    if no_build {
        return Ok(());
    }
    set_up()?;
    site::build()
}
