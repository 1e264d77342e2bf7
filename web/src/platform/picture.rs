//! Small copies of pictures and posters, drawn by `web/js/picture.js`. For the eye only: what is judged is decoded in Rust.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

#[wasm_bindgen(module = "/js/picture.js")]
extern "C" {
    #[wasm_bindgen(js_name = smallCopy)]
    fn copy(file: &File, max_side: u32) -> Promise;
    #[wasm_bindgen(js_name = pngOfSvg)]
    fn png(svg: &str, width: u32, height: u32) -> Promise;
    #[wasm_bindgen(js_name = breathe)]
    fn next_task() -> Promise;
}

/// A JPEG of at most `max_side` pixels a side, as a `data:` address; `None` for what the browser cannot
/// decode.
pub async fn small_copy(file: &File, max_side: u32) -> Option<String> {
    text_of(copy(file, max_side)).await
}

/// An SVG drawn into a PNG, as a `data:` address.
pub async fn png_of_svg(svg: &str, width: u32, height: u32) -> Option<String> {
    text_of(png(svg, width, height)).await
}

/// Lets the page draw and answer before the next piece of long work.
pub async fn breathe() {
    // It never fails.
    let _ = JsFuture::from(next_task()).await;
}

async fn text_of(promise: Promise) -> Option<String> {
    JsFuture::from(promise).await.ok()?.as_string()
}
