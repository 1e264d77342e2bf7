//! Images of one deliverable, from their files to their verdicts. Each has its own progress and its own end.

use crate::drawing::{NotDrawn, drawn_png};
use crate::inbox::Inbox;
use crate::packs::KeptSource;
use crate::platform::{Files, bytes_of, now_millis, post, sleep};
use servimage_bench::message::{JobPhase, Response, ScoreJob};
use servimage_bench::task::Task;
use servimage_bench::verdict::{ErrorInfo, Verdict};
use servimage_engine::{Between, Engine, ReadyImage, ScoreRequest};
use servimage_image::{Limits, browser_format};
use std::cell::Cell;
use web_sys::Blob;

/// An engine at work on some images.
pub(crate) struct Scoring<'a> {
    /// The loaded engine.
    pub engine: &'a Engine<KeptSource>,
    /// Knows which jobs the page takes back.
    pub inbox: &'a Inbox,
    /// Whether an image takes so long that the end of each layer is waited for.
    pub is_slow: bool,
}

/// Milliseconds of work after which the page's messages are heard.
const BREATH_MILLIS: f64 = 200.0;

/// Between two layers: hears what the page takes back.
struct Breath<'a> {
    inbox: &'a Inbox,
    jobs: Vec<u32>,
    last: Cell<f64>,
    is_slow: bool,
}

impl Between for Breath<'_> {
    fn waits(&self) -> bool {
        self.is_slow
    }

    async fn goes_on(&self) -> bool {
        if now_millis() - self.last.get() < BREATH_MILLIS {
            return true;
        }
        sleep(0).await;
        self.last.set(now_millis());
        !self.jobs.iter().all(|job| self.inbox.is_cancelled(*job))
    }
}

/// An image on its way to the network.
struct Read {
    job_id: u32,
    image: ReadyImage,
    /// Milliseconds that it took to read.
    millis: f64,
}

/// The files of a job in memory.
struct Bytes {
    image: Vec<u8>,
    /// Format of the image's file where the browser has drawn it.
    browser_format: Option<String>,
    input: Option<Vec<u8>>,
    others: Vec<Vec<u8>>,
    references: Vec<Vec<u8>>,
}

impl Scoring<'_> {
    /// Scores all of them; they ask for one deliverable of one task.
    pub async fn run(&self, jobs: &[(ScoreJob, Files)]) {
        let Some((first, _)) = jobs.first() else {
            return;
        };
        match task_of(&first.task_json) {
            Ok(task) => self.score(&task, jobs).await,
            Err(error) => {
                for (job, _) in jobs {
                    self.end(job.job_id, Err(error.clone()));
                }
            }
        }
    }

    async fn score(&self, task: &Task, jobs: &[(ScoreJob, Files)]) {
        let mut read = Vec::with_capacity(jobs.len());
        for (job, files) in jobs {
            if self.is_taken_back(job.job_id) {
                continue;
            }
            let started_at = now_millis();
            match self.read(task, job, files).await {
                Ok(image) => read.push(Read {
                    job_id: job.job_id,
                    image,
                    millis: now_millis() - started_at,
                }),
                Err(error) => self.end(job.job_id, Err(error)),
            }
        }
        read.retain(|read| !self.is_taken_back(read.job_id));
        for Read { job_id, .. } in &read {
            phase(*job_id, JobPhase::Scoring);
        }
        let started_at = now_millis();
        let (jobs, images): (Vec<_>, Vec<_>) = read
            .into_iter()
            .map(|read| ((read.job_id, read.millis), read.image))
            .unzip();
        let breath = Breath {
            inbox: self.inbox,
            jobs: jobs.iter().map(|(job_id, _)| *job_id).collect(),
            last: Cell::new(started_at),
            is_slow: self.is_slow,
        };
        let verdicts = self.engine.judge_between(&images, &breath).await;
        let share = (now_millis() - started_at) / jobs.len().max(1) as f64;
        for ((job_id, millis), verdict) in jobs.into_iter().zip(verdicts) {
            let verdict = verdict.map_err(|error| error.info());
            self.end(job_id, verdict.map(|verdict| (verdict, millis + share)));
        }
    }

    async fn read(
        &self,
        task: &Task,
        job: &ScoreJob,
        files: &Files,
    ) -> Result<ReadyImage, ErrorInfo> {
        phase(job.job_id, JobPhase::Decoding);
        let limits = if job.insists {
            Limits::insisted()
        } else {
            Limits::default()
        };
        let bytes = Bytes::of(&job.image_name, files, &limits).await?;
        let request = ScoreRequest {
            input: bytes.input.as_deref(),
            others: &bytes.others,
            references: &bytes.references,
            threshold: job.threshold,
            limits,
            browser_format: bytes.browser_format.as_deref(),
            ..ScoreRequest::new(task, job.deliverable, &job.image_name, &bytes.image)
        };
        self.engine.read(&request).map_err(|error| error.info())
    }

    /// Whether the page took the job back; it has ended then.
    fn is_taken_back(&self, job_id: u32) -> bool {
        self.inbox.is_cancelled(job_id) && self.inbox.end(job_id)
    }

    /// Tells the page how a job ended, unless it does not want to know any more.
    fn end(&self, job_id: u32, result: Result<(Verdict, f64), ErrorInfo>) {
        if self.inbox.end(job_id) {
            return;
        }
        post(&match result {
            Ok((verdict, work_millis)) => Response::JobDone {
                job_id,
                verdict: Box::new(verdict),
                work_millis,
            },
            Err(error) => Response::JobFailed { job_id, error },
        });
    }
}

impl Bytes {
    /// Reads the files; one over the limit is not read at all, and one of a format that only the browser knows is drawn.
    async fn of(image_name: &str, files: &Files, limits: &Limits) -> Result<Self, ErrorInfo> {
        let Some(image) = &files.image else {
            let message = format!("no file came with {image_name}");
            return Err(error("image.missing", message));
        };
        let (image, drawn) = read(image, limits).await?;
        let mut bytes = Self {
            image,
            browser_format: files.format.clone().or(drawn),
            input: None,
            others: Vec::new(),
            references: Vec::new(),
        };
        if let Some(input) = &files.input {
            bytes.input = Some(read(input, limits).await?.0);
        }
        for (blobs, all) in [
            (&files.others, &mut bytes.others),
            (&files.references, &mut bytes.references),
        ] {
            for blob in blobs {
                match read(blob, limits).await {
                    Ok((bytes, _)) => all.push(bytes),
                    // As one that cannot be decoded: it must not take this image's verdict with it.
                    Err(error) => log::warn!(
                        "a picture beside {image_name} was left out: {}",
                        error.message
                    ),
                }
            }
        }
        Ok(bytes)
    }
}

/// The bytes of a file that `servimage-image` reads, and its format where the browser had to draw it. What the browser cannot
/// draw either stays as it is: the decoder's own sentence says what it is.
async fn read(blob: &Blob, limits: &Limits) -> Result<(Vec<u8>, Option<String>), ErrorInfo> {
    if blob.size() > limits.max_bytes as f64 {
        let (found, most) = (blob.size(), limits.max_bytes);
        let message = format!("the file is too large: {found} bytes, at most {most} are read");
        return Err(error("image.too_large", message));
    }
    let bytes = bytes_of(blob, None).await;
    let bytes = bytes.map_err(|reason| error("image.unreadable", reason))?;
    let Some(format) = browser_format(&bytes) else {
        return Ok((bytes, None));
    };
    match drawn_png(blob, limits.max_pixels).await {
        Ok(png) => Ok((png, Some(format.to_owned()))),
        Err(NotDrawn::TooLarge(reason)) => Err(error("image.too_large", reason)),
        Err(NotDrawn::Refused(reason)) => {
            log::info!("the browser does not draw this {format}: {reason}");
            Ok((bytes, None))
        }
    }
}

fn error(code: &str, message: String) -> ErrorInfo {
    ErrorInfo {
        code: code.to_owned(),
        message,
    }
}

fn phase(job_id: u32, phase: JobPhase) {
    post(&Response::JobPhase { job_id, phase });
}

/// The error of work that came before a pack was loaded.
pub(crate) fn not_loaded() -> ErrorInfo {
    ErrorInfo {
        code: "engine.not_loaded".to_owned(),
        message: "no model is loaded: load a pack first".to_owned(),
    }
}

/// The task of a message.
pub(crate) fn task_of(json: &str) -> Result<Task, ErrorInfo> {
    Task::from_json(json).map_err(|error| ErrorInfo {
        code: "task.unreadable".to_owned(),
        message: error.to_string(),
    })
}
