//! Writes a pack tensor by tensor, a tensor by rows; one shard and the scales of one tensor are in memory.

use crate::encode::{EncodedRows, check_count, encode_rows, padding_bytes};
use crate::error::PackError;
use crate::layout::{BLOCK, impossible_shape};
use crate::manifest::{
    FORMAT_VERSION, FileEntry, Layout, MAX_SHARD_BYTES, Manifest, Part, TensorEntry,
};
use crate::source::MemorySource;
use crate::validate::validate;
use crate::{CARD_FILE, MANIFEST_FILE, TOKENIZER_FILE, sha256_hex};
use std::collections::HashSet;

/// Every tensor begins at a multiple of this, in bytes.
const ALIGNMENT: usize = 16;

/// Values encoded at once, so that a tensor is never in memory twice.
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
    card: Option<FileEntry>,
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
            card: None,
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
        writer.card = manifest.card.clone();
        writer
    }

    /// Encodes and writes a tensor of floats, row-major.
    ///
    /// # Errors
    /// As [`encode_rows`]; [`PackError::Shape`]; [`PackError::Duplicate`]; [`PackError::Write`].
    pub fn push(
        &mut self,
        name: &str,
        shape: &[usize],
        layout: Layout,
        values: &[f32],
    ) -> Result<(), PackError> {
        check_count(name, layout, values.len(), shape)?;
        let d_in = shape.last().copied().unwrap_or(1);
        let rows_at_once = (PIECE_VALUES / d_in).max(1);
        let mut tensor = self.tensor(name, shape, layout)?;
        for (index, rows) in values.chunks(rows_at_once * d_in).enumerate() {
            tensor.append(&encode_rows(
                name,
                layout,
                rows,
                d_in,
                index * rows_at_once,
            )?)?;
        }
        tensor.end()
    }

    /// Begins a tensor that is written some rows at a time: [`TensorWriter::append`] each, then [`TensorWriter::end`].
    ///
    /// # Errors
    /// [`PackError::Shape`], [`PackError::Duplicate`].
    pub fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        layout: Layout,
    ) -> Result<TensorWriter<'_, K>, PackError> {
        let expected = self.begin(name, shape, layout)?;
        Ok(TensorWriter {
            writer: self,
            entry: TensorEntry {
                name: name.to_owned(),
                shape: shape.to_vec(),
                layout,
                block: BLOCK,
                parts: Vec::new(),
            },
            scales: Vec::new(),
            expected,
        })
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
        let mut tensor = self.tensor(name, shape, layout)?;
        tensor.append_bytes(bytes)?;
        tensor.end()
    }

    /// Checks name and shape, and aligns the open shard; the bytes that the tensor takes.
    fn begin(&mut self, name: &str, shape: &[usize], layout: Layout) -> Result<u64, PackError> {
        let expected = layout
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
        Ok(expected)
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

    /// Writes the tokenizer file.
    ///
    /// # Errors
    /// [`PackError::Write`].
    pub fn tokenizer(&mut self, tokenizer_json: &[u8]) -> Result<(), PackError> {
        self.tokenizer = Some(self.write_file(TOKENIZER_FILE.to_owned(), tokenizer_json)?);
        Ok(())
    }

    /// Writes the model card, Markdown in UTF-8.
    ///
    /// # Errors
    /// [`PackError::Write`].
    pub fn card(&mut self, markdown: &[u8]) -> Result<(), PackError> {
        self.card = Some(self.write_file(CARD_FILE.to_owned(), markdown)?);
        Ok(())
    }

    /// Writes the last shard and the manifest; its `format_version`, `tokenizer`, `card`, `shards` and `tensors` are
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
        manifest.card = self.card.take();
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

/// Writes one tensor of a [`PackWriter`] some rows at a time. Without [`end`](Self::end) it is not in the pack.
#[derive(Debug)]
pub struct TensorWriter<'a, K> {
    writer: &'a mut PackWriter<K>,
    entry: TensorEntry,
    /// Scales of the rows so far: they lie behind all words.
    scales: Vec<u8>,
    expected: u64,
}

impl<K: PackSink> TensorWriter<'_, K> {
    /// Writes the next rows.
    ///
    /// # Errors
    /// [`PackError::Write`].
    pub fn append(&mut self, rows: &EncodedRows) -> Result<(), PackError> {
        self.scales.extend_from_slice(&rows.scales);
        self.append_bytes(&rows.words)
    }

    fn append_bytes(&mut self, bytes: &[u8]) -> Result<(), PackError> {
        self.writer.append(bytes, &mut self.entry.parts)
    }

    /// Writes what follows the rows and enters the tensor into the pack.
    ///
    /// # Errors
    /// [`PackError::Length`] where the rows were not those of the shape; [`PackError::Write`].
    pub fn end(mut self) -> Result<(), PackError> {
        let mut scales = std::mem::take(&mut self.scales);
        scales.resize(scales.len() + padding_bytes(scales.len()), 0);
        self.append_bytes(&scales)?;
        let found = self.entry.parts.iter().map(|part| part.length).sum();
        if found != self.expected {
            return Err(PackError::Length {
                tensor: self.entry.name,
                shape: self.entry.shape,
                layout: self.entry.layout,
                expected: self.expected,
                found,
            });
        }
        self.writer.names.insert(self.entry.name.clone());
        self.writer.tensors.push(self.entry);
        Ok(())
    }
}
