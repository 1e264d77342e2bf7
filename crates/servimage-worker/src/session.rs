//! Works off the requests of the page: one load, one batch of images or one preparation at a time.

use crate::inbox::Inbox;
use crate::packs::{self, KeptSource};
use crate::platform::{Files, heap_bytes, now_millis, post, scope};
use crate::preflight::{self, LARGE_PARAMETERS, Speeds, Unloaded};
use crate::scoring::{Scoring, not_loaded, task_of};
use crate::webgpu;
use servimage_bench::backlog::Work;
use servimage_bench::message::{
    DevicePreference, Kept, Load, LoadPhase, LoadedPack, Preparation, ReliabilityBin, Response,
    ScoreJob,
};
use servimage_bench::verdict::ErrorInfo;
use servimage_engine::{Compute, Engine, EngineError, OpenDevice, image_flop, open_device};
use servimage_pack::{Manifest, PackError};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::MessageEvent;

/// Listens to the page and starts to work.
pub(crate) fn start() {
    let (inbox, mut bell) = Inbox::new();
    let listener = inbox.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        listener.receive(&event.data())
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the worker.
    on_message.forget();
    wasm_bindgen_futures::spawn_local(async move {
        let mut session = Session {
            engine: None,
            gpu: None,
            max_batch: None,
            speeds: Speeds::default(),
            is_slow: false,
            inbox: inbox.clone(),
        };
        while let Some(work) = inbox.next(&mut bell, session.batch_len()).await {
            session.handle(work).await;
        }
    });
    post(&Response::Started);
}

struct Session {
    engine: Option<Engine<KeptSource>>,
    /// Opened once: burn keeps the runtime for good.
    gpu: Option<OpenDevice>,
    /// As the page asked for with the pack.
    max_batch: Option<usize>,
    speeds: Speeds,
    /// Whether an image takes so long that nobody rehearses.
    is_slow: bool,
    inbox: Inbox,
}

impl Session {
    async fn handle(&mut self, work: Work<Files>) {
        match work {
            Work::Load(wanted, files) => {
                self.unload();
                self.max_batch = wanted.max_batch;
                match self.load(&wanted, files).await {
                    Ok(pack) => post(&Response::Ready { pack }),
                    Err(Unloaded::Failed(error)) => post(&Response::LoadFailed { error }),
                    Err(Unloaded::Asked) => {}
                }
            }
            Work::Score(jobs) => self.score(&jobs).await,
            Work::Prepare(preparation) => match self.prepare(&preparation).await {
                Ok(prepared) => post(&prepared),
                // An image of that deliverable will fail with the same words.
                Err(error) => log::warn!("nothing was prepared: {}", error.message),
            },
        }
    }

    /// Gives the loaded pack's memory back: burn keeps what is free for later, and the next pack has other sizes.
    fn unload(&mut self) {
        self.engine = None;
        if let Some(gpu) = &self.gpu {
            gpu.device.memory_cleanup();
        }
    }

    /// Images that the loaded engine takes at once.
    fn batch_len(&self) -> usize {
        let of_engine = || self.engine.as_ref().map_or(1, Engine::batch_len);
        self.max_batch.unwrap_or_else(of_engine)
    }

    async fn load(&mut self, wanted: &Load, files: Files) -> Result<LoadedPack, Unloaded> {
        let started_at = now_millis();
        post(&Response::LoadProgress {
            phase: LoadPhase::Device,
            done_bytes: 0,
            total_bytes: 0,
        });
        let (device, cpu_reason) = self.device(wanted.device).await?;
        let is_gpu = device.compute == Compute::Gpu;
        let mut on_progress = |phase, done_bytes, total_bytes| {
            post(&Response::LoadProgress {
                phase,
                done_bytes,
                total_bytes,
            })
        };
        let (speeds, insists) = (&mut self.speeds, wanted.insists);
        let check = async |manifest: &Manifest, missing_bytes, free_bytes| {
            preflight::check(
                speeds,
                &device,
                manifest,
                missing_bytes,
                free_bytes,
                insists,
            )
            .await
        };
        let (source, kept) = match files.pack.is_empty() {
            true => packs::bring(&wanted.pack_url, check).await?,
            false => (KeptSource::in_folder(files.pack), Kept::InFolder),
        };
        let loaded = Engine::load(source.clone(), device.clone(), &mut on_progress).await;
        let engine = match loaded {
            // What was proven when it came is no longer what it was, or another tab deleted it: once more from the server.
            Err(EngineError::Pack(
                PackError::Hash { .. } | PackError::Size { .. } | PackError::Source(_),
            )) if kept == Kept::OnDevice => {
                source.forget().await;
                // Whoever had it wants it again.
                let yes = async |_: &Manifest, _, _| Ok(());
                let (source, _) = packs::bring(&wanted.pack_url, yes).await?;
                Engine::load(source, device, &mut on_progress).await
            }
            loaded => loaded,
        };
        let engine = engine.map_err(|e| e.info())?;
        self.rehearse(&engine).await?;
        let card = engine.card().await;
        let manifest = engine.manifest();
        let pack = LoadedPack {
            card,
            name: manifest.name.clone(),
            labels: manifest.labels.clone(),
            pack_sha256: engine.pack_sha256().to_owned(),
            quant: manifest.quant.as_str().to_owned(),
            device: engine.device_name().to_owned(),
            is_gpu,
            cpu_reason,
            threshold: manifest.threshold,
            reliability: reliability(manifest),
            size_bytes: engine.size_bytes(),
            kept,
            n_parameters: engine.n_parameters(),
            self_test: engine.self_test().clone(),
            load_millis: now_millis() - started_at,
            heap_bytes: heap_bytes(),
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

    /// Walks the way of an image, where that takes no longer than somebody waits for a model.
    async fn rehearse(&mut self, engine: &Engine<KeptSource>) -> Result<(), ErrorInfo> {
        self.is_slow = false;
        if engine.n_parameters() > LARGE_PARAMETERS {
            let manifest = engine.manifest();
            let flops = self.speeds.of(engine.device(), manifest).await?;
            self.is_slow = image_flop(manifest) > MAX_REHEARSED_SECONDS * flops;
        }
        if !self.is_slow {
            rehearse(engine).await;
        }
        Ok(())
    }

    async fn score(&self, jobs: &[(ScoreJob, Files)]) {
        if let Some(engine) = &self.engine {
            let scoring = Scoring {
                engine,
                inbox: &self.inbox,
                is_slow: self.is_slow,
            };
            return scoring.run(jobs).await;
        }
        for (job, _) in jobs {
            self.inbox.end(job.job_id);
            post(&Response::JobFailed {
                job_id: job.job_id,
                error: not_loaded(),
            });
        }
    }

    async fn prepare(&self, wanted: &Preparation) -> Result<Response, ErrorInfo> {
        let engine = self.engine.as_ref().ok_or_else(not_loaded)?;
        let task = task_of(&wanted.task_json)?;
        let prepared = engine.prepare(&task, wanted.deliverable, wanted.beside);
        prepared.await.map_err(|error| error.info())?;
        Ok(Response::Prepared {
            task_id: task.task_id,
            deliverable: wanted.deliverable,
        })
    }
}

/// Milliseconds of rehearsals after which no other one begins.
const REHEARSED_MILLIS: f64 = 400.0;

/// Seconds of an image from which on a device has more to do than to learn.
const MAX_REHEARSED_SECONDS: f64 = 10.0;

/// Rehearses until it gets no faster: a browser compiles what it has seen run a few times anew, and faster.
async fn rehearse(engine: &Engine<KeptSource>) {
    let started_at = now_millis();
    let mut fastest = f64::INFINITY;
    while now_millis() - started_at < REHEARSED_MILLIS {
        let begin = now_millis();
        if let Err(error) = engine.rehearse().await {
            // The first image will fail with the same words, and the page then shows them.
            return log::warn!("the rehearsal failed: {error}");
        }
        let took = now_millis() - begin;
        if took > 0.9 * fastest {
            break;
        }
        fastest = took;
    }
}

/// The pack's reliability table as a message holds it.
fn reliability(manifest: &Manifest) -> Vec<ReliabilityBin> {
    let bins = manifest.calibration.reliability.iter();
    bins.map(|bin| ReliabilityBin {
        predicted: bin.predicted,
        observed: bin.observed,
        n: bin.n,
    })
    .collect()
}
