//! Values of one stored tensor, read as f32 a range at a time.

use super::error::ConvertError;
use half::f16;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

/// Bytes read at once; a multiple of every element size.
const PIECE_BYTES: usize = 1 << 20;

/// Element types of weights.
#[derive(Clone, Copy)]
pub(super) enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

/// Values of a tensor. Threads may read it at once: each read opens the file anew.
pub(super) struct Values {
    source: Source,
    len: usize,
}

enum Source {
    /// Little-endian values one after another from `offset` on.
    File {
        path: PathBuf,
        offset: u64,
        float: Float,
    },
    Memory(Vec<f32>),
}

impl Values {
    /// `len` values in a file that holds them all.
    pub fn in_file(path: PathBuf, offset: u64, float: Float, len: usize) -> Self {
        let source = Source::File {
            path,
            offset,
            float,
        };
        Self { source, len }
    }

    pub fn in_memory(values: Vec<f32>) -> Self {
        Self {
            len: values.len(),
            source: Source::Memory(values),
        }
    }

    /// All values.
    pub fn into_vec(self) -> Result<Vec<f32>, ConvertError> {
        match self.source {
            Source::Memory(values) => Ok(values),
            Source::File { .. } => self.read(0..self.len),
        }
    }

    /// Values of a range that lies within the tensor.
    pub fn read(&self, range: Range<usize>) -> Result<Vec<f32>, ConvertError> {
        match &self.source {
            Source::Memory(values) => Ok(values[range].to_vec()),
            Source::File {
                path,
                offset,
                float,
            } => {
                let start = offset + (range.start * float.size_bytes()) as u64;
                let read = || -> std::io::Result<Vec<f32>> {
                    let mut file = File::open(path)?;
                    file.seek(SeekFrom::Start(start))?;
                    float.read(&mut file, range.len())
                };
                read().map_err(|source| ConvertError::Read {
                    path: path.clone(),
                    source,
                })
            }
        }
    }
}

impl Float {
    fn size_bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// The next `len` values of a file.
    fn read(self, file: &mut File, len: usize) -> std::io::Result<Vec<f32>> {
        let mut values = Vec::with_capacity(len);
        let mut rest = len * self.size_bytes();
        let mut piece = vec![0; PIECE_BYTES.min(rest)];
        while rest > 0 {
            let now = PIECE_BYTES.min(rest);
            file.read_exact(&mut piece[..now])?;
            self.extend(&piece[..now], &mut values);
            rest -= now;
        }
        Ok(values)
    }

    /// Appends the values in `bytes`, little-endian.
    pub fn extend(self, bytes: &[u8], values: &mut Vec<f32>) {
        fn each<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
            bytes.as_chunks().0.iter().copied()
        }
        match self {
            Self::F64 => values.extend(each(bytes).map(|value| f64::from_le_bytes(value) as f32)),
            Self::F32 => values.extend(each(bytes).map(f32::from_le_bytes)),
            Self::F16 => values.extend(each(bytes).map(|value| f16::from_le_bytes(value).to_f32())),
            // The upper half of an f32.
            Self::Bf16 => {
                values.extend(each(bytes).map(|[low, high]| f32::from_le_bytes([0, 0, low, high])))
            }
        }
    }
}
