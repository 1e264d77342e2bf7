//! `servimage convert`.

use super::{Outcome, layouts, print_json};
use crate::convert::{ConvertOptions, ConvertReport, convert};
use crate::self_test::add_computed;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use servimage_pack::Layout;
use servimage_pack::dir::DirSource;
use std::path::{Path, PathBuf};

/// Arguments of `convert`.
#[derive(Args)]
pub struct ConvertArguments {
    /// Base folder: config.json, preprocessor_config.json, tokenizer.json, model.safetensors or shards with an index
    #[arg(long, value_name = "DIR")]
    base: PathBuf,
    /// Stage-1 folder (concepts): LoRA folders and quality_decoder; merged into the base
    #[arg(long, value_name = "DIR")]
    stage1: Option<PathBuf>,
    /// Stage-2 folder (payment): LoRA folders and stage2_decoder; kept beside the base
    #[arg(long, value_name = "DIR")]
    stage2: Option<PathBuf>,
    /// JSON file with the prompt template that the checkpoint was trained with
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Layout of the linear weights
    #[arg(long, default_value = "f32", value_parser = layouts())]
    quant: Layout,
    /// Folder to write; it must not hold a pack yet
    #[arg(long, value_name = "PACK")]
    out: PathBuf,
    /// Short name of the pack; the base folder's where absent
    #[arg(long)]
    name: Option<String>,
    /// One sentence on what the labels behind the numbers are
    #[arg(long, value_name = "TEXT")]
    labels: Option<String>,
    /// Licence of the weights
    #[arg(long, value_name = "SPDX")]
    licence: Option<String>,
    /// Markdown file that becomes the pack's model card
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Golden folder whose reference outputs become the pack's self-test
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    golden: Option<PathBuf>,
    /// Bound on the self-test's relative error
    #[arg(
        long,
        value_name = "RATIO",
        default_value_t = 1e-3,
        hide_short_help = true
    )]
    self_test_tolerance: f64,
    /// Compute self-test vectors on the CPU where no golden gives them; auto: up to 64 million parameters
    #[arg(long, value_enum, default_value = "auto")]
    self_test: SelfTestArgument,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// When self-test vectors are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SelfTestArgument {
    /// For networks of up to 64 million parameters: the CPU holds them as f32
    Auto,
    /// Always
    On,
    /// Never
    Off,
}

/// Largest network whose self-test is computed unasked.
const AUTO_SELF_TEST_PARAMETERS: u64 = 64 << 20;

impl ConvertArguments {
    fn options(&self) -> ConvertOptions {
        ConvertOptions {
            stage1: self.stage1.clone(),
            stage2: self.stage2.clone(),
            prompt: self.prompt.clone(),
            quant: self.quant,
            name: self.name.clone(),
            labels: self.labels.clone(),
            licence: self.licence.clone(),
            card: self.card.clone(),
            golden: self.golden.clone(),
            self_test_tolerance: self.self_test_tolerance,
            ..ConvertOptions::new(&self.base)
        }
    }

    /// Whether self-test vectors are to be computed for a network of so many parameters.
    fn computes_self_test(&self, n_parameters: u64) -> bool {
        let is_wanted = match self.self_test {
            SelfTestArgument::Auto => n_parameters <= AUTO_SELF_TEST_PARAMETERS,
            SelfTestArgument::On => true,
            SelfTestArgument::Off => false,
        };
        is_wanted && self.golden.is_none()
    }
}

/// Runs `convert`.
pub(super) fn run(arguments: ConvertArguments) -> anyhow::Result<Outcome> {
    let out = &arguments.out;
    if out.join(servimage_pack::MANIFEST_FILE).exists() {
        bail!(
            "`{}` holds a pack already; name another folder or remove it",
            out.display()
        );
    }
    let bar = progress_bar();
    let mut report = convert(&arguments.options(), DirSource::new(out), |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.tensor.to_owned());
    })
    .with_context(|| format!("`{}` was not converted", arguments.base.display()))?;
    bar.finish_and_clear();
    if arguments.computes_self_test(report.n_parameters) {
        let added = add_computed(out, arguments.self_test_tolerance);
        if added.is_err() {
            // What does not run on the CPU is no pack.
            std::fs::remove_file(out.join(servimage_pack::MANIFEST_FILE))?;
        }
        report.update(&added?);
    }
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    if arguments.json {
        print_json(&report)?;
    } else {
        print_report(&report, out);
    }
    Ok(Outcome::Done)
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template(
        "{bar:30} {percent:>3}% of {human_len} values, {eta} left  {wide_msg}",
    );
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn print_report(report: &ConvertReport, out: &Path) {
    println!(
        "{}: pack `{}`, {} parameters as {}, {} tensors in {} shards, {:.1} MB",
        out.display(),
        report.name,
        report.n_parameters,
        report.quant,
        report.n_tensors,
        report.n_shards,
        report.size_bytes as f64 / 1e6
    );
    println!(
        "stage 1 merged into {} weights, stage 2 kept beside {}",
        report.n_merged, report.n_adapted
    );
    println!("sha256 {}", report.pack_sha256);
}
