//! Files from drops, inputs, pastes and the clipboard: folders walked to their end, archives unpacked, drawings drawn.
//! The walking is `web/js/bring.js`: a fifth of what the same is in WebAssembly.

use super::picture;
use crate::session::intake::Incoming;
use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DataTransfer, File, FileList, HtmlInputElement};

#[wasm_bindgen(module = "/js/bring.js")]
extern "C" {
    #[wasm_bindgen(js_name = ofList)]
    fn of_file_list(list: &FileList) -> Promise;
    #[wasm_bindgen(js_name = ofDrop)]
    fn of_data_transfer(transfer: &DataTransfer) -> Promise;
    #[wasm_bindgen(js_name = ofClipboard)]
    fn of_clipboard_items() -> Promise;
}

/// Files on their way; [`read`] waits for them.
pub struct Bringing(Promise);

/// What was brought, and what could not be unpacked: its path and why.
#[derive(Default)]
pub struct Brought {
    /// Files with their paths.
    pub files: Vec<Incoming<File>>,
    /// What is not there.
    pub lost: Vec<(String, String)>,
}

/// Files of a file input; those of a directory input carry their path. The input is emptied, so that
/// the same file can be picked again.
pub fn of_input(input: &HtmlInputElement) -> Option<Bringing> {
    let bringing = input.files().map(|list| of_list(&list));
    input.set_value("");
    bringing
}

/// Files of a paste.
pub fn of_list(list: &FileList) -> Bringing {
    Bringing(of_file_list(list))
}

/// Files of a drop; what the browser would take back is taken now.
pub fn of_drop(transfer: &DataTransfer) -> Bringing {
    Bringing(of_data_transfer(transfer))
}

/// Images of the clipboard.
pub fn of_clipboard() -> Bringing {
    Bringing(of_clipboard_items())
}

/// Waits for the files; the error says why the browser gives none. Taking hundreds from the browser is a task of its own.
pub async fn read(bringing: Bringing) -> Result<Brought, String> {
    let rows = JsFuture::from(bringing.0).await.map_err(|error| {
        let error: js_sys::Error = error.unchecked_into();
        String::from(error.message())
    })?;
    picture::breathe().await;
    let mut brought = Brought::default();
    for row in rows.unchecked_into::<Array>().iter() {
        let row: Array = row.unchecked_into();
        let path = row.get(0).as_string().unwrap_or_default();
        match row.get(1).dyn_into() {
            Ok(file) => brought.files.push(Incoming { path, file }),
            Err(_) => brought
                .lost
                .push((path, row.get(2).as_string().unwrap_or_default())),
        }
    }
    Ok(brought)
}

/// Text of a file, taken as UTF-8.
pub async fn text_of(file: &File) -> Result<String, JsValue> {
    let text = JsFuture::from(Blob::text(file)).await?;
    Ok(text.as_string().unwrap_or_default())
}
