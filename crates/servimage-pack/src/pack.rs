//! Reads a pack: manifest first, then tensor by tensor, each shard hashed before use.

use crate::error::PackError;
use crate::layout::TensorBytes;
use crate::manifest::{FileEntry, Manifest, TensorEntry};
use crate::source::PackSource;
use crate::validate::parse;
use crate::{MANIFEST_FILE, sha256_hex};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// An opened pack. Holds the manifest and at most one shard.
#[derive(Debug)]
pub struct Pack<S> {
    source: S,
    manifest: Manifest,
    sha256: String,
    index: HashMap<String, usize>,
    last_shard: RefCell<Option<(usize, Arc<Vec<u8>>)>>,
}

impl<S: PackSource> Pack<S> {
    /// Reads and checks the manifest; shards are read later.
    ///
    /// # Errors
    /// Whatever makes the manifest unfit: see [`PackError`].
    pub async fn open(source: S) -> Result<Self, PackError> {
        let bytes = source.read(MANIFEST_FILE, None).await?;
        let manifest = parse(&bytes)?;
        let index = manifest
            .tensors
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.name.clone(), at))
            .collect();
        let sha256 = sha256_hex(&bytes);
        Ok(Self {
            source,
            manifest,
            sha256,
            index,
            last_shard: RefCell::new(None),
        })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest's bytes, lower-case hex; it covers every shard's hash.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Bytes of all shards together.
    pub fn size_bytes(&self) -> u64 {
        self.manifest
            .shards
            .iter()
            .map(|shard| shard.size_bytes)
            .sum()
    }

    /// The table's entry of tensor `name`.
    pub fn entry(&self, name: &str) -> Option<&TensorEntry> {
        self.index.get(name).map(|&at| &self.manifest.tensors[at])
    }

    /// Reads tensor `name`; cheap where it lies in the same shard as the tensor read before.
    ///
    /// # Errors
    /// [`PackError::MissingTensor`]; [`PackError::Source`], [`PackError::Size`] or [`PackError::Hash`] of its shards;
    /// [`PackError::Memory`]; [`PackError::NotFinite`].
    pub async fn read_tensor(&self, name: &str) -> Result<TensorBytes, PackError> {
        let missing = || PackError::MissingTensor {
            tensor: name.to_owned(),
            expected: None,
        };
        let entry = self.entry(name).ok_or_else(missing)?;
        let size_bytes = entry.parts.iter().map(|part| part.length).sum::<u64>();
        let mut bytes = Vec::new();
        for part in &entry.parts {
            let shard = self.shard(part.shard).await?;
            // At once: growing would copy a table of 200 MB about in a heap that never shrinks. Only behind a sound shard: a
            // manifest that lies about sizes costs no memory.
            let room = usize::try_from(size_bytes).unwrap_or(usize::MAX) - bytes.len();
            if bytes.try_reserve_exact(room).is_err() {
                let tensor = name.to_owned();
                return Err(PackError::Memory { tensor, size_bytes });
            }
            // `parse` has checked that the part lies within the shard's stated size, `shard` that size.
            bytes.extend_from_slice(
                &shard[part.offset as usize..(part.offset + part.length) as usize],
            );
        }
        let tensor = TensorBytes {
            name: name.to_owned(),
            shape: entry.shape.clone(),
            layout: entry.layout,
            bytes,
        };
        tensor.check_finite()?;
        Ok(tensor)
    }

    /// The tokenizer's `tokenizer.json`.
    ///
    /// # Errors
    /// [`PackError::Source`], [`PackError::Size`], [`PackError::Hash`].
    pub async fn tokenizer_json(&self) -> Result<Vec<u8>, PackError> {
        self.read_file(&self.manifest.tokenizer).await
    }

    /// The model card, Markdown in UTF-8; absent where the pack carries none.
    ///
    /// # Errors
    /// [`PackError::Source`], [`PackError::Size`], [`PackError::Hash`].
    pub async fn card(&self) -> Result<Option<String>, PackError> {
        let Some(card) = &self.manifest.card else {
            return Ok(None);
        };
        let bytes = self.read_file(card).await?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A whole file of the manifest, its size and hash checked.
    pub(crate) async fn read_file(&self, file: &FileEntry) -> Result<Vec<u8>, PackError> {
        let bytes = self.source.read(&file.path, None).await?;
        let (path, found) = (file.path.clone(), bytes.len() as u64);
        if found != file.size_bytes {
            return Err(PackError::Size {
                path,
                expected: file.size_bytes,
                found,
            });
        }
        let found = sha256_hex(&bytes);
        if found != file.sha256 {
            return Err(PackError::Hash {
                path,
                expected: file.sha256.clone(),
                found,
            });
        }
        Ok(bytes)
    }

    async fn shard(&self, index: usize) -> Result<Arc<Vec<u8>>, PackError> {
        if let Some((last, bytes)) = &*self.last_shard.borrow()
            && *last == index
        {
            return Ok(Arc::clone(bytes));
        }
        // Let go of the old shard before the next one is in memory.
        self.last_shard.replace(None);
        let bytes = Arc::new(self.read_file(&self.manifest.shards[index]).await?);
        self.last_shard.replace(Some((index, Arc::clone(&bytes))));
        Ok(bytes)
    }
}
