//! Writes a pack tensor by tensor; at most one shard and one encoded tensor are in memory.

use crate::error::PackError;
use crate::layout::{encode, impossible_shape};
use crate::manifest::{
    FORMAT_VERSION, FileEntry, Layout, MAX_SHARD_BYTES, Manifest, Part, TensorEntry,
};
use crate::source::MemorySource;
use crate::validate::validate;
use crate::{MANIFEST_FILE, TOKENIZER_FILE, sha256_hex};
use std::collections::HashSet;

/// Every tensor begins at a multiple of this, in bytes.
const ALIGNMENT: usize = 16;

/// Values encoded at once where a tensor is written in pieces, so that it is never in memory twice.
const PIECE_VALUES: usize = 1 << 18;

/// Where a pack's files go.
pub trait PackSink {
    /// Writes the whole file `path`, a plain name.
    ///
    /// # Errors
    /// [`PackError::Write`].
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), PackError>;
}

impl PackSink for MemorySource {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), PackError> {
        self.files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}

impl<K: PackSink> PackSink for &mut K {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), PackError> {
        (**self).write(path, bytes)
    }
}

/// Writes a pack: [`push`](Self::push) each tensor, then [`finish`](Self::finish).
///
/// The manifest is written last, so an interrupted write leaves no pack that opens.
#[derive(Debug)]
pub struct PackWriter<K> {
    sink: K,
    shard_bytes: usize,
    open_shard: Vec<u8>,
    shards: Vec<FileEntry>,
    tensors: Vec<TensorEntry>,
    names: HashSet<String>,
    tokenizer: Option<FileEntry>,
}

impl<K: PackSink> PackWriter<K> {
    /// A writer into `sink` with shards of [`MAX_SHARD_BYTES`].
    pub fn new(sink: K) -> Self {
        Self::with_shard_bytes(sink, MAX_SHARD_BYTES)
    }

    /// A writer with smaller shards: for tests of tensors that span shards.
    ///
    /// `shard_bytes` is brought into 16..=[`MAX_SHARD_BYTES`] and rounded down to a multiple of 16.
    pub fn with_shard_bytes(sink: K, shard_bytes: u64) -> Self {
        let shard_bytes =
            shard_bytes.clamp(ALIGNMENT as u64, MAX_SHARD_BYTES) as usize / ALIGNMENT * ALIGNMENT;
        let (shards, tensors, names) = (Vec::new(), Vec::new(), HashSet::new());
        Self {
            sink,
            shard_bytes,
            open_shard: Vec::new(),
            shards,
            tensors,
            names,
            tokenizer: None,
        }
    }

    /// A writer that adds tensors to a finished pack: they go into new shards after those of `manifest`.
    ///
    /// Until [`finish`](Self::finish) the pack on disk stays as it was.
    pub fn extend(sink: K, manifest: &Manifest) -> Self {
        let mut writer = Self::new(sink);
        writer.shards = manifest.shards.clone();
        writer.tensors = manifest.tensors.clone();
        writer.names = manifest
            .tensors
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        writer.tokenizer = Some(manifest.tokenizer.clone());
        writer
    }

    /// Encodes and writes a tensor of floats, row-major.
    ///
    /// # Errors
    /// As [`encode`]; [`PackError::Duplicate`]; [`PackError::Write`].
    pub fn push(
        &mut self,
        name: &str,
        shape: &[usize],
        layout: Layout,
        values: &[f32],
    ) -> Result<(), PackError> {
        let plain = matches!(layout, Layout::F32 | Layout::F16);
        if !plain
            || shape.iter().try_fold(1_usize, |n, &dim| n.checked_mul(dim)) != Some(values.len())
        {
            // Quantized bytes are a fraction of the values; a wrong shape is refused by `encode`.
            let bytes = encode(name, layout, values, shape)?;
            return self.push_bytes(name, shape, layout, &bytes);
        }
        self.begin(name, shape, layout)?;
        let mut parts = Vec::new();
        for (index, piece) in values.chunks(PIECE_VALUES).enumerate() {
            let bytes = encode(name, layout, piece, &[piece.len()])
                .map_err(|error| in_whole(error, index * PIECE_VALUES))?;
            self.append(&bytes, &mut parts)?;
        }
        self.end(name, shape, layout, parts);
        Ok(())
    }

    /// Writes a tensor of unsigned integers as [`Layout::U32`].
    ///
    /// # Errors
    /// [`PackError::Shape`], [`PackError::Duplicate`], [`PackError::Write`].
    pub fn push_u32(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[u32],
    ) -> Result<(), PackError> {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.push_bytes(name, shape, Layout::U32, &bytes)
    }

    /// Writes a tensor that is already encoded.
    ///
    /// # Errors
    /// [`PackError::Shape`], [`PackError::Length`], [`PackError::Duplicate`], [`PackError::Write`].
    pub fn push_bytes(
        &mut self,
        name: &str,
        shape: &[usize],
        layout: Layout,
        bytes: &[u8],
    ) -> Result<(), PackError> {
        let expected = layout
            .size_bytes(shape)
            .ok_or_else(|| impossible_shape(name, shape))?;
        let (tensor, found) = (name.to_owned(), bytes.len() as u64);
        if found != expected {
            return Err(PackError::Length {
                tensor,
                shape: shape.to_vec(),
                layout,
                expected,
                found,
            });
        }
        self.begin(name, shape, layout)?;
        let mut parts = Vec::new();
        self.append(bytes, &mut parts)?;
        self.end(name, shape, layout, parts);
        Ok(())
    }

    /// Checks name and shape, and aligns the open shard.
    fn begin(&mut self, name: &str, shape: &[usize], layout: Layout) -> Result<(), PackError> {
        layout
            .size_bytes(shape)
            .ok_or_else(|| impossible_shape(name, shape))?;
        if self.names.contains(name) {
            return Err(PackError::Duplicate {
                kind: "tensor",
                name: name.to_owned(),
            });
        }
        let aligned = self.open_shard.len().next_multiple_of(ALIGNMENT);
        self.open_shard.resize(aligned, 0);
        Ok(())
    }

    /// Appends bytes of the tensor begun, into as many shards as they need.
    fn append(&mut self, bytes: &[u8], parts: &mut Vec<Part>) -> Result<(), PackError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.open_shard.len() == self.shard_bytes {
                self.close_shard()?;
            }
            let room = self.shard_bytes - self.open_shard.len();
            let (now, later) = rest.split_at(rest.len().min(room));
            let (shard, offset, length) = (
                self.shards.len(),
                self.open_shard.len() as u64,
                now.len() as u64,
            );
            match parts.last_mut() {
                Some(last) if last.shard == shard => last.length += length,
                _ => parts.push(Part {
                    shard,
                    offset,
                    length,
                }),
            }
            self.open_shard.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    fn end(&mut self, name: &str, shape: &[usize], layout: Layout, parts: Vec<Part>) {
        self.names.insert(name.to_owned());
        self.tensors.push(TensorEntry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            layout,
            parts,
        });
    }

    /// Writes the tokenizer file.
    ///
    /// # Errors
    /// [`PackError::Write`].
    pub fn tokenizer(&mut self, tokenizer_json: &[u8]) -> Result<(), PackError> {
        self.tokenizer = Some(self.write_file(TOKENIZER_FILE.to_owned(), tokenizer_json)?);
        Ok(())
    }

    /// Writes the last shard and the manifest; its `format_version`, `tokenizer`, `shards` and `tensors` are
    /// filled here. Gives the manifest as written.
    ///
    /// # Errors
    /// [`PackError::MissingTensor`] where nothing was pushed, [`PackError::Field`] without a tokenizer, whatever
    /// [`Pack::open`](crate::Pack::open) would refuse, [`PackError::Write`].
    pub fn finish(mut self, mut manifest: Manifest) -> Result<Manifest, PackError> {
        if !self.open_shard.is_empty() {
            self.close_shard()?;
        }
        let no_tokenizer = || PackError::Field {
            field: "tokenizer".into(),
            expected: "a tokenizer file".into(),
            found: "none".into(),
        };
        manifest.format_version = FORMAT_VERSION;
        manifest.tokenizer = self.tokenizer.take().ok_or_else(no_tokenizer)?;
        manifest.shards = std::mem::take(&mut self.shards);
        manifest.tensors = std::mem::take(&mut self.tensors);
        validate(&manifest)?;
        self.sink.write(MANIFEST_FILE, &manifest.to_json())?;
        Ok(manifest)
    }

    fn close_shard(&mut self) -> Result<(), PackError> {
        let bytes = std::mem::take(&mut self.open_shard);
        let entry = self.write_file(format!("shard-{:04}.bin", self.shards.len()), &bytes)?;
        self.shards.push(entry);
        Ok(())
    }

    fn write_file(&mut self, path: String, bytes: &[u8]) -> Result<FileEntry, PackError> {
        self.sink.write(&path, bytes)?;
        Ok(FileEntry {
            path,
            size_bytes: bytes.len() as u64,
            sha256: sha256_hex(bytes),
        })
    }
}

/// The error of a piece that begins at value `start`, told for the whole tensor.
fn in_whole(mut error: PackError, start: usize) -> PackError {
    if let PackError::NotFinite { index, .. } = &mut error {
        *index += start;
    }
    error
}
