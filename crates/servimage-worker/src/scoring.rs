//! Images of one deliverable, from their files to their verdicts. Each has its own progress and its own end.

use crate::fetch_source::FetchSource;
use crate::inbox::Inbox;
use crate::platform::{Files, bytes_of, now_millis, post};
use servimage_bench::message::{JobPhase, Response, ScoreJob};
use servimage_bench::task::Task;
use servimage_bench::verdict::{ErrorInfo, Verdict};
use servimage_engine::{Engine, ReadyImage, ScoreRequest};
use web_sys::Blob;

/// An engine at work on some images.
pub(crate) struct Scoring<'a> {
    /// The loaded engine.
    pub engine: &'a Engine<FetchSource>,
    /// Knows which jobs the page takes back.
    pub inbox: &'a Inbox,
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
        let verdicts = self.engine.judge(&images).await;
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
        let bytes = Bytes::of(&job.image_name, files).await?;
        let request = ScoreRequest {
            task,
            deliverable: job.deliverable,
            image_name: &job.image_name,
            image: &bytes.image,
            input: bytes.input.as_deref(),
            others: &bytes.others,
            references: &bytes.references,
            threshold: job.threshold,
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
    async fn of(image_name: &str, files: &Files) -> Result<Self, ErrorInfo> {
        let error = |code: &str, message: String| ErrorInfo {
            code: code.to_owned(),
            message,
        };
        let Some(image) = &files.image else {
            let message = format!("no file came with {image_name}");
            return Err(error("image.missing", message));
        };
        let read = async |blob: &Blob| {
            let bytes = bytes_of(blob).await;
            bytes.map_err(|reason| error("image.unreadable", reason))
        };
        let many = async |blobs: &[Blob]| {
            let mut all = Vec::with_capacity(blobs.len());
            for blob in blobs {
                all.push(read(blob).await?);
            }
            Ok::<_, ErrorInfo>(all)
        };
        Ok(Self {
            image: read(image).await?,
            input: match &files.input {
                Some(input) => Some(read(input).await?),
                None => None,
            },
            others: many(&files.others).await?,
            references: many(&files.references).await?,
        })
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
