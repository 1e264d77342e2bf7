//! Files by their hash, in the browser's private file system (OPFS).
//!
//! A file named by the SHA-256 that its manifest gives it grows while it is downloaded; once its bytes have that hash, an empty file
//! `HASH.ok` beside it says so. Packs with a file in common share it, and one with wrong bytes never gets its mark.

use crate::platform::{bytes_of, property, scope, words_of};
use js_sys::{Function, Promise, Uint8Array};
use servimage_pack::Hasher;
use servimage_pack::manifest::FileEntry;
use std::ops::Range;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemRemoveOptions,
    FileSystemSyncAccessHandle,
};

const FOLDER: &str = "packs";

/// Bytes that are hashed at once.
const PIECE_BYTES: usize = 1 << 20;

/// What went wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// No room is left.
    Full,
    /// The browser's words.
    Other(String),
}

impl From<JsValue> for StoreError {
    fn from(error: JsValue) -> Self {
        match property(&error, "name").as_string().as_deref() {
            Some("QuotaExceededError") => Self::Full,
            _ => Self::Other(words_of(&error)),
        }
    }
}

/// The folder with all files.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: FileSystemDirectoryHandle,
}

async fn done<T: JsCast>(promise: Promise) -> Result<T, JsValue> {
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

async fn root() -> Result<FileSystemDirectoryHandle, JsValue> {
    let storage = scope().navigator().storage();
    if storage.is_undefined() {
        return Err("this browser has no private file system".into());
    }
    done(storage.get_directory()).await
}

impl Store {
    /// Opens the folder, and makes it where it is not there.
    pub async fn open() -> Result<Self, String> {
        let open = async {
            let options = FileSystemGetDirectoryOptions::new();
            options.set_create(true);
            let root = root().await?;
            done(root.get_directory_handle_with_options(FOLDER, &options)).await
        };
        let folder = open.await.map_err(|error: JsValue| words_of(&error))?;
        Ok(Self { folder })
    }

    /// Deletes everything.
    pub async fn remove() -> Result<(), String> {
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        let remove = async {
            let root = root().await?;
            JsFuture::from(root.remove_entry_with_options(FOLDER, &options)).await
        };
        match remove.await {
            Ok(_) => Ok(()),
            Err(error) if property(&error, "name") == "NotFoundError" => Ok(()),
            Err(error) => Err(words_of(&error)),
        }
    }

    async fn handle(&self, name: &str, create: bool) -> Result<FileSystemFileHandle, JsValue> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(create);
        done(self.folder.get_file_handle_with_options(name, &options)).await
    }

    async fn blob(&self, name: &str) -> Result<Blob, JsValue> {
        let handle = self.handle(name, false).await?;
        done(handle.get_file()).await
    }

    /// Whether a file is here, whole and proven.
    pub async fn has(&self, file: &FileEntry) -> bool {
        let is_proven = self.handle(&mark_of(&file.sha256), false).await.is_ok();
        is_proven
            && self
                .blob(&file.sha256)
                .await
                .is_ok_and(|blob| blob.size() == file.size_bytes as f64)
    }

    /// Bytes of a file that are here, proven or not.
    pub async fn size_of(&self, name: &str) -> u64 {
        self.blob(name).await.map_or(0, |blob| blob.size() as u64)
    }

    /// Bytes of a file: all, or those of `range`.
    pub async fn read(&self, name: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, String> {
        let blob = self.blob(name).await.map_err(|error| words_of(&error))?;
        bytes_of(&blob, range).await
    }

    /// Writes a small file whole.
    pub async fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let part = self.part(name).await?;
        part.truncate(0)?;
        part.append(&Uint8Array::from(bytes), 0)?;
        part.flush()
    }

    /// Opens a file to go on writing it; nobody else can meanwhile.
    pub async fn part(&self, name: &str) -> Result<Part, StoreError> {
        let handle = self.handle(name, true).await?;
        let handle = done(handle.create_sync_access_handle()).await?;
        Ok(Part { handle })
    }

    /// Says of a file that its bytes have its hash.
    pub async fn prove(&self, sha256: &str) -> Result<(), StoreError> {
        self.handle(&mark_of(sha256), true).await?;
        Ok(())
    }

    /// Deletes a file with what is noted of it, where it is there. One in use stays, and is written over.
    pub async fn forget(&self, sha256: &str) {
        for name in [mark_of(sha256), sha256.to_owned(), validator_of(sha256)] {
            self.remove_name(&name).await;
        }
    }

    /// Deletes what has exactly this name; `false` where it is in use.
    pub async fn remove_name(&self, name: &str) -> bool {
        match JsFuture::from(self.folder.remove_entry(name)).await {
            Ok(_) => true,
            Err(error) => property(&error, "name") == "NotFoundError",
        }
    }

    /// Names of everything that is here.
    pub async fn names(&self) -> Result<Vec<String>, String> {
        let list = async {
            let keys: Function = property(&self.folder, "keys").dyn_into()?;
            let keys = keys.call0(&self.folder)?;
            let next: Function = property(&keys, "next").dyn_into()?;
            let mut names = Vec::new();
            loop {
                let step: JsValue = done(next.call0(&keys)?.dyn_into()?).await?;
                let Some(name) = property(&step, "value").as_string() else {
                    return Ok(names);
                };
                names.push(name);
            }
        };
        list.await.map_err(|error: JsValue| words_of(&error))
    }

    /// What the server called the version of a file of which a part is here.
    pub async fn validator(&self, sha256: &str) -> Option<String> {
        let bytes = self.read(&validator_of(sha256), None).await.ok()?;
        String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.is_empty())
    }

    /// Remembers it.
    pub async fn set_validator(&self, sha256: &str, text: &str) -> Result<(), StoreError> {
        self.write(&validator_of(sha256), text.as_bytes()).await
    }
}

fn mark_of(sha256: &str) -> String {
    format!("{sha256}.ok")
}

fn validator_of(sha256: &str) -> String {
    format!("{sha256}.version")
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Part {
    handle: FileSystemSyncAccessHandle,
}

impl Part {
    /// Bytes that are there.
    pub fn size(&self) -> Result<u64, StoreError> {
        Ok(self.handle.get_size()? as u64)
    }

    /// Keeps the first `size_bytes` bytes.
    pub fn truncate(&self, size_bytes: u64) -> Result<(), StoreError> {
        Ok(self.handle.truncate_with_f64(size_bytes as f64)?)
    }

    /// Writes bytes at a place.
    pub fn append(&self, bytes: &Uint8Array, at: u64) -> Result<(), StoreError> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(at as f64);
        let written = self
            .handle
            .write_with_js_u8_array_and_options(bytes, &options)?;
        // Less is written where the disk is full; a private window of Chromium then says that all was.
        let end = at as f64 + f64::from(bytes.length());
        match written < f64::from(bytes.length()) || self.handle.get_size()? < end {
            true => Err(StoreError::Full),
            false => Ok(()),
        }
    }

    /// SHA-256 of all that is there.
    pub fn sha256(&self) -> Result<String, StoreError> {
        let (mut hasher, mut piece) = (Hasher::default(), vec![0; PIECE_BYTES]);
        let mut at = 0;
        loop {
            let options = FileSystemReadWriteOptions::new();
            options.set_at(at as f64);
            let read =
                self.handle
                    .read_with_u8_array_and_options(&mut piece, &options)? as usize;
            if read == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(&piece[..read]);
            at += read;
        }
    }

    /// Leaves nothing in the browser's memory.
    pub fn flush(&self) -> Result<(), StoreError> {
        Ok(self.handle.flush()?)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.handle.close();
    }
}
