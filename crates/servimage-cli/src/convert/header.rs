//! The header of a safetensors file: which tensors it holds, and where.

use super::error::ConvertError;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Largest header of a safetensors file, in bytes, as in the reference implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// A tensor of a safetensors file; its bytes are known to lie within the file.
pub(super) struct StoredTensor {
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    /// First byte in the file.
    pub offset: u64,
    pub size_bytes: u64,
}

/// Every tensor of the file by name.
pub(super) fn read_tensors(path: &Path) -> Result<Vec<(String, StoredTensor)>, ConvertError> {
    let (metadata, data_start, file_bytes) = read_header(path)?;
    let mut found = Vec::new();
    for (name, info) in metadata.tensors() {
        let Some(stored) = place(info, data_start, file_bytes) else {
            let (start, end) = info.data_offsets;
            let reason = format!(
                "tensor `{name}` of shape {:?} lies at {start}..{end} of {} data bytes",
                info.shape,
                file_bytes.saturating_sub(data_start)
            );
            return Err(ConvertError::Weights {
                path: path.to_owned(),
                reason,
            });
        };
        found.push((name, stored));
    }
    Ok(found)
}

/// Where a tensor lies; `None` where its bytes are outside the file or not as many as its shape needs.
fn place(info: &TensorInfo, data_start: u64, file_bytes: u64) -> Option<StoredTensor> {
    let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
    let bits = info
        .shape
        .iter()
        .try_fold(info.dtype.bitsize() as u64, |bits, &dim| {
            bits.checked_mul(dim as u64)
        })?;
    let size_bytes = end.checked_sub(start)?;
    let fits = data_start.checked_add(end)? <= file_bytes && bits / 8 == size_bytes;
    fits.then(|| StoredTensor {
        shape: info.shape.clone(),
        dtype: info.dtype,
        offset: data_start + start,
        size_bytes,
    })
}

/// Header of a safetensors file, where its data begins, and the file's size.
fn read_header(path: &Path) -> Result<(Metadata, u64, u64), ConvertError> {
    let read = |source| ConvertError::Read {
        path: path.to_owned(),
        source,
    };
    let weights = |reason: String| ConvertError::Weights {
        path: path.to_owned(),
        reason,
    };
    let mut file = File::open(path).map_err(read)?;
    let file_bytes = file.metadata().map_err(read)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| weights(format!("{file_bytes} bytes are too few for a header")))?;
    let header_bytes = u64::from_le_bytes(length);
    if header_bytes > MAX_HEADER_BYTES || header_bytes + 8 > file_bytes {
        return Err(weights(format!(
            "a header of {header_bytes} bytes does not fit the file's {file_bytes}"
        )));
    }
    let mut header = Vec::new();
    file.take(header_bytes)
        .read_to_end(&mut header)
        .map_err(read)?;
    let metadata = serde_json::from_slice(&header)
        .map_err(|error| weights(format!("its header is damaged: {error}")))?;
    Ok((metadata, header_bytes + 8, file_bytes))
}

impl StoredTensor {
    /// Values of tensor `name` of integers.
    pub fn integers(&self, path: &Path, name: &str) -> Result<Vec<i64>, ConvertError> {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(self.offset))?;
            let mut bytes = Vec::new();
            file.take(self.size_bytes).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|source| ConvertError::Read {
            path: path.to_owned(),
            source,
        })?;
        let narrow = |word: &[u8; 4]| i64::from(i32::from_le_bytes(*word));
        match self.dtype {
            Dtype::I32 => Ok(bytes.as_chunks().0.iter().map(narrow).collect()),
            Dtype::I64 => {
                let words = bytes.as_chunks().0.iter();
                Ok(words.map(|word| i64::from_le_bytes(*word)).collect())
            }
            other => Err(ConvertError::Config {
                path: path.to_owned(),
                field: name.to_owned(),
                expected: "I32 or I64".to_owned(),
                found: format!("{other:?}"),
            }),
        }
    }
}
