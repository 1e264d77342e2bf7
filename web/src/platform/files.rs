//! Files from drops, inputs and the clipboard, folders walked to their end.

use crate::session::intake::Incoming;
use js_sys::{Array, Promise};
use std::collections::VecDeque;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemDirectoryReader,
    FileSystemEntry, FileSystemFileEntry, HtmlInputElement,
};

/// Files of a file input; those of a directory input carry their path. The input is emptied, so that
/// the same file can be picked again.
pub fn of_input(input: &HtmlInputElement) -> Vec<Incoming<File>> {
    let files = input.files().map(|list| of_list(&list)).unwrap_or_default();
    input.set_value("");
    files
}

/// Files of the clipboard, or of a drop without folders.
pub fn of_list(list: &FileList) -> Vec<Incoming<File>> {
    (0..list.length())
        .filter_map(|idx| list.get(idx))
        .map(|file| Incoming {
            path: path_of(&file),
            file,
        })
        .collect()
}

/// Files of a drop. The entries are taken synchronously (the browser empties the transfer when the
/// event handler returns); the folders are then walked in the returned future.
pub fn of_drop(transfer: &DataTransfer) -> impl Future<Output = Vec<Incoming<File>>> + 'static {
    let items = transfer.items();
    let entries: VecDeque<FileSystemEntry> = (0..items.length())
        .filter_map(|idx| items.get(idx))
        .filter_map(|item| item.webkit_get_as_entry().ok().flatten())
        .collect();
    let plain = if entries.is_empty() {
        transfer.files().map(|list| of_list(&list))
    } else {
        None
    };
    async move {
        match plain {
            Some(files) => files,
            None => walk(entries).await,
        }
    }
}

/// Text of a file, taken as UTF-8.
pub async fn text_of(file: &File) -> Result<String, JsValue> {
    let text = JsFuture::from(Blob::text(file)).await?;
    Ok(text.as_string().unwrap_or_default())
}

async fn walk(mut entries: VecDeque<FileSystemEntry>) -> Vec<Incoming<File>> {
    let mut files = Vec::new();
    while let Some(entry) = entries.pop_front() {
        let path = entry.full_path().trim_start_matches('/').to_owned();
        if let Some(directory) = entry
            .is_directory()
            .then(|| entry.unchecked_ref::<FileSystemDirectoryEntry>())
        {
            entries.extend(children(&directory.create_reader()).await);
        } else if let Ok(file) = file_of(entry.unchecked_ref()).await {
            files.push(Incoming { path, file });
        }
    }
    files
}

/// All entries of a folder: Chromium gives at most 100 a call and an empty list at the end.
async fn children(reader: &FileSystemDirectoryReader) -> Vec<FileSystemEntry> {
    let mut all = Vec::new();
    loop {
        let batch = Promise::new(&mut |resolve, reject| {
            if let Err(error) = reader.read_entries_with_callback_and_callback(&resolve, &reject) {
                let _ = reject.call1(&JsValue::NULL, &error);
            }
        });
        // A folder that cannot be read ends here with what it gave.
        let Ok(batch) = JsFuture::from(batch).await else {
            return all;
        };
        let batch: Array = batch.unchecked_into();
        if batch.length() == 0 {
            return all;
        }
        all.extend(
            batch
                .iter()
                .map(|entry| entry.unchecked_into::<FileSystemEntry>()),
        );
    }
}

async fn file_of(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let file = Promise::new(&mut |resolve, reject| {
        entry.file_with_callback_and_callback(&resolve, &reject)
    });
    Ok(JsFuture::from(file).await?.unchecked_into())
}

/// The path inside a picked directory (`webkitRelativePath`), else the name.
fn path_of(file: &File) -> String {
    js_sys::Reflect::get(file, &"webkitRelativePath".into())
        .ok()
        .and_then(|path| path.as_string())
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| file.name())
}
