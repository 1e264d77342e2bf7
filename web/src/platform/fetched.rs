//! What the page fetches of its own before the model loads, so that it needs no request later: its texts, the project's
//! sample images and the pack's model card. Fetched by `web/js/fetched.js`.

use crate::text::{Lang, has_table, take_table};
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, File};

#[wasm_bindgen(module = "/js/fetched.js")]
extern "C" {
    #[wasm_bindgen(js_name = textsOf)]
    fn fetch_texts(language: &str) -> Promise;
    #[wasm_bindgen(js_name = samples)]
    fn fetch_samples() -> Promise;
    #[wasm_bindgen(js_name = shippedCard)]
    fn fetch_shipped_card() -> Promise;
    #[wasm_bindgen(js_name = keepShell)]
    fn shell() -> Promise;
}

#[wasm_bindgen(module = "/js/markdown.js")]
extern "C" {
    /// Puts a Markdown text into an element as elements; its first heading becomes `level`.
    #[wasm_bindgen(js_name = show)]
    pub fn show_markdown(parent: &Element, text: &str, level: u32);
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

/// Sees to it that the texts of a language are there; `false` where they cannot be fetched.
pub async fn texts(lang: Lang) -> bool {
    if has_table(lang) {
        return true;
    }
    let Ok(texts) = JsFuture::from(fetch_texts(lang.brief_language())).await else {
        return false;
    };
    let texts: Array = texts.unchecked_into();
    let texts = texts
        .iter()
        .map(|text| text.as_string().unwrap_or_default());
    take_table(lang, texts.collect())
}

/// Fetches all samples; those that are missing are left out.
pub async fn samples() -> Vec<Sample> {
    let rows = JsFuture::from(fetch_samples()).await.unwrap_or_default();
    let sample = |row: JsValue| {
        let row: Array = row.unchecked_into();
        let title = |idx| row.get(idx).as_string().unwrap_or_default();
        Some(Sample {
            file: row.get(0).dyn_into().ok()?,
            title_en: title(1),
            title_zh: title(2),
        })
    };
    let rows = rows.dyn_into::<Array>().unwrap_or_default();
    rows.iter().filter_map(sample).collect()
}

/// Has the page's own files kept for a visit without network, where the browser lets us; done when they are.
pub async fn keep_shell() {
    let _ = JsFuture::from(shell()).await;
}

/// The model card of the pack that ships, as Markdown; empty where it does not come.
pub async fn shipped_card() -> String {
    let card = JsFuture::from(fetch_shipped_card()).await;
    card.ok()
        .and_then(|card| card.as_string())
        .unwrap_or_default()
}
