//! The browser as this worker sees it: messages, clock, files. The only place that touches `web_sys` beside the fetcher.

use futures::future::Either;
use js_sys::{Array, Promise, Reflect, Uint8Array};
use serde::Serialize;
use servimage_bench::message::Response;
use std::collections::HashMap;
use std::ops::Range;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DedicatedWorkerGlobalScope};

/// The worker's global scope.
pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends a message to the page.
pub(crate) fn post(response: &Response) {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    match response.serialize(&serializer) {
        Ok(message) => {
            if scope().post_message(&message).is_err() {
                log::error!("the page could not be reached");
            }
        }
        Err(error) => log::error!("a message could not be written: {error}"),
    }
}

/// Milliseconds since the worker started.
pub(crate) fn now_millis() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Bytes of this worker's WebAssembly memory, which only grows.
pub(crate) fn heap_bytes() -> u64 {
    let buffer = property(&wasm_bindgen::memory(), "buffer");
    let bytes = property(&buffer, "byteLength").as_f64();
    // A number of bytes below 2^32.
    bytes.unwrap_or_default() as u64
}

/// Waits.
pub(crate) async fn sleep(millis: u32) {
    let wait = Promise::new(&mut |done, _| {
        let millis = i32::try_from(millis).unwrap_or(i32::MAX);
        let started = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&done, millis);
        // Without a clock nothing waits.
        if started.is_err() {
            let _ = done.call0(&JsValue::UNDEFINED);
        }
    });
    let _ = JsFuture::from(wait).await;
}

/// What a promise comes to, or `None` after so many milliseconds.
pub(crate) async fn within(millis: u32, promise: Promise) -> Option<Result<JsValue, JsValue>> {
    let (ended, late) = (JsFuture::from(promise), sleep(millis));
    match futures::future::select(ended, std::pin::pin!(late)).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Bytes that this origin uses and may use, where the browser says so.
pub(crate) async fn estimate() -> Option<(u64, u64)> {
    let storage = scope().navigator().storage();
    if storage.is_undefined() {
        return None;
    }
    let estimate = JsFuture::from(storage.estimate().ok()?).await.ok()?;
    let bytes = |name| property(&estimate, name).as_f64().map(|bytes| bytes as u64);
    Some((bytes("usage")?, bytes("quota")?))
}

/// What a JavaScript error says.
pub(crate) fn words_of(error: &JsValue) -> String {
    let message = Reflect::get(error, &JsValue::from_str("message"))
        .ok()
        .and_then(|message| message.as_string());
    message
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}

/// The property `name` of an object, or `undefined`.
pub(crate) fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// The files that came with a request.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The image under evaluation.
    pub image: Option<Blob>,
    /// Format of the file where the page had to draw it, as it does with SVG.
    pub format: Option<String>,
    /// The task's input image.
    pub input: Option<Blob>,
    /// Other deliverables of the task.
    pub others: Vec<Blob>,
    /// Reference images of the task.
    pub references: Vec<Blob>,
    /// Files of a pack by their paths in its folder, for a load from the visitor's disk.
    pub pack: HashMap<String, Blob>,
}

impl Files {
    /// Reads the property `files` of a posted message.
    pub fn of(message: &JsValue) -> Self {
        let files = property(message, "files");
        let one = |name: &str| property(&files, name).dyn_into::<Blob>().ok();
        let many = |name: &str| match property(&files, name).dyn_into::<Array>() {
            Ok(blobs) => blobs
                .iter()
                .filter_map(|blob| blob.dyn_into::<Blob>().ok())
                .collect(),
            Err(_) => Vec::new(),
        };
        let with_path = |row: JsValue| {
            let row: Array = row.dyn_into().ok()?;
            Some((row.get(0).as_string()?, row.get(1).dyn_into().ok()?))
        };
        let pack = property(&files, "pack").dyn_into::<Array>();
        Self {
            pack: pack.map_or_else(
                |_| HashMap::new(),
                |rows| rows.iter().filter_map(with_path).collect(),
            ),
            image: one("image"),
            format: property(&files, "format").as_string(),
            input: one("input"),
            others: many("others"),
            references: many("references"),
        }
    }
}

/// The bytes of a file, or those of a range.
pub(crate) async fn bytes_of(blob: &Blob, range: Option<Range<u64>>) -> Result<Vec<u8>, String> {
    let read = async {
        let part = match range {
            Some(range) => &blob.slice_with_f64_and_f64(range.start as f64, range.end as f64)?,
            None => blob,
        };
        let buffer = JsFuture::from(part.array_buffer()).await?;
        Ok(Uint8Array::new(&buffer).to_vec())
    };
    read.await.map_err(|error: JsValue| words_of(&error))
}
