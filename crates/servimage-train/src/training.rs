//! The commands that train.

use crate::commands::{device, run_tokenizer, vocab_size, world};
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use servimage_pack::dir::DirSource;
use servimage_pack::{Layout, Pack};
use servimage_train::about::{self, Evaluation, TrainingFacts};
use servimage_train::again::{folders, train_again};
use servimage_train::batch::Sampler;
use servimage_train::nano::{NanoConfig, prompt_builder};
use servimage_train::payment_head::HeadWork;
use servimage_train::run::{Run, StepReport};
use servimage_train::schedule::Schedule;
use servimage_train::source::{self, Part};
use servimage_train::weights::Weights;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Share of a run that goes on from a pack in which only what packs lack learns.
const ALONE_SHARE: f32 = 0.03;

/// Arguments of `train`.
#[derive(Args)]
pub struct TrainArgs {
    /// Folder of the run.
    #[arg(long)]
    run: PathBuf,
    /// Folder of a run from whose weights this one goes on, without its moments, or of a pack, with --past.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Evaluation of the pack of --from, which says how it was trained: what that training alone had is learned anew first.
    #[arg(long, requires = "from")]
    past: Option<PathBuf>,
    /// File of `export --training-heads` of the run behind the pack of --from: those heads are not learned anew then.
    #[arg(long, requires = "past")]
    training_heads: Option<PathBuf>,
    /// Steps in all.
    #[arg(long, default_value_t = 60_000)]
    steps: u64,
    /// Minutes in all; the run ends when its steps or its minutes are up.
    #[arg(long, default_value = "110")]
    minutes: Option<f32>,
    /// Stop after this step; the run can go on later.
    #[arg(long)]
    until: Option<u64>,
    /// Pairs of examples in a part of a step.
    #[arg(long, default_value_t = 6)]
    pairs: usize,
    /// Parts of a step, each worked out on a thread of its own; 1 on a GPU. By default as many as there are cores.
    #[arg(long)]
    parts: Option<usize>,
    /// Highest learning rate.
    #[arg(long, default_value_t = 2.2e-3)]
    rate: f32,
    /// Share of the run in which only the vision tower learns.
    #[arg(long, default_value_t = 0.35)]
    vision_share: f32,
    /// Share of the run on small windows.
    #[arg(long, default_value_t = 0.55)]
    small_share: f32,
    /// Layout that the network runs in towards the end, so that a pack of that layout loses nothing; f32: plain weights throughout.
    #[arg(long, default_value = "q4")]
    quant: Layout,
    /// Share of the run at the end that runs on rounded weights.
    #[arg(long, default_value_t = 0.0)]
    quant_share: f32,
    /// Examples on which the payment head learns by itself when the steps are done; with --steps 0, nothing else learns.
    #[arg(long, default_value_t = 0)]
    head_examples: usize,
    /// Layers of the vision tower, at least 2; by default as many as what it goes on from has, or 5. New ones begin as ones that change nothing.
    #[arg(long)]
    vision_layers: Option<usize>,
    /// Seed of weights and data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this many batches, over and over, to see whether the network can learn at all.
    #[arg(long)]
    distinct: Option<u64>,
    /// Give each example the truth of one of another pair, to see what figures fall to by chance.
    #[arg(long)]
    shuffle_labels: bool,
    #[command(flatten)]
    on: OnArgs,
}

/// Arguments of `retrain`.
#[derive(Args)]
pub struct RetrainArgs {
    /// Evaluation of the pack that is to be made again: it says how that was trained.
    #[arg(long, default_value = "crates/servimage-train/evaluations/nano.json")]
    past: PathBuf,
    /// Folder for the runs, one in each of its folders 1, 2 and so on.
    #[arg(long)]
    runs: PathBuf,
    #[command(flatten)]
    on: OnArgs,
}

/// What training reads and where it runs.
#[derive(Args)]
struct OnArgs {
    /// Folder of `pack-pictures` in place of the benchmark.
    #[arg(long)]
    data: Option<PathBuf>,
    /// `cpu` or `gpu`: the same code runs on both.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Threads that make batches; by default one less than there are cores.
    #[arg(long)]
    threads: Option<usize>,
}

impl OnArgs {
    fn sampler(&self, tokenizer: &str, schedule: &Schedule) -> anyhow::Result<Sampler> {
        let clock = Instant::now();
        let data = self.data.clone().unwrap_or_else(source::bench_dir);
        let sampler = Sampler {
            world: world(&data, Part::Train)?,
            prompts: prompt_builder(tokenizer)?,
            seed: schedule.seed,
            shuffle_labels: schedule.shuffle_labels,
        };
        eprintln!(
            "{:.1} s: {} pictures, {} real briefs",
            clock.elapsed().as_secs_f32(),
            sampler.world.pictures.len(),
            sampler.world.real_briefs.len()
        );
        Ok(sampler)
    }

    /// Threads that make batches of runs of which some have steps of `n_parts`.
    fn n_threads(&self, n_parts: usize) -> usize {
        if n_parts > 1 {
            // Each part has a thread of its own; more would only wait for each other. It fails where a pool runs already.
            let _ = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build_global();
        }
        self.threads.unwrap_or(n_cores().saturating_sub(1).max(1))
    }
}

fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Trains.
pub fn train(args: &TrainArgs) -> anyhow::Result<()> {
    let clock = Instant::now();
    anyhow::ensure!(
        !args.shuffle_labels || args.pairs > 1,
        "--shuffle-labels takes the truths of other pairs: expected --pairs of at least 2, found {}",
        args.pairs
    );
    if let Some(pack) = (args.from.as_ref()).filter(|from| from.join("manifest.json").exists()) {
        anyhow::ensure!(
            args.past.is_some(),
            "{}: this is a pack, expected the folder of a run; name the pack's evaluation with --past",
            pack.display()
        );
    }
    let training_heads = args.training_heads.as_deref().map(Weights::read);
    let training_heads = training_heads.transpose()?;
    let tokenizer = run_tokenizer(&args.run)?;
    let config = NanoConfig::starting(vocab_size(&tokenizer)?);
    let pack = match (&args.from, &args.past) {
        (Some(pack), Some(_)) => Some(pollster::block_on(Pack::open(DirSource::new(pack)))?),
        _ => None,
    };
    let vision_layers = match (args.vision_layers, &pack, &args.from) {
        (Some(n_layers), _, _) => n_layers,
        (None, Some(pack), _) => pack.manifest().vision.n_layers,
        (None, None, Some(run)) => TrainingFacts::read(run)?.schedule.vision_layers,
        (None, None, None) => config.vision.n_layers,
    };
    anyhow::ensure!(
        vision_layers > 1,
        "--vision-layers: expected at least 2, found {vision_layers}"
    );
    let default_parts = if args.on.device == "cpu" {
        n_cores()
    } else {
        1
    };
    let schedule = Schedule {
        n_steps: args.steps,
        minutes: args.minutes,
        n_pairs: args.pairs,
        n_parts: args.parts.unwrap_or(default_parts),
        peak_rate: args.rate,
        vision_share: args.vision_share,
        small_share: args.small_share,
        quant: args.quant,
        quant_share: args.quant_share,
        seed: args.seed,
        distinct: args.distinct,
        shuffle_labels: args.shuffle_labels,
        goes_on: args.from.is_some(),
        alone_share: match (&args.past, &args.training_heads) {
            (Some(_), None) => ALONE_SHARE,
            _ => 0.0,
        },
        head_examples: args.head_examples,
        vision_layers,
    };
    let sampler = args.on.sampler(&tokenizer, &schedule)?;
    let n_threads = args.on.n_threads(schedule.n_parts);
    let mut run = Run::open(&args.run, schedule, config, &device(&args.on.device)?)?;
    match (&pack, &args.past, &args.from) {
        (Some(pack), Some(past), _) => {
            run.go_on_from_pack(pack, &about::read_json(past)?, training_heads)?;
        }
        (None, _, Some(other)) => run.go_on_from(other)?,
        _ => {}
    }
    let progress = Progress::new(clock)?;
    progress.begin(args.steps, run.step());
    let until = args.until.unwrap_or(args.steps);
    run.train(&sampler, until, n_threads, clock, |step, report| {
        progress.tell("", step, report);
    })?;
    eprintln!(
        "{} parameters, {} steps",
        run.weights.n_parameters(),
        run.step()
    );
    Ok(())
}

/// Trains again as a pack was.
pub fn retrain(args: &RetrainArgs) -> anyhow::Result<()> {
    let clock = Instant::now();
    let evaluation: Evaluation = about::read_json(&args.past)?;
    let past = (evaluation.past()).with_context(|| args.past.display().to_string())?;
    let folders = folders(past, &args.runs);
    let tokenizers: anyhow::Result<Vec<String>> =
        folders.iter().map(|folder| run_tokenizer(folder)).collect();
    let tokenizers = tokenizers?;
    let config = NanoConfig::starting(vocab_size(&tokenizers[0])?);
    let n_parts = past.chain().iter().map(|run| run.schedule.n_parts).max();
    let mut sampler = args.on.sampler(&tokenizers[0], &past.schedule)?;
    let n_threads = args.on.n_threads(n_parts.unwrap_or(1));
    let device = device(&args.on.device)?;
    let progress = Progress::new(clock)?;
    let n_runs = folders.len();
    let mut current = 0;
    train_again(
        past,
        &args.runs,
        &config,
        &mut sampler,
        &device,
        n_threads,
        |number, step, report| {
            if number != current {
                current = number;
                progress.begin(past.chain()[number - 1].schedule.n_steps, step);
            }
            progress.tell(&format!("run {number} of {n_runs}, "), step, report);
        },
    )?;
    let last: &Path = folders.last().expect("every past has a run");
    eprintln!("{} holds the last run", last.display());
    Ok(())
}

/// A bar on a terminal, else lines.
struct Progress {
    bar: ProgressBar,
    clock: Instant,
}

impl Progress {
    fn new(clock: Instant) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
            "{bar:30} {pos}/{len} {per_sec} {eta} {msg}",
        )?);
        Ok(Self { bar, clock })
    }

    /// Of a run that goes on at `step`.
    fn begin(&self, n_steps: u64, step: u64) {
        self.bar.set_length(n_steps);
        self.bar.set_position(step);
    }

    fn tell(&self, run: &str, step: u64, report: StepReport) {
        if let Some(work) = report.payment_head {
            return self.tell_of_payment_head(run, work);
        }
        self.bar.set_position(step);
        let [guess, asked, met, brf, concept, pay, order] = report.parts;
        let line = format!(
            "{:.1} % guess {guess:.3} asked {asked:.3} met {met:.3} brf {brf:.3} concept {concept:.3} pay {pay:.3} order {order:.3}",
            100.0 * report.done
        );
        if self.bar.is_hidden() && step.is_multiple_of(10) {
            eprintln!(
                "{:.0} s, {run}step {step}: {line}",
                self.clock.elapsed().as_secs_f32()
            );
        }
        self.bar.set_message(format!("{run}{line}"));
    }

    fn tell_of_payment_head(&self, run: &str, work: HeadWork) {
        let (verb, share) = match work {
            HeadWork::Showing(share) => ("is shown what it learns from", share),
            HeadWork::Learning(share) => ("learns", share),
        };
        let line = format!("{run}the payment head {verb}: {:.0} %", 100.0 * share);
        if self.bar.is_hidden() && self.bar.message() != line {
            eprintln!("{:.0} s, {line}", self.clock.elapsed().as_secs_f32());
        }
        self.bar.set_message(line);
    }
}
