//! The header of a safetensors file: which tensors it holds, and where.
//!
//! Layer 0. The file is hostile: names that occur twice, tensors that overlap or lie outside, and lengths that overflow
//! are refused, and memory goes with the header's true length, never with the numbers in it. The format's own library is
//! asked for element types only: in its map a name may occur twice.

pub use safetensors::Dtype;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

/// Largest header, in bytes, as in the reference implementation.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Bytes of the length that stands before the header.
const LENGTH_BYTES: u64 = 8;

/// The key that is no tensor.
const METADATA: &str = "__metadata__";

/// A tensor of a file; its bytes are known to lie within the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTensor {
    /// Shape.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: Dtype,
    /// First byte in the file.
    pub offset: u64,
    /// Number of bytes: as many as shape and type need.
    pub size_bytes: u64,
}

/// A header is refused.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The file could not be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Shorter than the length of a header.
    #[error("{file_bytes} bytes are too few for a header")]
    TooShort {
        /// Size of the file.
        file_bytes: u64,
    },
    /// The header does not fit the file, or is larger than any.
    #[error("a header of {header_bytes} bytes does not fit the file's {file_bytes}")]
    Length {
        /// As stated.
        header_bytes: u64,
        /// Size of the file.
        file_bytes: u64,
    },
    /// The header is not the JSON that it should be, or names a tensor twice.
    #[error("its header is damaged: {0}")]
    Json(#[from] serde_json::Error),
    /// A tensor lies outside the file, or has not as many bytes as its shape needs.
    #[error(
        "tensor `{tensor}` of shape {shape:?} lies at {start}..{end} of {data_bytes} data bytes"
    )]
    Place {
        /// Its name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// First byte.
        start: u64,
        /// Behind the last byte.
        end: u64,
        /// Bytes behind the header.
        data_bytes: u64,
    },
    /// Two tensors share bytes.
    #[error("tensors `{first}` and `{second}` share bytes")]
    Overlap {
        /// The one that begins first.
        first: String,
        /// The other one.
        second: String,
    },
}

/// Reads every tensor of a file of `file_bytes` bytes by name; `file` stands at its beginning.
///
/// # Errors
/// [`HeaderError`]; memory is taken for what `file` gives, not for what it claims.
pub fn read_header(
    mut file: impl Read,
    file_bytes: u64,
) -> Result<Vec<(String, StoredTensor)>, HeaderError> {
    let mut length = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut length)
        .map_err(|_| HeaderError::TooShort { file_bytes })?;
    let header_bytes = u64::from_le_bytes(length);
    if header_bytes > MAX_HEADER_BYTES || header_bytes > file_bytes.saturating_sub(LENGTH_BYTES) {
        return Err(HeaderError::Length {
            header_bytes,
            file_bytes,
        });
    }
    let mut header = Vec::new();
    file.take(header_bytes).read_to_end(&mut header)?;
    let Header(entries) = serde_json::from_slice(&header)?;
    drop(header);
    let data_start = LENGTH_BYTES + header_bytes;
    let place = |(name, entry): (String, Entry)| {
        let (start, end) = entry.data_offsets;
        let stored = entry.place(data_start, file_bytes);
        stored
            .map(|stored| (name.clone(), stored))
            .ok_or(HeaderError::Place {
                tensor: name,
                shape: entry.shape,
                start,
                end,
                data_bytes: file_bytes.saturating_sub(data_start),
            })
    };
    let mut tensors = entries
        .into_iter()
        .map(place)
        .collect::<Result<Vec<_>, _>>()?;
    tensors.sort_by_key(|(_, tensor)| (tensor.offset, tensor.size_bytes));
    let shares = |pair: &&[(String, StoredTensor)]| {
        pair[0].1.offset + pair[0].1.size_bytes > pair[1].1.offset
    };
    match tensors.windows(2).find(shares) {
        None => Ok(tensors),
        Some(pair) => Err(HeaderError::Overlap {
            first: pair[0].0.clone(),
            second: pair[1].0.clone(),
        }),
    }
}

/// A tensor as the header states it.
#[derive(Debug, Deserialize)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

impl Entry {
    /// Where it lies; `None` where its bytes are outside the file or not as many as its shape needs.
    fn place(&self, data_start: u64, file_bytes: u64) -> Option<StoredTensor> {
        let (start, end) = self.data_offsets;
        let bits = self
            .shape
            .iter()
            .try_fold(self.dtype.bitsize() as u64, |bits, &dim| {
                bits.checked_mul(dim as u64)
            })?;
        let size_bytes = end.checked_sub(start)?;
        let fits = data_start.checked_add(end)? <= file_bytes
            && bits.is_multiple_of(8)
            && bits / 8 == size_bytes;
        fits.then(|| StoredTensor {
            shape: self.shape.clone(),
            dtype: self.dtype,
            offset: data_start + start,
            size_bytes,
        })
    }
}

/// Entries by name, each name once.
struct Header(BTreeMap<String, Entry>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries).map(Self)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = BTreeMap<String, Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let entry = map.next_value()?;
            if entries.contains_key(&name) {
                return Err(A::Error::custom(format!("tensor `{name}` occurs twice")));
            }
            entries.insert(name, entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of this header and `data_bytes` zeros.
    fn read(header: &str, data_bytes: usize) -> Result<Vec<(String, StoredTensor)>, HeaderError> {
        let length = (header.len() as u64).to_le_bytes();
        let file = [&length, header.as_bytes(), &vec![0; data_bytes]].concat();
        read_header(file.as_slice(), file.len() as u64)
    }

    fn refused(header: &str, data_bytes: usize) -> String {
        read(header, data_bytes)
            .err()
            .map_or_else(String::new, |error| error.to_string())
    }

    fn entry(name: &str, shape: &str, start: u64, end: u64) -> String {
        format!(r#""{name}":{{"dtype":"BF16","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    }

    #[test]
    fn tensors_lie_behind_the_header_in_the_order_of_the_file() -> Result<(), HeaderError> {
        let (a, b) = (entry("a", "[2,3]", 4, 16), entry("b", "[2]", 0, 4));
        let header = format!(r#"{{"__metadata__":{{"format":"pt"}},{a},{b}}}"#);
        let tensors = read(&header, 16)?;
        let start = 8 + header.len() as u64;
        let found: Vec<_> = tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor.offset - start, tensor.size_bytes))
            .collect();
        assert_eq!(found, [("b", 0, 4), ("a", 4, 12)]);
        assert_eq!(
            (&tensors[1].1.shape, tensors[1].1.dtype),
            (&vec![2, 3], Dtype::BF16)
        );
        Ok(())
    }

    #[test]
    fn names_that_occur_twice_and_tensors_that_share_bytes_are_refused() {
        let twice = format!(
            "{{{},{}}}",
            entry("w", "[2]", 0, 4),
            entry("w", "[2]", 4, 8)
        );
        assert!(refused(&twice, 8).contains("tensor `w` occurs twice"));
        let shared = format!(
            "{{{},{}}}",
            entry("a", "[2]", 0, 4),
            entry("b", "[2]", 2, 6)
        );
        assert_eq!(refused(&shared, 8), "tensors `a` and `b` share bytes");
    }

    #[test]
    fn places_that_overflow_or_lie_outside_are_refused_by_name() {
        let huge = u64::MAX;
        for (shape, start, end) in [
            ("[2]", 0, 5),
            ("[2]", 8, 12),
            ("[2]", 4, 0),
            ("[2]", huge - 3, huge),
            ("[4294967296,4294967296,4]", 0, 4),
            ("[18446744073709551615]", 0, 8),
        ] {
            let message = refused(&format!("{{{}}}", entry("w", shape, start, end)), 8);
            assert!(
                message.starts_with("tensor `w` of shape "),
                "{shape}: {message}"
            );
        }
        for shape in ["[-1]", "[1.5]", "[18446744073709551616]", "\"x\""] {
            let message = refused(&format!("{{{}}}", entry("w", shape, 0, 4)), 8);
            assert!(message.starts_with("its header is damaged"), "{message}");
        }
    }

    #[test]
    fn a_header_that_claims_more_than_the_file_has_costs_nothing() {
        for claimed in [u64::MAX, u64::MAX - 7, MAX_HEADER_BYTES + 1, 3] {
            let file = [claimed.to_le_bytes().as_slice(), b"{}"].concat();
            let error = read_header(file.as_slice(), file.len() as u64).err();
            assert!(
                matches!(error, Some(HeaderError::Length { .. })),
                "{claimed}: {error:?}"
            );
        }
        let error = read_header(&b"1234"[..], 4).err();
        assert!(matches!(
            error,
            Some(HeaderError::TooShort { file_bytes: 4 })
        ));
    }

    #[test]
    fn json_that_nests_without_end_is_refused() {
        let deep = format!(r#"{{"__metadata__":{}"#, "[".repeat(1_000_000));
        assert!(refused(&deep, 0).starts_with("its header is damaged"));
        let deep = format!(r#"{{"w":{}"#, "[".repeat(1_000_000));
        assert!(refused(&deep, 0).starts_with("its header is damaged"));
    }
}
