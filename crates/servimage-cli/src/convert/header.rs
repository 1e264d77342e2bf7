//! Safetensors files: their headers with errors of a conversion, and tensors of integers.

use super::error::ConvertError;
use servimage_safetensors::{Dtype, HeaderError, StoredTensor, read_header};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Every tensor of the file by name.
pub(super) fn read_tensors(path: &Path) -> Result<Vec<(String, StoredTensor)>, ConvertError> {
    let read = |source| ConvertError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    let file_bytes = file.metadata().map_err(read)?.len();
    read_header(file, file_bytes).map_err(|error| match error {
        HeaderError::Read(source) => read(source),
        other => ConvertError::Weights {
            path: path.to_owned(),
            reason: other.to_string(),
        },
    })
}

/// Values of tensor `name` of integers, which lies in the file at `path`.
pub(super) fn read_integers(
    stored: &StoredTensor,
    path: &Path,
    name: &str,
) -> Result<Vec<i64>, ConvertError> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(stored.offset))?;
        let mut bytes = Vec::new();
        file.take(stored.size_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| ConvertError::Read {
        path: path.to_owned(),
        source,
    })?;
    let narrow = |word: &[u8; 4]| i64::from(i32::from_le_bytes(*word));
    match stored.dtype {
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
