//! The dedicated module worker that owns the engine.

use super::dom::{self, text_blob};
use crate::session::intake::Incoming;
use crate::session::port::{JobFiles, WorkerPort};
use js_sys::{Array, Object, Reflect};
use servimage_bench::message::{Request, Response};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, Event, File, MessageEvent, Url, Worker, WorkerOptions, WorkerType};

/// Trunk writes the loader of the worker's bundle under the package's name, without a hash.
const WORKER_SCRIPT: &str = "./servimage-worker_loader.js";

/// What comes from the worker.
#[cfg_attr(
    target_pointer_width = "64",
    expect(clippy::large_enum_variant, reason = "handed on at once, never kept")
)]
pub enum WorkerEvent {
    /// A message of the protocol.
    Response(Response),
    /// The worker's code did not load, it crashed, or it sent what cannot be read.
    Broken(String),
}

/// The running worker, and who listens to it.
pub struct BrowserWorker {
    on_event: Rc<dyn Fn(WorkerEvent)>,
    running: Option<Running>,
}

struct Running {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

impl BrowserWorker {
    /// A port without a worker yet; `restart` starts one.
    pub fn new(on_event: impl Fn(WorkerEvent) + 'static) -> Self {
        Self {
            on_event: Rc::new(on_event),
            running: None,
        }
    }

    fn try_start(&self) -> Result<Running, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&script_url()?, &options)?;
        let listener = self.on_event.clone();
        let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            listener(match serde_wasm_bindgen::from_value(event.data()) {
                Ok(response) => WorkerEvent::Response(response),
                Err(error) => WorkerEvent::Broken(error.to_string()),
            });
        });
        let listener = self.on_event.clone();
        let on_error = Closure::<dyn FnMut(_)>::new(move |event: Event| {
            let message = event
                .dyn_ref::<ErrorEvent>()
                .map(ErrorEvent::message)
                .unwrap_or_default();
            listener(WorkerEvent::Broken(message));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Running {
            worker,
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    fn try_post(&self, request: &Request, files: &JsValue) -> Result<(), JsValue> {
        let running = self
            .running
            .as_ref()
            .ok_or_else(|| JsValue::from_str("the worker is not running"))?;
        let message = serde_wasm_bindgen::to_value(request)?;
        Reflect::set(&message, &"files".into(), files)?;
        running.worker.post_message(&message)
    }

    fn post_with(&self, request: &Request, files: Result<JsValue, JsValue>) {
        let posted = files.and_then(|files| self.try_post(request, &files));
        if let Err(error) = posted {
            self.report(&error);
        }
    }
}

impl WorkerPort for BrowserWorker {
    type File = File;

    fn size_of(file: &File) -> f64 {
        file.size()
    }

    fn post(&mut self, request: &Request, files: Option<&JobFiles<File>>) {
        self.post_with(
            request,
            files.map_or(Ok(JsValue::UNDEFINED), |files| {
                files_object(files).map(Into::into)
            }),
        );
    }

    fn post_pack(&mut self, request: &Request, pack: &[Incoming<File>]) {
        let row = |entry: &Incoming<File>| Array::of2(&entry.path.as_str().into(), &entry.file);
        let files = Object::new();
        let rows: Array = pack.iter().map(row).collect();
        let set = Reflect::set(&files, &"pack".into(), &rows);
        self.post_with(request, set.map(|_| files.into()));
    }

    fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.worker.terminate();
        }
        match self.try_start() {
            Ok(running) => self.running = Some(running),
            Err(error) => self.report(&error),
        }
    }
}

impl BrowserWorker {
    /// Tells the listener later: it may be in the middle of changing the session that called us.
    fn report(&self, error: &JsValue) {
        let (listener, message) = (self.on_event.clone(), format!("{error:?}"));
        wasm_bindgen_futures::spawn_local(async move { listener(WorkerEvent::Broken(message)) });
    }
}

/// An address in memory for a script that imports the loader. A worker from a network address would not
/// take over the page's policy, and could reach any host; one from a `blob:` address does.
fn script_url() -> Result<String, JsValue> {
    let script = format!("import {:?};", dom::absolute_url(WORKER_SCRIPT));
    let blob = text_blob(&script, "text/javascript")?;
    Url::create_object_url_with_blob(&blob)
}

fn files_object(files: &JobFiles<File>) -> Result<Object, JsValue> {
    let object = Object::new();
    let input = files
        .input
        .as_ref()
        .map_or(JsValue::UNDEFINED, |file| file.into());
    Reflect::set(&object, &"image".into(), &files.image)?;
    // Set on what the browser has drawn, see `web/js/bring.js`.
    let drawn_from = Reflect::get(&files.image, &"drawnFrom".into())?;
    Reflect::set(&object, &"format".into(), &drawn_from)?;
    Reflect::set(&object, &"input".into(), &input)?;
    Reflect::set(
        &object,
        &"others".into(),
        &files.others.iter().collect::<Array>(),
    )?;
    Reflect::set(
        &object,
        &"references".into(),
        &files.references.iter().collect::<Array>(),
    )?;
    Ok(object)
}
