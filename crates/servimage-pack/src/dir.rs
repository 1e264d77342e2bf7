//! A pack in a folder of the native file system.

use crate::error::{PackError, SourceError};
use crate::source::PackSource;
use crate::writer::PackSink;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Most bytes read at once; a pack's files (manifest, tokenizer, shards) are all smaller.
const MAX_READ_BYTES: u64 = 64 << 20;

/// Reads a pack from a folder and, as [`PackSink`], writes one.
#[derive(Clone, Debug)]
pub struct DirSource {
    folder: PathBuf,
}

impl DirSource {
    /// A source over `folder`; nothing is touched yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn read_file(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        let other = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => SourceError::Missing {
                path: path.to_owned(),
            },
            _ => SourceError::Other {
                path: path.to_owned(),
                reason: error.to_string(),
            },
        };
        let mut file = File::open(self.folder.join(path)).map_err(other)?;
        let len = file.metadata().map_err(other)?.len();
        let Range { start, end } = range.unwrap_or(0..len);
        let end = end.min(len);
        let start = start.min(end);
        if end - start > MAX_READ_BYTES {
            return Err(SourceError::TooLarge {
                path: path.to_owned(),
                found: end - start,
                limit: MAX_READ_BYTES,
            });
        }
        file.seek(SeekFrom::Start(start)).map_err(other)?;
        let mut bytes = Vec::new();
        file.take(end - start)
            .read_to_end(&mut bytes)
            .map_err(other)?;
        Ok(bytes)
    }
}

impl PackSource for DirSource {
    async fn read(&self, path: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, SourceError> {
        self.read_file(path, range)
    }
}

impl PackSink for DirSource {
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), PackError> {
        let write = || {
            std::fs::create_dir_all(&self.folder)?;
            std::fs::write(self.folder.join(path), bytes)
        };
        write().map_err(|error| PackError::Write {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }
}
