//! The project's own sample images, fetched before the model loads so that trying one later needs no
//! request.

use js_sys::Array;
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, Response};

/// Folder of the samples, relative to the page.
const FOLDER: &str = "./samples/";

/// A row of `samples/index.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct IndexRow {
    file: String,
    title_en: String,
    title_zh: String,
}

/// A sample image in memory.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The image.
    pub file: File,
    /// What it shows, in English.
    pub title_en: String,
    /// What it shows, in Chinese.
    pub title_zh: String,
}

/// Fetches all samples; those that are missing are left out.
pub async fn fetch_all() -> Vec<Sample> {
    let Ok(index) = fetch_index().await else {
        return Vec::new();
    };
    let mut samples = Vec::new();
    for row in index {
        if let Ok(file) = fetch_file(&row.file).await {
            samples.push(Sample {
                file,
                title_en: row.title_en,
                title_zh: row.title_zh,
            });
        }
    }
    samples
}

async fn fetch_index() -> Result<Vec<IndexRow>, JsValue> {
    let text = JsFuture::from(fetch("index.json").await?.text()?).await?;
    let text = text.as_string().unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| JsValue::from_str(&error.to_string()))
}

async fn fetch_file(name: &str) -> Result<File, JsValue> {
    let blob: Blob = JsFuture::from(fetch(name).await?.blob()?)
        .await?
        .unchecked_into();
    let kind = web_sys::FilePropertyBag::new();
    kind.set_type(&blob.type_());
    File::new_with_blob_sequence_and_options(&Array::of1(&blob), name, &kind)
}

async fn fetch(name: &str) -> Result<Response, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let response: Response = JsFuture::from(window.fetch_with_str(&format!("{FOLDER}{name}")))
        .await?
        .unchecked_into();
    if response.ok() {
        Ok(response)
    } else {
        Err(JsValue::from_str("not there"))
    }
}

/// A file in memory with this text, as an object address for a download.
pub(super) fn text_blob(text: &str, mime: &str) -> Result<Blob, JsValue> {
    let kind = BlobPropertyBag::new();
    kind.set_type(mime);
    Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &kind)
}
