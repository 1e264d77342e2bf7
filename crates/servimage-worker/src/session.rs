//! Works off the requests of the page, one at a time.

use crate::fetch_source::FetchSource;
use crate::inbox::{Cancelled, Inbox, Posted};
use crate::platform::{Files, bytes_of, now_millis, post, scope};
use crate::webgpu;
use futures::StreamExt;
use servimage_bench::message::{
    DevicePreference, JobPhase, LoadPhase, LoadedPack, Request, Response,
};
use servimage_bench::task::Task;
use servimage_bench::verdict::{ErrorInfo, Verdict};
use servimage_engine::{Compute, Engine, OpenDevice, ScoreRequest, open_device};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Blob, MessageEvent};

/// Listens to the page and starts to work.
pub(crate) fn start() {
    let (inbox, mut requests) = Inbox::new();
    let cancelled = inbox.cancelled();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        inbox.receive(&event.data())
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the worker.
    on_message.forget();
    wasm_bindgen_futures::spawn_local(async move {
        let mut session = Session {
            engine: None,
            gpu: None,
            cancelled,
        };
        while let Some(posted) = requests.next().await {
            session.handle(posted).await;
        }
    });
    post(&Response::Started);
}

struct Session {
    engine: Option<Engine<FetchSource>>,
    /// Opened once: burn keeps the runtime for good.
    gpu: Option<OpenDevice>,
    cancelled: Cancelled,
}

/// A job as the page asked for it.
struct Job {
    job_id: u32,
    task_json: String,
    deliverable: u32,
    image_name: String,
    threshold: Option<f64>,
}

impl Session {
    async fn handle(&mut self, Posted { request, files }: Posted) {
        match request {
            Request::Load { pack_url, device } => {
                self.engine = None;
                match self.load(&pack_url, device).await {
                    Ok(pack) => post(&Response::Ready { pack }),
                    Err(error) => post(&Response::LoadFailed { error }),
                }
            }
            Request::Score {
                job_id,
                task_json,
                deliverable,
                image_name,
                threshold,
            } => {
                let job = Job {
                    job_id,
                    task_json,
                    deliverable,
                    image_name,
                    threshold,
                };
                self.answer(&job, &files).await;
            }
            // The inbox has acted on it already.
            Request::Cancel { .. } => {}
        }
    }

    async fn load(
        &mut self,
        pack_url: &str,
        preference: DevicePreference,
    ) -> Result<LoadedPack, ErrorInfo> {
        let started_at = now_millis();
        post(&Response::LoadProgress {
            phase: LoadPhase::Device,
            done_bytes: 0,
            total_bytes: 0,
        });
        let (device, cpu_reason) = self.device(preference).await?;
        let is_gpu = device.compute == Compute::Gpu;
        let mut on_progress = |phase, done_bytes, total_bytes| {
            post(&Response::LoadProgress {
                phase,
                done_bytes,
                total_bytes,
            })
        };
        let engine = Engine::load(FetchSource::new(pack_url), device, &mut on_progress)
            .await
            .map_err(|e| e.info())?;
        let manifest = engine.manifest();
        let pack = LoadedPack {
            name: manifest.name.clone(),
            labels: manifest.labels.clone(),
            pack_sha256: engine.pack_sha256().to_owned(),
            quant: manifest.quant.as_str().to_owned(),
            device: engine.device_name().to_owned(),
            is_gpu,
            cpu_reason,
            threshold: manifest.threshold,
            size_bytes: engine.size_bytes(),
            n_parameters: engine.n_parameters(),
            self_test: engine.self_test().clone(),
            load_millis: now_millis() - started_at,
        };
        self.engine = Some(engine);
        Ok(pack)
    }

    /// The device by preference, and why it is the CPU where a GPU was tried.
    async fn device(
        &mut self,
        preference: DevicePreference,
    ) -> Result<(OpenDevice, Option<String>), ErrorInfo> {
        if preference == DevicePreference::Cpu {
            let device = open_device(Compute::Cpu, "").await.map_err(|e| e.info())?;
            return Ok((device, Some("the CPU was asked for".to_owned())));
        }
        match self.gpu().await {
            Ok(device) if preference == DevicePreference::GpuF16 => {
                let device = device.with_f16_activations().map_err(|e| e.info())?;
                Ok((device, None))
            }
            Ok(device) => Ok((device, None)),
            Err(error) if preference != DevicePreference::Auto => Err(error),
            Err(error) => {
                let device = open_device(Compute::Cpu, "").await.map_err(|e| e.info())?;
                Ok((device, Some(error.message)))
            }
        }
    }

    async fn gpu(&mut self) -> Result<OpenDevice, ErrorInfo> {
        if let Some(device) = &self.gpu {
            return Ok(device.clone());
        }
        let adapter = webgpu::probe().await.map_err(|message| ErrorInfo {
            code: "device.no_gpu".to_owned(),
            message,
        })?;
        let device = open_device(Compute::Gpu, &adapter)
            .await
            .map_err(|e| e.info())?;
        self.gpu = Some(device.clone());
        Ok(device)
    }

    async fn answer(&mut self, job: &Job, files: &Files) {
        let job_id = job.job_id;
        if self.cancelled.take(job_id) {
            return;
        }
        let started_at = now_millis();
        let result = self.score(job, files).await;
        if self.cancelled.take(job_id) {
            return;
        }
        match result {
            Ok(verdict) => {
                let work_millis = now_millis() - started_at;
                post(&Response::JobDone {
                    job_id,
                    verdict: Box::new(verdict),
                    work_millis,
                });
            }
            Err(error) => post(&Response::JobFailed { job_id, error }),
        }
    }

    async fn score(&self, job: &Job, files: &Files) -> Result<Verdict, ErrorInfo> {
        let error = |code: &str, message: String| ErrorInfo {
            code: code.to_owned(),
            message,
        };
        let Some(engine) = &self.engine else {
            return Err(error(
                "engine.not_loaded",
                "no model is loaded: load a pack first".to_owned(),
            ));
        };
        post(&Response::JobPhase {
            job_id: job.job_id,
            phase: JobPhase::Decoding,
        });
        let task =
            Task::from_json(&job.task_json).map_err(|e| error("task.unreadable", e.to_string()))?;
        let Some(image) = &files.image else {
            return Err(error(
                "image.missing",
                format!("no file came with {}", job.image_name),
            ));
        };
        let read = async |blob: &Blob| {
            bytes_of(blob)
                .await
                .map_err(|reason| error("image.unreadable", reason))
        };
        let image = read(image).await?;
        let input = match &files.input {
            Some(input) => Some(read(input).await?),
            None => None,
        };
        let (mut others, mut references) = (Vec::new(), Vec::new());
        for (blobs, bytes) in [
            (&files.others, &mut others),
            (&files.references, &mut references),
        ] {
            for blob in blobs {
                bytes.push(read(blob).await?);
            }
        }
        post(&Response::JobPhase {
            job_id: job.job_id,
            phase: JobPhase::Scoring,
        });
        let request = ScoreRequest {
            task: &task,
            deliverable: job.deliverable,
            image_name: &job.image_name,
            image: &image,
            input: input.as_deref(),
            others: &others,
            references: &references,
            threshold: job.threshold,
        };
        engine.score(&request).await.map_err(|e| e.info())
    }
}
