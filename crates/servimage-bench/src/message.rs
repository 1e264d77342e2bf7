//! Messages between the page and the worker.
//!
//! Each message is one JavaScript object made by `serde-wasm-bindgen` from these types. Images travel
//! beside it as `File`s (structured clone, no copy of the pixels): the worker reads the property
//! `files` of the posted object, an object `{image, input, others, references}`.

use crate::preflight::Preflight;
use crate::verdict::{ErrorInfo, Verdict};
use serde::{Deserialize, Serialize};

/// Which device the visitor wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DevicePreference {
    /// WebGPU where it works, else the CPU.
    #[default]
    Auto,
    /// WebGPU or an error.
    Gpu,
    /// WebGPU with f16 activations, or an error.
    GpuF16,
    /// The CPU backend.
    Cpu,
}

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Load a pack, replacing any loaded one. Those of a folder on the visitor's disk come along in the posted object's `files`,
    /// as `pack`: a list of `[path, File]`.
    Load(Load),
    /// Say which packs are kept on this device: answered with [`Response::Packs`], even while a pack is loading.
    ListPacks,
    /// Delete what is kept on this device: answered like the list. The loaded pack works on.
    DeletePacks {
        /// Folder of the one pack; every pack where absent.
        pack_url: Option<String>,
    },
    /// Score one image; the bytes are in the posted object's `files`.
    Score(ScoreJob),
    /// Read a deliverable's brief while nothing else is to do: its first image then costs what a later one costs.
    /// A later one of these takes the place of one that has not begun.
    Prepare(Preparation),
    /// Forget a job that waits; a job under way ends at the next stage.
    Cancel {
        /// The job.
        job_id: u32,
    },
}

/// A pack to load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Folder that holds `manifest.json`: a URL ending in `/`.
    pub pack_url: String,
    /// Device to run on.
    pub device: DevicePreference,
    /// Images that go through the network together at most; what pays on the device where absent.
    pub max_batch: Option<usize>,
    /// Whether the visitor wants it whatever [`Preflight::doubts`] says.
    #[serde(default)]
    pub insists: bool,
}

/// One image to score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreJob {
    /// Chosen by the page, echoed in every answer.
    pub job_id: u32,
    /// The task as JSON text in the benchmark's published form.
    pub task_json: String,
    /// 1-based deliverable.
    pub deliverable: u32,
    /// File name to show.
    pub image_name: String,
    /// Decision threshold on P(pay), 0..=1; the pack's own where absent.
    pub threshold: Option<f64>,
    /// Whether the visitor wants it opened although it is over the limits.
    #[serde(default)]
    pub insists: bool,
}

/// A deliverable whose images are expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// The task as JSON text in the benchmark's published form.
    pub task_json: String,
    /// 1-based deliverable.
    pub deliverable: u32,
    /// What will come beside each image.
    pub beside: Beside,
}

/// Pictures that come beside an image: a prompt names them before it shows any, so the text before the first depends on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Whether the task's input image comes.
    pub input: bool,
    /// Number of other deliverables.
    pub n_others: usize,
    /// Number of reference images.
    pub n_references: usize,
}

/// Phase of loading, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadPhase {
    /// Opening the device.
    Device,
    /// Bringing a large pack onto the visitor's device: counted in bytes.
    Download,
    /// Reading, hashing and uploading shards: counted in bytes.
    Weights,
    /// First pass: kernels are compiled.
    Compile,
    /// The pack's vectors against this device.
    SelfTest,
}

/// Phase of one job, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobPhase {
    /// Waiting for its turn or for the model.
    Waiting,
    /// Bytes to pixels to patches.
    Decoding,
    /// The network runs.
    Scoring,
}

/// A pack of which files are kept on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPack {
    /// Folder that it came from.
    pub pack_url: String,
    /// Name, such as `qwen3-vl-2b`.
    pub name: String,
    /// Layout of the linear weights.
    pub quant: String,
    /// Bytes of all its files.
    pub size_bytes: u64,
    /// Bytes of them that are here; files that it shares with another pack count for both.
    pub here_bytes: u64,
}

/// What is kept on this device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// The packs, by their URLs.
    pub packs: Vec<KeptPack>,
    /// Bytes of everything together, each shared file once.
    pub used_bytes: u64,
    /// Bytes that the browser would still keep, where it says so.
    pub free_bytes: Option<u64>,
    /// Why not all that was to be deleted is gone.
    pub error: Option<String>,
}

/// Where a loaded pack is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// In a folder on the visitor's disk, which the page may read until it is left.
    InFolder,
    /// Nowhere of ours: it is small, and the browser's cache has it.
    Small,
    /// In the browser's private file system: the next visit needs no network for it.
    OnDevice,
    /// Nowhere: the next visit downloads it anew.
    InMemory {
        /// Bytes of the pack.
        needed_bytes: u64,
        /// Bytes that the browser would still keep, where it says so.
        free_bytes: Option<u64>,
        /// Why.
        reason: String,
    },
}

/// One row of the self-test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTestRow {
    /// Name of the tensor, such as `stage1.hidden_states`.
    pub tensor: String,
    /// Largest absolute difference over the largest absolute expected value.
    pub max_relative_error: f64,
    /// Largest absolute difference.
    pub max_abs_error: f64,
}

/// Result of the self-test on this device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTestReport {
    /// Whether every row lies within `tolerance`.
    pub passed: bool,
    /// Bound on `max_relative_error`.
    pub tolerance: f64,
    /// One row a tensor; empty where the pack carries no vectors.
    pub rows: Vec<SelfTestRow>,
}

impl SelfTestReport {
    /// Outcome, worst relative difference and bound in a few words; empty without rows.
    pub fn words(&self) -> String {
        let errors = self.rows.iter().map(|row| row.max_relative_error);
        let Some(worst) = errors.reduce(f64::max) else {
            return String::new();
        };
        let outcome = if self.passed { "passed" } else { "failed" };
        format!("{outcome}: {worst:.1e} of {:.0e} allowed", self.tolerance)
    }
}

/// Examples with a like probability, and how many of them were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean predicted probability, 0..=1.
    pub predicted: f64,
    /// Share of accepted, 0..=1.
    pub observed: f64,
    /// Examples in the bin.
    pub n: u64,
}

/// What the page needs to know of a loaded pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadedPack {
    /// Name, such as `nano`.
    pub name: String,
    /// One sentence on what the numbers are worth, from the manifest.
    pub labels: String,
    /// SHA-256 of the manifest.
    pub pack_sha256: String,
    /// Layout of the linear weights.
    pub quant: String,
    /// Device that runs it, for people.
    pub device: String,
    /// Whether that device is a GPU through WebGPU.
    pub is_gpu: bool,
    /// Why the CPU was taken where WebGPU was asked for or tried.
    pub cpu_reason: Option<String>,
    /// Its model card, Markdown, where it carries one.
    #[serde(default)]
    pub card: Option<String>,
    /// Decision threshold of the pack.
    pub threshold: f64,
    /// How its P(pay) came out on examples that the calibration did not see; empty where nobody measured.
    #[serde(default)]
    pub reliability: Vec<ReliabilityBin>,
    /// Size of the pack in bytes.
    pub size_bytes: u64,
    /// Where it is kept.
    pub kept: Kept,
    /// Number of parameters.
    pub n_parameters: u64,
    /// The self-test on this device.
    pub self_test: SelfTestReport,
    /// Milliseconds from the request to ready.
    pub load_millis: f64,
    /// Bytes that the worker's memory has grown to so far. WebAssembly memory never shrinks, so no moment needed more.
    pub heap_bytes: u64,
}

/// From the worker to the page: `{"job_done": {..}}`, and a plain word where there is nothing to say with it. A `kind` among
/// the fields would have to be looked for first, in a copy of everything: 95 KB of the page.
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::large_enum_variant,
        reason = "one message at a time, and only where a pack is ready is it large"
    )
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// The worker has started and takes requests.
    Started,
    /// Loading goes on.
    LoadProgress {
        /// Where it is.
        phase: LoadPhase,
        /// Bytes done of `total_bytes` (0 of 0 in phases without a size).
        done_bytes: u64,
        /// All bytes of the pack's shards.
        total_bytes: u64,
    },
    /// What a large pack asks of this device, before any of it is downloaded. Where there are doubts and the visitor does not
    /// insist, loading ends here.
    Preflight {
        /// What was found.
        report: Preflight,
    },
    /// The pack is ready to score.
    Ready {
        /// What was loaded, and where.
        pack: LoadedPack,
    },
    /// The pack could not be loaded; nothing will be scored until another [`Request::Load`].
    LoadFailed {
        /// Why.
        error: ErrorInfo,
    },
    /// What [`Request::Prepare`] asked for is done.
    Prepared {
        /// The task.
        task_id: String,
        /// 1-based deliverable.
        deliverable: u32,
    },
    /// A job entered a phase.
    JobPhase {
        /// The job.
        job_id: u32,
        /// Where it is.
        phase: JobPhase,
    },
    /// A job is done.
    JobDone {
        /// The job.
        job_id: u32,
        /// What came out.
        verdict: Box<Verdict>,
        /// Milliseconds of work for this image, without waiting; its share where several went through the network together.
        work_millis: f64,
    },
    /// A job failed alone.
    JobFailed {
        /// The job.
        job_id: u32,
        /// Why.
        error: ErrorInfo,
    },
    /// What is kept on this device.
    Packs {
        /// All of it.
        shelf: Shelf,
    },
    /// The worker cannot go on: it panicked, as it does where WebGPU reports an error that nothing waited for. Its last message.
    Broken {
        /// What the panic says.
        message: String,
    },
}
