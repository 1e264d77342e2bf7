//! The browser's own small storage. Blocked or full, it keeps nothing, and the page works without.

use serde::de::DeserializeOwned;
use web_sys::Storage;

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

/// All texts whose key is `prefix` and a number, with that number.
pub fn numbered_texts(prefix: &str) -> Vec<(u32, String)> {
    let Some(storage) = storage() else {
        return Vec::new();
    };
    let keys = (0..storage.length().unwrap_or_default()).filter_map(|idx| storage.key(idx).ok()?);
    keys.filter_map(|key| {
        let number = key.strip_prefix(prefix)?.parse().ok()?;
        Some((number, storage.get_item(&key).ok()??))
    })
    .collect()
}

/// The same, read as JSON; one that cannot be read is passed over.
pub fn numbered<T: DeserializeOwned>(prefix: &str) -> Vec<(u32, T)> {
    let read = |(number, text): (u32, String)| {
        let value = js_sys::JSON::parse(&text).ok()?;
        Some((number, serde_wasm_bindgen::from_value(value).ok()?))
    };
    numbered_texts(prefix)
        .into_iter()
        .filter_map(read)
        .collect()
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
