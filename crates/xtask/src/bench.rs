//! `cargo xtask bench`: everything that is measured, side by side, with its tables in `benches/README.md`.
//!
//! Raw figures go to `target/bench/results`, so that tables can be written anew without measuring. A part that fails costs its own
//! tables, which then say why, and the exit code. Peers take turns with us, so that a machine that slows down slows both.

mod evaluator;
mod figures;
mod machine;
mod parts;
mod peers;
mod rounds;
mod spread;
mod table;
mod tools;
mod watched;

use crate::checks::node;
use crate::{setup, site, workspace};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use rounds::Effort;
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tools::Tools;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Converting a checkpoint of the 2B's shapes
    Convert,
    /// Our linear layers against burn's
    Linear,
    /// Layers of nano forwards and backwards, against burn's own gradients
    Gradients,
    /// Nano and golden networks natively, against PyTorch
    Native,
    /// Cost against length, images and width
    Cost,
    /// The prefix cache on nano and at the 2B's proportions
    Prefix,
    /// 2B and 4B shapes on a discrete GPU, where there is one
    Gpu,
    /// Nano in Chromium, against onnxruntime-web and transformers.js
    Browser,
    /// The real page as a visitor meets it
    Page,
    /// A folder of 200 images through the page, to its report
    Folder,
    /// Memory over a thousand images in one tab
    Soak,
    /// Nano and a 2B in a tab on a GPU, where there is one
    Tab,
    /// Whether all devices say the same of 50 held-out pictures
    Agreement,
}

/// What to measure, and how.
#[derive(Args, Debug)]
pub struct BenchOptions {
    /// Parts to measure; all of them by default
    parts: Vec<Part>,
    /// Measure the page that was built last
    #[arg(long)]
    no_build: bool,
    /// Write the tables of what was measured before, and measure nothing
    #[arg(long)]
    tables: bool,
    /// A few rounds on small networks, to see that everything runs; the README stays as it is
    #[arg(long)]
    quick: bool,
    /// Part gpu: run even where wgpu finds no GPU, on a small network
    #[arg(long)]
    force: bool,
    /// Part gpu: what the card's data sheet promises for the type that it computes in
    #[arg(long, value_name = "TFLOP/S")]
    peak_tflops: Option<f64>,
    /// Take `forward`, `gradients`, `linear`, `servimage` and `made-up-checkpoint` from this folder instead of building them: for a machine
    /// without a compiler
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

/// What the parts share; what is slow to make is made once.
pub struct Context {
    quick: bool,
    force: bool,
    no_build: bool,
    peak_tflops: Option<f64>,
    programs: Option<PathBuf>,
    tools: OnceCell<Result<Tools, String>>,
    python: OnceCell<Result<PathBuf, String>>,
    page: OnceCell<Result<(), String>>,
    adapter: OnceCell<Value>,
}

/// The value of a cell, or the reason that it has none, again and again.
fn once<T: Clone>(
    cell: &OnceCell<Result<T, String>>,
    make: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let made = cell.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    made.clone().map_err(|error| anyhow!(error))
}

impl Context {
    fn new(options: &BenchOptions) -> Self {
        Self {
            quick: options.quick,
            force: options.force,
            no_build: options.no_build,
            peak_tflops: options.peak_tflops,
            programs: options.programs.clone(),
            tools: OnceCell::new(),
            python: OnceCell::new(),
            page: OnceCell::new(),
            adapter: OnceCell::new(),
        }
    }

    /// Our programs, built.
    fn tools(&self) -> Result<Tools> {
        once(&self.tools, || match &self.programs {
            Some(folder) => Tools::built(folder),
            None => Tools::build(),
        })
    }

    /// Python with PyTorch.
    fn python(&self) -> Result<PathBuf> {
        once(&self.python, peers::python)
    }

    /// The page in `dist/`, and a browser to open it.
    fn page(&self) -> Result<()> {
        once(&self.page, || {
            setup::for_testing()?;
            if self.no_build { Ok(()) } else { site::build() }
        })
    }

    /// What wgpu runs on, or why it does not.
    fn adapter(&self) -> Value {
        let ask = || -> Result<Value> {
            let mut forward = self.tools()?.forward(&["adapter"]);
            let said = watched::watch(&mut forward, Duration::from_secs(60))?.output;
            Ok(serde_json::from_str(&said)?)
        };
        let adapter = self
            .adapter
            .get_or_init(|| ask().unwrap_or_else(|error| json!({"error": format!("{error:#}")})));
        adapter.clone()
    }

    /// Whether that is a GPU, and no processor that plays one.
    fn has_gpu(&self) -> bool {
        matches!(
            self.adapter()["kind"].as_str(),
            Some("DiscreteGpu" | "IntegratedGpu" | "VirtualGpu")
        )
    }

    fn n_cores(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// `rounds` in at most `seconds`; less for a quick look.
    fn effort(&self, rounds: usize, seconds: u64) -> Effort {
        let (rounds, seconds) = if self.quick {
            (3, 1)
        } else {
            (rounds, seconds)
        };
        Effort {
            rounds,
            time: Duration::from_secs(seconds),
        }
    }
}

impl Part {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn measure(self, context: &Context) -> Result<Value> {
        match self {
            Self::Convert => parts::convert::measure(context),
            Self::Linear => parts::linear::measure(context),
            Self::Gradients => parts::gradients::measure(context),
            Self::Native => parts::native::measure(context),
            Self::Cost => parts::cost::measure(context),
            Self::Prefix => parts::prefix::measure(context),
            Self::Gpu => parts::gpu::measure(context),
            Self::Browser => parts::browser::measure(context),
            Self::Page => parts::page::measure(context),
            Self::Folder => parts::folder::measure(context),
            Self::Soak => parts::soak::measure(context),
            Self::Tab => parts::tab::measure(context),
            Self::Agreement => parts::agreement::measure(context),
        }
    }

    /// The tables, and under them where they come from.
    fn render(self, result: &Value) -> String {
        let data = &result["data"];
        let tables = match (result["error"].as_str(), self) {
            (Some(error), _) => format!("**Failed**: {error}\n"),
            (_, Self::Convert) => parts::convert::render(data),
            (_, Self::Linear) => parts::linear::render(data),
            (_, Self::Gradients) => parts::gradients::render(data),
            (_, Self::Native) => parts::native::render(data),
            (_, Self::Cost) => parts::cost::render(data),
            (_, Self::Prefix) => parts::prefix::render(data),
            (_, Self::Gpu) => parts::gpu::render(data),
            (_, Self::Browser) => parts::browser::render(data),
            (_, Self::Page | Self::Folder | Self::Soak | Self::Tab) => parts::page::render(data),
            (_, Self::Agreement) => parts::agreement::render(data),
        };
        let seconds = result["seconds"].as_f64().unwrap_or(f64::NAN);
        let source = machine::sentence(&result["machine"]);
        format!(
            "`cargo xtask bench {}` ({seconds:.0} s), {source}.\n\n{tables}",
            self.name()
        )
    }

    fn result_file(self) -> Result<PathBuf> {
        Ok(tools::folder("results")?.join(format!("{}.json", self.name())))
    }
}

/// Measures the parts, one after the other, and writes their tables.
///
/// # Errors
/// Names the parts that failed; the others have been measured and written all the same.
pub fn run(options: &BenchOptions) -> Result<()> {
    let context = Context::new(options);
    let all = Part::value_variants();
    let parts = if options.parts.is_empty() {
        all
    } else {
        &options.parts
    };
    let mut failed = Vec::new();
    for &part in parts {
        if !options.tables {
            eprintln!("\nxtask: bench {}", part.name());
            let result = measure(&context, part);
            if let Some(error) = result["error"].as_str() {
                eprintln!("xtask: bench {} failed: {error}", part.name());
                failed.push(part.name());
            }
            fs::write(part.result_file()?, serde_json::to_vec_pretty(&result)?)?;
        }
        write_tables(part, options)?;
    }
    if !failed.is_empty() {
        bail!(
            "these parts failed, their tables say why: {}",
            failed.join(", ")
        );
    }
    Ok(())
}

fn measure(context: &Context, part: Part) -> Value {
    let start = Instant::now();
    let measured = part.measure(context);
    let mut result = json!({
        "part": part.name(),
        "machine": machine::facts(),
        "seconds": start.elapsed().as_secs_f64(),
        "quick": context.quick,
    });
    match measured {
        Ok(data) => result["data"] = data,
        Err(error) => result["error"] = format!("{error:#}").into(),
    }
    result
}

/// Prints a part's tables and puts them between its marks in `benches/README.md`.
fn write_tables(part: Part, options: &BenchOptions) -> Result<()> {
    let Ok(text) = fs::read(part.result_file()?) else {
        eprintln!("xtask: {} was not measured yet", part.name());
        return Ok(());
    };
    let result: Value = serde_json::from_slice(&text)?;
    let tables = part.render(&result);
    println!("\n## {}\n\n{tables}", part.name());
    if options.quick || result["quick"] == true {
        eprintln!("xtask: a quick look; benches/README.md stays as it is");
        return Ok(());
    }
    let path = workspace::root().join("benches/README.md");
    let readme =
        fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
    fs::write(&path, table::replace_part(&readme, &part.name(), &tables)?)?;
    Ok(())
}

/// The end-to-end tests, one after the other: two cores hold one software GPU.
pub fn end_to_end() -> Result<()> {
    node(&["--test", "--test-concurrency=1", "--test-reporter=spec"])
}

/// The README's screenshot.
pub fn shots() -> Result<()> {
    setup::for_testing()?;
    node(&["shots.mjs"])
}
