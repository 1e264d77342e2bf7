//! A pack whose manifest is here already; its other files lie in the store or come from the server.

use super::opfs::Store;
use crate::fetch_source::FetchSource;
use servimage_pack::{MANIFEST_FILE, Manifest, PackSource, SourceError};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Source of the engine's pack.
#[derive(Clone, Debug)]
pub(crate) struct KeptSource {
    fetch: FetchSource,
    manifest: Rc<Vec<u8>>,
    /// The store, and the hashes of the files that lie there by their names in the pack.
    kept: Option<(Store, Rc<HashMap<String, String>>)>,
}

impl KeptSource {
    /// Files come from the server when they are read.
    pub fn in_memory(fetch: FetchSource, manifest: Vec<u8>) -> Self {
        Self {
            fetch,
            manifest: Rc::new(manifest),
            kept: None,
        }
    }

    /// Files lie in the store.
    pub fn in_store(
        fetch: FetchSource,
        manifest_bytes: Vec<u8>,
        manifest: &Manifest,
        store: Store,
    ) -> Self {
        let hashes = manifest
            .files()
            .map(|file| (file.path.clone(), file.sha256.clone()));
        Self {
            fetch,
            manifest: Rc::new(manifest_bytes),
            kept: Some((store, Rc::new(hashes.collect()))),
        }
    }

    /// Forgets the files of this pack: what was proven once is no longer what it was.
    pub async fn forget(&self) {
        if let Some((store, hashes)) = &self.kept {
            for sha256 in hashes.values() {
                store.forget(sha256).await;
            }
        }
    }
}

impl PackSource for KeptSource {
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        if path == MANIFEST_FILE && range.is_none() {
            return Ok(self.manifest.to_vec());
        }
        match &self.kept {
            Some((store, hashes)) if hashes.contains_key(path) => store
                .read(&hashes[path], range)
                .await
                .map_err(|reason| SourceError::Other {
                    path: path.to_owned(),
                    reason,
                }),
            _ => self.fetch.read(path, range).await,
        }
    }
}
