//! The browser's own storage. Blocked or full, it keeps nothing, and the page works without.

use js_sys::{Array, Promise};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Storage;

#[wasm_bindgen(module = "/js/tasks.js")]
extern "C" {
    #[wasm_bindgen(js_name = keepTasks)]
    fn keep(name: &str, text: &str) -> Promise;
    #[wasm_bindgen(js_name = keptTasks)]
    fn kept() -> Promise;
    #[wasm_bindgen(js_name = forgetTasks)]
    fn forget_all() -> Promise;
}

/// Keeps a file of tasks for later visits, where the browser lets us.
pub async fn keep_tasks(name: &str, text: &str) {
    let _ = JsFuture::from(keep(name, text)).await;
}

/// Files of tasks that are kept: their names and texts.
pub async fn kept_tasks() -> Vec<(String, String)> {
    let rows = JsFuture::from(kept()).await.unwrap_or_default();
    let text = |row: &Array, idx| row.get(idx).as_string().unwrap_or_default();
    let row = |row: JsValue| {
        let row: Array = row.unchecked_into();
        (text(&row, 0), text(&row, 1))
    };
    let rows = rows.dyn_into::<Array>().unwrap_or_default();
    rows.iter().map(row).collect()
}

/// Forgets all files of tasks.
pub async fn forget_tasks() {
    let _ = JsFuture::from(forget_all()).await;
}

/// Asks the browser not to clear what the worker keeps when the disk gets full; it may decline.
pub fn persist() {
    let storage = web_sys::window().map(|window| window.navigator().storage());
    // Without encryption there is none.
    if let Some(storage) = storage.filter(|storage| !storage.is_undefined()) {
        let _ = storage.persist();
    }
}

/// Reads a small choice of the visitor's; `None` too where storage is blocked.
pub fn recall(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

/// Keeps a text.
pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Forgets a text.
pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// Rising numbers of all keys that are `prefix` and a number.
pub fn numbers(prefix: &str) -> Vec<u32> {
    let Some(storage) = storage() else {
        return Vec::new();
    };
    let keys = (0..storage.length().unwrap_or_default()).filter_map(|idx| storage.key(idx).ok()?);
    let mut numbers: Vec<u32> = Vec::new();
    for number in keys.filter_map(|key| key.strip_prefix(prefix)?.parse().ok()) {
        // Each to its place: the browser names them in any order, and a sort would be 4 KB of wasm.
        numbers.insert(numbers.partition_point(|other| *other < number), number);
    }
    numbers
}

/// The texts of all keys that are `prefix` and a number, with that number.
pub fn numbered_texts(prefix: &str) -> Vec<(u32, String)> {
    let text = |number| Some((number, recall(&format!("{prefix}{number}"))?));
    numbers(prefix).into_iter().filter_map(text).collect()
}

/// What is kept as JSON under `prefix` and each of these numbers; what cannot be read is passed over.
pub fn numbered<T: DeserializeOwned>(prefix: &str, numbers: &[u32]) -> Vec<(u32, T)> {
    let read = |number: &u32| {
        let text = recall(&format!("{prefix}{number}"))?;
        let value = js_sys::JSON::parse(&text).ok()?;
        Some((*number, serde_wasm_bindgen::from_value(value).ok()?))
    };
    numbers.iter().filter_map(read).collect()
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
