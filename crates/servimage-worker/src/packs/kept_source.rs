//! A pack by where its files lie: on its server, in the store, or in a folder that the visitor opened.

use super::opfs::Store;
use crate::fetch_source::FetchSource;
use crate::platform::bytes_of;
use servimage_pack::{MANIFEST_FILE, Manifest, PackSource, SourceError};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use web_sys::Blob;

/// Source of the engine's pack; clones are the same pack.
#[derive(Clone, Debug)]
pub(crate) struct KeptSource(Rc<Place>);

#[derive(Debug)]
enum Place {
    /// Files come from the server when they are read; the manifest is here.
    Server {
        fetch: FetchSource,
        manifest: Vec<u8>,
    },
    /// Files lie in the store, under their hashes; the manifest is here.
    Store {
        store: Store,
        manifest: Vec<u8>,
        hashes: HashMap<String, String>,
    },
    /// Files by their paths.
    Folder(HashMap<String, Blob>),
}

impl KeptSource {
    /// Files come from the server when they are read.
    pub fn in_memory(fetch: FetchSource, manifest: Vec<u8>) -> Self {
        Self(Rc::new(Place::Server { fetch, manifest }))
    }

    /// Files lie in the store.
    pub fn in_store(manifest_bytes: Vec<u8>, manifest: &Manifest, store: Store) -> Self {
        let hashes = manifest
            .files()
            .map(|file| (file.path.clone(), file.sha256.clone()))
            .collect();
        Self(Rc::new(Place::Store {
            store,
            manifest: manifest_bytes,
            hashes,
        }))
    }

    /// Files of a folder on the visitor's disk, by their paths in it.
    pub fn in_folder(files: HashMap<String, Blob>) -> Self {
        Self(Rc::new(Place::Folder(files)))
    }

    /// Forgets the files of this pack: what was proven once is no longer what it was.
    pub async fn forget(&self) {
        if let Place::Store { store, hashes, .. } = &*self.0 {
            for sha256 in hashes.values() {
                store.forget(sha256).await;
            }
        }
    }
}

impl PackSource for KeptSource {
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        let missing = || SourceError::Missing {
            path: path.to_owned(),
        };
        let other = |reason| SourceError::Other {
            path: path.to_owned(),
            reason,
        };
        match &*self.0 {
            Place::Server { manifest, .. } | Place::Store { manifest, .. }
                if path == MANIFEST_FILE && range.is_none() =>
            {
                Ok(manifest.clone())
            }
            Place::Server { fetch, .. } => fetch.read(path, range).await,
            Place::Store { store, hashes, .. } => {
                let sha256 = hashes.get(path).ok_or_else(missing)?;
                store.read(sha256, range).await.map_err(other)
            }
            Place::Folder(files) => {
                let file = files.get(path).ok_or_else(missing)?;
                bytes_of(file, range).await.map_err(other)
            }
        }
    }
}
